"""A word to all staff of a venue, and who has seen it."""

from uuid import UUID

import msgspec

from lastlight.domains.identity import colleagues
from lastlight.domains.safety import log
from lastlight.domains.safety.events import BroadcastSeen, BroadcastSent
from lastlight.domains.safety.model import Broadcast, BroadcastDetail, Receipt
from lastlight.domains.safety.permissions import SAFETY_BROADCAST, SAFETY_READ
from lastlight.domains.safety.schemas import BroadcastIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotPermitted
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

ONE = """
select b.id, b.venue_id, w.name as venue, b.text, b.urgent, b.sent_by, b.name, b.sent_at
from broadcasts b
join venues w on w.tenant_id = $1 and w.id = b.venue_id
where b.tenant_id = $1 and b.id = $2
"""
RECEIPTS = """
select user_id, name, seen_at from broadcast_receipts where tenant_id = $1 and broadcast_id = $2 order by seen_at, user_id
"""
SEEN = """
insert into broadcast_receipts (tenant_id, broadcast_id, user_id, name, seen_at) values ($1, $2, $3, $4, $5)
on conflict do nothing
"""
# What somebody has not seen yet; one's own words, and those of another day, ask for nothing.
UNSEEN = """
select b.id, b.venue_id, w.name as venue, b.text, b.urgent, b.sent_by, b.name, b.sent_at
from broadcasts b
join venues w on w.tenant_id = $1 and w.id = b.venue_id
where b.tenant_id = $1 and b.sent_at > now() - interval '12 hours' and b.sent_by is distinct from $2
  and ($3::uuid[] is null or b.venue_id = any($3))
  and not exists (select from broadcast_receipts r where r.tenant_id = $1 and r.broadcast_id = b.id and r.user_id = $2)
order by b.sent_at desc, b.id desc
limit 5
"""
ADD = """
insert into broadcasts (tenant_id, id, venue_id, text, urgent, sent_by, name, sent_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def send_broadcast(ctx: Ctx, *, data: BroadcastIn) -> Broadcast:
    """Tell all staff of a venue something; it is kept."""
    await find_venue(ctx, venue_id=data.venue_id, permission=SAFETY_BROADCAST)
    words = data.text.strip()
    if not words:
        raise Invalid(fields={"text": "Write what they are to know."})
    broadcast_id: UUID = uuid7()
    by = (ctx.actor.user_id, log.who(ctx), ctx.now)
    await ctx.db.execute(ADD, ctx.tenant_id, broadcast_id, data.venue_id, words, data.urgent, *by)
    entity = ("broadcast", broadcast_id)
    await log.write(ctx, venue_id=data.venue_id, what="broadcast sent", entity=entity, text=words)
    ctx.emit(
        BroadcastSent(broadcast_id=broadcast_id, venue_id=data.venue_id, urgent=data.urgent),
        entity=entity,
        venue_id=data.venue_id,
        after={"urgent": data.urgent},
    )
    return await ctx.db.one(Broadcast, ONE, ctx.tenant_id, broadcast_id)


async def find_broadcast(ctx: Ctx, *, broadcast_id: UUID) -> BroadcastDetail:
    """A broadcast at a venue that the actor may hear of, with who has seen it; who has not, for those who may broadcast."""
    ctx.require(SAFETY_READ)
    found = await ctx.db.one(Broadcast, ONE, ctx.tenant_id, broadcast_id)
    ctx.require(SAFETY_READ, found.venue_id)
    receipts = await ctx.db.rows(Receipt, RECEIPTS, ctx.tenant_id, broadcast_id)
    unseen: list[str] = []
    if ctx.allows(SAFETY_BROADCAST, found.venue_id):
        known = {found.sent_by, *(receipt.user_id for receipt in receipts)}
        here = await colleagues(ctx, venue_ids=[found.venue_id])
        unseen = [colleague.name for colleague in here if colleague.id not in known]
    return BroadcastDetail(**msgspec.structs.asdict(found), receipts=receipts, unseen=unseen)


async def see_broadcast(ctx: Ctx, *, broadcast_id: UUID) -> BroadcastDetail:
    """Say that one has seen it; a second time changes nothing."""
    found = await find_broadcast(ctx, broadcast_id=broadcast_id)
    if ctx.actor.user_id is None:
        raise NotPermitted("A receipt comes from somebody of the staff.")
    by = (ctx.actor.user_id, log.who(ctx), ctx.now)
    if not await ctx.db.execute(SEEN, ctx.tenant_id, broadcast_id, *by):
        return found
    ctx.emit(
        BroadcastSeen(broadcast_id=broadcast_id, venue_id=found.venue_id, user_id=ctx.actor.user_id),
        entity=("broadcast", broadcast_id),
        venue_id=found.venue_id,
    )
    return await find_broadcast(ctx, broadcast_id=broadcast_id)


async def unseen_broadcasts(ctx: Ctx) -> list[Broadcast]:
    """What the actor has not seen of the last hours, newest first."""
    ctx.require(SAFETY_READ)
    return await ctx.db.rows(Broadcast, UNSEEN, ctx.tenant_id, ctx.actor.user_id, ctx.venues(SAFETY_READ))
