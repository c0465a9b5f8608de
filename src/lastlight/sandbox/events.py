"""Events: what happened to an object, as it was then, and who is told."""

from typing import Any, cast

from lastlight.sandbox.desk import Desk, add, keep_settings
from lastlight.sandbox.problems import Json
from lastlight.sandbox.store import body_of, rows
from lastlight.sandbox.wire import indented

API_VERSION = "2026-10-28.endive"
EVENTS = (
    "balance.available",
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.expired",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "topup.canceled",
    "topup.created",
    "topup.succeeded",
)
"""Every event that happens here."""
BACKOFF = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200)
"""Seconds between the attempts of a delivery, by the account's clock."""


def shown(value: Any) -> Any:
    """An object as it leaves the sandbox."""
    if isinstance(value, dict):
        return {k: shown(v) for k, v in cast("Json", value).items() if not k.startswith("_")}
    if isinstance(value, list):
        return [shown(one) for one in cast("list[Any]", value)]
    return value


def emit(desk: Desk, name: str, subject: Json, *, before: Json | None = None) -> None:
    """Write an event about `subject` as it is now, and queue it for the endpoints that want it."""
    assert name in EVENTS, name
    data: Json = {"object": shown(subject)}
    if before is not None:
        data["previous_attributes"] = _changed(shown(before), data["object"])
    event = add(
        desk,
        "event",
        api_version=API_VERSION,
        data=data,
        livemode=False,
        pending_webhooks=0,
        request={"id": desk.request_id, "idempotency_key": desk.idempotency_key},
        type=name,
    )
    sql = "select body from object where account = ? and kind = 'webhook_endpoint' order by seq"
    for endpoint in map(body_of, rows(desk.db, sql, desk.account)):
        if endpoint["status"] == "enabled" and {"*", name} & set(endpoint["enabled_events"]):
            _queue(desk, endpoint["id"], event["id"])


def _changed(before: Json, after: Json) -> Json:
    return {name: before.get(name) for name in {**before, **after} if before.get(name) != after.get(name)}


def _queue(desk: Desk, endpoint: str, event: str) -> None:
    """Queue one delivery, treated as the control `webhooks` asked for the next ones."""
    rule: Json = dict(desk.settings.get("webhooks") or {})
    mode = rule.pop("mode", "") if rule.get("count", 0) > 0 else ""
    if mode:
        count = rule["count"] - 1
        keep_settings(desk, webhooks={**rule, "mode": mode, "count": count} if count else None)
    match mode:
        case "drop":
            _deliver(desk, endpoint, event, state="dropped")
        case "duplicate":
            _deliver(desk, endpoint, event)
            _deliver(desk, endpoint, event)
        case "delay":
            _deliver(desk, endpoint, event, due=desk.now + int(rule["seconds"]))
        case "fail":
            _deliver(desk, endpoint, event, due=desk.now + BACKOFF[0], attempts=1)
        case "reorder":
            _deliver(desk, endpoint, event, state="held")
            if rule["count"] == 1:
                _release(desk)
        case _:
            _deliver(desk, endpoint, event)


def _deliver(
    desk: Desk, endpoint: str, event: str, *, state: str = "queued", due: int | None = None, attempts: int = 0
) -> None:
    desk.db.execute(
        "insert into delivery (account, endpoint, event, place, state, attempts, due)"
        " values (?, ?, ?, (select coalesce(max(seq), 0) + 1 from delivery), ?, ?, ?)",
        (desk.account, endpoint, event, state, attempts, desk.now if due is None else due),
    )


def _release(desk: Desk) -> None:
    """Let go of what was held, the last first."""
    held = rows(
        desk.db, "select seq, place from delivery where account = ? and state = 'held' order by seq", desk.account
    )
    for found, place in zip(held, [one["place"] for one in reversed(held)], strict=True):
        desk.db.execute(
            "update delivery set state = 'queued', place = ?, due = ? where seq = ?", (place, desk.now, found["seq"])
        )


def pending_webhooks(desk: Desk, event: Json) -> Json:
    """An event with the number of endpoints that it has yet to reach."""
    sql = "select distinct endpoint from delivery where event = ? and state in ('queued', 'held')"
    return event | {"pending_webhooks": len(rows(desk.db, sql, event["id"]))}


def snapshot_body(event: Json) -> bytes:
    """The bytes of a delivery: the same each time it is tried."""
    return indented(shown(event | {"pending_webhooks": 1}))
