"""Payment intents: from the wish to be paid to the money, one state after the other."""

from collections.abc import Mapping
from typing import Any

from lastlight.sandbox.desk import Desk, add, fresh_id, get, merged, save
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import page
from lastlight.sandbox.money import check_amount, currency
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.resources import charges, refunds
from lastlight.sandbox.resources.attempts import authentication_failure, card_error, check_secret, declined, redirect
from lastlight.sandbox.resources.customers import living, shipping
from lastlight.sandbox.resources.payment_methods import attached, card_of, resolved

OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
EDGES: Mapping[str, frozenset[str]] = {
    "requires_payment_method": frozenset(
        {"requires_confirmation", "requires_action", "processing", "requires_capture", "succeeded", "canceled"}
    ),
    "requires_confirmation": frozenset(
        {"requires_payment_method", "requires_action", "processing", "requires_capture", "succeeded", "canceled"}
    ),
    "requires_action": frozenset(
        {"requires_payment_method", "requires_confirmation", "processing", "requires_capture", "succeeded", "canceled"}
    ),
    "processing": frozenset({"requires_payment_method", "requires_capture", "succeeded", "canceled"}),
    "requires_capture": frozenset({"succeeded", "canceled"}),
    "succeeded": frozenset(),
    "canceled": frozenset(),
}
"""What a payment intent's status may become; a confirmation passes through the states between in one step."""


_NULL = (
    "application application_fee_amount canceled_at cancellation_reason client_secret customer customer_account description "
    "excluded_payment_method_types last_payment_error latest_charge next_action on_behalf_of payment_method "
    "payment_method_configuration_details processing receipt_email review setup_future_usage shipping source "
    "statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
)
_EMPTY: Json = dict[str, Any].fromkeys(_NULL.split()) | {
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
    "livemode": False,
    "metadata": {},
    "payment_method_options": {
        "card": {
            "installments": None,
            "mandate_options": None,
            "network": None,
            "request_three_d_secure": "automatic",
        }
    },
    "payment_method_types": ["card"],
}
"""The fields of an intent that a new one does not fill."""


def move(desk: Desk, intent: Json, status: str, **changed: object) -> None:
    """Take one edge and keep the intent."""
    assert status in EDGES[intent["status"]] | {intent["status"]}, (intent["status"], status)
    intent |= {"status": status} | changed
    save(desk, intent)


