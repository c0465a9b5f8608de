"""Writes of payments: one function for each verb. The provider is asked afterwards, and what it says is followed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.payments.amounts import require_chargeable, require_usable
from lastlight.domains.payments.errors import (
    AnswerOnItsWay,
    DisputeEnded,
    PaymentNotAuthorised,
    PaymentNotOpen,
    PaymentNotRetriable,
)
from lastlight.domains.payments.events import PaymentAsked, PaymentCreated, PaymentEnded
from lastlight.domains.payments.looking import look_soon
from lastlight.domains.payments.model import (
    ENDED,
    INQUIRIES,
    PAID,
    Dispute,
    DisputeId,
    Hint,
    Payment,
    PaymentId,
    Refund,
)
from lastlight.domains.payments.purposes import Purpose
from lastlight.domains.payments.queries import lock_payment, read_dispute, read_payment
from lastlight.domains.payments.refunding import open_refund
from lastlight.domains.payments.rows import save
from lastlight.domains.payments.stages import (
    CAPTURE,
    EVIDENCE,
    OPEN,
    REFUND,
    OfPayment,
    Opening,
    void_at_provider,
)
from lastlight.domains.payments.telling import note, said, tell
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PatronId, VenueId, uuid7
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.staged import begin
from lastlight.ui import formats

INSERT = """
insert into payments (tenant_id, id, purpose, patron_id, venue_id, amount, currency, details, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
AGAIN = """
update staged_actions set state = 'intended', finished_at = null where tenant_id = $1 and kind = $2 and key = $3 and state = 'failed'
returning id
"""
ANSWERS = """
select count(*) as sent, count(*) filter (where state in ('intended', 'calling')) as waiting
from staged_actions where tenant_id = $1 and kind = $2 and starts_with(key, $3)
"""


async def begin_payment(
    ctx: Ctx,
    *,
    purpose: Purpose,
    amount: int,
    currency: str,
    patron_id: PatronId | None,
    venue_id: VenueId | None = None,
    details: Mapping[str, Any] | None = None,
    description: str = "",
    receipt_email: str = "",
    manual: bool = False,
) -> Payment:
    """Begin a payment by card, for a caller that has seen to the permission: the provider is asked once this is durable.

    `details` are the purpose's own. With `manual` the bank only authorises, and `capture_payment` takes the money or a part of it.
    Raises AmountUnusable where cards cannot be charged with it.
    """
    require_chargeable(Money(amount, currency))
    payment_id = PaymentId(uuid7())
    told = msgspec.to_builtins(dict(details or {}))
    whose = (patron_id, venue_id, amount, currency, told, ctx.actor.user_id)
    await ctx.db.execute(INSERT, ctx.tenant_id, payment_id, purpose.name, *whose)
    payment = await read_payment(ctx, payment_id=payment_id)
    await note(ctx, payment=payment, step="created", hint=Hint("request"))
    tell(ctx, event=PaymentCreated(**said(payment)), payment=payment)
    opening = Opening(
        payment_id=payment_id,
        amount=amount,
        currency=currency,
        description=description,
        receipt_email=receipt_email,
        manual=manual,
    )
    await begin(ctx, OPEN, key=_opening_key(payment), intent=msgspec.to_builtins(opening))
    return payment


async def begin_refund(ctx: Ctx, *, payment_id: UUID, amount: int, reason: str) -> Refund:
    """Send money back to the card that paid, for a caller that has seen to the permission; `amount` in minor units.

    What was bought for it is taken back now. Raises RefundTooLarge, AmountUnusable, SpentAlready, NotFound.
    """
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why the money goes back."})
    payment = await lock_payment(ctx, payment_id=payment_id)
    payment, refund = await open_refund(ctx, payment=payment, amount=amount, reason=reason.strip())
    assert payment.intent_id is not None
    order = OfPayment(
        payment_id=payment.id,
        intent_id=payment.intent_id,
        amount=amount,
        currency=payment.currency,
        refund_id=refund.id,
    )
    await begin(ctx, REFUND, key=f"refund:{refund.id}", intent=msgspec.to_builtins(order))
    return refund


async def check_payment(ctx: Ctx, *, payment_id: UUID, hint: Hint) -> Payment:
    """Have the provider looked at, for a caller that has seen to the permission; the payment as it stands until then."""
    payment = await read_payment(ctx, payment_id=payment_id)
    await look_soon(ctx, payment_id=payment.id, hint=hint, asked=True)
    return payment


async def void_payment(ctx: Ctx, *, payment_id: UUID, hint: Hint) -> Payment:
    """Give up on a payment that is not captured; what a bank has authorised is released. Raises PaymentNotOpen."""
    payment = await lock_payment(ctx, payment_id=payment_id)
    if payment.status in PAID or payment.status in ENDED:
        raise PaymentNotOpen
    await note(ctx, payment=payment, step="void-asked", hint=hint)
    if payment.status == "created":
        ended = msgspec.structs.replace(payment, status="canceled", ended_at=ctx.now)
        after = await save(ctx, payment=ended)
        tell(ctx, event=PaymentEnded(**said(after)), payment=after, before=payment)
        return after
    await void_at_provider(ctx, payment=payment)
    tell(ctx, event=PaymentAsked(**said(payment), asked="void"), payment=payment)
    return payment


async def capture_payment(ctx: Ctx, *, payment_id: UUID, amount: int | None = None) -> Payment:
    """Take what a bank has authorised, or a part of it; the rest is released. Raises PaymentNotAuthorised, AmountUnusable."""
    payment = await lock_payment(ctx, payment_id=payment_id)
    if payment.status != "authorised" or payment.intent_id is None:
        raise PaymentNotAuthorised
    if amount is not None and not 0 < amount <= payment.amount:
        most = formats.money(payment.amount, payment.currency)
        raise Invalid(fields={"amount": f"Take more than nothing, and at most {most}."})
    if amount is not None:
        require_usable(Money(amount, payment.currency))
    order = OfPayment(payment_id=payment.id, intent_id=payment.intent_id, amount=amount, currency=payment.currency)
    await note(ctx, payment=payment, step="capture-asked", hint=Hint("console"), details={"amount": amount})
    await begin(ctx, CAPTURE, key=f"capture:{payment.id}:{payment.version}", intent=msgspec.to_builtins(order))
    tell(ctx, event=PaymentAsked(**said(payment), asked="capture"), payment=payment)
    return payment


async def retry_payment(ctx: Ctx, *, payment_id: UUID) -> Payment:
    """Try again what never reached the provider, under the key that it had; else look at how it stands. Raises PaymentNotRetriable."""
    payment = await lock_payment(ctx, payment_id=payment_id)
    if payment.status == "canceled":
        raise PaymentNotRetriable
    if payment.status != "failed":
        await look_soon(ctx, payment_id=payment.id, hint=Hint("retry"), asked=True)
        tell(ctx, event=PaymentAsked(**said(payment), asked="look"), payment=payment)
        return payment
    staged_id = await ctx.db.fetchval(AGAIN, ctx.tenant_id, OPEN.kind, _opening_key(payment))
    if staged_id is None:
        raise PaymentNotRetriable
    fresh = msgspec.structs.replace(payment, status="created", ended_at=None, failure_code="", failure="")
    after = await save(ctx, payment=fresh)
    await note(ctx, payment=after, step="retried", hint=Hint("retry"))
    tell(ctx, event=PaymentCreated(**said(after)), payment=after, before=payment)
    await ctx.enqueue(OPEN.job, staged_id=staged_id)
    return after


async def answer_dispute(ctx: Ctx, *, dispute_id: DisputeId, evidence: str) -> Dispute:
    """Send the bank what speaks for the payment; once, and for good. Raises DisputeEnded, AnswerOnItsWay.

    An answer that could not be delivered may be given again, and so may one to an inquiry that became a dispute.
    """
    if not evidence.strip():
        raise Invalid(fields={"evidence": "Say what speaks for the payment: who came, when, and what they had."})
    dispute = await read_dispute(ctx, dispute_id=dispute_id)
    payment = await lock_payment(ctx, payment_id=dispute.payment_id)
    dispute = await read_dispute(ctx, dispute_id=dispute_id)
    waiting = dispute.status in {"needs_response", "warning_needs_response"}
    if not waiting or dispute.answered_at is not None:
        raise DisputeEnded
    assert payment.intent_id is not None
    order = OfPayment(
        payment_id=payment.id,
        intent_id=payment.intent_id,
        dispute_id=dispute.provider_id,
        evidence=evidence.strip(),
        inquiry=dispute.status in INQUIRIES,
    )
    await begin(ctx, EVIDENCE, key=await _answering_key(ctx, dispute), intent=msgspec.to_builtins(order))
    await note(ctx, payment=payment, step="dispute-answered", hint=Hint("console"), details={"dispute_id": dispute.id})
    tell(ctx, event=PaymentAsked(**said(payment), asked="answer"), payment=payment)
    return dispute


async def _answering_key(ctx: Ctx, dispute: Dispute) -> str:
    """The key of another answer, by the number of those before; one at a time."""
    key = f"evidence:{dispute.id}"
    before = await ctx.db.fetchrow(ANSWERS, ctx.tenant_id, EVIDENCE.kind, key)
    assert before is not None
    if before["waiting"]:
        raise AnswerOnItsWay
    return f"{key}:{before['sent'] + 1}"


def _opening_key(payment: Payment) -> str:
    return f"payment:{payment.id}"
