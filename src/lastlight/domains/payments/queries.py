"""Reads of payments, refunds, disputes and their steps."""

from uuid import UUID

from lastlight.domains.payments.model import Dispute, DisputeId, Payment, PaymentId, Refund, RefundId, Step
from lastlight.domains.payments.permissions import PAYMENTS_OWN, PAYMENTS_READ
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

PAYMENT_COLUMNS = """id, purpose, patron_id, venue_id, amount, currency, status, captured, refunding, refunded, disputed, intent_id, charge_id,
brand, last4, failure_code, failure, details, created_by, created_at, authorised_at, captured_at, settled_at, ended_at, checked_at, version"""
PAYMENT = f"select {PAYMENT_COLUMNS} from payments where tenant_id = $1 and id = $2"  # noqa: S608 - our own names
LOCK_PAYMENT = PAYMENT + " for update"
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
STEPS_OF = """
select id, step, source, cause, details, at from payment_steps where tenant_id = $1 and payment_id = $2 order by id desc limit 500
"""


async def read_payment(ctx: Ctx, *, payment_id: UUID) -> Payment:
    """A payment of the tenant, or of the guest who asks, for a caller that has seen to the permission. Raises NotFound."""
    return await ctx.db.one(Payment, PAYMENT, ctx.tenant_id, payment_id)


async def find_payment(ctx: Ctx, *, payment_id: PaymentId, permission: Permission = PAYMENTS_READ) -> Payment:
    """A payment that the actor may see: all of a business by the permission, a guest their own. Raises NotFound."""
    ctx.require(PAYMENTS_OWN if ctx.actor.patron_id is not None else permission)
    return await read_payment(ctx, payment_id=payment_id)


async def lock_payment(ctx: Ctx, *, payment_id: UUID) -> Payment:
    """A payment, held against other changes until the transaction ends. Raises NotFound."""
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
