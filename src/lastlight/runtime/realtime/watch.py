"""The watch: every two seconds each socket's session and token are looked at again (U3: closed within five seconds)."""

import asyncio
import contextlib
import time
from uuid import UUID

import msgspec
import structlog

from lastlight.kernel.errors import Problem, SessionEnded
from lastlight.runtime import clock
from lastlight.runtime.auth.authenticate import reload_actor
from lastlight.runtime.auth.errors import TokenExpired
from lastlight.runtime.events.audience import audiences, rooms_of
from lastlight.runtime.http.problems import problem_body
from lastlight.runtime.realtime import metrics
from lastlight.runtime.realtime.feed import LOST
from lastlight.runtime.realtime.hub import Hub, Seat
from lastlight.runtime.realtime.wire import Message
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
SIGN_IN_SECONDS = 10.0
"""A connection that has not signed in by then is dropped."""

# What would have changed the version is asked for as well: a suspended account or business closes its sockets in any case.
STANDING = """
select s.id, s.version,
       s.revoked_at is null and s.expires_at > now() and u.status = 'active'
       and (s.kind = 'crew' or s.tenant_id is null or t.status = 'active') as stands
from sessions s
join users u on u.id = s.user_id
left join tenants t on t.id = s.tenant_id
where s.id = any($1::uuid[])
"""


async def keep_watch(services: Services, hub: Hub, stop: asyncio.Event) -> None:
    """Look again and again until `stop`."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
        try:
            await look(services, hub)
        except LOST as error:
            log.warning("the sessions of sockets could not be checked", error=str(error) or type(error).__name__)
        except Exception:
            log.exception("the sessions of sockets could not be checked")


async def look(services: Services, hub: Hub) -> None:
    """Close or re-seat every socket whose session or token is not what it was."""
    await _drop_strangers(hub)
    now = clock.now()
    for seat in [seat for seat in hub.seats.values() if seat.expires_at is not None and seat.expires_at <= now]:
        await close(hub, seat, TokenExpired())
    ids = hub.session_ids()
    if not ids:
        return
    rows = await services.pools.system.fetch(STANDING, list(ids))
    versions: dict[UUID, int] = {row["id"]: row["version"] for row in rows if row["stands"]}
    for seat in list(hub.seats.values()):
        session = seat.actor.session_id
        if session in ids and (session is None or versions.get(session) != seat.actor.version):
            await _again(services, hub, seat)


async def _again(services: Services, hub: Hub, seat: Seat) -> None:
    """Read what a session may do now: seat its socket accordingly, or close it."""
    try:
        actor = await reload_actor(services, seat.actor)
        if actor.session_id is None:
            raise SessionEnded
    except Problem as problem:
        await close(hub, seat, problem)
        return
    seat.actor = actor
    if seat.seated and not seat.gone:
        hub.move(seat, rooms_of(actor, audiences(services.registry)))


async def _drop_strangers(hub: Hub) -> None:
    """Drop connections that never signed in."""
    late = time.monotonic() - SIGN_IN_SECONDS
    known = {seat.eio_sid for seat in hub.seats.values()}
    for eio_sid, opened in list(hub.server.opened.items()):
        if opened < late and eio_sid not in known:
            metrics.CLOSED.labels("never signed in").inc()
            await hub.server.cut(eio_sid)


async def close(hub: Hub, seat: Seat, problem: Problem) -> None:
    """Tell a socket why (`system.goodbye`), and end it; its client does not connect again by itself."""
    if seat.gone:
        return
    metrics.CLOSED.labels(problem.type).inc()
    seat.held = None
    hub.send(seat, Message("system.goodbye", msgspec.json.encode(problem_body(problem, "socket"))))
    hub.dismiss(seat.sid)
    await hub.server.end(seat.eio_sid)
