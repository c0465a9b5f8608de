"""Setup intents: a card is kept for later, and nothing is paid."""

from collections.abc import Mapping

from lastlight.sandbox.desk import Desk, add, fresh_id, get, merged, save
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import page
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.resources.attempts import authentication_failure, card_error, check_secret, declined, redirect
from lastlight.sandbox.resources.customers import living
from lastlight.sandbox.resources.payment_methods import attached, card_of, resolved
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Group, Moment, Text, Truth, Words, group, listed

OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
EDGES: Mapping[str, frozenset[str]] = {
    "requires_payment_method": frozenset({"requires_confirmation", "requires_action", "succeeded", "canceled"}),
    "requires_confirmation": frozenset({"requires_payment_method", "requires_action", "succeeded", "canceled"}),
    "requires_action": frozenset({"requires_payment_method", "requires_confirmation", "succeeded", "canceled"}),
    "succeeded": frozenset(),
    "canceled": frozenset(),
}
"""What a setup intent's status may become."""


def move(desk: Desk, intent: Json, status: str, **changed: object) -> None:
    """Take one edge and keep the intent."""
    assert status in EDGES[intent["status"]] | {intent["status"]}, (intent["status"], status)
    intent |= {"status": status} | changed
    save(desk, intent)


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """A new intent, confirmed at once where that is asked for."""
    intent = add(
        desk,
        "setup_intent",
        application=None,
        automatic_payment_methods={"allow_redirects": "always", "enabled": True},
        cancellation_reason=None,
        client_secret=None,
        customer=None,
        customer_account=None,
        description=None,
        excluded_payment_method_types=None,
        flow_directions=None,
        last_setup_error=None,
        latest_attempt=None,
        livemode=False,
        mandate=None,
        metadata={},
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_configuration_details=None,
        payment_method_options={
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        payment_method_types=["card"],
        single_use_mandate=None,
        status="requires_payment_method",
        usage=params.get("usage", "off_session"),
    )
    intent["client_secret"] = f"{intent['id']}_{fresh_id('secret')}"
    if "automatic_payment_methods" in params:
        intent["automatic_payment_methods"] = {"allow_redirects": "always"} | params["automatic_payment_methods"]
    _apply(desk, intent, params)
    emit(desk, "setup_intent.created", intent)
    return _confirmed(desk, intent, params) if params.get("confirm") else intent


def _apply(desk: Desk, intent: Json, params: Json) -> None:
    intent["description"] = params.get("description", intent["description"])
    if "customer" in params:
        intent["customer"] = living(desk, params["customer"])["id"]
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    if "payment_method" in params:
        method = resolved(desk, params["payment_method"])
        if method.get("_spent") or method["customer"] not in {None, intent["customer"]}:
            raise Refusal(
                "The provided PaymentMethod belongs to another customer or may not be used again.",
                param="payment_method",
            )
        move(desk, intent, "requires_confirmation", payment_method=method["id"], next_action=None)
    save(desk, intent)


def _unexpected(intent: Json, what: str) -> Refusal:
    return Refusal(
        f"This SetupIntent could not be {what} because it has a status of {intent['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=intent,
    )


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change an intent that is still open."""
    intent = get(desk, "setup_intent", identifier, param="intent")
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "updated")
    _apply(desk, intent, params)
    return intent


def confirm(desk: Desk, params: Json, identifier: str) -> Json:
    """Keep the card."""
    intent = get(desk, "setup_intent", identifier, param="intent")
    check_secret(desk, intent, params)
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "confirmed")
    _apply(desk, intent, {name: params[name] for name in ("payment_method",) if name in params})
    return _confirmed(desk, intent, params)


def _confirmed(desk: Desk, intent: Json, params: Json) -> Json:
    if intent["payment_method"] is None:
        raise Refusal(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
            setup_intent=intent,
        )
    method = get(desk, "payment_method", intent["payment_method"])
    if card_of(method).authenticate:
        move(desk, intent, "requires_action", next_action=redirect(desk, intent, params.get("return_url")))
        emit(desk, "setup_intent.requires_action", intent)
        return intent
    return _keep(desk, intent, method)


def _keep(desk: Desk, intent: Json, method: Json) -> Json:
    decline = card_of(method).decline
    if decline:
        error = card_error(decline, method, None)
        _fail(desk, intent, error)
        raise declined(error, intent)
    if intent["customer"]:
        attached(desk, method, intent["customer"])
    move(desk, intent, "succeeded", next_action=None, last_setup_error=None)
    emit(desk, "setup_intent.succeeded", intent)
    return intent


def _fail(desk: Desk, intent: Json, error: Json) -> None:
    move(desk, intent, "requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    emit(desk, "setup_intent.setup_failed", intent)


def authenticated(desk: Desk, intent: Json, *, agreed: bool) -> None:
    """The card's holder confirmed or refused on the page."""
    method = get(desk, "payment_method", intent["payment_method"])
    if not agreed:
        _fail(desk, intent, authentication_failure(method, "setup_intent_authentication_failure"))
        return
    try:
        _keep(desk, intent, method)
    except Refusal as refusal:
        if not refusal.keeps:
            raise


def cancel(desk: Desk, params: Json, identifier: str) -> Json:
    """Give it up."""
    intent = get(desk, "setup_intent", identifier, param="intent")
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "canceled")
    move(desk, intent, "canceled", next_action=None, cancellation_reason=params.get("cancellation_reason"))
    emit(desk, "setup_intent.canceled", intent)
    return intent


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One intent."""
    intent = get(desk, "setup_intent", identifier, param="intent")
    check_secret(desk, intent, params)
    return intent


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Intents."""
    wanted = {name: params.get(name) for name in ("customer", "payment_method")}
    return page(desk, "setup_intent", params, "/v1/setup_intents", fields=wanted)


_ONE = "/v1/setup_intents/{id}"
_CHANGED = {
    "customer": Text(),
    "description": Text(),
    "metadata": Words(unset=True),
    "payment_method": Text(),
}
_CREATE = group(
    **_CHANGED | {"metadata": Words()},
    automatic_payment_methods=Group(
        {"allow_redirects": Choice(("always", "never")), "enabled": Truth()}, frozenset({"enabled"})
    ),
    confirm=Truth(),
    return_url=Text(),
    usage=Choice(("off_session", "on_session")),
)
_WHY = Choice(("abandoned", "duplicate", "requested_by_customer"))
ROUTES = (
    Route("setup_intents.create", "POST", "/v1/setup_intents", create, _CREATE),
    Route("setup_intents.retrieve", "GET", _ONE, retrieve, group(client_secret=Text()), open=True),
    Route("setup_intents.update", "POST", _ONE, update, group(**_CHANGED)),
    Route(
        "setup_intents.confirm",
        "POST",
        f"{_ONE}/confirm",
        confirm,
        group(payment_method=Text(), return_url=Text()),
        open=True,
    ),
    Route("setup_intents.cancel", "POST", f"{_ONE}/cancel", cancel, group(cancellation_reason=_WHY)),
    Route(
        "setup_intents.list",
        "GET",
        "/v1/setup_intents",
        index,
        listed(created=Moment(), customer=Text(), payment_method=Text()),
    ),
)
