"""Refunds."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Literal

from lastlight.kernel.money import Money
from lastlight.runtime.processor.amounts import to_processor
from lastlight.runtime.processor.client import ask
from lastlight.runtime.processor.lists import every
from lastlight.runtime.processor.objects import Refund
from lastlight.runtime.processor.readings import refund_of
from lastlight.runtime.services import Services

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams, RefundListParams

RefundReason = Literal["duplicate", "fraudulent", "requested_by_customer"]
_WHOLE = ["balance_transaction", "failure_balance_transaction"]


async def create_refund(
    services: Services,
    *,
    key: str,
    intent_id: str = "",
    charge_id: str = "",
    amount: Money | None = None,
    reason: RefundReason = "requested_by_customer",
    metadata: Mapping[str, str],
) -> Refund:
    """Give back a charge, named itself or by its intent; without an amount all that is left of it."""
    if bool(intent_id) == bool(charge_id):
        raise ValueError("a refund is of an intent or of a charge")
    params: RefundCreateParams = {"reason": reason, "metadata": dict(metadata), "expand": _WHOLE}
    if intent_id:
        params["payment_intent"] = intent_id
    else:
        params["charge"] = charge_id
    if amount is not None:
        params["amount"] = to_processor(amount)
    return refund_of(await ask(services, lambda v1: v1.refunds.create_async(params, {"idempotency_key": key})))


async def retrieve_refund(services: Services, refund_id: str) -> Refund:
    """A refund as it is now, with what it moved."""
    return refund_of(await ask(services, lambda v1: v1.refunds.retrieve_async(refund_id, {"expand": _WHOLE})))


async def list_refunds(services: Services, *, intent_id: str) -> AsyncIterator[Refund]:
    """The refunds of an intent, the newest first, with what they moved."""
    params: RefundListParams = {"payment_intent": intent_id, "expand": [f"data.{name}" for name in _WHOLE]}
    async for found in every(lambda after: ask(services, lambda v1: v1.refunds.list_async({**params, **after}))):
        yield refund_of(found)
