"""One request of the API: who asks, what for, once for each idempotency key, all of it in one transaction."""

import hashlib
import json
import re
import sqlite3
from dataclasses import dataclass

from lastlight.sandbox.agenda import run_due
from lastlight.sandbox.desk import Desk, desk_of, fresh_id
from lastlight.sandbox.events import API_VERSION, shown
from lastlight.sandbox.expansion import expanded
from lastlight.sandbox.problems import BadRequest, Json, Refusal, unauthorized
from lastlight.sandbox.router import route_of
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import read
from lastlight.sandbox.store import row, transaction
from lastlight.sandbox.wire import Answer, Key, Request, decoded, json_answer, key_of

KEPT_SECONDS = 86_400
"""How long an answer is kept under its idempotency key, by the account's clock."""
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was understood; `digest` is the same for the same parameters."""

    key: Key
    route: Route
    identifier: str
    params: Json
    idempotency_key: str
    digest: str


def understood(request: Request) -> Asked:
    """Who asks for what; raises the refusal of a request that cannot begin."""
    key = key_of(request)
    version = request.headers.get("stripe-version", API_VERSION)
    if _VERSION.fullmatch(version) is None:
        raise BadRequest(f"Invalid Stripe API version: {version}")
    route, identifier = route_of(request.method, request.path)
    if key.publishable and not route.open:
        raise unauthorized(
            "This API call cannot be made with a publishable API key. Please use a secret API key.",
            code="secret_key_required",
        )
    idempotency_key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
    if len(idempotency_key) > 255:
        raise BadRequest("Idempotency keys have at most 255 characters.")
    raw = decoded(request.raw_parameters)
    told = json.dumps([request.method, request.path, raw], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    return Asked(
        key, route, identifier, read(route.params_for(publishable=key.publishable), raw), idempotency_key, digest
    )


def perform(db: sqlite3.Connection, asked: Asked, base: str, request_id: str) -> Answer:
    """Carry it out, or give the answer that its key was given before; what is due by then happens first."""
    with transaction(db):
        run_due(desk_of(db, asked.key.account, base))
    with transaction(db):
        desk = desk_of(db, asked.key.account, base)
        desk.request_id = request_id
        desk.idempotency_key = asked.idempotency_key or None
        desk.publishable = asked.key.publishable
        kept = _kept(desk, asked)
        if kept is not None:
            return kept
        answer = _carried_out(desk, asked)
        if asked.idempotency_key:
            _keep(desk, asked, answer)
        return answer


def _carried_out(desk: Desk, asked: Asked) -> Answer:
    """What an operation answers; of one that is refused nothing stays but what a decline wrote."""
    desk.db.execute("savepoint operation")
    try:
        outcome = shown(asked.route.operation(desk, asked.params, asked.identifier))
        return json_answer(200, expanded(desk, outcome, asked.params.get("expand", [])))
    except Refusal as refusal:
        if not refusal.keeps:
            desk.db.execute("rollback to operation")
        return problem(refusal)


def problem(refusal: Refusal) -> Answer:
    """A refusal as Stripe's error body."""
    return json_answer(refusal.status, {"error": shown(refusal.error)})


def headed(answer: Answer, request_id: str) -> Answer:
    """An answer with the headers that all have."""
    answer.headers = {"request-id": request_id, "stripe-version": API_VERSION} | answer.headers
    return answer


def _kept(desk: Desk, asked: Asked) -> Answer | None:
    sql = "select request, status, body, first, created from answer where account = ? and key = ?"
    found = row(desk.db, sql, desk.account, asked.idempotency_key)
    if found is None or found["created"] <= desk.now - KEPT_SECONDS:
        return None
    if found["request"] != asked.digest:
        return problem(
            Refusal(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key "
                f"other than '{asked.idempotency_key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        )
    headers = {
        "content-type": "application/json",
        "idempotency-key": asked.idempotency_key,
        "idempotent-replayed": "true",
        "original-request": found["first"],
    }
    return Answer(found["status"], found["body"], headers)


def _keep(desk: Desk, asked: Asked, answer: Answer) -> None:
    answer.headers["idempotency-key"] = asked.idempotency_key
    desk.db.execute(
        "insert or replace into answer (account, key, request, status, body, first, created) values (?, ?, ?, ?, ?, ?, ?)",
        (desk.account, asked.idempotency_key, asked.digest, answer.status, answer.body, desk.request_id, desk.now),
    )


def in_use(idempotency_key: str) -> BadRequest:
    """Somebody else is under way with this key."""
    return BadRequest(
        f"There is currently another in-progress request using this Idempotency-Key: {idempotency_key}. Try again later.",
        status=409,
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )


def new_request_id() -> str:
    """The id of a request."""
    return fresh_id("req", 14)
