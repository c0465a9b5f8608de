"""Top-ups: money from our bank to the balance."""

from collections.abc import Mapping

from lastlight.sandbox.desk import Desk, add, get, merged, save, schedule
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import page
from lastlight.sandbox.money import currency
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.resources.balance import book
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Moment, Text, Whole, Words, group, listed

EDGES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"succeeded", "failed", "canceled"}),
    "succeeded": frozenset({"reversed"}),
    "failed": frozenset(),
    "canceled": frozenset(),
    "reversed": frozenset(),
}
"""What a top-up's status may become."""


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """Ask for money; it arrives a little later."""
    topup = add(
        desk,
        "topup",
        amount=params["amount"],
        balance_transaction=None,
        currency=currency(params["currency"]),
        description=params.get("description"),
        expected_availability_date=desk.later,
        failure_code=None,
        failure_message=None,
        livemode=False,
        metadata=merged({}, params.get("metadata")),
        source=None,
        statement_descriptor=params.get("statement_descriptor"),
        status="pending",
        transfer_group=params.get("transfer_group"),
    )
    emit(desk, "topup.created", topup)
    schedule(desk, desk.later, "topup_arrives", topup["id"])
    return topup


def arrive(desk: Desk, identifier: str) -> None:
    """The money is there."""
    topup = get(desk, "topup", identifier)
    if topup["status"] == "pending":
        booked = book(
            desk,
            "topup",
            topup["id"],
            amount=topup["amount"],
            currency=topup["currency"],
            description=topup["description"],
        )
        topup |= {"balance_transaction": booked["id"], "status": "succeeded"}
        save(desk, topup)
        emit(desk, "topup.succeeded", topup)


def cancel(desk: Desk, params: Json, identifier: str) -> Json:
    """Stop a top-up that has not arrived."""
    topup = get(desk, "topup", identifier)
    if "canceled" not in EDGES[topup["status"]]:
        raise Refusal(f"Top-up {identifier} has a status of {topup['status']} and cannot be canceled.")
    topup["status"] = "canceled"
    save(desk, topup)
    emit(desk, "topup.canceled", topup)
    return topup


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change the words around a top-up."""
    topup = get(desk, "topup", identifier)
    topup["description"] = params.get("description", topup["description"])
    if "metadata" in params:
        topup["metadata"] = merged(topup["metadata"], params["metadata"])
    save(desk, topup)
    return topup


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One top-up."""
    return get(desk, "topup", identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Top-ups."""
    return page(desk, "topup", params, "/v1/topups", fields={"status": params.get("status")})


_WORDS = {"description": Text(), "metadata": Words(unset=True)}
ROUTES = (
    Route(
        "topups.create",
        "POST",
        "/v1/topups",
        create,
        group(
            "amount currency",
            **_WORDS,
            amount=Whole(1),
            currency=Text(),
            statement_descriptor=Text(longest=15),
            transfer_group=Text(),
        ),
    ),
    Route("topups.retrieve", "GET", "/v1/topups/{id}", retrieve, group()),
    Route("topups.update", "POST", "/v1/topups/{id}", update, group(**_WORDS)),
    Route("topups.cancel", "POST", "/v1/topups/{id}/cancel", cancel, group()),
    Route(
        "topups.list",
        "GET",
        "/v1/topups",
        index,
        listed(created=Moment(), status=Choice(("canceled", "failed", "pending", "succeeded"))),
    ),
)
