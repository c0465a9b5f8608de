"""The last of something: many people ask for it at the same moment, each with a session of their own, and one gets it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.support.phones import Phone
from tests.support.place_things import resource
from tests.support.things import invitation_token, issued_device, one_time_token, own_session, shift, task
from tests.support.world import NOBODY, Somebody, World

OPEN = """
update venues set opening_hours = null, status = 'active' where id = (select venue_id from resources where id = $1)
"""
"""An earlier race may have changed the venue's hours."""
Ask = Callable[[int], Awaitable[Any]]
"""The request of the racer with this number; its answer."""
AT_ONCE = """
insert into tenant_settings (tenant_id, key, value) values ($1, 'staff.open_shifts', '"direct"')
on conflict (tenant_id, key) do update set value = excluded.value
"""


async def crowd(world: World, like: str, size: int) -> list[Somebody]:
    """So many newcomers of a kind, each signed in."""
    return [await world.newcomer(world.somebody[like]) for _ in range(size)]


async def winners(ask: Ask, racers: int) -> tuple[int, list[int]]:
    """How many of the racers succeed, and the statuses of the others."""
    answers = await asyncio.gather(*(ask(number) for number in range(racers)))
    refused = sorted({answer.status_code for answer in answers if answer.status_code >= 400})
    return sum(answer.status_code < 400 for answer in answers), refused


async def open_shift(world: World, staff: Sequence[Somebody], _guests: Sequence[Somebody]) -> Ask:
    """A shift that is nobody's, in a business where who takes one has it."""
    await world.sql(AT_ONCE, world.a.id)
    path = f"/api/shifts/{await shift(world, world.somebody['A.owner'])}/taking"
    return lambda number: world.send("POST", path, staff[number % len(staff)])


async def free_task(world: World, staff: Sequence[Somebody], _guests: Sequence[Somebody]) -> Ask:
    """A task that nobody has begun."""
    path = f"/api/tasks/{await task(world, world.somebody['A.owner'])}/start"
    return lambda number: world.send("POST", path, staff[number % len(staff)])


async def booking_slot(world: World, _staff: Sequence[Somebody], guests: Sequence[Somebody]) -> Ask:
    """An hour at one table."""
    table = str(await resource(world, world.somebody["A.owner"]))
    await world.sql(OPEN, UUID(table))
    start = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    body = {"resource_id": table, "starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}

    def ask(number: int) -> Awaitable[Any]:
        key = {"Idempotency-Key": str(uuid4())}
        return world.send("POST", "/api/patron/bookings", guests[number % len(guests)], json=body, headers=key)

    return ask


async def invitation(world: World, _staff: Sequence[Somebody], _guests: Sequence[Somebody]) -> Ask:
    """An invitation that is good for one."""
    body = {"token": await invitation_token(world), "name": "Somebody New", "password": "a brand new night out"}
    return lambda _: world.send("POST", "/api/invitations/acceptance", NOBODY, json=body)


async def enrolment(world: World, _staff: Sequence[Somebody], _guests: Sequence[Somebody]) -> Ask:
    """A device's one-time code, used by many devices, each with a key of its own."""
    code = (await issued_device(world, world.somebody["A.owner"]))["code"]
    return lambda _: world.send(
        "POST", "/api/devices/enrolment", NOBODY, json={"code": code, "public_key": Phone().public_key}
    )


async def password_link(world: World, _staff: Sequence[Somebody], guests: Sequence[Somebody]) -> Ask:
    """The link of a forgotten password."""
    token = await one_time_token(world, guests[-1], "reset_password")
    body = {"token": token, "password": "another horse battery"}
    return lambda _: world.send("POST", "/api/auth/password/reset", NOBODY, json=body)


async def session(world: World, _staff: Sequence[Somebody], _guests: Sequence[Somebody]) -> Ask:
    """A session that somebody ends."""
    owner = world.somebody["A.owner"]
    path = f"/api/auth/sessions/{await own_session(world, owner)}"
    return lambda _: world.send("DELETE", path, owner)


CONTESTS: dict[str, Callable[[World, Sequence[Somebody], Sequence[Somebody]], Awaitable[Ask]]] = {
    "open shift": open_shift,
    "free task": free_task,
    "booking slot": booking_slot,
    "invitation": invitation,
    "enrolment code": enrolment,
    "password link": password_link,
    "session": session,
}
