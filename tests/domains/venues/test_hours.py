"""Hours and business days on the venue's clock, also on the nights on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.venues.hours import (
    HoursException,
    Interval,
    OpeningHours,
    Week,
    business_day,
    business_day_span,
    closes_at,
    hours_problems,
    is_open,
    moment_of,
    next_opening,
    open_spans,
)

BERLIN = ZoneInfo("Europe/Berlin")
JOBURG = ZoneInfo("Africa/Johannesburg")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""In Berlin 02:00 becomes 03:00, and 03:00 becomes 02:00 again."""


def local(zone: ZoneInfo, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def nights(opens: str, closes: str) -> OpeningHours:
    every = [Interval(opens=opens, closes=closes)]
    return OpeningHours(weekly=Week(mon=every, tue=every, wed=every, thu=every, fri=every, sat=every, sun=every))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T17:59:59", False),
        ("2026-11-20T18:00:00", True),
        ("2026-11-20T23:59:59", True),
        ("2026-11-21T01:59:59", True),  # Saturday's small hours belong to Friday
        ("2026-11-21T02:00:00", False),
        ("2026-11-22T01:00:00", False),  # closed on Saturday, so there is no Sunday morning
        ("2026-11-22T13:00:00", True),
        ("2026-11-22T15:30:00", False),
        ("2026-11-22T19:00:00", True),
        ("2026-11-22T23:59:00", True),
        ("2026-11-23T00:00:00", False),
    ],
)
def test_hours_of_a_week(at: str, expected: bool) -> None:
    hours = OpeningHours(
        weekly=Week(
            fri=[Interval(opens="18:00", closes="02:00")],
            sun=[Interval(opens="12:00", closes="15:00"), Interval(opens="18:00", closes="24:00")],
        )
    )
    assert is_open(hours, JOBURG, local(JOBURG, at)) is expected


def test_a_clock_set_back_past_midnight_shows_the_old_day_while_the_new_one_is_open() -> None:
    """Newfoundland, at one minute past midnight: an hour of the evening before comes once more."""
    zone, opened = ZoneInfo("America/St_Johns"), datetime(1997, 10, 26, 2, 30, tzinfo=UTC)
    early = [Interval(opens="00:00", closes="20:30")]
    hours = OpeningHours(weekly=Week(sun=early))
    for minutes in (0, 1, 30, 61):
        at = opened + timedelta(minutes=minutes)
        assert is_open(hours, zone, at)
        assert closes_at(hours, zone, at) == datetime(1997, 10, 27, 0, 0, tzinfo=UTC)
    until = opened + timedelta(minutes=30)
    assert open_spans(hours, zone, opened - timedelta(hours=1), until) == [(opened, until)]
    assert not is_open(hours, zone, opened - timedelta(minutes=1))


def test_without_hours_it_is_always_open_and_with_an_empty_week_never() -> None:
    now = datetime.now(UTC)
    assert is_open(None, JOBURG, now)
    assert not is_open(OpeningHours(), JOBURG, now)
    assert next_opening(None, JOBURG, now) is None
    assert next_opening(OpeningHours(), JOBURG, now) is None


def test_an_exception_replaces_its_day_and_no_other() -> None:
    hours = OpeningHours(
        weekly=nights("18:00", "02:00").weekly,
        exceptions=[
            HoursException(date=date(2026, 12, 25), note="Christmas"),
            HoursException(date=date(2026, 12, 31), intervals=[Interval(opens="20:00", closes="06:00")]),
        ],
    )
    assert is_open(hours, JOBURG, local(JOBURG, "2026-12-25T01:00:00"))  # Christmas Eve's night
    assert not is_open(hours, JOBURG, local(JOBURG, "2026-12-25T20:00:00"))
    assert not is_open(hours, JOBURG, local(JOBURG, "2026-12-26T01:00:00"))
    assert is_open(hours, JOBURG, local(JOBURG, "2026-12-26T19:00:00"))
    assert not is_open(hours, JOBURG, local(JOBURG, "2026-12-31T19:00:00"))
    assert is_open(hours, JOBURG, local(JOBURG, "2027-01-01T05:30:00"))


