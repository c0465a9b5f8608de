"""The chart made with the business: every line of it that is the business's own, in each currency that it or a venue of its takes."""

from collections.abc import Sequence

from lastlight.domains.ledger.chart import CHART
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

OWN = tuple(kind for kind in CHART if kind.owner == "business")
CODES = [kind.code for kind in OWN]
OPEN = """
select count(ll.ledger_open(k.class, k.code, c.currency, k.side, k.mode, k.floor, null, null))
from unnest($2::smallint[], $3::text[], $4::text[], $5::text[], $6::bigint[]) k (class, code, side, mode, floor)
cross join (
    select t.currency from tenants t where t.id = $1
    union select v.currency from venues v where v.tenant_id = $1
) c
where not exists (
    select from ledger_accounts a
    where a.tenant_id = $1 and a.code = k.code and a.currency = c.currency and a.patron_id is null and a.venue_id is null
)
"""
# every tenant: this finds the businesses that lack an account of the chart
LACKING = """
select t.id from tenants t
where t.kind = 'business' and t.approved_at is not null and exists (
    select from (
        select t.currency union select v.currency from venues v where v.tenant_id = t.id
    ) c cross join unnest($1::text[]) k (code)
    where not exists (
        select from ledger_accounts a
        where a.tenant_id = t.id and a.code = k.code and a.currency = c.currency and a.patron_id is null and a.venue_id is null
    )
)
"""


async def open_chart(ctx: Ctx) -> int:
    """Open what the business lacks of the chart; how many accounts. May be repeated."""
    columns = (
        [kind.account_class for kind in OWN],
        CODES,
        [kind.side for kind in OWN],
        ["deferred" if kind.deferred else "strict" for kind in OWN],
        [kind.floor for kind in OWN],
    )
    return await ctx.db.fetchval(OPEN, ctx.tenant_id, *columns)


async def tenants_without_chart(ctx: Ctx) -> Sequence[TenantId]:
    """The approved businesses that lack an account of the chart: it has grown with a release, or a venue took another currency."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(LACKING, CODES)]


@job("ledger.open_chart", schedule="*/10 * * * *", each=tenants_without_chart)
async def open_business_chart(ctx: Ctx, event_id: str = "", seq: int = 0, data: dict[str, object] | None = None) -> int:
    """Open the accounts of the chart that a business lacks; queued by what made it lack them, and by the clock."""
    return await open_chart(ctx)
