"""Refunds: money back to the card, at once, later, or in the end not."""

from collections.abc import Mapping

from lastlight.sandbox.desk import Desk, add, get, merged, save, schedule
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import everything, page
from lastlight.sandbox.money import THREE_DECIMALS, ZERO_DECIMALS
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.resources.balance import book
from lastlight.sandbox.resources.charges import card_behind
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import MOST_DIGITS, Choice, Moment, Text, Whole, Words, group, listed

EDGES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"succeeded", "failed", "canceled"}),
    "requires_action": frozenset({"succeeded", "failed", "canceled"}),
    "succeeded": frozenset({"failed"}),
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""What a refund's status may become."""


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """Give a charge back, all that is left of it or a part."""
    charge = _charge_of(desk, params)
    amount = params.get("amount", charge["amount"] - charge["amount_refunded"])
    _refuse(desk, charge, amount, params)
    course = card_behind(charge).refund
    status = "pending" if course == "later" else "succeeded"
    refund = _made(desk, charge, amount, status=status, reason=params.get("reason"), category="refund")
    refund["metadata"] = merged({}, params.get("metadata"))
    save(desk, refund)
    emit(desk, "refund.created", refund)
    emit(desk, "charge.refunded", charge)
    if course != "now":
        schedule(desk, desk.later, "refund_settles" if course == "later" else "refund_fails", refund["id"])
    return refund


def _charge_of(desk: Desk, params: Json) -> Json:
    if "charge" in params:
        charge = get(desk, "charge", params["charge"], param="charge")
        if params.get("payment_intent", charge["payment_intent"]) != charge["payment_intent"]:
            raise Refusal("The charge does not belong to the payment intent.", param="payment_intent")
        return charge
    if "payment_intent" not in params:
        raise Refusal("One of the following params should be provided for this request: payment_intent or charge.")
    intent = get(desk, "payment_intent", params["payment_intent"], param="payment_intent")
    if intent["status"] not in {"succeeded", "requires_capture"}:
        raise Refusal(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
    return get(desk, "charge", intent["latest_charge"])


def _refuse(desk: Desk, charge: Json, amount: int, params: Json) -> None:
    if charge["refunded"]:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if charge["status"] != "succeeded":
        raise Refusal(f"Charge {charge['id']} was not successful and cannot be refunded.")
    if not charge["captured"]:
        raise Refusal(
            f"Charge {charge['id']} has not been captured: cancel its payment intent instead.",
            code="charge_not_refundable",
        )
    disputes = everything(desk, "dispute", charge=charge["id"])
    if any(not one["is_charge_refundable"] for one in disputes):
        raise Refusal(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if "currency" in params and params["currency"].lower() != charge["currency"]:
        raise Refusal("The currency must be that of the charge.", param="currency")
    left = charge["amount"] - charge["amount_refunded"]
    if amount > left:
        shown, rest = _money(amount, charge["currency"]), _money(left, charge["currency"])
        raise Refusal(f"Refund amount ({shown}) is greater than unrefunded amount on charge ({rest})", param="amount")


def _money(amount: int, currency: str) -> str:
    places = 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    digits = f"{amount:0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]} {currency}" if places else f"{digits} {currency}"


def release(desk: Desk, charge: Json, amount: int) -> None:
    """Give back what was authorized and not taken; it is booked only where a capture booked the whole."""
    refund = _made(desk, charge, amount, status="succeeded", reason=None, category="partial_capture_reversal")
    emit(desk, "refund.created", refund)
    emit(desk, "charge.refunded", charge)


def _made(desk: Desk, charge: Json, amount: int, *, status: str, reason: str | None, category: str) -> Json:
    refund = add(
        desk,
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={"card": {"type": "refund"}, "type": "card"},
        metadata={},
        payment_intent=charge["payment_intent"],
        reason=reason,
        receipt_number=None,
        source_transfer_reversal=None,
        status=status,
        transfer_reversal=None,
    )
    if charge["balance_transaction"]:
        paid = get(desk, "balance_transaction", charge["balance_transaction"])
        booked = book(
            desk,
            "refund",
            refund["id"],
            amount=-amount,
            currency=charge["currency"],
            category=category,
            available_on=max(paid["available_on"], desk.now),
            description="REFUND FOR CHARGE",
        )
        refund["balance_transaction"] = booked["id"]
        save(desk, refund)
    _count(desk, charge, amount)
    return refund


def _count(desk: Desk, charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    save(desk, charge)


def settle(desk: Desk, identifier: str) -> None:
    """A pending refund has arrived."""
    refund = get(desk, "refund", identifier)
    if refund["status"] == "pending":
        before = dict(refund)
        refund["status"] = "succeeded"
        _changed(desk, refund, before)


def fail(desk: Desk, identifier: str) -> None:
    """A refund came back: the money is ours again, and the charge can be refunded again."""
    refund = get(desk, "refund", identifier)
    if "failed" in EDGES[refund["status"]]:
        _take_back(desk, refund, status="failed", reason="expired_or_canceled_card")


def _take_back(desk: Desk, refund: Json, *, status: str, reason: str) -> None:
    before = dict(refund)
    paid = get(desk, "balance_transaction", refund["balance_transaction"])
    booked = book(
        desk,
        "refund_failure",
        refund["id"],
        amount=refund["amount"],
        currency=refund["currency"],
        available_on=max(paid["available_on"], desk.now),
        description="REFUND FAILURE",
    )
    refund |= {"status": status, "failure_balance_transaction": booked["id"], "failure_reason": reason}
    _count(desk, get(desk, "charge", refund["charge"]), -refund["amount"])
    _changed(desk, refund, before)
    if status == "failed":
        emit(desk, "refund.failed", refund)


def _changed(desk: Desk, refund: Json, before: Json) -> None:
    save(desk, refund)
    emit(desk, "refund.updated", refund, before=before)
    emit(desk, "charge.refund.updated", refund, before=before)


def cancel(desk: Desk, params: Json, identifier: str) -> Json:
    """Stop a refund that has not arrived."""
    refund = get(desk, "refund", identifier)
    if "canceled" not in EDGES[refund["status"]]:
        raise Refusal(f"Refund {identifier} has a status of {refund['status']} and cannot be canceled.")
    _take_back(desk, refund, status="canceled", reason="merchant_request")
    return refund


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change the metadata."""
    refund = get(desk, "refund", identifier)
    before = dict(refund)
    if "metadata" in params:
        refund["metadata"] = merged(refund["metadata"], params["metadata"])
    if refund != before:
        _changed(desk, refund, before)
    return refund


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One refund."""
    return get(desk, "refund", identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Refunds."""
    wanted = {"charge": params.get("charge"), "payment_intent": params.get("payment_intent")}
    return page(desk, "refund", params, "/v1/refunds", fields=wanted)


_CREATED = group(
    amount=Whole(1, MOST_DIGITS),
    charge=Text(),
    currency=Text(),
    metadata=Words(unset=True),
    payment_intent=Text(),
    reason=Choice(("duplicate", "fraudulent", "requested_by_customer")),
)
ROUTES = (
    Route("refunds.create", "POST", "/v1/refunds", create, _CREATED),
    Route("refunds.retrieve", "GET", "/v1/refunds/{id}", retrieve, group()),
    Route("refunds.update", "POST", "/v1/refunds/{id}", update, group(metadata=Words(unset=True))),
    Route("refunds.cancel", "POST", "/v1/refunds/{id}/cancel", cancel, group()),
    Route("refunds.list", "GET", "/v1/refunds", index, listed(charge=Text(), created=Moment(), payment_intent=Text())),
)
