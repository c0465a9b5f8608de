"""Tonight's figures against a plain count over the same rows, who may see them, and that old nights do not make them slower."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lastlight.domains.checkins import (
    count_inside,
    read_occupancy,
    read_tonight,
    seed_history,
    tonight,
)
from lastlight.domains.checkins.tonight import FEED, FIGURES, Tonight
from lastlight.domains.venues import Venue, business_day_span
from lastlight.kernel.errors import NotFound, NotPermitted
from lastlight.runtime.settings import Settings
from lastlight.seed import STATEMENT_MS, TRANSACTION_MS
from tests.support.door import House, new_house, opened_house

READ: Any = {"visits.read": None, "venues.read": None}


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    """With the time for a transaction that a seeding has."""
    longer = replace(database_settings, statement_timeout_ms=STATEMENT_MS, transaction_timeout_ms=TRANSACTION_MS)
    async with opened_house(longer) as opened:
        yield opened


async def with_past(house: House, *, nights: int = 9, guests: int = 60) -> House:
    """A tenant with three venues on three clocks, a past, and guests inside."""
    other = await new_house(house.services)
    await other.add_venue(time_zone="Europe/Lisbon", capacity=90, business_day_hour=4)
    await other.add_venue(time_zone="Asia/Kathmandu", capacity=60, business_day_hour=0)
    patrons = await other.add_crowd(guests)
    async with other.system() as ctx:
        places = [venue.id for venue in other.venues]
        await seed_history(ctx, seed="s", venue_ids=places, patron_ids=patrons, nights=nights)
    return other


async def all_visits(house: House) -> list[Any]:
    return await house.sql(
        """select v.*, c.method, p.name as patron from visits v join checkins c on c.tenant_id = v.tenant_id and c.id = v.checkin_id
           join patrons p on p.tenant_id = v.tenant_id and p.id = v.patron_id where v.tenant_id = $1""",
        house.tenant_id,
    )


def expected_figures(venue: Venue, rows: Sequence[Any], now: datetime) -> dict[str, Any]:
    """The figures of one venue by plain counting."""
    mine = [row for row in rows if row["venue_id"] == venue.id and row["status"] != "voided"]
    starts, _ = business_day_span(venue.business_day(now), venue.zone, venue.business_day_hour)
    week = venue.business_day(now) - timedelta(weeks=1)
    last_starts, _ = business_day_span(week, venue.zone, venue.business_day_hour)
    closed = [row for row in mine if row["closed_at"] is not None]
    stays = [row["duration_seconds"] for row in closed if row["closed_at"] >= starts and row["status"] == "closed"]
    return {
        "inside": sum(row["status"] == "open" for row in mine),
        "arrivals_15": sum(row["opened_at"] > now - timedelta(minutes=15) for row in mine),
        "arrivals_30": sum(row["opened_at"] > now - timedelta(minutes=30) for row in mine),
        "arrivals_60": sum(row["opened_at"] > now - timedelta(minutes=60) for row in mine),
        "arrivals_tonight": sum(row["opened_at"] >= starts for row in mine),
        "arrivals_last_week": sum(last_starts <= row["opened_at"] < last_starts + (now - starts) for row in mine),
        "departures_15": sum(row["closed_at"] > now - timedelta(minutes=15) for row in closed),
        "departures_tonight": sum(row["closed_at"] >= starts for row in closed),
        "timed_out_tonight": sum(row["closed_at"] >= starts and row["status"] == "timed_out" for row in closed),
        "average_stay_seconds": round(sum(stays) / len(stays)) if stays else None,
    }


def expected_feed(rows: Sequence[Any]) -> list[tuple[datetime, str, Any]]:
    lines: list[tuple[datetime, str, Any]] = []
    for row in rows:
        if row["status"] == "voided":
            continue
        lines.append((row["opened_at"], "in", row["id"]))
        if row["closed_at"] is not None:
            lines.append((row["closed_at"], "timed_out" if row["status"] == "timed_out" else "out", row["id"]))
    return sorted(lines, key=lambda line: (-line[0].timestamp(), str(line[2])))


def check(seen: Tonight, rows: Sequence[Any], places: Sequence[Venue]) -> None:
    """Every number that the screen shows."""
    by_id = {each.venue_id: each for each in seen.venues}
    assert set(by_id) == {venue.id for venue in places}
    for venue in places:
        expected = expected_figures(venue, rows, seen.at)
        found = {name: getattr(by_id[venue.id], name) for name in expected}
        if found["average_stay_seconds"] is not None:
            assert abs(found.pop("average_stay_seconds") - expected.pop("average_stay_seconds")) <= 1
        assert found == expected, venue.name
    ids = {venue.id for venue in places}
    lines = expected_feed([row for row in rows if row["venue_id"] in ids])[: len(seen.feed)]
    assert [(line.at, line.kind) for line in seen.feed] == [(at, kind) for at, kind, _ in lines]
    assert {line.visit_id for line in seen.feed} == {visit_id for _, _, visit_id in lines}


async def test_every_figure_is_a_plain_count(house: House) -> None:
    other = await with_past(house)
    rows = await all_visits(other)
    async with other.as_member(READ) as ctx:
        seen = await read_tonight(ctx)
    check(seen, rows, other.venues)
    assert len(seen.feed) == tonight.FEED_LENGTH
    assert sum(each.arrivals_tonight for each in seen.venues) == sum(slot.tonight or 0 for slot in seen.arrivals)
    async with other.as_member(READ) as ctx:
        one = await read_tonight(ctx, venue_ids=[other.venues[1].id])
        assert await count_inside(ctx) == sum(row["status"] == "open" for row in rows)
        assert await count_inside(ctx, venue_id=other.venues[1].id) == one.venues[0].inside
    check(one, rows, [other.venues[1]])


async def test_last_week_is_drawn_by_half_hours_of_the_venues_clock(house: House) -> None:
    other = await with_past(house)
    rows = await all_visits(other)
    venue = other.venue
    async with other.as_member(READ) as ctx:
        seen = await read_tonight(ctx, venue_ids=[venue.id])
    week = venue.business_day(seen.at) - timedelta(weeks=1)
    starts, ends = business_day_span(week, venue.zone, venue.business_day_hour)
    counted: dict[str, int] = {}
    for row in rows:
        if row["venue_id"] == venue.id and row["status"] != "voided" and starts <= row["opened_at"] < ends:
            wall = row["opened_at"].astimezone(venue.zone)
            slot = f"{wall.hour:02}:{wall.minute // 30 * 30:02}"
            counted[slot] = counted.get(slot, 0) + 1
    assert {slot.at: slot.last_week for slot in seen.arrivals if slot.last_week} == counted
    assert seen.arrivals[0].at == "06:00"
    assert len(seen.arrivals) == 48


async def test_a_voided_visit_counts_nowhere(house: House) -> None:
    other = await new_house(house.services)
    done = await other.check_in(await other.add_guest(), code=await other.code())
    async with other.as_member(READ) as ctx:
        before = (await read_tonight(ctx)).venues[0]
    assert (before.inside, before.arrivals_tonight, before.arrivals_15) == (1, 1, 1)
    void = "update visits set status = 'voided', closed_at = now(), closed_by = 'staff' where id = $1"
    await other.sql(void, done.visit.id)
    async with other.as_member(READ) as ctx:
        seen = await read_tonight(ctx)
    after = seen.venues[0]
    assert (after.inside, after.arrivals_tonight, after.arrivals_15, after.departures_tonight) == (0, 0, 0, 0)
    assert seen.feed == []


async def test_occupancy_is_a_share_of_the_capacity(house: House) -> None:
    other = await new_house(house.services)
    small = await other.add_venue(capacity=4)
    for number in range(3):
        await other.check_in(await other.add_guest(f"Guest {number}"), code=await other.code(venue=small))
    async with other.as_member(READ) as ctx:
        found = await read_occupancy(ctx, venue_id=small.id)
        assert (found.inside, found.capacity, found.share, found.arrivals_15) == (3, 4, 0.75, 3)
        bare = await read_occupancy(ctx, venue_id=other.venue.id)
        assert (bare.inside, bare.capacity, bare.share) == (0, None, None)


async def test_it_shows_the_venues_that_one_may_see(house: House) -> None:
    other = await with_past(house, nights=1, guests=20)
    mine, theirs = other.venues[0], other.venues[1]
    only: Any = {"visits.read": frozenset({mine.id}), "venues.read": frozenset({mine.id})}
    async with other.as_member(only) as ctx:
        seen = await read_tonight(ctx)
        assert [each.venue_id for each in seen.venues] == [mine.id]
        assert {line.venue_id for line in seen.feed} <= {mine.id}
        with pytest.raises(NotFound):
            await read_tonight(ctx, venue_ids=[theirs.id])
        with pytest.raises(NotFound):
            await read_occupancy(ctx, venue_id=theirs.id)
    stranger = await new_house(house.services)
    async with stranger.as_member(READ) as ctx:
        with pytest.raises(NotFound):
            await read_tonight(ctx, venue_ids=[mine.id])
        assert (await read_tonight(ctx)).feed == []
    async with other.as_member({}) as ctx:
        with pytest.raises(NotPermitted):
            await read_occupancy(ctx, venue_id=mine.id)


async def test_it_takes_as_many_statements_for_three_venues_as_for_one(house: House) -> None:
    other = await with_past(house, nights=1, guests=20)
    async with other.as_member(READ) as ctx:
        await read_tonight(ctx, venue_ids=[other.venue.id])
        one = ctx.db.statements
    async with other.as_member(READ) as ctx:
        await read_tonight(ctx)
        assert ctx.db.statements == one


async def pages_read(house: House, statement: str, *more: Any) -> int:
    """How many pages of the database a statement touches, as the app's own role."""
    async with house.as_member(READ) as ctx:
        explain = f"explain (analyze, buffers, timing off, format json) {statement}"
        [row] = await ctx.db.fetch(explain, ctx.tenant_id, [venue.id for venue in house.venues], *more)
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]


