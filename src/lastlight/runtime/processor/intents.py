"""Payment intents and charges. Every call that changes something takes the `key` under which a repetition is recognised."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from lastlight.kernel.money import Money
from lastlight.runtime.processor.amounts import check_chargeable, to_processor
from lastlight.runtime.processor.client import ask
from lastlight.runtime.processor.objects import Charge, PaymentIntent
from lastlight.runtime.processor.readings import charge_of, intent_of
from lastlight.runtime.services import Services

if TYPE_CHECKING:
    from stripe.params import (
        PaymentIntentCancelParams,
        PaymentIntentCaptureParams,
        PaymentIntentConfirmParams,
        PaymentIntentCreateParams,
    )

CaptureMethod = Literal["automatic", "manual"]
CancellationReason = Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"]
_WHOLE = ["latest_charge.balance_transaction"]


async def create_intent(
    services: Services,
    *,
    key: str,
    amount: Money,
    description: str,
    metadata: Mapping[str, str],
    statement_suffix: str = "",
    receipt_email: str = "",
    customer: str = "",
    capture: CaptureMethod = "automatic",
) -> PaymentIntent:
    """A new wish to be paid; the payer's page confirms it. Raises UnusableAmount before anything is sent, or ProcessorError."""
    params: PaymentIntentCreateParams = {
        "amount": check_chargeable(amount),
        "currency": amount.currency.lower(),
        "metadata": dict(metadata),
        "capture_method": capture,
        "expand": _WHOLE,
    }
    if description:
        params["description"] = description
    if statement_suffix:
        params["statement_descriptor_suffix"] = statement_suffix
    if receipt_email:
        params["receipt_email"] = receipt_email
    if customer:
        params["customer"] = customer
    return intent_of(await ask(services, lambda v1: v1.payment_intents.create_async(params, {"idempotency_key": key})))


async def retrieve_intent(services: Services, intent_id: str) -> PaymentIntent:
    """An intent as it is now, with its latest charge and what that moved."""
    return intent_of(await ask(services, lambda v1: v1.payment_intents.retrieve_async(intent_id, {"expand": _WHOLE})))


async def confirm_intent(
    services: Services,
    intent_id: str,
    *,
    key: str,
    payment_method: str,
    return_url: str = "",
    off_session: bool = False,
) -> PaymentIntent:
    """Try to be paid with a payment method, without the payer's page. Raises Declined."""
    params: PaymentIntentConfirmParams = {"payment_method": payment_method, "expand": _WHOLE}
    if return_url:
        params["return_url"] = return_url
    if off_session:
        params["off_session"] = True
    return intent_of(
        await ask(services, lambda v1: v1.payment_intents.confirm_async(intent_id, params, {"idempotency_key": key}))
    )


async def capture_intent(services: Services, intent_id: str, *, key: str, amount: Money | None = None) -> PaymentIntent:
    """Take what was authorized, or a part of it; the rest is released."""
    params: PaymentIntentCaptureParams = {"expand": _WHOLE}
    if amount is not None:
        params["amount_to_capture"] = to_processor(amount)
    return intent_of(
        await ask(services, lambda v1: v1.payment_intents.capture_async(intent_id, params, {"idempotency_key": key}))
    )


async def cancel_intent(
    services: Services, intent_id: str, *, key: str, reason: CancellationReason | None = None
) -> PaymentIntent:
    """Give up on being paid; what was authorized is released. Raises ProcessorRefused for one that is paid."""
    params: PaymentIntentCancelParams = {"expand": _WHOLE}
    if reason is not None:
        params["cancellation_reason"] = reason
    return intent_of(
        await ask(services, lambda v1: v1.payment_intents.cancel_async(intent_id, params, {"idempotency_key": key}))
    )


async def retrieve_charge(services: Services, charge_id: str) -> Charge:
    """A charge as it is now, with what it moved."""
    return charge_of(
        await ask(services, lambda v1: v1.charges.retrieve_async(charge_id, {"expand": ["balance_transaction"]}))
    )
