"""The greeting: a socket takes its rooms, learns where the stream stands, and gets what it missed before what is new.

`system.hello {seq, tenant_id, resumed}` comes first. A client that connected with `auth: {token, after}` then gets the events
after that place as if they happened now, and after them the live ones: each once, in order. When more was missed than is
worth repeating, `system.gap {after, seq, catch_up}` says so instead: the client loads its screen again, or reads the address
in `catch_up` page by page.
"""

import asyncio
import time

import msgspec
import structlog

from lastlight.runtime.context import Actor
from lastlight.runtime.db.bounded import begin_waiting
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.events.audience import audiences, rooms_of
from lastlight.runtime.events.catch_up import STANDS, EventsOut, read_events
from lastlight.runtime.realtime.hub import Hub, Seat
from lastlight.runtime.realtime.wire import Message
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

MOST_REPEATED = 5000
"""Most of the stream that is repeated to a client that connects again."""
PAGE = 200
TAKING_SECONDS = 30.0
FEW_WAITING = 32


async def greet(services: Services, hub: Hub, seat: Seat, after: int | None) -> None:
    """Seat a socket whose connection was just confirmed, and repeat what it missed."""
    while not hub.server.is_confirmed(seat.sid):
        if seat.gone:
            return
        await asyncio.sleep(0.001)
    seat.held = []
    hub.move(seat, rooms_of(seat.actor, audiences(services.registry)))
    try:
        stands = await services.pools.system.fetchrow(STANDS, seat.actor.tenant_id)
        head: int = stands["head"]
        resumed = after is not None and max(stands["dropped_to"], head - MOST_REPEATED) <= after <= head
        hello = {"seq": head, "tenant_id": seat.actor.tenant_id, "resumed": resumed}
        hub.send(seat, Message("system.hello", msgspec.json.encode(hello)))
        if after is not None and resumed:
            seat.reached = await _repeat(services, hub, seat, after, head)
        elif after is not None:
            kept = min(max(after, stands["dropped_to"]), head)
            gap = {"after": after, "seq": head, "catch_up": f"/api/events?after={kept}"}
            hub.send(seat, Message("system.gap", msgspec.json.encode(gap)))
    except Exception:
        log.exception("a socket could not be greeted")
        hub.cut(seat)
        return
    _release(hub, seat)


async def _repeat(services: Services, hub: Hub, seat: Seat, after: int, head: int) -> int:
    """Send what was missed up to `head`, no faster than the socket takes it; the last place that was looked at."""
    until = time.monotonic() + TAKING_SECONDS
    while after < head and not seat.gone:
        begin_waiting()  # each page waits as a request does
        found = await read_as(services, seat.actor, after=after, limit=PAGE)
        for event in found.events:
            hub.send(seat, Message(event.name, msgspec.json.encode(event)))
        after = found.next
        while hub.waiting(seat) > FEW_WAITING and not seat.gone and time.monotonic() < until:  # noqa: ASYNC110 - a foreign queue
            await asyncio.sleep(0.02)
    return after


def _release(hub: Hub, seat: Seat) -> None:
    held, seat.held = seat.held or [], None
    for seq, message in held:
        if seq > seat.reached and not seat.gone:
            hub.send(seat, message)


async def read_as(services: Services, actor: Actor, *, after: int | None, limit: int) -> EventsOut:
    """What an actor hears after a place, read in a transaction of its own; the session must stand."""
    scope = WorkScope(actor=actor, tenant_id=actor.tenant_id, role="platform" if actor.kind == "crew" else "app")
    async with unit_of_work(services, scope) as ctx:
        return await read_events(ctx, after=after, limit=limit)
