"""Reads of payments, refunds, disputes and their steps."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.payments.model import (
    Dispute,
    DisputeId,
    DisputeStatus,
    Payment,
    PaymentId,
    Refund,
    RefundId,
    Step,
)
from lastlight.domains.payments.permissions import PAYMENTS_OWN, PAYMENTS_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM, PatronId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

PAYMENT_COLUMNS = """id, purpose, patron_id, venue_id, amount, currency, status, captured, refunding, refunded, disputed, intent_id, charge_id,
brand, last4, failure_code, failure, details, created_by, created_at, authorised_at, captured_at, settled_at, ended_at, checked_at, version"""
PAYMENT = f"select {PAYMENT_COLUMNS} from payments where tenant_id = $1 and id = $2"  # noqa: S608 - our own names
LOCK_PAYMENT = PAYMENT + " for update"
UNDER_WAY = f"""
select {PAYMENT_COLUMNS} from payments
where tenant_id = $1 and patron_id = $2 and purpose = $3 and currency = $4
  and status in ('created', 'open', 'action', 'processing', 'authorised')
order by id for update
"""  # noqa: S608 - our own names
REFUND_COLUMNS = """id, payment_id, patron_id, amount, released, status, reason, provider_id, failure, requested_by, outside, created_at,
ended_at, version"""
REFUND = f"select {REFUND_COLUMNS} from refunds where tenant_id = $1 and id = $2"  # noqa: S608 - our own names
REFUNDS_OF = (
    f"select {REFUND_COLUMNS} from refunds where tenant_id = $1 and payment_id = $2 order by created_at, id limit 500"  # noqa: S608 - our own names
)
DISPUTE_COLUMNS = """id, payment_id, provider_id, amount, currency, reason, status, lost, due_by, answered_at, opened_at, ended_at, version"""
DISPUTE = f"select {DISPUTE_COLUMNS} from disputes where tenant_id = $1 and id = $2"  # noqa: S608 - our own names
DISPUTES_OF = (
    f"select {DISPUTE_COLUMNS} from disputes where tenant_id = $1 and payment_id = $2 order by opened_at, id limit 100"  # noqa: S608 - our own names
)
TO_ANSWER = """
select d.id, d.payment_id, d.amount, d.currency, d.reason, d.status, d.due_by, coalesce(g.name, '') as guest
from disputes d
join payments p on p.tenant_id = d.tenant_id and p.id = d.payment_id
left join patrons g on g.tenant_id = p.tenant_id and g.id = p.patron_id
where d.tenant_id = $1 and d.status in ('needs_response', 'warning_needs_response') and d.answered_at is null
order by d.due_by nulls last, d.id limit 50
"""
COUNT_TO_ANSWER = """
select count(*) from disputes
where tenant_id = $1 and status in ('needs_response', 'warning_needs_response') and answered_at is null
"""
COUNT_FAILED = "select count(*) from provider_events where tenant_id = $1 and state = 'failed'"
STEPS_OF = """
select id, step, source, cause, details, at from payment_steps where tenant_id = $1 and payment_id = $2 order by id desc limit 500
"""


class WaitingDispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute that waits for an answer of ours."""

    id: DisputeId
    payment_id: PaymentId
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    due_by: datetime | None
    guest: str


async def read_payment(ctx: Ctx, *, payment_id: UUID) -> Payment:
    """A payment of the tenant, or of the guest who asks, for a caller that has seen to the permission. Raises NotFound."""
    return await ctx.db.one(Payment, PAYMENT, ctx.tenant_id, payment_id)


async def payments_under_way(ctx: Ctx, *, purpose: str, patron_id: PatronId, currency: str) -> Sequence[Payment]:
    """What a guest has begun to pay for such a purpose in a currency and may still pay, the oldest first; held until the transaction ends."""
    return await ctx.db.rows(Payment, UNDER_WAY, ctx.tenant_id, patron_id, purpose, currency)


async def find_payment(ctx: Ctx, *, payment_id: PaymentId, permission: Permission = PAYMENTS_READ) -> Payment:
    """A payment that the actor may see: all of a business by the permission, a guest their own. Raises NotFound."""
    ctx.require(PAYMENTS_OWN if ctx.actor.patron_id is not None else permission)
    return await read_payment(ctx, payment_id=payment_id)


async def lock_payment(ctx: Ctx, *, payment_id: UUID) -> Payment:
    """A payment, held against other changes until the transaction ends. Raises NotFound, always for the platform: it sells nothing."""
    if ctx.tenant_id == PLATFORM:
        raise NotFound
    return await ctx.db.one(Payment, LOCK_PAYMENT, ctx.tenant_id, payment_id)


async def read_refund(ctx: Ctx, *, refund_id: RefundId) -> Refund:
    """A refund of the tenant. Raises NotFound."""
    return await ctx.db.one(Refund, REFUND, ctx.tenant_id, refund_id)


async def read_dispute(ctx: Ctx, *, dispute_id: DisputeId) -> Dispute:
    """A dispute of the tenant. Raises NotFound."""
    return await ctx.db.one(Dispute, DISPUTE, ctx.tenant_id, dispute_id)


async def refunds_of(ctx: Ctx, *, payment_id: UUID) -> list[Refund]:
    """What went back of a payment, oldest first."""
    return await ctx.db.rows(Refund, REFUNDS_OF, ctx.tenant_id, payment_id)


async def disputes_of(ctx: Ctx, *, payment_id: UUID) -> list[Dispute]:
    """The disputes about a payment, oldest first."""
    return await ctx.db.rows(Dispute, DISPUTES_OF, ctx.tenant_id, payment_id)


async def steps_of(ctx: Ctx, *, payment_id: UUID) -> list[Step]:
    """A payment's life, newest step first."""
    return await ctx.db.rows(Step, STEPS_OF, ctx.tenant_id, payment_id)


async def disputes_to_answer(ctx: Ctx) -> list[WaitingDispute]:
    """The disputes that wait for an answer of ours, the first due first."""
    return await ctx.db.rows(WaitingDispute, TO_ANSWER, ctx.tenant_id)


async def count_disputes_to_answer(ctx: Ctx) -> int:
    """How many disputes wait for an answer of ours."""
    return await ctx.db.fetchval(COUNT_TO_ANSWER, ctx.tenant_id)


async def count_failed_events(ctx: Ctx) -> int:
    """How many of the card provider's events could not be worked off."""
    return await ctx.db.fetchval(COUNT_FAILED, ctx.tenant_id)
