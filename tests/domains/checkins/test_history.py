"""Past nights of the demonstration: credible, repeatable, quick to write, and told to nobody."""

from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastlight.domains.checkins import seed_history
from lastlight.domains.checkins.past import PastVisit, plan_past_night
from lastlight.domains.venues import Venue, seed_venues
from lastlight.domains.venues.geofence import Point
from lastlight.domains.venues.hours import Interval, OpeningHours, Week
from lastlight.domains.venues.model import Address
from lastlight.kernel.ids import PatronId, VenueId, uuid7
from lastlight.runtime.settings import Settings
from lastlight.seed import STATEMENT_MS, TRANSACTION_MS
from tests.support.door import House, new_house, opened_house

EVENINGS = OpeningHours(weekly=Week(**{day: [Interval("17:00", "02:00")] for day in ("wed", "thu", "fri", "sat")}))


def venue(name: str = "Main", *, capacity: int | None = 150, hours: OpeningHours | None = None) -> Venue:
    return Venue(
        id=VenueId(uuid7()),
        slug=name.lower(),
        name=name,
        address=Address(),
        position=Point(lat=-26.1, lon=28.0),
        time_zone="Africa/Johannesburg",
        currency="ZAR",
        business_day_hour=6,
        capacity=capacity,
        opening_hours=hours,
        tags=[],
        age_limit=None,
        tax_rates=[],
        geofence=None,
        position_policy="off",
        visit_timeout_minutes=480,
        status="active",
        status_reason="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        archived_at=None,
        version=1,
    )


def weeks(places: list[Venue], *, guests: int = 500, days: int = 28) -> list[PastVisit]:
    first = date(2026, 10, 5)
    nights = [first + timedelta(days=day) for day in range(days)]
    return [visit for day in nights for visit in plan_past_night(seed="s", day=day, venues=places, guests=guests)]


def test_the_same_seed_plans_the_same_night_and_another_seed_another() -> None:
    places = [venue(), venue("Roof", hours=EVENINGS)]
    day = date(2026, 10, 9)
    plan = plan_past_night(seed="s", day=day, venues=places, guests=300)
    assert plan == plan_past_night(seed="s", day=day, venues=places, guests=300)
    assert plan != plan_past_night(seed="t", day=day, venues=places, guests=300)
    assert plan != plan_past_night(seed="s", day=day + timedelta(days=7), venues=places, guests=300)


def test_evenings_rise_peak_around_ten_and_have_a_tail() -> None:
    zone = ZoneInfo("Africa/Johannesburg")
    hours = Counter(visit.opened_at.astimezone(zone).hour for visit in weeks([venue()]))
    rising = [hours[hour] for hour in range(16, 22)]
    assert rising == sorted(rising)
    assert max(hours, key=lambda hour: hours[hour]) in {21, 22}
    falling = [hours[hour] for hour in (22, 23, 0, 1, 2)]
    assert falling == sorted(falling, reverse=True)
    assert sum(hours[hour] for hour in range(4, 12)) == 0


def test_weekends_are_fuller_and_stays_are_sensible() -> None:
    plan = weeks([venue()])
    by_day = Counter(visit.business_day.weekday() for visit in plan)
    assert min(by_day[4], by_day[5]) > 1.5 * max(by_day[day] for day in (0, 1, 2, 3, 6))
    stays = sorted((v.closed_at - v.opened_at).total_seconds() / 60 for v in plan if v.ending == "guest")
    assert 90 < stays[len(stays) // 2] < 160
    assert stays[0] >= 6
    assert stays[-1] < 480
    endings = Counter(visit.ending for visit in plan)
    assert endings["guest"] > endings["time_out"] > endings["voided"] > 0
    assert endings["staff"] > 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.text(min_size=1, max_size=6),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    guests=st.integers(1, 200),
    capacity=st.none() | st.integers(1, 300),
)
def test_nobody_is_in_two_places_and_nobody_enters_a_closed_one(
    seed: str, day: date, guests: int, capacity: int | None
) -> None:
    places = [venue(capacity=capacity), venue("Roof", hours=EVENINGS)]
    plan = plan_past_night(seed=seed, day=day, venues=places, guests=guests)
    until: dict[int, datetime] = {}
    for visit in plan:
        assert 0 <= visit.guest < guests
        assert visit.closed_at >= visit.opened_at >= until.get(visit.guest, visit.opened_at)
        assert visit.business_day == day
        until[visit.guest] = visit.closed_at
    late = timedelta(seconds=150)
    assert all(v.venue.is_open(v.opened_at) or v.venue.is_open(v.opened_at - late) for v in plan)


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    """With the time for a transaction that a seeding has."""
    longer = replace(database_settings, statement_timeout_ms=STATEMENT_MS, transaction_timeout_ms=TRANSACTION_MS)
    async with opened_house(longer) as opened:
        yield opened


