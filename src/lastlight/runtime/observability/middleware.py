"""The outermost layer of the application: request id, timing, metrics by route, a span, one line in the log."""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from lastlight.runtime.observability.logs import bind_request, clear_request
from lastlight.runtime.observability.metrics import IN_FLIGHT, REQUEST_SECONDS, UNEXPECTED, WEBSOCKETS
from lastlight.runtime.observability.tracing import server_span, trace_id
from lastlight.runtime.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.stdlib.get_logger("lastlight.request")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNREMARKABLE = frozenset({"/health", "/ready", "/metrics"})
"""Routes that a machine asks every few seconds: logged at debug level."""


class ObservabilityMiddleware:
    """Wraps the whole application; `scope["state"]` gets `request_id`, and may get `route` from within."""

    def __init__(self, app: Application, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            _give_id(scope, "")
            with WEBSOCKETS.track_inprogress():
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = _give_id(scope, headers.get("x-request-id", ""))
        answer = _Answer(send, request_id)
        began = time.perf_counter()
        with IN_FLIGHT.track_inprogress(), server_span(_method(scope), headers) as span:
            if span is not None:
                bind_request(trace_id=trace_id())
            try:
                await self.app(scope, receive, answer.send)
            except Exception:
                answer.status = answer.status or 500  # the server answers for us
                UNEXPECTED.labels(_route(scope)).inc()
                log.exception("request_failed", method=_method(scope), route=_route(scope))
                raise
            finally:
                _conclude(scope, answer, time.perf_counter() - began, span)


class _Answer:
    """The answer on its way out: takes note of the status and puts the request id on it."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            others = [pair for pair in message.get("headers", []) if pair[0].lower() != b"x-request-id"]
            message["headers"] = [*others, (b"x-request-id", self._request_id)]
        await self._send(message)


def _conclude(scope: Scope, answer: _Answer, seconds: float, span: Any) -> None:
    method, route = _method(scope), _route(scope)
    status = answer.status or 499  # nothing was answered: the caller went away
    REQUEST_SECONDS.labels(method, route, str(status)).observe(seconds)
    if span is not None:
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
    write = log.debug if route in _UNREMARKABLE else log.info
    write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _give_id(scope: Scope, given: str) -> str:
    """Put the request's or the socket's id into its state and on all of its log lines."""
    request_id = given if _SANE_ID.fullmatch(given) else secrets.token_hex(16)
    scope.setdefault("state", {})["request_id"] = request_id
    clear_request()
    bind_request(request_id=request_id)
    return request_id


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


def _route(scope: Scope) -> str:
    """The route's template: never a raw path, which anybody may make up and which may carry a code."""
    return str(scope["state"].get("route") or scope.get("path_template") or "unmatched")
