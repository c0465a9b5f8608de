"""A word to all staff of a venue."""

from uuid import UUID

from lastlight.domains.safety import log
from lastlight.domains.safety.events import BroadcastSent
from lastlight.domains.safety.model import Broadcast
from lastlight.domains.safety.permissions import SAFETY_BROADCAST
from lastlight.domains.safety.schemas import BroadcastIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

ONE = """
select b.id, b.venue_id, w.name as venue, b.text, b.urgent, b.sent_by, b.name, b.sent_at
from broadcasts b
join venues w on w.tenant_id = $1 and w.id = b.venue_id
where b.tenant_id = $1 and b.id = $2
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
