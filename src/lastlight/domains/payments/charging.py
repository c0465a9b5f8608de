"""A payment follows its intent at the provider: declined, authorised, captured, settled, canceled."""

from collections.abc import Sequence
from typing import Any

import msgspec

from lastlight.domains.payments.events import (
    PaymentCaptured,
    PaymentChanged,
    PaymentDeclined,
    PaymentEnded,
    PaymentSettled,
)
from lastlight.domains.payments.journal import book, make_available, moment
from lastlight.domains.payments.model import ENDED, PAID, Hint, Payment, PaymentStatus
from lastlight.domains.payments.purposes import PURPOSES
from lastlight.domains.payments.rows import save
from lastlight.domains.payments.telling import note, said, tell
from lastlight.kernel.errors import Conflict
from lastlight.runtime.context import Ctx
from lastlight.runtime.processor import BalanceTransaction, PaymentIntent

STATUSES: dict[str, PaymentStatus] = {
    "requires_payment_method": "open",
    "requires_confirmation": "open",
    "requires_action": "action",
    "processing": "processing",
    "requires_capture": "authorised",
    "succeeded": "captured",
    "canceled": "canceled",
}


async def follow_intent(
    ctx: Ctx,
    *,
    payment: Payment,
    intent: PaymentIntent,
    moved: Sequence[BalanceTransaction],
    hint: Hint,
) -> Payment:
    """The payment as its intent has it: what was captured is booked once; what is paid or has ended stays so."""
    _require_same(payment, intent)
    before = payment
    if payment.status not in PAID and payment.status not in ENDED:
        payment = await _decline(ctx, payment, intent, hint)
        payment = await _advance(ctx, payment, intent, moved, hint)
    if payment.status in PAID:
        payment = await _settle(ctx, payment, moved, hint)
    return payment if payment.version != before.version else await save(ctx, payment=payment)


def _require_same(payment: Payment, intent: PaymentIntent) -> None:
    """The intent is this payment's: our own id is in it, and the sum is the one that we asked for."""
    ours = intent.metadata.get("payment_id")
    if ours != str(payment.id) or (intent.amount, intent.currency) != (payment.amount, payment.currency):
        raise Conflict("The card provider holds another payment under this id.")


async def _decline(ctx: Ctx, payment: Payment, intent: PaymentIntent, hint: Hint) -> Payment:
    """A card was declined, and this try is not known yet."""
    error, charge = intent.last_payment_error, intent.latest_charge
    if error is None or intent.status != "requires_payment_method":
        return payment
    code = error.decline_code or error.code
    tried = charge.id if charge else None
    if (payment.failure_code, payment.charge_id) == (code, tried):
        return payment
    details = {"code": code, "message": error.message, "charge": tried}
    known = msgspec.structs.replace(payment, status="open", failure_code=code, failure=error.message, charge_id=tried)
    after = await save(ctx, payment=known)
    await note(ctx, payment=after, step="declined", hint=hint, details=details)
    tell(ctx, event=PaymentDeclined(**said(after), code=code), payment=after, before=payment)
    return after


async def _advance(
    ctx: Ctx, payment: Payment, intent: PaymentIntent, moved: Sequence[BalanceTransaction], hint: Hint
) -> Payment:
    status = STATUSES[intent.status]
    if status == "captured":
        return await _capture(ctx, payment, intent, moved, hint) if moved else payment
    if status == payment.status:
        return payment
    changed: dict[str, Any] = {"status": status}
    if status == "authorised":
        changed |= _card(intent) | {"authorised_at": ctx.now, "failure_code": "", "failure": ""}
    if status == "canceled":
        changed |= {"ended_at": ctx.now}
    after = await save(ctx, payment=msgspec.structs.replace(payment, **changed))
    await note(ctx, payment=after, step=status, hint=hint)
    kind = PaymentEnded if status == "canceled" else PaymentChanged
    tell(ctx, event=kind(**said(after)), payment=after, before=payment)
    return after


async def _capture(
    ctx: Ctx, payment: Payment, intent: PaymentIntent, moved: Sequence[BalanceTransaction], hint: Hint
) -> Payment:
    """It is paid: book it, and give what was bought."""
    purpose = PURPOSES.of(payment)
    receiver = await purpose.receives(ctx, payment)
    posted = await book(
        ctx, payment=payment, kind="charge", moved=moved, presented=intent.amount_received, other=receiver
    )
    at = moment(moved[0].created)
    paid = msgspec.structs.replace(
        payment,
        status="captured",
        captured=intent.amount_received,
        authorised_at=payment.authorised_at or at,
        captured_at=at,
        failure_code="",
        failure="",
        **_card(intent),
    )
    after = await save(ctx, payment=paid)
    details = {"captured": after.captured, "fee": sum(one.fee for one in moved), "transaction": posted}
    await note(ctx, payment=after, step="captured", hint=hint, details=details)
    tell(ctx, event=PaymentCaptured(**said(after), captured=after.captured), payment=after, before=payment)
    await purpose.paid(ctx, after)
    return after


async def _settle(ctx: Ctx, payment: Payment, moved: Sequence[BalanceTransaction], hint: Hint) -> Payment:
    if not await make_available(ctx, payment=payment, moved=moved) or not moved or payment.status == "settled":
        return payment
    after = await save(ctx, payment=msgspec.structs.replace(payment, status="settled", settled_at=ctx.now))
    await note(ctx, payment=after, step="settled", hint=hint)
    tell(ctx, event=PaymentSettled(**said(after)), payment=after, before=payment)
    return after


def _card(intent: PaymentIntent) -> dict[str, Any]:
    charge = intent.latest_charge
    if charge is None:
        return {}
    card = charge.card
    return {"charge_id": charge.id, "brand": card.brand if card else "", "last4": card.last4 if card else ""}
