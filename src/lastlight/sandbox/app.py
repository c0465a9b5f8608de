"""The server: ASGI in, one SQLite file behind, a courier beside."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import structlog

from lastlight.sandbox import authentication, controls, fields
from lastlight.sandbox.api import Asked, headed, in_use, new_request_id, perform, problem, understood
from lastlight.sandbox.courier import Courier
from lastlight.sandbox.desk import desk_of
from lastlight.sandbox.own import OwnAccount, register
from lastlight.sandbox.problems import BadRequest, Refusal, unauthorized
from lastlight.sandbox.store import opened, transaction
from lastlight.sandbox.wire import Answer, Request, json_answer, key_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_LARGEST_BODY = 1024 * 1024

log = structlog.get_logger("lastlight.sandbox")


class _HungUpError(Exception):
    """Who asked went away before the request was whole: half of what somebody wants is nothing that they want."""


class Sandbox:
    """The ASGI application; `base` is where it can be reached, for the pages that it sends people to."""

    def __init__(self, path: Path, base: str, own: OwnAccount | None = None) -> None:
        self._path = path
        self._base = base
        self._own = own
        self._busy: set[tuple[str, str]] = set()
        self._opened: tuple[sqlite3.Connection, Courier] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            with contextlib.suppress(_HungUpError):
                await _send(await self._answer(await self._request(scope, receive)), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        db = opened(self._path)
        if self._own is not None:
            register(db, self._own, self._base)
        courier = Courier(db, self._base)
        self._opened = (db, courier)
        await courier.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await courier.stop()
        db.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, request: Request | None) -> Answer:
        assert self._opened is not None
        db, courier = self._opened
        request_id = new_request_id()
        try:
            answer = await self._routed(db, courier, request, request_id)
        except Refusal as refusal:
            answer = problem(refusal)
        except Exception:
            log.exception("sandbox failed", path=request.path if request else "")
            answer = problem(_unexpected())
        courier.wake()
        return headed(fields.shared(request, answer), request_id)

    async def _routed(
        self, db: sqlite3.Connection, courier: Courier, request: Request | None, request_id: str
    ) -> Answer:
        if request is None:
            raise BadRequest("The request is too large.", status=413)
        if (asset := fields.answer(request)) is not None:
            return asset
        if request.path.startswith(authentication.PREFIX):
            return authentication.answer(db, request)
        if request.path.startswith(controls.PREFIX):
            return await self._control(db, courier, request)
        return await self._once(db, understood(request), request, request_id)

    async def _control(self, db: sqlite3.Connection, courier: Courier, request: Request) -> Answer:
        key = key_of(request)
        if key.publishable:
            raise unauthorized("The controls are for secret keys.", code="secret_key_required")
        if request.path == f"{controls.PREFIX}settle":
            await courier.settle(key.account)
        with transaction(db):
            desk = desk_of(db, key.account, self._base)
            answer = json_answer(200, controls.control(desk, request.method, request.path, request.body))
        if self._own is not None and self._own.account == key.account:
            register(db, self._own, self._base)  # the account may just have been forgotten
        return answer

    async def _once(self, db: sqlite3.Connection, asked: Asked, request: Request, request_id: str) -> Answer:
        """One at a time for each idempotency key."""
        claim = (asked.key.account, asked.idempotency_key)
        if not asked.idempotency_key:
            return await self._performed(db, asked, request, request_id)
        if claim in self._busy:
            raise in_use(asked.idempotency_key)
        self._busy.add(claim)
        try:
            return await self._performed(db, asked, request, request_id)
        finally:
            self._busy.discard(claim)

    async def _performed(self, db: sqlite3.Connection, asked: Asked, request: Request, request_id: str) -> Answer:
        with transaction(db):
            rule = controls.take_answer_rule(desk_of(db, asked.key.account, self._base), request.path)
        mode = rule.mode if rule else ""
        if mode == "error":
            return problem(_unexpected())
        if mode == "rate_limit":
            return _rate_limited()
        if rule and mode == "slow":
            await asyncio.sleep(rule.seconds)
        answer = perform(db, asked, self._base, request_id)
        if mode == "error_after":
            return problem(_unexpected())
        answer.lost = mode == "lost"
        return answer

    async def _request(self, scope: Message, receive: Receive) -> Request | None:
        """The whole request, or nothing when it is too large. Raises _HungUpError when only a part of it came."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _HungUpError
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > _LARGEST_BODY:
                return None
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        pages = self._own.pages if self._own is not None else dict[str, str]()
        return Request(scope["method"], scope["path"], query, headers, body, self._base, pages)


def _unexpected() -> Refusal:
    return Refusal("An error occurred with our connection to the processor.", status=500, kind="api_error")


def _rate_limited() -> Answer:
    answer = problem(Refusal("Too many requests hit the API too quickly.", status=429, code="rate_limit"))
    answer.headers["stripe-should-retry"] = "true"
    return answer


async def _send(answer: Answer, send: Send) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if not answer.lost:  # a body that is missing makes the server close the connection
        await send({"type": "http.response.body", "body": answer.body})
