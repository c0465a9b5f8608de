"""Venues on the real database: created, changed, paused, archived, kept apart."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from lastlight.domains.venues.actions import change_venue, create_venue, replace_venue, set_status
from lastlight.domains.venues.errors import PosterNeedsGeofence, VenueArchived, VenueSlugTaken
from lastlight.domains.venues.geofence import Circle, Point, Polygon
from lastlight.domains.venues.hours import Interval, OpeningHours, Week
from lastlight.domains.venues.keys import regenerate_key
from lastlight.domains.venues.listings import VENUES
from lastlight.domains.venues.model import Address, TaxRate, Venue
from lastlight.domains.venues.permissions import VENUES_CODES, VENUES_KEYS, VENUES_MANAGE, VENUES_READ
from lastlight.domains.venues.queries import find_venue
from lastlight.domains.venues.schemas import VenueChange, VenueIn
from lastlight.domains.venues.screens import read_code_place, read_poster, read_screen_code
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.door import HERE, House, new_house, opened_house

HOURS = OpeningHours(weekly=Week(fri=[Interval(opens="18:00", closes="02:00")]))


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def test_a_venue_keeps_all_its_fields(house: House) -> None:
    given: dict[str, Any] = {
        "name": "Kōjō Arcade",
        "address": Address(line1="12 Tyrwhitt Ave", city="Johannesburg", country="ZA"),
        "position": HERE,
        "time_zone": "Africa/Johannesburg",
        "currency": "ZAR",
        "business_day_hour": 5,
        "capacity": 180,
        "opening_hours": HOURS,
        "tags": ["arcade", "karaoke"],
        "age_limit": 18,
        "tax_rates": [TaxRate(name="VAT", rate_bp=1500, inclusive=True)],
        "geofence": Polygon(points=[HERE, Point(lat=-26.14, lon=28.04), Point(lat=-26.14, lon=28.05)]),
        "position_policy": "required",
        "visit_timeout_minutes": 360,
    }
    venue = await house.add_venue(**given)
    assert venue.slug == "kojo-arcade"
    assert (venue.status, venue.version) == ("active", 1)
    for name, value in given.items():
        assert getattr(venue, name) == value, name
    keys = await house.sql("select number, secret from venue_keys where venue_id = $1", venue.id)
    assert [row["number"] for row in keys] == [1]
    [event] = await house.sql("select name, audit::text from outbox where venue_id = $1", venue.id)
    assert event["name"] == "venue.created"
    assert "Tyrwhitt" in event["audit"]


async def test_defaults_come_from_the_tenant(house: House) -> None:
    await house.sql("update tenants set currency = 'EUR', time_zone = 'Europe/Berlin' where id = $1", house.tenant_id)
    async with house.system() as ctx:
        venue = await create_venue(ctx, data=VenueIn(name="Nachtlicht", position=HERE))
    assert (venue.currency, venue.time_zone) == ("EUR", "Europe/Berlin")
    assert venue.geofence == Circle(center=HERE, radius_m=150)
    async with house.system() as ctx:
        bare = await create_venue(ctx, data=VenueIn(name="Irgendwo"))
    assert bare.geofence is None


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("slug", "Not Good", "slug"),
        ("name", "   ", "name"),
        ("time_zone", "Mars/Olympus", "time_zone"),
        ("currency", "QQQ", "currency"),
        ("business_day_hour", 13, "business_day_hour"),
        ("capacity", 0, "capacity"),
        ("age_limit", 100, "age_limit"),
        ("visit_timeout_minutes", 14, "visit_timeout_minutes"),
        ("tags", ["fine", "Not Fine"], "tags[1]"),
        ("tags", ["twice", "twice"], "tags[1]"),
        ("tax_rates", [TaxRate(name="VAT", rate_bp=1), TaxRate(name="vat ", rate_bp=2)], "tax_rates[1].name"),
        ("geofence", Circle(center=HERE, radius_m=1), "geofence.radius_m"),
        (
            "opening_hours",
            OpeningHours(weekly=Week(mon=[Interval(opens="x", closes="y")])),
            "opening_hours.weekly.mon[0].opens",
        ),
    ],
)
async def test_a_field_at_fault_is_named_and_nothing_is_written(
    house: House, field: str, value: object, path: str
) -> None:
    before = await house.count("venues")
    with pytest.raises(Invalid) as refused:
        await house.add_venue(**{field: value})
    assert path in refused.value.fields
    assert refused.value.fields[path].endswith(".")
    assert await house.count("venues") == before


async def test_required_positions_need_a_fence(house: House) -> None:
    with pytest.raises(Invalid) as refused:
        await house.add_venue(position=None, position_policy="required")
    assert list(refused.value.fields) == ["geofence"]


async def test_a_slug_is_taken_within_the_tenant_only(house: House) -> None:
    await house.add_venue(slug="the-only-one")
    with pytest.raises(VenueSlugTaken):
        await house.add_venue(slug="the-only-one")
    other = await new_house(house.services)
    assert (await other.add_venue(slug="the-only-one")).slug == "the-only-one"


async def test_of_two_changes_at_once_one_is_stale(house: House) -> None:
    venue = await house.add_venue(capacity=100)

    async def change(capacity: int) -> Venue | None:
        try:
            async with house.system() as ctx:
                return await change_venue(ctx, venue_id=venue.id, data=VenueChange(capacity=capacity), version=1)
        except Stale:
            return None

    done = [kept for kept in await asyncio.gather(*(change(n) for n in range(200, 204))) if kept]
    assert len(done) == 1
    async with house.system() as ctx:
        assert await find_venue(ctx, venue_id=venue.id) == done[0]
    assert done[0].version == 2


async def test_a_change_says_before_and_after_and_a_replacement_resets(house: House) -> None:
    venue = await house.add_venue(capacity=100, tags=["bar"])
    async with house.system() as ctx:
        changed = await change_venue(ctx, venue_id=venue.id, data=VenueChange(capacity=None, tags=["club"]), version=1)
        event = ctx.pending[-1]
    assert (changed.capacity, changed.tags, changed.name) == (None, ["club"], venue.name)
    assert (event.name, event.before, event.after) == (
        "venue.updated",
        {"capacity": 100, "tags": ["bar"]},
        {"capacity": None, "tags": ["club"]},
    )
    async with house.system() as ctx:
        same = await change_venue(ctx, venue_id=venue.id, data=VenueChange(tags=["club"]), version=2)
        assert same.version == 2
        assert ctx.pending == []
    async with house.system() as ctx:
        replaced = await replace_venue(ctx, venue_id=venue.id, data=VenueIn(name="Another"), version=2)
    assert (replaced.name, replaced.slug, replaced.tags, replaced.position) == ("Another", "another", [], None)


async def test_pausing_and_archiving(house: House) -> None:
    venue = await house.add_venue()
    async with house.system() as ctx:
        with pytest.raises(Invalid):
            await set_status(ctx, venue_id=venue.id, status="paused", reason=" ", version=1)
        paused = await set_status(ctx, venue_id=venue.id, status="paused", reason="Water damage", version=1)
    assert (paused.status, paused.status_reason, paused.archived_at) == ("paused", "Water damage", None)
    async with house.system() as ctx:
        archived = await set_status(ctx, venue_id=venue.id, status="archived", reason="Sold", version=2)
    assert archived.archived_at is not None
    async with house.system() as ctx:
        with pytest.raises(VenueArchived):
            await change_venue(ctx, venue_id=venue.id, data=VenueChange(capacity=5), version=3)
        with pytest.raises(VenueArchived):
            await read_screen_code(ctx, venue_id=venue.id)
        again = await set_status(ctx, venue_id=venue.id, status="active", reason="", version=3)
    assert (again.status, again.archived_at) == ("active", None)
    names = [
        row["name"]
        for row in await house.sql("select name from outbox where venue_id = $1 order by position", venue.id)
    ]
    assert names == ["venue.created", "venue.status_changed", "venue.archived", "venue.status_changed"]


async def test_a_manager_of_named_venues_sees_and_manages_those_only(house: House) -> None:
    mine, other = await house.add_venue(), await house.add_venue()
    grants = {p.name: frozenset({mine.id}) for p in (VENUES_READ, VENUES_MANAGE, VENUES_CODES, VENUES_KEYS)}
    async with house.as_member(dict(grants)) as ctx:
        page = await VENUES.page(ctx, VENUES.parse(limit=200))
        assert [row.id for row in page.items] == [mine.id]
        assert (await find_venue(ctx, venue_id=mine.id)).id == mine.id
        for refused in (
            find_venue(ctx, venue_id=other.id),
            change_venue(ctx, venue_id=other.id, data=VenueChange(capacity=1), version=1),
            read_screen_code(ctx, venue_id=other.id),
            read_poster(ctx, venue_id=other.id),
            regenerate_key(ctx, venue_id=other.id),
        ):
            with pytest.raises(NotFound):
                await refused
        with pytest.raises(NotPermitted):
            await create_venue(ctx, data=VenueIn(name="A third"))


async def test_another_tenants_venue_is_not_there(house: House) -> None:
    theirs = (await new_house(house.services)).venue
    async with house.system() as ctx:
        for refused in (
            find_venue(ctx, venue_id=theirs.id),
            change_venue(ctx, venue_id=theirs.id, data=VenueChange(capacity=1), version=1),
            set_status(ctx, venue_id=theirs.id, status="paused", reason="x", version=1),
            regenerate_key(ctx, venue_id=theirs.id),
            read_screen_code(ctx, venue_id=theirs.id),
        ):
            with pytest.raises(NotFound):
                await refused
        # The policy stands by itself: a statement that names no tenant sees none of theirs.
        assert await ctx.db.fetchval("select count(*) from venues where id = $1", theirs.id) == 0
        assert await ctx.db.fetchval("select count(*) from venue_keys where venue_id = $1", theirs.id) == 0
        assert await ctx.db.execute("update venues set name = 'stolen' where id = $1", theirs.id) == 0


async def test_regenerations_at_once_leave_one_current_key(house: House) -> None:
    venue = await house.add_venue()

    async def regenerate() -> int:
        async with house.system() as ctx:
            return (await regenerate_key(ctx, venue_id=venue.id, grace_minutes=5)).key_number

    numbers = await asyncio.gather(*(regenerate() for _ in range(6)))
    assert sorted(numbers) == [2, 3, 4, 5, 6, 7]
    rows = await house.sql(
        "select number from venue_keys where venue_id = $1 and retires_at is null and revoked_at is null", venue.id
    )
    assert [row["number"] for row in rows] == [7]


async def test_keys_are_sealed_and_open_in_their_own_row_only(house: House) -> None:
    first, second = await house.add_venue(), await house.add_venue()
    rows = await house.sql("select venue_id, secret from venue_keys where venue_id = any($1)", [first.id, second.id])
    assert all(len(row["secret"]) > 48 for row in rows)
    swapped = {row["venue_id"]: row["secret"] for row in rows}
    await house.sql("update venue_keys set secret = $2 where venue_id = $1", first.id, swapped[second.id])
    with pytest.raises(Exception, match="damaged or moved"):
        await house.code(venue=first)


async def test_a_screen_shows_the_same_code_everywhere_and_a_poster_wants_a_fence(house: House) -> None:
    venue = await house.add_venue(name="Blau")
    async with house.system() as ctx:
        one, two = await read_screen_code(ctx, venue_id=venue.id), await read_screen_code(ctx, venue_id=venue.id)
        assert one == two
        assert one.url.endswith(f"/c/{one.code}")
        assert one.svg.startswith("<svg ")
        assert one.now < one.refresh_at < one.expires_at
        assert (await read_poster(ctx, venue_id=venue.id)).key_number == 1
    bare = await house.add_venue(name="Nirgends", position=None)
    async with house.system() as ctx:
        with pytest.raises(PosterNeedsGeofence):
            await read_poster(ctx, venue_id=bare.id)


async def test_whose_a_code_is_only_a_genuine_one_tells(house: House) -> None:
    venue = await house.add_venue(name="Violet")
    text = await house.code(venue=venue)
    async with system_ctx(house.services, role="system") as ctx:
        place = await read_code_place(ctx, text=text)
        assert (place.venue.name, place.tenant.id) == ("Violet", house.tenant_id)
        forged = text[:-1] + ("A" if text[-1] != "A" else "B")
        for wrong in (forged, "nonsense", text[:40]):
            with pytest.raises(NotFound):
                await read_code_place(ctx, text=wrong)
