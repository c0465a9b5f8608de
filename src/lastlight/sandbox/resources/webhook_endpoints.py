"""Webhook endpoints: who is told of which events, and the secrets that sign them."""

from urllib.parse import urlsplit

from lastlight.sandbox.desk import Desk, add, fresh_id, get, merged, save
from lastlight.sandbox.events import API_VERSION, EVENTS
from lastlight.sandbox.listing import everything, page
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Each, Group, Text, Truth, Words, group, listed

_MOST = 16


def create(desk: Desk, params: Json, identifier: str) -> Json:
    """A new endpoint; its secret is told this once."""
    if len(page(desk, "webhook_endpoint", {"limit": 100}, "")["data"]) >= _MOST:
        raise Refusal(f"You have reached the maximum of {_MOST} test webhook endpoints.")
    endpoint = add(
        desk,
        "webhook_endpoint",
        api_version=params.get("api_version"),
        application=None,
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        livemode=False,
        metadata=merged({}, params.get("metadata")),
        status="enabled",
        url=_url(params["url"]),
        _secrets=[{"secret": fresh_id("whsec", 32), "until": None}],
    )
    return endpoint | {"secret": endpoint["_secrets"][0]["secret"]}


def _url(given: str) -> str:
    if urlsplit(given).scheme not in {"http", "https"} or not urlsplit(given).netloc:
        raise Refusal(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )
    return given


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Change an endpoint, or stop telling it."""
    endpoint = get(desk, "webhook_endpoint", identifier)
    endpoint["description"] = params.get("description", endpoint["description"])
    if "enabled_events" in params:
        endpoint["enabled_events"] = params["enabled_events"]
    if "url" in params:
        endpoint["url"] = _url(params["url"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    if "metadata" in params:
        endpoint["metadata"] = merged(endpoint["metadata"], params["metadata"])
    save(desk, endpoint)
    return endpoint


def keep_own(desk: Desk, *, url: str, events: list[str], secret: str) -> None:
    """Make the endpoint of the platform itself, or bring it up to date; its secret is given, not made."""
    now = {"url": url, "enabled_events": events, "_secrets": [{"secret": secret, "until": None}]}
    for found in everything(desk, "webhook_endpoint"):
        if found.get("_own"):
            save(desk, found | now)
            return
    told = {"api_version": API_VERSION, "application": None, "description": "Last Light", "livemode": False}
    add(desk, "webhook_endpoint", **told, **now, metadata={}, status="enabled", _own=True)


def roll_secret(desk: Desk, identifier: str, keep_seconds: int) -> Json:
    """A new secret; the one before signs along for `keep_seconds`."""
    endpoint = get(desk, "webhook_endpoint", identifier)
    until = desk.now + keep_seconds
    older = [one | {"until": one["until"] or until} for one in endpoint["_secrets"]]
    fresh = fresh_id("whsec", 32)
    endpoint["_secrets"] = [{"secret": fresh, "until": None}, *older][:2]
    save(desk, endpoint)
    return endpoint | {"secret": fresh}


def secrets_of(endpoint: Json, now: int) -> list[str]:
    """The secrets that sign at this time, the newest first."""
    return [one["secret"] for one in endpoint["_secrets"] if one["until"] is None or one["until"] > now]


def delete(desk: Desk, params: Json, identifier: str) -> Json:
    """Forget an endpoint, and what was on its way to it."""
    get(desk, "webhook_endpoint", identifier)
    desk.db.execute("delete from object where account = ? and id = ?", (desk.account, identifier))
    desk.db.execute("delete from delivery where account = ? and endpoint = ?", (desk.account, identifier))
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One endpoint."""
    return get(desk, "webhook_endpoint", identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Endpoints."""
    return page(desk, "webhook_endpoint", params, "/v1/webhook_endpoints")


_FIELDS = {
    "description": Text(unset=True),
    "enabled_events": Each(Choice(("*", *EVENTS))),
    "metadata": Words(unset=True),
    "url": Text(),
}
ROUTES = (
    Route(
        "webhook_endpoints.create",
        "POST",
        "/v1/webhook_endpoints",
        create,
        group("enabled_events url", **_FIELDS, api_version=Choice((API_VERSION,))),
    ),
    Route("webhook_endpoints.retrieve", "GET", "/v1/webhook_endpoints/{id}", retrieve, group()),
    Route("webhook_endpoints.update", "POST", "/v1/webhook_endpoints/{id}", update, group(**_FIELDS, disabled=Truth())),
    Route("webhook_endpoints.delete", "DELETE", "/v1/webhook_endpoints/{id}", delete, Group()),
    Route("webhook_endpoints.list", "GET", "/v1/webhook_endpoints", index, listed()),
)
