"""The events of an account, to be read again."""

from lastlight.sandbox.desk import Desk, get
from lastlight.sandbox.events import pending_webhooks
from lastlight.sandbox.listing import page
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Each, Moment, Text, group, listed


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One event."""
    return pending_webhooks(desk, get(desk, "event", identifier))


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Events, of one type (which may end in `.*`) or of several."""
    if "type" in params and "types" in params:
        raise Refusal("You may only specify one of these parameters: type, types.", param="type")
    wanted = {"type": params.get("types") or params.get("type")}
    found = page(desk, "event", params, "/v1/events", fields=wanted)
    return found | {"data": [pending_webhooks(desk, one) for one in found["data"]]}


ROUTES = (
    Route("events.retrieve", "GET", "/v1/events/{id}", retrieve, group()),
    Route("events.list", "GET", "/v1/events", index, listed(created=Moment(), type=Text(), types=Each(Text()))),
)