def test_next_opening_and_closing() -> None:
    hours = nights("18:00", "02:00")
    assert next_opening(hours, JOBURG, local(JOBURG, "2026-11-20T03:00:00")) == local(JOBURG, "2026-11-20T18:00:00")
    assert closes_at(hours, JOBURG, local(JOBURG, "2026-11-20T23:00:00")) == local(JOBURG, "2026-11-21T02:00:00")
    assert closes_at(hours, JOBURG, local(JOBURG, "2026-11-20T03:00:00")) is None


def test_on_the_night_with_an_hour_twice_it_closes_after_the_second() -> None:
    hours = nights("22:00", "02:30")
    assert is_open(hours, BERLIN, local(BERLIN, "2026-10-25T02:29:00", fold=0))
    assert is_open(hours, BERLIN, local(BERLIN, "2026-10-25T02:45:00", fold=0))
    assert is_open(hours, BERLIN, local(BERLIN, "2026-10-25T02:29:00", fold=1))
    assert not is_open(hours, BERLIN, local(BERLIN, "2026-10-25T02:30:00", fold=1))
    open_for = moment_of(AUTUMN, 150, BERLIN, last=True) - moment_of(AUTUMN - timedelta(days=1), 22 * 60, BERLIN)
    assert open_for == timedelta(hours=5, minutes=30)


def test_on_the_night_with_an_hour_missing_it_closes_when_the_clock_jumps() -> None:
    hours = nights("22:00", "02:30")
    assert is_open(hours, BERLIN, datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))  # 01:59:59
    assert not is_open(hours, BERLIN, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))  # 03:00, and 02:30 was never shown
    early = nights("02:30", "06:00")
    assert not is_open(early, BERLIN, datetime(2026, 3, 29, 0, 59, tzinfo=UTC))
    assert is_open(early, BERLIN, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))


def test_business_days_have_23_24_or_25_hours() -> None:
    for day, hours in ((SPRING - timedelta(days=1), 23), (AUTUMN - timedelta(days=1), 25), (date(2026, 6, 1), 24)):
        start, end = business_day_span(day, BERLIN, 6)
        assert end - start == timedelta(hours=hours)
    start, end = business_day_span(SPRING, BERLIN, 2)  # 02:00 is skipped: the day before ends as the clock jumps
    assert start == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Africa/Johannesburg", "Australia/Lord_Howe", "Asia/Kathmandu"]
    ),
    hour=st.integers(0, 12),
)
def test_every_moment_lies_in_its_business_day(at: datetime, zone: str, hour: int) -> None:
    moment, clock = at.replace(tzinfo=UTC), ZoneInfo(zone)
    start, end = business_day_span(business_day(moment, clock, hour), clock, hour)
    if start <= moment < end:
        return
    # Only where the day's hour itself is shown twice may a moment stand on either side of it.
    wall = moment.astimezone(clock)
    assert wall.hour == hour or wall.utcoffset() != (moment + timedelta(hours=1)).astimezone(clock).utcoffset()


@pytest.mark.parametrize(
    ("week", "path"),
    [
        (Week(mon=[Interval(opens="8", closes="10:00")]), "opening_hours.weekly.mon[0].opens"),
        (Week(mon=[Interval(opens="24:00", closes="10:00")]), "opening_hours.weekly.mon[0].opens"),
        (Week(tue=[Interval(opens="08:00", closes="25:00")]), "opening_hours.weekly.tue[0].closes"),
        (
            Week(tue=[Interval(opens="08:00", closes="12:00"), Interval(opens="11:59", closes="13:00")]),
            "opening_hours.weekly.tue[1]",
        ),
        (
            Week(sun=[Interval(opens="20:00", closes="04:00")], mon=[Interval(opens="03:00", closes="05:00")]),
            "opening_hours.weekly.sun[0].closes",
        ),
        (Week(wed=[Interval(opens="08:00", closes="09:00")] * 7), "opening_hours.weekly.wed"),
    ],
)
def test_hours_that_cannot_be(week: Week, path: str) -> None:
    assert list(hours_problems(OpeningHours(weekly=week))) == [path]


def test_a_date_twice_among_the_exceptions() -> None:
    day = HoursException(date=date(2026, 12, 25))
    assert list(hours_problems(OpeningHours(exceptions=[day, day]))) == ["opening_hours.exceptions[1].date"]


@pytest.mark.parametrize(
    "hours", [nights("18:00", "02:00"), nights("00:00", "24:00"), nights("06:00", "06:00"), OpeningHours()]
)
def test_hours_that_can(hours: OpeningHours) -> None:
    assert hours_problems(hours) == {}
