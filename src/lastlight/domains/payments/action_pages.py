"""What people do about a payment on the owner's console: each asked in a dialog that says the amount and the consequence."""

from typing import Annotated, Any

import msgspec

from lastlight.domains.payments import actions
from lastlight.domains.payments.amounts import read_amount
from lastlight.domains.payments.model import DISPUTE_ENDED, Dispute, DisputeId, Hint, Payment, PaymentId
from lastlight.domains.payments.pages import DISPUTES_HOME, HOME, TO_ANSWER
from lastlight.domains.payments.permissions import PAYMENTS_MANAGE, PAYMENTS_REFUND
from lastlight.domains.payments.purposes import PURPOSES
from lastlight.domains.payments.queries import lock_payment, read_dispute, read_payment
from lastlight.kernel.errors import Conflict, Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.ui import amounts, formats

ONE = f"{HOME}/{{payment_id:uuid}}"
DISPUTE = f"{DISPUTES_HOME}/{{dispute_id:uuid}}/evidence"
Amount = Annotated[str, msgspec.Meta(max_length=40)]
LONGEST_EVIDENCE = 20_000


class RefundForm(Input, frozen=True, kw_only=True):
    """How much goes back, why, and what was left to refund when the form was opened."""

    amount: Amount = ""
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    left: int | None = None


class CaptureForm(Input, frozen=True, kw_only=True):
    """How much of what was authorised is taken."""

    amount: Amount = ""


class EvidenceForm(Input, frozen=True, kw_only=True):
    """What speaks for the payment."""

    evidence: str = ""


async def _payment(ctx: Ctx, *, payment_id: PaymentId) -> dict[str, Any]:
    payment = await read_payment(ctx, payment_id=payment_id)
    return {
        "payment": payment,
        "here": f"{HOME}/{payment_id}",
        "left": amounts.in_field(payment.refundable, payment.currency),
        "whole": amounts.in_field(payment.amount, payment.currency),
        "purpose": PURPOSES.labels().get(payment.purpose, payment.purpose),
    }


def _said(payment: Payment, amount: int) -> str:
    return formats.money(amount, payment.currency)


@page(f"{ONE}/refund", permission=PAYMENTS_REFUND)
async def payment_refund_dialog(ctx: Ctx, payment_id: PaymentId) -> View:
    """Ask how much goes back to the card, and why."""
    return View("payments/refund.html", await _payment(ctx, payment_id=payment_id), block="dialog")


@page_post(
    f"{ONE}/refund",
    permission=PAYMENTS_REFUND,
    form_page="payments/refund.html",
    form_block="dialog",
    form_context=_payment,
)
async def payment_refund_submit(ctx: Ctx, payment_id: PaymentId, form: Form[RefundForm]) -> Redirect:
    """Send all or a part of a payment back to the card; a form that is sent twice refunds once."""
    data = form.require()
    payment = await lock_payment(ctx, payment_id=payment_id)
    if data.left is not None and data.left != payment.refundable:
        raise Conflict("Something went back in the meantime. Look at the payment again before you refund more.")
    amount = read_amount(data.amount, payment.currency, most=payment.refundable)
    await actions.begin_refund(ctx, payment_id=payment_id, amount=amount, reason=data.reason)
    return Redirect(f"{HOME}/{payment_id}", toast=f"{_said(payment, amount)} is on its way back to the card.")


@page(f"{ONE}/capture", permission=PAYMENTS_MANAGE)
async def payment_capture_dialog(ctx: Ctx, payment_id: PaymentId) -> View:
    """Ask how much of what was authorised is taken."""
    return View("payments/capture.html", await _payment(ctx, payment_id=payment_id), block="dialog")


@page_post(
    f"{ONE}/capture",
    permission=PAYMENTS_MANAGE,
    form_page="payments/capture.html",
    form_block="dialog",
    form_context=_payment,
)
async def payment_capture_submit(ctx: Ctx, payment_id: PaymentId, form: Form[CaptureForm]) -> Redirect:
    """Take what the bank has authorised, or a part of it."""
    payment = await lock_payment(ctx, payment_id=payment_id)
    amount = read_amount(form.require().amount, payment.currency, most=payment.amount)
    await actions.capture_payment(ctx, payment_id=payment_id, amount=amount)
    return Redirect(f"{HOME}/{payment_id}", toast=f"{_said(payment, amount)} is being taken.")


