"""Hours add up across midnight, the end of a business day and the days on which the clock jumps."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.staff import SHIFTS_PLAN, TIME_CLOCK, TIME_READ
from lastlight.domains.staff.clock import read_entry
from lastlight.domains.staff.corrections import approve_correction, ask_correction
from lastlight.domains.staff.figures import time_sheets
from lastlight.domains.staff.forms import CorrectionForm, ShiftForm, to_correction, to_shift
from lastlight.domains.staff.permissions import TIME_APPROVE
from lastlight.domains.staff.schemas import CorrectionIn, DaysQuery
from lastlight.domains.staff.screens import own_hours
from lastlight.domains.staff.shifts import plan_shift
from lastlight.domains.staff.week import monday_of, read_week
from lastlight.domains.venues import business_day, business_day_span, read_wall_clock, write_wall_clock
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import UserId
from tests.support.door import House
from tests.support.workers import Worker, add_worker

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Africa/Johannesburg", "Australia/Lord_Howe", "Asia/Kathmandu")
MOMENTS = st.integers(0, 15 * 365 * 1440).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(at=MOMENTS, zone=st.sampled_from(ZONES))
def test_a_moment_is_typed_back_as_itself_unless_the_clock_shows_it_twice(at: datetime, zone: str) -> None:
    clock = ZoneInfo(zone)
    again = read_wall_clock(write_wall_clock(at, clock), clock, field="at")
    assert again == at or (
        at - again <= timedelta(hours=1) and write_wall_clock(again, clock) == write_wall_clock(at, clock)
    )


@given(start=MOMENTS, minutes=st.integers(1, 1440), zone=st.sampled_from(ZONES))
def test_a_span_as_typed_is_as_long_as_the_clock_ran(start: datetime, minutes: int, zone: str) -> None:
    """What passes on a jumping clock is what passed, not what the hands say: no hour is paid twice or lost."""
    clock = ZoneInfo(zone)
    end = start + timedelta(minutes=minutes)
    typed = [read_wall_clock(write_wall_clock(at, clock), clock, field="at") for at in (start, end)]
    if typed == [start, end]:
        return
    shown_twice = [given != at for given, at in zip(typed, (start, end), strict=True)]
    assert any(shown_twice)
    assert abs((typed[1] - typed[0]) - (end - start)) <= timedelta(hours=1)


@given(at=MOMENTS, zone=st.sampled_from(ZONES), hour=st.integers(0, 12))
@settings(max_examples=200)
def test_every_moment_lies_in_the_business_day_that_it_is_counted_for(at: datetime, zone: str, hour: int) -> None:
    clock = ZoneInfo(zone)
    day = business_day(at, clock, hour)
    starts, ends = business_day_span(day, clock, hour)
    assert starts <= at < ends
    assert monday_of(day) <= day < monday_of(day) + timedelta(days=7)


@pytest.mark.parametrize("text", ["", "tonight", "2026-13-01T10:00", "2026-11-21T22:00+02:00", "0001-01-01T00:00"])
def test_what_is_no_time_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_wall_clock(text, BERLIN, field="starts_at")
    assert set(refused.value.fields) == {"starts_at"}


async def worked(who: Worker, head: Worker, data: CorrectionIn) -> int:
    """Time that was never clocked, asked for and approved; how many seconds it counts."""
    async with who.act() as ctx:
        correction = await ask_correction(ctx, data=data)
    async with head.act() as ctx:
        done = await approve_correction(ctx, correction_id=correction.id, note="")
    assert done.entry_id is not None
    async with who.act() as ctx:
        return (await read_entry(ctx, entry_id=done.entry_id)).worked_seconds or 0


@pytest.mark.parametrize(
    ("night", "hours"),
    [(date(2025, 3, 29), 7), (date(2025, 10, 25), 9), (date(2025, 11, 21), 8)],
    ids=["the clock skips an hour", "the clock shows an hour twice", "an ordinary night"],
)
async def test_a_night_from_ten_to_six_counts_what_passed_and_for_the_evening_before(
    house: House, night: date, hours: int
) -> None:
    venue = await house.add_venue(time_zone="Europe/Berlin", business_day_hour=7)
    who = await add_worker(house, TIME_CLOCK)
    head = await add_worker(house, TIME_CLOCK, TIME_READ, TIME_APPROVE)
    typed = CorrectionForm(
        venue_id=venue.id,
        started_at=f"{night}T22:00",
        ended_at=f"{night + timedelta(days=1)}T06:00",
        break_minutes=30,
        reason="x",
    )
    data = to_correction(typed, venue, entry_id=None)
    seconds = await worked(who, head, data)
    assert seconds == hours * 3600 - 1800
    async with head.act() as ctx:
        query = DaysQuery(first=night, last=night, venue_id=venue.id)
        [sheet] = (await time_sheets(ctx, query=query)).items
    assert [(day.business_day, day.worked_seconds, day.break_seconds) for day in sheet.days] == [(night, seconds, 1800)]


async def test_ones_own_hours_hold_the_time_that_runs_without_its_break(house: House) -> None:
    who = await add_worker(house, TIME_CLOCK)
    venue = await house.add_venue(business_day_hour=0)
    await house.sql(
        """with mine as (insert into time_entries (tenant_id, venue_id, user_id, started_at, business_day)
                        select $1, $2, $3, now() - interval '2 hours', (now() at time zone 'Africa/Johannesburg')::date
                        returning id)
           insert into time_breaks (tenant_id, entry_id, started_at)
           select $1, id, now() - interval '30 minutes' from mine""",
        house.tenant_id,
        venue.id,
        who.user_id,
    )
    async with who.act() as ctx:
        hours = await own_hours(ctx)
    assert 5390 <= hours.today <= 5460
    assert hours.week == hours.today


async def test_the_planners_week_adds_up_and_marks_what_does_not_fit(house: House) -> None:
    venue = await house.add_venue(time_zone="Europe/Berlin", business_day_hour=6)
    head, who = await add_worker(house, SHIFTS_PLAN), await add_worker(house, name="Anna Nacht")
    monday = date(2031, 3, 24)  # its Sunday has 23 hours
    for day, start, end in ((0, 22, 30), (1, 10, 18), (6, 22, 30)):
        form = ShiftForm(
            venue_id=venue.id,
            user_id=UserId(who.user_id),
            starts_at=_wall(monday, day, start),
            ends_at=_wall(monday, day, end),
        )
        async with head.act() as ctx:
            await plan_shift(ctx, data=to_shift(form, venue))
    async with head.act() as ctx:
        week = await read_week(ctx, venue=venue, monday=monday)
    line = next(one for one in week.lines if one.user_id == who.user_id)
    assert [len(line.on(day)) for day in week.days] == [1, 1, 0, 0, 0, 0, 1]
    assert line.seconds == 24 * 3600
    assert (week.unpublished, week.open) == (3, 0)
    assert line.on(week.days[1])[0].problems == ["Only 4 hours of rest before it"]
    assert line.on(week.days[0])[0].problems == []
    assert (week.starts_to - week.starts_from) == timedelta(hours=7 * 24 - 1)


def _wall(monday: date, day: int, hour: int) -> str:
    at = datetime.combine(monday, datetime.min.time()) + timedelta(days=day, hours=hour)
    return at.isoformat(timespec="minutes")
