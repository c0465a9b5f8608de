"""What the guest's app shows first comes in one answer: the same as each part says by itself, and nothing that one may not read."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lastlight.modules import MODULES
from lastlight.runtime.settings import Settings
from tests.support.people import People, people

START = "/api/patron/start"
NOTHING = {"me": None, "home": None, "help": None, "checks": None, "bookings": None, "credits": None}
PARTS = {
    "me": "/api/me",
    "home": "/api/patron/home",
    "help": "/api/patron/help",
    "checks": "/api/patron/safety-checks",
    "bookings": "/api/patron/bookings?sort=-starts_at&limit=50",
    "credits": "/api/patron/credits",
}
TOGGLE = "update tenant_modules set enabled = $2 where tenant_id = $1 and module = 'safety'"


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses and their people."""
    async with people(database_settings, MODULES) as found:
        yield found


async def booked(world: People, guest: dict[str, str]) -> str:
    """A room that the guest has booked; its name."""
    owner = await world.bearer(world.bar.email("owner"))
    [venue] = (await world.call("GET", "/api/venues?limit=1", owner))["items"]
    made = await world.call(
        "POST",
        "/api/resources",
        owner,
        status=201,
        json={"venue_id": venue["id"], "kind": "room", "name": "The red room", "bookable": True},
    )
    starts = (datetime.now(UTC) + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    body = {"resource_id": made["id"]} | times
    await world.call(
        "POST", "/api/patron/bookings", guest, status=201, json=body, headers={"Idempotency-Key": made["id"]}
    )
    return made["name"]


async def told(world: People, who: dict[str, str]) -> dict[str, Any]:
    """What each part says by itself; the time of asking is none of it."""
    return without_now({name: await world.call("GET", path, who) for name, path in PARTS.items()})


def without_now(start: dict[str, Any]) -> dict[str, Any]:
    return start | {"home": {**start["home"], "now": None}}


async def test_it_says_what_each_part_says_by_itself(world: People) -> None:
    guest = await world.bearer(world.bar.email("patron"))
    name = await booked(world, guest)
    start = without_now(await world.call("GET", START, guest))
    assert start == await told(world, guest)
    assert [one["resource"] for one in start["bookings"]["items"]] == [name]
    newcomer = await world.bearer((await world.newcomer(world.bar.id)).email)
    assert (await world.call("GET", START, newcomer))["bookings"]["items"] == [], "somebody else's are not theirs"


async def test_a_business_without_its_safety_module_says_nothing_of_it(world: People) -> None:
    guest = await world.bearer(world.bar.email("patron"))
    await world.sql(TOGGLE, world.bar.id, False)
    try:
        start = await world.call("GET", START, guest)
        await world.refused("module-off", "GET", PARTS["help"], guest)
    finally:
        await world.sql(TOGGLE, world.bar.id, True)
    assert (start["help"], start["checks"]) == (None, None)
    assert start["home"]["tenant"]["slug"] == world.bar.slug


async def test_who_is_no_guest_is_told_who_they_are(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    assert await world.call("GET", START, owner) == NOTHING | {"me": await world.call("GET", PARTS["me"], owner)}


async def test_nobody_is_told_that_nobody_is_here(world: People) -> None:
    assert await world.call("GET", START) == NOTHING
    guest = await world.bearer(world.bar.email("patron"))
    await world.call("POST", "/api/auth/logout-all", guest, status=204)
    assert await world.call("GET", START, guest) == NOTHING
