"""Reads of adjustments."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.adjustments.schemas import Adjustment, AdjustmentId, Subject
from lastlight.domains.credits import entry_of_source
from lastlight.kernel.ids import PatronId, UserId
from lastlight.runtime.context import Ctx

ADJUSTMENT = """
select a.id, a.subject, a.patron_id, p.name as guest, a.venue_id, a.source, a.destination, a.amount, a.currency, a.reason, a.status,
       a.needs_approval, a.requested_by, coalesce(r.name, '') as requester, a.requested_at, a.decided_by, d.name as decider, a.decided_at, a.decision,
       a.booked_at, a.effective_at, a.version
from adjustments a left join users r on r.id = a.requested_by
left join users d on d.id = a.decided_by
left join patrons p on p.tenant_id = $1 and p.id = a.patron_id
where a.tenant_id = $1 and a.id = $2
"""
WAITING = """
select a.id, a.requested_at, a.subject, a.patron_id, p.name as guest, a.source, a.destination, a.amount, a.currency, a.reason, a.requested_by,
       coalesce(r.name, '') as requester, p.user_id as guest_user
from adjustments a left join users r on r.id = a.requested_by
left join patrons p on p.tenant_id = a.tenant_id and p.id = a.patron_id
where a.tenant_id = $1 and a.status = 'waiting' and ($2::uuid is null or a.patron_id = $2)
order by a.requested_at, a.id limit 50
"""
COUNT_WAITING = """
select count(*) from (select from adjustments where tenant_id = $1 and status = 'waiting' order by requested_at limit 1000) oldest
"""
ACCOUNT_OF = "select user_id from patrons where tenant_id = $1 and id = $2"
CURRENCIES = """
select c.currency from (
    select t.currency, 0 as place from tenants t where t.id = $1
    union all select v.currency, 1 from venues v where v.tenant_id = $1
) c group by c.currency order by min(c.place), c.currency
"""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits for another person."""

    id: AdjustmentId
    requested_at: datetime
    subject: Subject
    patron_id: PatronId | None
    guest: str | None
    source: str | None
    destination: str | None
    amount: int
    currency: str
    reason: str
    requested_by: UserId
    requester: str
    guest_user: UserId | None


async def read_adjustment(ctx: Ctx, *, adjustment_id: UUID) -> Adjustment:
    """An adjustment of the tenant, for a caller that has seen to the permission. Raises NotFound."""
    return await ctx.db.one(Adjustment, ADJUSTMENT, ctx.tenant_id, adjustment_id)


async def waiting(ctx: Ctx, *, patron_id: PatronId | None = None) -> list[Waiting]:
    """What waits for another person, the oldest first; of one guest's credits where they are named."""
    return await ctx.db.rows(Waiting, WAITING, ctx.tenant_id, patron_id)


async def count_waiting(ctx: Ctx) -> int:
    """How many requests wait, counted up to a thousand."""
    return await ctx.db.fetchval(COUNT_WAITING, ctx.tenant_id)


async def is_their_own(ctx: Ctx, *, patron_id: PatronId) -> bool:
    """Whether credits of this guest are those of who asks."""
    return await ctx.db.fetchval(ACCOUNT_OF, ctx.tenant_id, patron_id) == ctx.actor.user_id


async def currencies_of(ctx: Ctx) -> Sequence[str]:
    """The currencies that the business or a venue of it takes, its own first."""
    return [row["currency"] for row in await ctx.db.fetch(CURRENCIES, ctx.tenant_id)]


async def booked_as(ctx: Ctx, *, adjustment: Adjustment) -> tuple[UUID, UUID | None] | None:
    """The ledger's transaction that booked it and, of credits, the guest's entry; None as long as nothing is booked."""
    if adjustment.status != "booked":
        return None
    if adjustment.subject == "ledger":
        return adjustment.id, None
    entry = await entry_of_source(ctx, source=("adjustment", adjustment.id))
    return (entry, entry) if entry else None
