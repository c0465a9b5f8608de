"""What is written down and told of a payment: its steps, its events, and the facts that the audit keeps."""

from collections.abc import Mapping
from typing import Any

import msgspec

from lastlight.domains.ledger import TransactionPosted
from lastlight.domains.payments.events import DisputeEvent, PaymentEvent, RefundEvent
from lastlight.domains.payments.model import Dispute, Hint, Payment, Refund
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx

NOTE = "insert into payment_steps (tenant_id, payment_id, step, source, cause, details) values ($1, $2, $3, $4, $5, $6)"

POSTED = TransactionPosted.event_name
NOTED = """
select jsonb_array_elements_text(details -> 'transactions') as id from payment_steps
where tenant_id = $1 and payment_id = $2 and at >= now() and details ? 'transactions'
"""


async def note(ctx: Ctx, *, payment: Payment, step: str, hint: Hint, details: Mapping[str, Any] | None = None) -> None:
    """Write down one step of a payment's life; who is at work is its cause where nothing else is."""
    who = hint.cause or (str(ctx.actor.user_id) if ctx.actor.user_id else "")
    told = msgspec.to_builtins(dict(details or {}))
    if posted := await _posted(ctx, payment):
        told["transactions"] = posted
    await ctx.db.execute(NOTE, ctx.tenant_id, payment.id, step, hint.source, who, told)


async def _posted(ctx: Ctx, payment: Payment) -> list[str]:
    """The ledger's transactions that were posted since the step before, within the same unit of work."""
    posted = [str(event.data["transaction_id"]) for event in ctx.pending if event.name == POSTED]
    if not posted:
        return []
    known = {row["id"] for row in await ctx.db.fetch(NOTED, ctx.tenant_id, payment.id)}
    return [one for one in posted if one not in known]


def said(payment: Payment) -> dict[str, Any]:
    """What every event of a payment says."""
    names = ("purpose", "patron_id", "venue_id", "amount", "currency", "status", "version")
    return {"payment_id": payment.id, **{name: getattr(payment, name) for name in names}}


def facts(payment: Payment) -> dict[str, Any]:
    """What the audit keeps of a payment; amounts as people read them: 12.34 ZAR."""
    words = ("status", "intent_id", "charge_id", "failure_code")
    amounts = ("captured", "refunding", "refunded", "disputed")
    moved = {name: getattr(payment, name) for name in amounts}
    return {
        **{name: msgspec.to_builtins(getattr(payment, name)) for name in words},
        **{name: str(Money(amount, payment.currency)) for name, amount in moved.items() if amount},
    }


def tell(ctx: Ctx, *, event: PaymentEvent, payment: Payment, before: Payment | None = None, reason: str = "") -> None:
    """Emit an event of a payment."""
    ctx.emit(
        event,
        entity=("payment", payment.id),
        venue_id=payment.venue_id,
        patron_id=payment.patron_id,
        before=facts(before) if before else None,
        after=facts(payment),
        reason=reason,
    )


def tell_refund(ctx: Ctx, *, kind: type[RefundEvent], payment: Payment, refund: Refund, reason: str = "") -> None:
    """Emit an event of a refund."""
    event = kind(**said(payment), refund_id=refund.id, refund=refund.amount, refund_status=refund.status)
    tell(ctx, event=event, payment=payment, reason=reason)


def tell_dispute(ctx: Ctx, *, kind: type[DisputeEvent], payment: Payment, dispute: Dispute) -> None:
    """Emit an event of a dispute."""
    event = kind(**said(payment), dispute_id=dispute.id, disputed=dispute.amount, dispute_status=dispute.status)
    tell(ctx, event=event, payment=payment)