def unexpected(intent: Json, what: str, allowed: str) -> Refusal:
    """The refusal of what this state does not allow."""
    return Refusal(
        f"This PaymentIntent could not be {what} because it has a status of {intent['status']}. Only a PaymentIntent with one "
        f"of the following statuses may be {what}: {allowed}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """A new intent, confirmed at once where that is asked for."""
    intent = add(
        desk,
        "payment_intent",
        **_EMPTY,
        amount=params["amount"],
        capture_method=params.get("capture_method", "automatic_async"),
        confirmation_method=params.get("confirmation_method", "automatic"),
        currency=currency(params["currency"]),
        status="requires_payment_method",
    )
    intent["client_secret"] = f"{intent['id']}_{fresh_id('secret')}"
    if "automatic_payment_methods" in params:
        intent["automatic_payment_methods"] = {"allow_redirects": "always"} | params["automatic_payment_methods"]
    _apply(desk, intent, params)
    emit(desk, "payment_intent.created", intent)
    return _confirmed(desk, intent, params) if params.get("confirm") else intent


def _apply(desk: Desk, intent: Json, params: Json) -> None:
    for name in ("amount", "description", "receipt_email", "setup_future_usage", "transfer_group", "capture_method"):
        intent[name] = params.get(name, intent[name])
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        intent[name] = params.get(name, intent[name])
    if "currency" in params:
        intent["currency"] = currency(params["currency"])
    check_amount(intent["amount"], intent["currency"])
    if "customer" in params:
        intent["customer"] = living(desk, params["customer"])["id"]
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    if "shipping" in params:
        intent["shipping"] = shipping(params["shipping"])
    if "payment_method" in params:
        _choose(desk, intent, params["payment_method"])
    save(desk, intent)


def _choose(desk: Desk, intent: Json, given: str) -> None:
    method = resolved(desk, given)
    if method.get("_spent") or method["customer"] not in {None, intent["customer"]}:
        raise Refusal(
            "The provided PaymentMethod cannot be used: it belongs to another customer, or was used or detached and may not be used again.",
            param="payment_method",
        )
    intent |= {"payment_method": method["id"], "next_action": None}
    move(desk, intent, "requires_confirmation")


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change an intent that is still open; of one that is not, only words."""
    intent = get(desk, "payment_intent", identifier, param="intent")
    if intent["status"] not in OPEN and set(params) - {"metadata", "description", "receipt_email", "expand"}:
        raise unexpected(intent, "updated", ", ".join(sorted(OPEN)))
    _apply(desk, intent, params)
    return intent


def confirm(desk: Desk, params: Json, identifier: str) -> Json:
    """Try to be paid."""
    intent = get(desk, "payment_intent", identifier, param="intent")
    check_secret(desk, intent, params)
    if intent["status"] not in OPEN:
        raise unexpected(intent, "confirmed", ", ".join(sorted(OPEN)))
    names = ("payment_method", "receipt_email", "setup_future_usage", "shipping", "capture_method")
    _apply(desk, intent, {name: params[name] for name in names if name in params})
    return _confirmed(desk, intent, params)


def _confirmed(desk: Desk, intent: Json, params: Json) -> Json:
    if intent["payment_method"] is None:
        raise Refusal(
            "You cannot confirm this PaymentIntent because it's missing a payment method. Update it with a payment method and then confirm it again.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    method = get(desk, "payment_method", intent["payment_method"])
    if not card_of(method).authenticate:
        return attempt(desk, intent, method)
    if params.get("off_session") or params.get("error_on_requires_action"):
        return _fail(desk, intent, method, "authentication_required")
    action = redirect(desk, intent, params.get("return_url"))
    move(desk, intent, "requires_action", next_action=action, last_payment_error=None)
    emit(desk, "payment_intent.requires_action", intent)
    return intent


def attempt(desk: Desk, intent: Json, method: Json, *, authenticated: bool = False) -> Json:
    """Charge the card, now that nothing stands between."""
    decline = card_of(method).decline
    if decline:
        return _fail(desk, intent, method, decline)
    if intent["setup_future_usage"] and intent["customer"]:
        method = attached(desk, method, intent["customer"])
    elif method["customer"] is None:
        save(desk, method | {"_spent": True})
    charge = charges.make(desk, intent, method, authenticated=authenticated)
    done = {"latest_charge": charge["id"], "next_action": None, "last_payment_error": None}
    if intent["capture_method"] == "manual":
        move(desk, intent, "requires_capture", amount_capturable=intent["amount"], **done)
        emit(desk, "payment_intent.amount_capturable_updated", intent)
    else:
        move(desk, intent, "succeeded", amount_received=intent["amount"], **done)
        emit(desk, "payment_intent.succeeded", intent)
    return intent


def _fail(desk: Desk, intent: Json, method: Json, decline: str) -> Json:
    charge = charges.make(desk, intent, method, decline=decline)
    error = card_error(decline, method, charge["id"])
    lost = {"latest_charge": charge["id"], "last_payment_error": error}
    move(desk, intent, "requires_payment_method", payment_method=None, next_action=None, **lost)
    emit(desk, "payment_intent.payment_failed", intent)
    raise declined(error, intent)


def authenticated(desk: Desk, intent: Json, *, agreed: bool) -> None:
    """The payer confirmed or refused on the page; a decline after it is told by the intent, nobody waits for an answer."""
    method = get(desk, "payment_method", intent["payment_method"])
    if agreed:
        try:
            attempt(desk, intent, method, authenticated=True)
        except Refusal as refusal:
            if not refusal.keeps:
                raise
        return
    error = authentication_failure(method, "payment_intent_authentication_failure")
    move(desk, intent, "requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    emit(desk, "payment_intent.payment_failed", intent)


def capture(desk: Desk, params: Json, identifier: str) -> Json:
    """Take what was authorized; what is left of it is released."""
    intent = get(desk, "payment_intent", identifier, param="intent")
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "captured", "requires_capture")
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    if amount > intent["amount_capturable"]:
        raise Refusal(
            f"The provided amount_to_capture ({amount}) is greater than what can be captured ({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    check_amount(amount, intent["currency"], "amount_to_capture")
    charge = get(desk, "charge", intent["latest_charge"])
    charges.capture(desk, charge, amount)
    if amount < charge["amount"]:
        refunds.release(desk, charge, charge["amount"] - amount)
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    move(desk, intent, "succeeded", amount_capturable=0, amount_received=amount)
    emit(desk, "payment_intent.succeeded", intent)
    return intent


def cancel(desk: Desk, params: Json, identifier: str) -> Json:
    """Give up on being paid; what was authorized is released."""
    intent = get(desk, "payment_intent", identifier, param="intent")
    if "canceled" not in EDGES[intent["status"]]:
        states = ", ".join(sorted(name for name, after in EDGES.items() if "canceled" in after))
        raise unexpected(intent, "canceled", states)
    if intent["status"] == "requires_capture":
        charge = get(desk, "charge", intent["latest_charge"])
        refunds.release(desk, charge, charge["amount"])
    move(
        desk,
        intent,
        "canceled",
        amount_capturable=0,
        canceled_at=desk.now,
        cancellation_reason=params.get("cancellation_reason"),
        next_action=None,
    )
    emit(desk, "payment_intent.canceled", intent)
    return intent


def expire(desk: Desk, identifier: str) -> None:
    """An authorization that nobody took lapses."""
    intent = get(desk, "payment_intent", identifier)
    if intent["status"] == "requires_capture":
        charge = get(desk, "charge", intent["latest_charge"])
        cancel(desk, {"cancellation_reason": "automatic"}, identifier)
        emit(desk, "charge.expired", get(desk, "charge", charge["id"]))


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One intent."""
    intent = get(desk, "payment_intent", identifier, param="intent")
    check_secret(desk, intent, params)
    return intent


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Intents."""
    return page(desk, "payment_intent", params, "/v1/payment_intents", fields={"customer": params.get("customer")})