async def seeded(house: House, **fields: Any) -> tuple[House, list[PatronId], int]:
    """A new tenant with a past of two weeks."""
    other = await new_house(house.services)
    patrons = await other.add_crowd(200)
    async with other.system() as ctx:
        given: dict[str, Any] = {"seed": "s", "venue_ids": [other.venue.id], "patron_ids": patrons, "nights": 14}
        return other, patrons, await seed_history(ctx, **(given | fields))


async def test_history_is_whole_and_told_to_nobody(house: House) -> None:
    other, patrons, made = await seeded(house)
    assert made > 200
    assert (await other.count("visits"), await other.count("checkins")) == (made, made)
    assert [
        row["name"] for row in await other.sql("select name from outbox where tenant_id = $1", other.tenant_id)
    ] == ["venue.created"]
    rows = await other.sql("select * from visits where tenant_id = $1", other.tenant_id)
    assert {row["status"] for row in rows} == {"open", "closed", "timed_out", "voided"}
    assert {row["patron_id"] for row in rows} <= set(patrons)
    async with other.system() as ctx:
        now = ctx.now
    assert all(row["opened_at"] <= now for row in rows)
    assert all(row["closed_at"] <= now for row in rows if row["closed_at"])
    opened = [row for row in rows if row["status"] == "open"]
    assert len(opened) >= 12
    assert len({row["patron_id"] for row in opened}) == len(opened)
    pairs = await other.sql(
        """select count(*) from visits v join checkins c on c.tenant_id = v.tenant_id and c.id = v.checkin_id
           where v.tenant_id = $1 and c.arrived_at = v.opened_at and c.venue_id = v.venue_id and c.patron_id = v.patron_id
             and c.business_day = v.business_day""",
        other.tenant_id,
    )
    assert pairs[0]["count"] == made


async def test_history_is_written_once(house: House) -> None:
    other, patrons, made = await seeded(house)
    async with other.system() as ctx:
        again = await seed_history(ctx, seed="s", venue_ids=[other.venue.id], patron_ids=patrons, nights=14)
    assert again == 0
    assert await other.count("visits") == made


async def test_those_who_are_away_tonight_have_a_past_and_are_not_inside(house: House) -> None:
    other = await new_house(house.services)
    patrons = await other.add_crowd(200)
    async with other.system() as ctx:
        # so many nights that everybody comes at some time, whatever the day from which they are counted
        given: dict[str, Any] = {"venue_ids": [other.venue.id], "patron_ids": patrons, "nights": 60}
        await seed_history(ctx, seed="s", away=patrons[:20], **given)
    inside = await other.sql("select patron_id from visits where tenant_id = $1 and status = 'open'", other.tenant_id)
    assert inside
    assert {row["patron_id"] for row in inside} <= set(patrons[20:])
    past = await other.sql("select distinct patron_id from visits where tenant_id = $1", other.tenant_id)
    assert {row["patron_id"] for row in past} >= set(patrons[:20])


async def test_venues_of_the_demonstration_may_be_seeded_twice(house: House) -> None:
    other = await new_house(house.services)
    async with other.system() as ctx:
        first = await seed_venues(ctx, seed="s", slug="kojo-arcade")
    async with other.system() as ctx:
        assert await seed_venues(ctx, seed="s", slug="kojo-arcade") == first
    assert list(first) == ["kojo-rosebank", "kojo-braamfontein", "kojo-melville"]
    [main] = await other.sql("select * from venues where tenant_id = $1 and slug = 'kojo-rosebank'", other.tenant_id)
    assert (main["opening_hours"], main["capacity"], main["time_zone"]) == (None, 180, "Africa/Johannesburg")
    assert main["geofence"] is not None
    keys = await other.sql("select count(*) from venue_keys where tenant_id = $1", other.tenant_id)
    assert keys[0]["count"] == 4
    async with other.system() as ctx:
        with pytest.raises(ValueError, match="knows no venues"):
            await seed_venues(ctx, seed="s", slug="nobody")
