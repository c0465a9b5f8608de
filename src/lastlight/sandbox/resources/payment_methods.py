"""Payment methods: cards, made from test tokens or test numbers."""

import hashlib

from lastlight.sandbox.cards import BY_NUMBER, Card, by_token
from lastlight.sandbox.desk import Desk, add, get, merged, save
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import page
from lastlight.sandbox.problems import BadRequest, Json, Refusal
from lastlight.sandbox.resources.customers import ADDRESS, address, living
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Group, Text, Whole, Words, group, listed

_YEAR_OF_EXPIRY = 2034
_BILLING = Group({"address": ADDRESS, "email": Text(unset=True), "name": Text(unset=True), "phone": Text(unset=True)})
_REDISPLAY = Choice(("always", "limited", "unspecified"))
_CARD = Group({"cvc": Text(), "exp_month": Whole(1, 12), "exp_year": Whole(), "number": Text(), "token": Text()})


def card_of(method: Json) -> Card:
    """The test card behind a payment method."""
    return BY_NUMBER[method["_number"]]


def resolved(desk: Desk, given: str, *, param: str = "payment_method") -> Json:
    """A payment method by its id; a test token makes a new one."""
    card = by_token(given)
    return get(desk, "payment_method", given, param=param) if card is None else _made(desk, card, {})


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """A new payment method, not attached."""
    for name in ("type", "card"):
        if name not in params:
            raise BadRequest(f"Missing required param: {name}.", code="parameter_missing", param=name)
    given: Json = params["card"]
    card = by_token(given["token"]) if "token" in given else BY_NUMBER.get(given.get("number", "").replace(" ", ""))
    if card is None and "token" in given:
        raise Refusal(f"No such token: '{given['token']}'", code="resource_missing", param="card[token]")
    if card is None:
        raise _wrong("incorrect_number", "Your card number is incorrect.", "number")
    if "number" in given and not {"exp_month", "exp_year"} <= given.keys():
        raise Refusal("Missing required param: card[exp_month].", code="parameter_missing", param="card[exp_month]")
    return _made(desk, card, params)


def _wrong(code: str, message: str, param: str) -> Refusal:
    return Refusal(message, status=402, kind="card_error", code=code, param=param)


def _made(desk: Desk, card: Card, params: Json) -> Json:
    given: Json = params.get("card", {})
    return add(
        desk,
        "payment_method",
        allow_redisplay=params.get("allow_redisplay", "unspecified"),
        billing_details=_billing({}, params.get("billing_details", {})),
        card=_card(card, given.get("exp_month", 8), given.get("exp_year", _YEAR_OF_EXPIRY)),
        customer=None,
        customer_account=None,
        livemode=False,
        metadata=merged({}, params.get("metadata")),
        type="card",
        _number=card.number,
    )


def _card(card: Card, month: int, year: int) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _billing(kept: Json, given: Json) -> Json:
    empty: Json = {"address": address({}), "email": None, "name": None, "phone": None, "tax_id": None}
    known = empty | kept | given
    return known | {"address": address(known["address"] or {})}


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change the words around a card; what is on it stays."""
    method = get(desk, "payment_method", identifier)
    before = dict(method)
    method["billing_details"] = _billing(method["billing_details"], params.get("billing_details", {}))
    method["allow_redisplay"] = params.get("allow_redisplay", method["allow_redisplay"])
    if "metadata" in params:
        method["metadata"] = merged(method["metadata"], params["metadata"])
    method["card"] = method["card"] | params.get("card", {})
    save(desk, method)
    emit(desk, "payment_method.updated", method, before=before)
    return method


def attach(desk: Desk, params: Json, identifier: str) -> Json:
    """Give a payment method to a customer for good."""
    if "customer" not in params:
        raise BadRequest("Missing required param: customer.", code="parameter_missing", param="customer")
    method = resolved(desk, identifier, param="payment_method")
    living(desk, params["customer"])
    return attached(desk, method, params["customer"])


def attached(desk: Desk, method: Json, customer: str) -> Json:
    """The payment method as the customer's own; one that is somebody's stays theirs."""
    if method["customer"] == customer:
        return method
    if method["customer"] is not None:
        raise Refusal("The payment method you provided has already been attached to a customer.")
    if method.get("_spent"):
        raise Refusal(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again."
        )
    method["customer"] = customer
    save(desk, method)
    emit(desk, "payment_method.attached", method)
    return method


def detach(desk: Desk, params: Json, identifier: str) -> Json:
    """Take a payment method from its customer; it cannot be used again."""
    method = get(desk, "payment_method", identifier, param="payment_method")
    if method["customer"] is None:
        raise Refusal("The payment method you provided is not attached to a customer so detachment is impossible.")
    before = dict(method)
    method |= {"customer": None, "_spent": True}
    save(desk, method)
    emit(desk, "payment_method.detached", method, before=before)
    return method


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One payment method."""
    return resolved(desk, identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """A customer's payment methods, or those of all customers."""
    wanted = {"customer": params.get("customer"), "type": params.get("type")}
    return page(desk, "payment_method", params, "/v1/payment_methods", fields=wanted)


_TYPE = Choice(("card",))
ROUTES = (
    Route(
        "payment_methods.create",
        "POST",
        "/v1/payment_methods",
        create,
        group(allow_redisplay=_REDISPLAY, billing_details=_BILLING, card=_CARD, metadata=Words(), type=_TYPE),
        open=True,
    ),
    Route("payment_methods.retrieve", "GET", "/v1/payment_methods/{id}", retrieve, group()),
    Route(
        "payment_methods.update",
        "POST",
        "/v1/payment_methods/{id}",
        update,
        group(
            allow_redisplay=_REDISPLAY,
            billing_details=_BILLING,
            card=Group({"exp_month": Whole(1, 12), "exp_year": Whole()}),
            metadata=Words(unset=True),
        ),
    ),
    Route("payment_methods.attach", "POST", "/v1/payment_methods/{id}/attach", attach, group(customer=Text())),
    Route("payment_methods.detach", "POST", "/v1/payment_methods/{id}/detach", detach, group()),
    Route("payment_methods.list", "GET", "/v1/payment_methods", index, listed(customer=Text(), type=_TYPE)),
)