@page(f"{ONE}/void", permission=PAYMENTS_MANAGE)
async def payment_void_dialog(ctx: Ctx, payment_id: PaymentId) -> View:
    """Ask whether to give up on a payment."""
    return View("payments/void.html", await _payment(ctx, payment_id=payment_id), block="dialog")


@page_post(
    f"{ONE}/void",
    permission=PAYMENTS_MANAGE,
    form_page="payments/void.html",
    form_block="dialog",
    form_context=_payment,
)
async def payment_void_submit(ctx: Ctx, payment_id: PaymentId) -> Redirect:
    """Give up on a payment that is not captured."""
    await actions.void_payment(ctx, payment_id=payment_id, hint=Hint("console"))
    return Redirect(f"{HOME}/{payment_id}", toast="It is being voided.")


@page(f"{ONE}/retry", permission=PAYMENTS_MANAGE)
async def payment_retry_dialog(ctx: Ctx, payment_id: PaymentId) -> View:
    """Ask whether to try a payment again, or to ask the provider how it stands."""
    return View("payments/retry.html", await _payment(ctx, payment_id=payment_id), block="dialog")


@page_post(
    f"{ONE}/retry",
    permission=PAYMENTS_MANAGE,
    form_page="payments/retry.html",
    form_block="dialog",
    form_context=_payment,
)
async def payment_retry_submit(ctx: Ctx, payment_id: PaymentId) -> Redirect:
    """Try again what never reached the card provider; else ask it how the payment stands."""
    after = await actions.retry_payment(ctx, payment_id=payment_id)
    said = "It is tried again." if after.status == "created" else "The card provider is asked how it stands."
    return Redirect(f"{HOME}/{payment_id}", toast=said)


async def _dispute(ctx: Ctx, *, dispute_id: DisputeId) -> dict[str, Any]:
    dispute = await read_dispute(ctx, dispute_id=dispute_id)
    return {
        "dispute": dispute,
        "action": f"{DISPUTES_HOME}/{dispute_id}/evidence",
        "payment_url": f"{HOME}/{dispute.payment_id}",
        "answerable": _answerable(dispute),
        "home": DISPUTES_HOME,
    }


def _answerable(dispute: Dispute) -> bool:
    waits = dispute.status in TO_ANSWER and dispute.answered_at is None
    return waits and dispute.status not in DISPUTE_ENDED


@page(DISPUTE, permission=PAYMENTS_REFUND)
async def dispute_evidence_page(ctx: Ctx, dispute_id: DisputeId) -> View:
    """Ask what speaks for a payment, until when the bank waits for it."""
    return View("payments/evidence.html", await _dispute(ctx, dispute_id=dispute_id))


@page_post(DISPUTE, permission=PAYMENTS_REFUND, form_page="payments/evidence.html", form_context=_dispute)
async def dispute_evidence_submit(ctx: Ctx, dispute_id: DisputeId, form: Form[EvidenceForm]) -> Redirect:
    """Send the bank what speaks for the payment: once, and for good."""
    evidence = form.require().evidence
    if len(evidence) > LONGEST_EVIDENCE:
        raise Invalid(fields={"evidence": f"Write at most {LONGEST_EVIDENCE:,} letters."})
    dispute = await actions.answer_dispute(ctx, dispute_id=dispute_id, evidence=evidence)
    return Redirect(f"{HOME}/{dispute.payment_id}", toast="Your answer is on its way to the bank.")


ACTION_PAGES = (
    payment_refund_dialog,
    payment_refund_submit,
    payment_capture_dialog,
    payment_capture_submit,
    payment_void_dialog,
    payment_void_submit,
    payment_retry_dialog,
    payment_retry_submit,
    dispute_evidence_page,
    dispute_evidence_submit,
)
