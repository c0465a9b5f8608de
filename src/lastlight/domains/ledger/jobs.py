"""Scheduled work of the ledger: sums of deferred accounts, seals, and holds whose time is over."""

from collections.abc import Sequence

from lastlight.domains.ledger.holds import expire_holds, tenants_with_holds_due
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 500
BLOCKS = 10
"""Most blocks of one run, two million postings: the next one goes on."""
TO_SEAL = """
select t.id from tenants t
where exists (
    select from ledger_postings p where p.tenant_id = t.id and p.seq > 0
    and p.seq > coalesce((select s.newest from ledger_seals s where s.tenant_id = t.id order by s.block desc limit 1), 0)
)
"""


async def tenants_to_seal(ctx: Ctx) -> Sequence[TenantId]:
    """The businesses in which something was posted since the last seal."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(TO_SEAL)]


@job("ledger.seal", schedule="*/5 * * * *", each=tenants_to_seal, role="system", timeout=240)
async def seal(ctx: Ctx) -> int:
    """Sum up the deferred accounts of a business and seal its newest postings, a few blocks at a time; how many sums were written."""
    written: int = await ctx.db.fetchval("select ll.ledger_roll_up()")
    for _ in range(BLOCKS):
        if await ctx.db.fetchval("select ll.ledger_seal()") is None:
            break
    return written


@job("ledger.expire_holds", schedule="* * * * *", each=tenants_with_holds_due)
async def expire(ctx: Ctx) -> int:
    """Let go of what holds set aside whose time is over."""
    return await expire_holds(ctx, limit=BATCH)