async def test_old_nights_do_not_make_it_slower(house: House) -> None:
    young = await with_past(house, nights=8, guests=150)
    old = await with_past(house, nights=70, guests=150)  # whichever days of the week the young one has twice
    assert await old.count("visits") > 6 * await young.count("visits")
    await house.sql("analyze visits")
    await house.sql("analyze checkins")
    now = datetime.now(UTC)
    spans = [[now - timedelta(hours=6)] * 3, [now - timedelta(days=7, hours=6)] * 3, [now - timedelta(days=7)] * 3]
    for statement, more in ((FIGURES, spans), (FEED, [30])):
        few, many = [await pages_read(each, statement, *more) for each in (young, old)]
        assert many < 2 * few, statement


async def test_the_crews_newest_check_ins_are_not_sought_among_all(house: House) -> None:
    """Across tenants too the first page is a walk along an index: a page of ten reads far less than the table holds."""
    await with_past(house, nights=30, guests=150)
    await house.sql("analyze checkins")
    [row] = await house.sql(
        "explain (analyze, buffers, timing off, format json) select id from checkins order by arrived_at desc, id desc limit 10"
    )
    plan = json.loads(row[0])[0]["Plan"]
    [size] = await house.sql("select pg_relation_size('checkins') / 8192 as pages")
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < size["pages"] / 4
