"""T1: the nights on which clocks change. Figures by day, worked hours and bookings count what passed, not what the hands say."""

from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.resources.forms import BookingForm, to_booking
from lastlight.domains.safety import SAFETY_READ, response_figures
from lastlight.domains.staff.figures import performance
from lastlight.domains.staff.forms import CorrectionForm, to_correction
from lastlight.domains.staff.permissions import STAFF_PERFORMANCE
from lastlight.domains.staff.schemas import DaysQuery
from lastlight.domains.venues import Venue, business_day, spans
from lastlight.modules import MODULES
from lastlight.runtime.settings import Settings
from tests.support.door import House, new_house
from tests.support.examples import example_struct
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.services import opened_services
from tests.support.workers import Worker, add_worker

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = (date(2025, 3, 30), date(2025, 10, 26))
"""The days on which Berlin's clocks skip an hour, and show one twice."""
STEP = timedelta(minutes=10)
ALERTS = """
insert into safety_alerts (tenant_id, venue_id, kind, severity, status, summary, raised_at, acknowledged_at, acknowledged_by)
select $1, $2, 'behaviour', 'low', 'acknowledged', 'x', at, at + interval '1 minute', $3 from unnest($4::timestamptz[]) at
"""
SHIFTS = """
insert into shifts (tenant_id, venue_id, user_id, starts_at, ends_at, status, published_at)
select $1, $2, $3, at, at + $5::interval, 'published', at from unnest($4::timestamptz[]) at
"""


VENUE = msgspec.convert(
    example_struct(Venue, {}) | {"time_zone": "Europe/Berlin", "geofence": None, "opening_hours": None}, Venue
)


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, MODULES) as services:
        yield await new_house(services)


async def figures_by_day(house: House, venue: Venue, who: Worker, around: date) -> list[str]:
    """Answers and shifts every ten minutes through a night; the days whose figures are not what happened on them."""
    start = datetime.combine(around, time(), BERLIN).astimezone(UTC) - timedelta(hours=3)
    moments = [start + number * STEP for number in range(60)]
    await house.sql(ALERTS, house.tenant_id, venue.id, who.user_id, moments)
    await house.sql(SHIFTS, house.tenant_id, venue.id, who.user_id, moments, STEP)
    due = Counter(business_day(at, BERLIN, venue.business_day_hour) for at in moments)
    wrong: list[str] = []
    for day in (around - timedelta(days=1), around):
        async with who.act() as ctx:
            answers = await response_figures(ctx, first=day, last=day, venue_ids=[venue.id])
            work = await performance(ctx, query=DaysQuery(first=day, last=day, venue_id=venue.id))
        got = (sum(one.answered for one in answers), sum(one.shifts_planned for one in work.items))
        if got != (due[day], due[day]):
            wrong.append(f"{day}, days end at {venue.business_day_hour}: {got} of {due[day]}")
    return wrong


async def nights(house: House, run: FaultRun) -> list[str]:
    """Both nights at venues whose day ends in the hour that is repeated or missing, and beside it."""
    wrong: list[str] = []
    hours = (2, 3) if not run.long else range(13)
    for hour in hours:
        venue = await house.add_venue(time_zone="Europe/Berlin", business_day_hour=hour)
        who = await add_worker(house, SAFETY_READ, STAFF_PERFORMANCE)
        for night in NIGHTS:
            wrong += await figures_by_day(house, venue, who, night)
    run.report(nights=len(hours) * len(NIGHTS), wrong=len(wrong))
    return wrong


@pytest.mark.database
@pytest.mark.fault("T1")
async def test_figures_of_a_day_count_what_happened_on_it(house: House, run: FaultRun) -> None:
    assert await nights(house, run) == []


@pytest.mark.database
@pytest.mark.control("T1")
async def test_days_reckoned_as_the_database_reads_a_clock_are_seen(
    house: House, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes the second of two equal times, and for one that is skipped an hour that was not."""

    def read_by_database(day: date, zone: ZoneInfo, hour: int) -> tuple[datetime, datetime]:
        walls = (datetime.combine(day + timedelta(days=more), time(hour)) for more in (0, 1))
        since, until = (wall.replace(tzinfo=zone, fold=int(wall.month == 10)).astimezone(UTC) for wall in walls)
        return since, until

    monkeypatch.setattr(spans, "business_day_span", read_by_database)
    must_fail(await nights(house, run))


MINUTES_OF_NIGHT = st.integers(20 * 60, 32 * 60)


@pytest.mark.fault("T1")
@given(night=st.sampled_from(NIGHTS), typed=MINUTES_OF_NIGHT, minutes=st.integers(5, 600))
@settings(max_examples=300, deadline=None)
def test_a_booking_lasts_as_long_as_it_was_made_for(night: date, typed: int, minutes: int) -> None:
    """From 01:30 for two hours is two hours, whether the clock then shows 02:30, 03:30 or 04:30."""
    evening = datetime.combine(night - timedelta(days=1), time()) + timedelta(minutes=typed)
    form = BookingForm(
        resource_id=str(VENUE.id), day=f"{evening:%Y-%m-%d}", starts=f"{evening:%H:%M}", minutes=minutes, party_size=2
    )
    booking = to_booking(form, VENUE)
    assert booking.ends_at - booking.starts_at == timedelta(minutes=minutes)
    shown = booking.starts_at.astimezone(BERLIN).replace(tzinfo=None)
    skipped = night == NIGHTS[0] and evening.date() == night and evening.hour == 2
    assert shown == (evening.replace(hour=3, minute=0) if skipped else evening)


@pytest.mark.fault("T1")
@given(night=st.sampled_from(NIGHTS), begins=MINUTES_OF_NIGHT, hours=st.integers(1, 11))
@settings(max_examples=300, deadline=None)
def test_worked_hours_are_those_that_passed(night: date, begins: int, hours: int) -> None:
    """A night as it is typed on the clock: an hour more where one was repeated in it, one less where it was skipped."""
    first = datetime.combine(night - timedelta(days=1), time()) + timedelta(minutes=begins - begins % 60)
    last = first + timedelta(hours=hours)
    typed = [f"{at:%Y-%m-%dT%H:%M}" for at in (first, last)]
    form = CorrectionForm(venue_id=VENUE.id, started_at=typed[0], ended_at=typed[1], reason="x")
    change = datetime.combine(night, time(2))
    jump = timedelta(hours=0 if not first < change < last else -1 if night == NIGHTS[0] else 1)
    if {first, last} & {change}:
        return  # the hour itself is typed: either of the two, or none
    data = to_correction(form, VENUE, entry_id=None)
    assert data.ended_at - data.started_at == timedelta(hours=hours) + jump
