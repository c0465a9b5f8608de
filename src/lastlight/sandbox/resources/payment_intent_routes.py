"""The operations on payment intents, and what each of them takes."""

from lastlight.sandbox.resources import payment_intents
from lastlight.sandbox.resources.customers import PLAIN_ADDRESS
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import MOST_DIGITS, Choice, Group, Moment, Text, Truth, Whole, Words, group, listed

_SHIPPED = {"address": PLAIN_ADDRESS, "carrier": Text(), "name": Text(), "phone": Text(), "tracking_number": Text()}
_SHIPPED_TO = frozenset({"address", "name"})
_USAGE = ("off_session", "on_session")
_CHANGED = {
    "amount": Whole(1, MOST_DIGITS),
    "capture_method": Choice(("automatic", "automatic_async", "manual")),
    "currency": Text(),
    "customer": Text(),
    "description": Text(),
    "metadata": Words(unset=True),
    "payment_method": Text(),
    "receipt_email": Text(unset=True),
    "setup_future_usage": Choice(_USAGE, unset=True),
    "shipping": Group(_SHIPPED, _SHIPPED_TO, unset=True),
    "statement_descriptor": Text(longest=22),
    "statement_descriptor_suffix": Text(longest=22),
    "transfer_group": Text(),
}
_CONFIRMED = {
    "error_on_requires_action": Truth(),
    "off_session": Truth(),
    "return_url": Text(),
}
_METHODS = {
    "automatic_payment_methods": Group(
        {"allow_redirects": Choice(("always", "never")), "enabled": Truth()}, frozenset({"enabled"})
    ),
    "confirm": Truth(),
    "confirmation_method": Choice(("automatic", "manual")),
}
_NEW = {
    "metadata": Words(),
    "receipt_email": Text(),
    "setup_future_usage": Choice(_USAGE),
    "shipping": Group(_SHIPPED, _SHIPPED_TO),
}
_CREATE = group("amount currency", **{**_CHANGED, **_NEW}, **_CONFIRMED, **_METHODS)
_CONFIRM = group(
    **_CONFIRMED,
    **{
        name: _CHANGED[name]
        for name in ("capture_method", "payment_method", "receipt_email", "setup_future_usage", "shipping")
    },
)
_WHY = Choice(("abandoned", "duplicate", "fraudulent", "requested_by_customer"))
_ONE = "/v1/payment_intents/{id}"

ROUTES = (
    Route("payment_intents.create", "POST", "/v1/payment_intents", payment_intents.create, _CREATE),
    Route("payment_intents.retrieve", "GET", _ONE, payment_intents.retrieve, group(client_secret=Text()), open=True),
    Route("payment_intents.update", "POST", _ONE, payment_intents.update, group(**_CHANGED)),
    Route("payment_intents.confirm", "POST", f"{_ONE}/confirm", payment_intents.confirm, _CONFIRM, open=True),
    Route(
        "payment_intents.capture",
        "POST",
        f"{_ONE}/capture",
        payment_intents.capture,
        group(amount_to_capture=Whole(1, MOST_DIGITS), metadata=Words(unset=True)),
    ),
    Route("payment_intents.cancel", "POST", f"{_ONE}/cancel", payment_intents.cancel, group(cancellation_reason=_WHY)),
    Route(
        "payment_intents.list",
        "GET",
        "/v1/payment_intents",
        payment_intents.index,
        listed(created=Moment(), customer=Text()),
    ),
)
