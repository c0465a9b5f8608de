"""Reads of adjustments."""

from uuid import UUID

from lastlight.domains.adjustments.schemas import Adjustment
from lastlight.runtime.context import Ctx

ADJUSTMENT = """
select a.id, a.subject, a.patron_id, p.name as guest, a.venue_id, a.source, a.destination, a.amount, a.currency, a.reason, a.status,
       a.needs_approval, a.requested_by, coalesce(r.name, '') as requester, a.requested_at, a.decided_by, d.name as decider, a.decided_at, a.decision,
       a.booked_at, a.version
from adjustments a left join users r on r.id = a.requested_by
left join users d on d.id = a.decided_by
left join patrons p on p.tenant_id = $1 and p.id = a.patron_id
where a.tenant_id = $1 and a.id = $2
"""


async def read_adjustment(ctx: Ctx, *, adjustment_id: UUID) -> Adjustment:
    """An adjustment of the tenant, for a caller that has seen to the permission. Raises NotFound."""
    return await ctx.db.one(Adjustment, ADJUSTMENT, ctx.tenant_id, adjustment_id)
