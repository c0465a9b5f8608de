"""Reading a request: who calls from where, and a body of bounded size."""

import ipaddress
from collections.abc import Mapping
from typing import Any

import structlog
from litestar import Request
from litestar.datastructures import Headers
from litestar.exceptions import HTTPException

from lastlight.kernel.errors import CrossOrigin, Malformed, TooLarge, UnsupportedMedia, VersionRequired
from lastlight.runtime.context import Actor
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.reply import RequestInfo
from lastlight.runtime.settings import Settings

AnyRequest = Request[Any, Any, Any]
KEPT_BODY = "raw_body"


def request_info(request: AnyRequest, settings: Settings) -> RequestInfo:
    """What an edge may know of the request; the address is the peer's unless a trusted proxy speaks for another."""
    headers = request.headers
    return RequestInfo(
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"].decode("latin-1"),
        headers=headers,
        cookies=request.cookies,
        ip=client_address(request.scope, headers, settings.trusted_proxies),
        user_agent=headers.get("user-agent", "")[:300],
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
        htmx=headers.get("hx-request") == "true",
    )


def client_address(scope: Any, headers: Mapping[str, str], trusted: tuple[str, ...]) -> str:
    """The caller's address: from the right of X-Forwarded-For, past the proxies that are trusted."""
    peer: str = (scope.get("client") or ("", 0))[0]
    forwarded = [part.strip() for part in _every(headers, "x-forwarded-for").split(",") if part.strip()]
    while forwarded and _is_trusted(peer, trusted):
        peer = forwarded.pop()
    return peer


def _every(headers: Mapping[str, str], name: str) -> str:
    """All lines of a header as one: a proxy may add a line of its own after those that its caller made up."""
    return ",".join(headers.getall(name, [])) if isinstance(headers, Headers) else headers.get(name, "")


def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    try:
        return any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in trusted)
    except ValueError:
        return False


async def read_body(request: AnyRequest, limit: int) -> bytes:
    """The raw body; TooLarge as soon as it passes the limit, whatever Content-Length said."""
    declared = request.headers.get("content-length", "")
    if declared and (not declared.isdigit() or int(declared) > limit):
        raise TooLarge(f"Send at most {limit} bytes.")
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise TooLarge(f"Send at most {limit} bytes.")
            pieces.append(piece)
    except HTTPException as error:
        raise Malformed("The body broke off before its end; send it again.") from error
    body = b"".join(pieces)
    _state(request)[KEPT_BODY] = body
    return body


def kept_body(request: AnyRequest) -> bytes:
    """The body that `read_body` has read; empty before it did."""
    return _state(request).get(KEPT_BODY, b"")


def _state(request: AnyRequest) -> dict[str, Any]:
    scope: Any = request.scope
    return scope.setdefault("state", {})


def require_json(headers: Mapping[str, str]) -> None:
    """Refuse a body that does not say that it is JSON: a cross-site form cannot say so without asking first."""
    if headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia("Send the body without Content-Encoding.")
    media = headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMedia


def refuse_cross_site(op: Operation, actor: Actor, headers: Mapping[str, str], base_url: str) -> None:
    """A write that rides on a cookie, or any form of ours, must come from our own pages."""
    if not op.writes or (actor.channel != "cookie" and op.kind != "page"):
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise CrossOrigin
        return
    origin = headers.get("origin")
    if origin is not None and origin.split("://", 1)[-1] != headers.get("host") and origin != base_url:
        raise CrossOrigin


def read_if_match(headers: Mapping[str, str]) -> int:
    """The version in If-Match; VersionRequired when it is missing, Malformed when it is no version of ours."""
    raw = headers.get("if-match", "").strip()
    if not raw:
        raise VersionRequired
    text = raw.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Malformed('If-Match holds the version that you read, such as "3".')
    return int(text)
