"""Free times and the board of a day: nothing overlaps, buffers are kept, also on the nights on which clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.resources.dayboard import QUARTER, Board, board_of
from lastlight.domains.resources.free import STEP, Span, free_starts
from lastlight.domains.resources.model import Booking, Resource
from lastlight.domains.venues import OpeningHours, business_day_span, open_spans
from lastlight.domains.venues.hours import WEEKDAYS, Interval, Week
from lastlight.kernel.ids import BookingId, ResourceId, VenueId, uuid7

MINUTE = timedelta(minutes=1)
ZONES = tuple(ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Africa/Johannesburg", "Asia/Kathmandu"))
CHANGES = (
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 6, 5, tzinfo=UTC),
)
HOURS = OpeningHours(weekly=Week(**{day: [Interval(opens="18:00", closes="04:00")] for day in WEEKDAYS}))
moments = st.integers(-600, 2000)
bookings = st.lists(st.tuples(moments, st.integers(5, 240), st.integers(0, 60)), max_size=12)


def taken_of(start: datetime, drawn: list[tuple[int, int, int]]) -> list[Span]:
    """Times with their buffers, none over another: the constraint lets nothing else stand."""
    found: list[Span] = []
    for begin, length, buffer in sorted(drawn):
        span = (start + begin * MINUTE, start + (begin + length + buffer) * MINUTE)
        if not found or span[0] >= found[-1][1]:
            found.append(span)
    return found


@settings(max_examples=150, deadline=None)
@given(
    drawn=bookings,
    length=st.sampled_from((15, 30, 45, 60, 95, 240)),
    buffer=st.sampled_from((0, 5, 10, 15, 40)),
    zone=st.sampled_from(ZONES),
    change=st.sampled_from(CHANGES),
)
def test_free_times_overlap_nothing_and_none_is_left_out(
    drawn: list[tuple[int, int, int]], length: int, buffer: int, zone: ZoneInfo, change: datetime
) -> None:
    start, end = business_day_span(change.date(), zone, 6)
    within = open_spans(HOURS, zone, start, end)
    taken = taken_of(start, drawn)
    offered = list(free_starts(within, length=length * MINUTE, buffer=buffer * MINUTE, taken=taken))
    for one in offered:
        until = one + length * MINUTE
        assert any(opens <= one and until <= closes for opens, closes in within), "it lies outside of the opening hours"
        assert not any(begin < until + buffer * MINUTE and one < done for begin, done in taken), "it overlaps"
        assert (one - datetime(2000, 1, 1, tzinfo=UTC)) % STEP == timedelta(0)
    wanted = [
        one
        for opens, closes in within
        for n in range(200)
        if (one := opens + n * STEP) + length * MINUTE <= closes
        and not any(begin < one + (length + buffer) * MINUTE and one < done for begin, done in taken)
    ]
    assert offered == wanted, "a free time was kept back, or one came twice"


@settings(max_examples=60, deadline=None)
@given(
    first=st.integers(0, 80),
    length=st.sampled_from((30, 60, 90)),
    buffer=st.sampled_from((0, 10, 20)),
    change=st.sampled_from(CHANGES),
)
def test_whoever_books_what_is_offered_never_meets_another(
    first: int, length: int, buffer: int, change: datetime
) -> None:
    """Booked one after the other from what is free: they stand apart by the buffer, and the day fills up."""
    zone = ZONES[0]
    start, end = business_day_span(change.date(), zone, 6)
    within = open_spans(HOURS, zone, start, end)
    taken: list[Span] = []
    for turn in range(60):
        free = list(free_starts(within, length=length * MINUTE, buffer=buffer * MINUTE, taken=taken))
        if not free:
            break
        one = free[(first + turn * 7) % len(free)]
        taken.append((one, one + (length + buffer) * MINUTE))
    else:
        raise AssertionError("the day never fills up")
    ordered = sorted(taken)
    assert all(before[1] <= after[0] for before, after in pairwise(ordered))


def test_open_spans_know_the_night_on_which_clocks_change() -> None:
    zone = ZONES[0]
    spring = open_spans(HOURS, zone, *business_day_span(CHANGES[0].date() - timedelta(days=1), zone, 6))
    autumn = open_spans(HOURS, zone, *business_day_span(CHANGES[1].date() - timedelta(days=1), zone, 6))
    assert [closes - opens for opens, closes in spring] == [timedelta(hours=9)]
    assert [closes - opens for opens, closes in autumn] == [timedelta(hours=11)]
    always = (CHANGES[0], CHANGES[0] + timedelta(hours=5))
    assert open_spans(None, zone, *always) == [always]


def resource() -> Resource:
    return Resource(
        id=ResourceId(uuid7()),
        venue_id=VenueId(uuid7()),
        venue="Venue",
        currency="ZAR",
        kind="table",
        name="Table 1",
        zone="",
        capacity=4,
        price=None,
        bookable=True,
        buffer_minutes=10,
        shortest_minutes=30,
        longest_minutes=240,
        status="available",
        status_reason="",
        created_at=CHANGES[0],
        updated_at=CHANGES[0],
        retired_at=None,
        version=1,
    )


def booking(one: Resource, start: datetime, end: datetime, free: datetime, **fields: Any) -> Booking:
    made = Booking(
        id=BookingId(uuid7()),
        venue_id=one.venue_id,
        venue=one.venue,
        resource_id=one.id,
        resource=one.name,
        kind=one.kind,
        patron_id=None,
        guest="Zinhle",
        party_size=2,
        starts_at=start,
        ends_at=end,
        free_at=free,
        status="booked",
        status_reason="",
        booked_by="staff",
        price=None,
        note="",
        arrived_at=None,
        ended_at=None,
        created_at=start,
        version=1,
    )
    return msgspec.structs.replace(made, **fields)


def board(one: Resource, found: list[Booking], day: Span, *, since: datetime | None = None) -> Board:
    return board_of([one], found, day=day, open_spans=[], zone=ZONES[0], since=since)


@settings(max_examples=100, deadline=None)
@given(drawn=bookings, change=st.sampled_from(CHANGES))
def test_a_boards_rows_are_full_and_hold_each_booking_once(drawn: list[tuple[int, int, int]], change: datetime) -> None:
    day = business_day_span(change.date(), ZONES[0], 6)
    one = resource()
    found: list[Booking] = []
    at = day[0]
    for _, length, buffer in drawn:
        if at >= day[1]:
            break
        end = at + max(length, 15) * MINUTE
        found.append(booking(one, at, end, end + buffer * MINUTE))
        at = end + buffer * MINUTE + length * MINUTE
    made = board(one, found, day)
    cells = made.rows[0].cells
    assert sum(cell.quarters for cell in cells) == made.quarters
    assert all(cell.quarters > 0 for cell in cells)
    shown = [cell.booking.id for cell in cells if cell.booking is not None]
    assert shown == [each.id for each in found]
    assert all(after.start == before.end for before, after in pairwise(cells))


def test_a_board_stays_within_its_day_whatever_a_booking_says() -> None:
    one = resource()
    day = business_day_span(CHANGES[4].date(), ZONES[0], 6)
    endless = booking(one, day[0] - timedelta(days=900), day[1] + timedelta(days=900), day[1] + timedelta(days=901))
    made = board(one, [endless], day)
    assert made.quarters == 36 * 4
    assert [cell.kind for cell in made.rows[0].cells] == ["booking"]


def test_a_board_leaves_out_the_past_and_what_takes_no_time() -> None:
    one = resource()
    start = datetime(2026, 6, 5, 16, tzinfo=UTC)
    day = (start - timedelta(hours=4), start + timedelta(hours=10))
    over = booking(one, start, start + timedelta(hours=1), start + timedelta(hours=1), status="done")
    missed = booking(one, start + timedelta(hours=3), start + timedelta(hours=4), start, status="no_show")
    coming = booking(
        one, start + timedelta(hours=5), start + timedelta(hours=6), start + timedelta(hours=6, minutes=10)
    )
    made = board(one, [over, missed, coming], day, since=start + timedelta(hours=2, minutes=20))
    assert made.start == start + timedelta(hours=2)
    assert [cell.kind for cell in made.rows[0].cells] == ["free", "booking"]
    assert made.rows[0].cells[0].quarters * QUARTER == timedelta(hours=3)
