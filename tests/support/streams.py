"""Events for the tests: a small module with an event for each kind of audience, a tenant or two, a relay that runs."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from lastlight.kernel.events import Event
from lastlight.kernel.ids import TenantId
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import SYSTEM, Actor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events.move import move_batch
from lastlight.runtime.events.poke import start_poking
from lastlight.runtime.events.relay import is_led, run_relay
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.services import opened_services

BELLS_HEAR = Permission("bells.hear", "Hear the bells of a venue.", Scope.VENUE)
GONGS_HEAR = Permission("gongs.hear", "Hear the gongs of a venue.", Scope.VENUE)


class BellRang(Event, frozen=True):
    """A bell rang."""

    event_name = "bell.rang"
    audience = BELLS_HEAR
    number: int


class GongRang(Event, frozen=True):
    """A gong rang."""

    event_name = "gong.rang"
    audience = GONGS_HEAR
    number: int


class WhisperSaid(Event, frozen=True):
    """Something for one guest only."""

    event_name = "whisper.said"
    number: int


BELLS = Module(name="bells", permissions=[BELLS_HEAR, GONGS_HEAR], events=[BellRang, GongRang, WhisperSaid])


@contextlib.asynccontextmanager
async def open_services(settings: Settings, *modules: Module) -> AsyncGenerator[Services]:
    """The services of a process with the test's module and those given."""
    async with opened_services(settings, [BELLS, *modules]) as services:
        yield services


@contextlib.asynccontextmanager
async def relaying(services: Services) -> AsyncGenerator[None]:
    """A relay that runs and has the lead, and a process that pokes it."""
    await start_poking(services)
    stop = asyncio.Event()
    task = asyncio.create_task(run_relay(services, stop))
    try:
        await leading(services)
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def leading(services: Services, *, seconds: float = 60) -> None:
    """Wait until a relay has the lead."""
    until = time.monotonic() + seconds
    while not await is_led(services):
        assert time.monotonic() < until, f"no relay took the lead in {seconds} s"
        await asyncio.sleep(0.01)


async def new_tenant(services: Services) -> TenantId:
    """A business to ring bells in."""
    slug = f"t{secrets.token_hex(6)}"
    sql = "insert into tenants (slug, name, status) values ($1, $1, 'active') returning id"
    return TenantId(await services.pools.system.fetchval(sql, slug))


async def ring(
    services: Services,
    tenant_id: TenantId,
    *numbers: int,
    event: type[BellRang | GongRang | WhisperSaid] = BellRang,
    venue_id: UUID | None = None,
    patron_id: UUID | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """Emit events in one transaction of the tenant."""
    async with system_ctx(services, tenant_id, actor=actor) as ctx:
        for number in numbers:
            ctx.emit(
                event(number=number),
                entity=("bell", uuid4()),
                venue_id=venue_id,
                patron_id=patron_id,
                after={"number": number},
            )


@dataclass(frozen=True, slots=True)
class Streamed:
    """One event as the stream holds it."""

    seq: int
    name: str
    number: int


async def kill_backend(admin: Any, name: str) -> int:
    """End what is connected under a name, once it is: after an earlier kill it may still be on its way back; how many there were."""
    sql = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where application_name = $1 and datname = current_database()
    """
    until = time.monotonic() + 60
    while not (killed := await admin.fetchval(sql, name)):
        assert time.monotonic() < until, f"{name} did not connect again"
        await asyncio.sleep(0.02)
    return killed


async def move_all(services: Services, connection: Any, count: int, *, seconds: float = 60) -> None:
    """Move `count` rows without a relay. The horizon is the whole server's: another test's transaction may hold it back."""
    until = time.monotonic() + seconds
    moved = 0
    while moved < count:
        moved += (await move_batch(services, connection)).count
        assert time.monotonic() < until, f"{moved} of {count} rows after {seconds} s"
        await asyncio.sleep(0.005)
    assert moved == count


async def stream_of(services: Services, tenant_id: TenantId) -> list[Streamed]:
    """A tenant's stream as it stands."""
    sql = "select seq, name, data from events where tenant_id = $1 order by seq"
    rows: list[Any] = await services.pools.system.fetch(sql, tenant_id)
    return [Streamed(row["seq"], row["name"], row["data"]["number"]) for row in rows]


async def settled(services: Services, tenant_id: TenantId, count: int, *, seconds: float = 60) -> list[Streamed]:
    """The stream once it holds `count` events; fails when that takes too long: the horizon is the whole server's."""
    until = time.monotonic() + seconds
    while len(found := await stream_of(services, tenant_id)) < count:
        assert time.monotonic() < until, f"{len(found)} of {count} events after {seconds} s"
        await asyncio.sleep(0.01)
    return found
