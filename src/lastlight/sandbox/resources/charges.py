"""Charges: what a payment intent made of a card, captured at once or later."""

from collections.abc import Mapping

from lastlight.sandbox.cards import DECLINES, Card
from lastlight.sandbox.desk import Desk, add, get, merged, save, schedule
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import page
from lastlight.sandbox.money import FEE, fee
from lastlight.sandbox.problems import Json
from lastlight.sandbox.resources.balance import available_after_two_days, book
from lastlight.sandbox.resources.payment_methods import card_of
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Moment, Text, Words, group, listed

EDGES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"succeeded", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
}
"""What a charge's status may become; capture, refunds and disputes are fields of their own."""
AUTHORIZATION_DAYS = 7
_APPROVED: Json = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}

_EMPTY: Json = {
    "amount_captured": 0,
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": "LAST LIGHT SANDBOX",
    "captured": False,
    "disputed": False,
    "failure_balance_transaction": None,
    "fraud_details": {},
    "on_behalf_of": None,
    "radar_options": {},
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "source_transfer": None,
    "transfer_data": None,
}
"""The fields of a charge that a new one does not fill."""


def make(desk: Desk, intent: Json, method: Json, *, decline: str = "", authenticated: bool = False) -> Json:
    """Charge a card for an intent: captured unless the intent wants to do that itself, or failed by `decline`."""
    captured = not decline and intent["capture_method"] != "manual"
    code, message = DECLINES[decline] if decline else (None, None)
    charge = add(
        desk,
        "charge",
        **_EMPTY,
        **_of_intent(intent),
        billing_details=method["billing_details"],
        failure_code=code,
        failure_message=message,
        outcome=_declined(decline) if decline else _APPROVED,
        paid=not decline,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(method, intent["amount"], authenticated=authenticated),
        status="failed" if decline else "succeeded",
        _number=method["_number"],
    )
    if captured:
        settle(desk, charge, charge["amount"])
    emit(desk, "charge.failed" if decline else "charge.succeeded", charge)
    if captured:
        _dispute_later(desk, charge)
    elif not decline:
        schedule(desk, desk.now + AUTHORIZATION_DAYS * 86_400, "expire", intent["id"])
    return charge


def _of_intent(intent: Json) -> Json:
    names = "amount currency customer description livemode metadata receipt_email shipping statement_descriptor statement_descriptor_suffix transfer_group"
    return {name: intent[name] for name in names.split()}


def _declined(decline: str) -> Json:
    return _APPROVED | {
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": decline,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _details(method: Json, amount: int, *, authenticated: bool) -> Json:
    card = method["card"]
    copied = {
        name: card[name] for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    }
    secure: Json = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    more: Json = {
        "amount_authorized": amount,
        "authorization_code": None,
        "checks": card["checks"],
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": card["regulated_status"],
        "three_d_secure": secure if authenticated else None,
        "wallet": None,
    }
    return {"card": copied | more, "type": "card"}


def settle(desk: Desk, charge: Json, captured: int) -> None:
    """Capture: the whole amount is booked, with the fee of what is taken; what is not is released by the caller."""
    rule = {**FEE, **desk.settings.get("fee", {})}
    waits = not card_behind(charge).bypass
    booked = book(
        desk,
        "charge",
        charge["id"],
        amount=charge["amount"],
        currency=charge["currency"],
        fee=fee(captured, rule, charge["currency"]),
        available_on=available_after_two_days(desk.now) if waits else desk.now,
        description=charge["description"],
    )
    charge |= {"amount_captured": captured, "balance_transaction": booked["id"], "captured": True}
    save(desk, charge)


def capture(desk: Desk, charge: Json, amount: int) -> None:
    """Take what was authorized, or a part of it."""
    before = dict(charge)
    settle(desk, charge, amount)
    emit(desk, "charge.captured", charge, before=before)
    _dispute_later(desk, charge)


def _dispute_later(desk: Desk, charge: Json) -> None:
    if card_behind(charge).dispute:
        schedule(desk, desk.later, "dispute", charge["id"])


def card_behind(charge: Json) -> Card:
    """The test card that was charged."""
    return card_of(charge)


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One charge."""
    return get(desk, "charge", identifier)


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change the words around a charge."""
    charge = get(desk, "charge", identifier)
    before = dict(charge)
    for name in ("description", "receipt_email"):
        charge[name] = params.get(name, charge[name])
    if "metadata" in params:
        charge["metadata"] = merged(charge["metadata"], params["metadata"])
    save(desk, charge)
    if charge != before:
        emit(desk, "charge.updated", charge, before=before)
    return charge


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Charges."""
    wanted = {"customer": params.get("customer"), "payment_intent": params.get("payment_intent")}
    return page(desk, "charge", params, "/v1/charges", fields=wanted)


ROUTES = (
    Route("charges.retrieve", "GET", "/v1/charges/{id}", retrieve, group()),
    Route(
        "charges.update",
        "POST",
        "/v1/charges/{id}",
        update,
        group(description=Text(), metadata=Words(unset=True), receipt_email=Text()),
    ),
    Route(
        "charges.list", "GET", "/v1/charges", index, listed(created=Moment(), customer=Text(), payment_intent=Text())
    ),
)
