"""What time makes of credits."""

from collections.abc import Sequence

from lastlight.domains.credits.expiry import expire
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 200
# every tenant: the schedule asks who has anything due, before it queues a job for each
DUE_TENANTS = """
select t.id from tenants t
where t.status in ('active', 'suspended') and exists (
    select from credit_lots l where l.tenant_id = t.id and l.remaining > 0 and l.expires_at <= now() and l.remaining > l.frozen)
"""
DUE = """
select distinct patron_id, currency from credit_lots
where tenant_id = $1 and remaining > 0 and expires_at <= $2 and remaining > frozen
order by patron_id, currency limit $3
"""


async def due_tenants(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants in which credits have expired."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(DUE_TENANTS)]


@job("credits.expire", schedule="*/15 * * * *", each=due_tenants)
async def expire_due(ctx: Ctx) -> int:
    """Book credits whose time is over as breakage, guest by guest; what one run leaves, the next takes."""
    due = await ctx.db.fetch(DUE, ctx.tenant_id, ctx.now, BATCH)
    return sum([await expire(ctx, patron_id=row["patron_id"], currency=row["currency"]) is not None for row in due])
