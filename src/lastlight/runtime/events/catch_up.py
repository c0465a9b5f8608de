"""Catch-up: what happened after a place in the tenant's stream, as far as the reader hears it. Also the polling fall-back.

A tenant's stream is numbered without gaps, and a reader hears a part of it; `next` says how far the stream was looked
through, and is what to ask with next time.
"""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from lastlight.kernel.events import Envelope
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import SessionChanged, WorkScope, unit_of_work
from lastlight.runtime.events.arrivals import arrivals_of
from lastlight.runtime.events.audience import audiences, rooms_of
from lastlight.runtime.events.retention import EventsDropped
from lastlight.runtime.http.operation import Input
from lastlight.runtime.services import Services

MOST = 500
WINDOW = 5000
"""How much of the stream one call looks through, whatever of it the reader hears."""
LONGEST_WAIT = 25
LOOK_SECONDS = 1.0

STANDS = """
select coalesce(max(seq), 0) as head, coalesce(max(dropped_to), 0) as dropped_to from tenant_sequences where tenant_id = $1
"""

# $3 held for every venue; $4 held for some, which is enough for events without a venue; $5 and $6 the pairs of the latter.
HEARD = """
select e.id, e.seq, e.name, e.at, e.tenant_id, e.venue_id, e.data
from events e
where e.tenant_id = $1 and e.seq > $2 and e.seq <= $7
  and (e.audience = any($3::text[])
       or (e.venue_id is null and e.audience = any($4::text[]))
       or exists (select from unnest($5::text[], $6::uuid[]) as held (audience, venue_id)
                  where held.audience = e.audience and held.venue_id = e.venue_id)
       or e.patron_id = $8)
order by e.seq
limit $9
"""


class EventsQuery(Input, frozen=True):
    """From where on, how much, and how long to wait for something to happen."""

    after: (
        Annotated[int, msgspec.Meta(ge=0, le=2**62, description="The last `seq` or `next` that was handled.")] | None
    ) = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST, description="Most events in one answer.")] = 100
    wait: Annotated[
        int, msgspec.Meta(ge=0, le=LONGEST_WAIT, description="Seconds to wait for an event when there is none.")
    ] = 0


class EventsOut(msgspec.Struct, frozen=True):
    """Events in the order of their `seq`, and the `next` to ask with; without `after`, only where the stream stands."""

    events: list[Envelope]
    next: int


async def stream_head(ctx: Ctx) -> int:
    """The number of the last event of the tenant's stream; 0 where the actor hears none."""
    return (await read_events(ctx, after=None, limit=1)).next


async def read_events(ctx: Ctx, *, after: int | None, limit: int) -> EventsOut:
    """What the actor hears after a place in the tenant's stream; EventsDropped when that place is no longer kept."""
    if ctx.tenant_id == PLATFORM and ctx.actor.kind not in {"crew", "system"}:
        return EventsOut([], after or 0)
    stands: Any = await ctx.db.fetchrow(STANDS, ctx.tenant_id)
    head: int = stands["head"]
    if after is None or after >= head:
        return EventsOut([], head)
    if after < stands["dropped_to"]:
        raise EventsDropped(extra={"next": head})
    until = min(head, after + WINDOW)
    everywhere, somewhere, pairs = _held(ctx)
    patron = ctx.actor.patron_id if ctx.actor.kind == "patron" else None
    names, venues = [name for name, _ in pairs], [venue for _, venue in pairs]
    rows = await ctx.db.fetch(HEARD, ctx.tenant_id, after, everywhere, somewhere, names, venues, until, patron, limit)
    return EventsOut([envelope(row) for row in rows], rows[-1]["seq"] if len(rows) == limit else until)


def _held(ctx: Ctx) -> tuple[list[str], list[str], list[tuple[str, Any]]]:
    if ctx.actor.kind not in {"member", "crew"}:
        return [], [], []
    held = {name: ctx.actor.grants.venues(name) for name in audiences(ctx.services.registry)}
    everywhere = [name for name, venues in held.items() if venues is None]
    somewhere = [name for name, venues in held.items() if venues]
    return everywhere, somewhere, [(name, venue) for name in somewhere for venue in held[name] or ()]


def envelope(row: Any) -> Envelope:
    """A row of the stream as everybody sees it."""
    return Envelope(
        id=str(row["id"]),
        seq=row["seq"],
        name=row["name"],
        at=instant(row["at"]),
        tenant_id=str(row["tenant_id"]),
        venue_id=None if row["venue_id"] is None else str(row["venue_id"]),
        data=row["data"],
    )


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


async def wait_for_news(services: Services, query: EventsQuery, actor: Actor) -> None:
    """Before the read: wait, without a transaction, until something is heard after `after` or the time is over."""
    arrivals = arrivals_of(services)
    if not query.wait or query.after is None or arrivals.full:
        return
    until = time.monotonic() + query.wait
    with arrivals.waiting(rooms_of(actor, audiences(services.registry))) as arrived:
        while (left := until - time.monotonic()) > 0 and not await _any_heard(services, query.after, actor):
            await _arrival(arrived, left if arrivals.live else min(left, LOOK_SECONDS))
            if arrived.is_set():
                return


async def _arrival(arrived: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await arrived.wait()


async def _any_heard(services: Services, after: int, actor: Actor) -> bool:
    """Whether the read would give something, or would be refused, or would move the reader on."""
    scope = WorkScope(actor=actor, tenant_id=actor.tenant_id, role="platform" if actor.kind == "crew" else "app")
    try:
        async with unit_of_work(services, scope) as ctx:
            found = await read_events(ctx, after=after, limit=1)
            return bool(found.events) or found.next >= after + WINDOW
    except SessionChanged:
        return True
