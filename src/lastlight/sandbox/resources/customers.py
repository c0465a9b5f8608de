"""Customers: who pays, and the payment methods that they keep."""

from lastlight.sandbox.desk import Desk, add, get, merged, save
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import everything, page
from lastlight.sandbox.problems import Json, Refusal, missing
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Each, Group, Moment, Text, Words, group, listed

ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")
ADDRESS = Group({name: Text() for name in ADDRESS_FIELDS}, unset=True)
PLAIN_ADDRESS = Group({name: Text() for name in ADDRESS_FIELDS})
SHIPPING = Group(
    {"address": PLAIN_ADDRESS, "name": Text(), "phone": Text()}, frozenset({"address", "name"}), unset=True
)
_FIELDS = {
    "address": ADDRESS,
    "description": Text(),
    "email": Text(longest=512),
    "invoice_settings": Group({"default_payment_method": Text()}),
    "metadata": Words(unset=True),
    "name": Text(longest=256),
    "phone": Text(),
    "preferred_locales": Each(Text()),
    "shipping": SHIPPING,
    "tax_exempt": Choice(("exempt", "none", "reverse"), unset=True),
}


def address(given: Json | None) -> Json | None:
    """An address with every field, as it is shown."""
    return None if given is None else {name: given.get(name) for name in ADDRESS_FIELDS}


def shipping(given: Json | None) -> Json | None:
    """Where something is sent, as it is shown."""
    return None if given is None else {"phone": None} | given | {"address": address(given["address"])}


def living(desk: Desk, identifier: str, *, param: str = "customer") -> Json:
    """A customer who was not deleted."""
    customer = get(desk, "customer", identifier, param=param)
    if customer.get("deleted"):
        raise missing("customer", identifier, param=param)
    return customer


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """A new customer."""
    customer = add(
        desk,
        "customer",
        address=None,
        balance=0,
        currency=None,
        default_source=None,
        delinquent=False,
        description=None,
        discount=None,
        email=None,
        invoice_prefix="",
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        livemode=False,
        metadata={},
        name=None,
        next_invoice_sequence=1,
        phone=None,
        preferred_locales=[],
        shipping=None,
        tax_exempt="none",
        test_clock=None,
    )
    customer["invoice_prefix"] = customer["id"][-8:].upper()
    _apply(desk, customer, params)
    save(desk, customer)
    emit(desk, "customer.created", customer)
    return customer


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change what is named."""
    customer = living(desk, identifier, param="id")
    before = dict(customer)
    _apply(desk, customer, params)
    save(desk, customer)
    if customer != before:
        emit(desk, "customer.updated", customer, before=before)
    return customer


def _apply(desk: Desk, customer: Json, params: Json) -> None:
    for name in ("description", "email", "name", "phone", "preferred_locales"):
        customer[name] = params.get(name, customer[name])
    if "tax_exempt" in params:
        customer["tax_exempt"] = params["tax_exempt"] or "none"
    if "address" in params:
        customer["address"] = address(params["address"])
    if "shipping" in params:
        customer["shipping"] = shipping(params["shipping"])
    if "metadata" in params:
        customer["metadata"] = merged(customer["metadata"], params["metadata"])
    if "default_payment_method" in params.get("invoice_settings", {}):
        chosen = params["invoice_settings"]["default_payment_method"]
        method = get(desk, "payment_method", chosen, param="invoice_settings[default_payment_method]")
        if method["customer"] != customer["id"]:
            raise Refusal(f"The payment method {chosen} is not attached to this customer.", param="invoice_settings")
        customer["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": chosen}


def delete(desk: Desk, params: Json, identifier: str) -> Json:
    """Delete for good; the payment methods are let go of."""
    customer = living(desk, identifier, param="id")
    for method in everything(desk, "payment_method", customer=identifier):
        save(desk, method | {"customer": None})
    emit(desk, "customer.deleted", customer)
    stub: Json = {"id": identifier, "object": "customer", "deleted": True}
    save(desk, stub)
    return stub


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One customer; of a deleted one it is said that it was."""
    return get(desk, "customer", identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Customers who were not deleted."""
    wanted = {"email": params.get("email"), "livemode": False}
    return page(desk, "customer", params, "/v1/customers", fields=wanted)


ROUTES = (
    Route("customers.create", "POST", "/v1/customers", create, group(**_FIELDS)),
    Route("customers.retrieve", "GET", "/v1/customers/{id}", retrieve, group()),
    Route("customers.update", "POST", "/v1/customers/{id}", update, group(**_FIELDS)),
    Route("customers.delete", "DELETE", "/v1/customers/{id}", delete, Group()),
    Route("customers.list", "GET", "/v1/customers", index, listed(created=Moment(), email=Text())),
)
