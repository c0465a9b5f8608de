"""Answers: what a handler returned, as status, headers and body."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import msgspec

from lastlight.kernel.errors import Invalid, Problem
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.idempotency import Kept
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.problems import MEDIA_TYPE, problem_body
from lastlight.runtime.http.reply import Cookie, Download, Redirect, Reply, RequestInfo, View

__all__ = ["NEVER_KEPT", "Answer", "Invalid", "make", "of_problem", "replayed"]

NEVER_KEPT = ("Set-Cookie",)
TOAST_COOKIE = "ll_toast"
ADDRESS_SIGNS = "/?#[]@!$&'()*+,;=:%~"
"""What stands for itself in an address; the rest is written in percents, for a header holds neither ō nor a line break."""
_encoder = msgspec.json.Encoder(order=None)


@dataclass(slots=True)
class Answer:
    """What goes back: the body is bytes, or pieces that come once the transaction is over."""

    status: int
    body: bytes | AsyncIterator[bytes]
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cookies: list[Cookie] = field(default_factory=list[Cookie])


async def make(ctx: Ctx, op: Operation, info: RequestInfo, value: Any) -> Answer:
    """The answer for a handler's value. Pages are rendered here, inside the transaction, because a shell counts."""
    if isinstance(value, View):
        return await _view(ctx, op, info, value)
    if isinstance(value, Redirect):
        return _redirect(info, value)
    if isinstance(value, Download):
        return _download(value)
    if isinstance(value, Reply):
        reply: Reply[Any] = cast("Reply[Any]", value)
        result = _json(op, reply.value)
        result.status = reply.status or result.status
        result.headers |= reply.headers
        result.cookies = reply.cookies
        return result
    return _json(op, value)


def replayed(kept: Kept) -> Answer:
    """The first answer again."""
    headers = {**kept.headers, "Idempotency-Replayed": "true"}
    return Answer(kept.status, kept.body, headers.pop("Content-Type", "application/json"), headers)


def of_problem(problem: Problem, request_id: str) -> Answer:
    """A problem as RFC 9457 JSON."""
    body = _encoder.encode(problem_body(problem, request_id))
    return Answer(problem.status, body, MEDIA_TYPE, {"Cache-Control": "no-store", **problem.headers})


def _json(op: Operation, value: Any) -> Answer:
    headers = {"Cache-Control": "no-store"}
    if value is None:
        return Answer(204 if op.status == 200 else op.status, b"", "application/json", headers)
    version = getattr(value, "version", None)
    if isinstance(version, int):
        headers["ETag"] = f'"{version}"'
    return Answer(op.status, _encoder.encode(value), "application/json", headers)


def _download(file: Download) -> Answer:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **file.headers}
    if file.filename:
        plain = file.filename.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
        way = "inline" if file.inline else "attachment"
        headers["Content-Disposition"] = f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.filename)}"
    body = file.body if isinstance(file.body, bytes) else file.chunks()
    return Answer(file.status, body, file.media_type, headers)


def _redirect(info: RequestInfo, redirect: Redirect) -> Answer:
    cookies = list(redirect.cookies)
    if redirect.toast:
        cookies.append(Cookie(name=TOAST_COOKIE, value=quote(redirect.toast), max_age=30, http_only=False))
    headers = {"Cache-Control": "no-store"}
    address = quote(redirect.url, safe=ADDRESS_SIGNS)
    if info.htmx:
        return Answer(200, b"", "text/html; charset=utf-8", {**headers, "HX-Redirect": address}, cookies)
    return Answer(303, b"", "text/html; charset=utf-8", {**headers, "Location": address}, cookies)


async def _view(ctx: Ctx, op: Operation, info: RequestInfo, view: View) -> Answer:
    html: str = await ctx.services.render(ctx, op, info, view)
    headers = {"Cache-Control": "no-store", "Vary": "HX-Request", **view.headers}
    if view.toast and info.htmx:
        headers["HX-Trigger"] = _encoder.encode({"ll:toast": {"text": view.toast, "tone": "ok"}}).decode()
    cookies = list(view.cookies)
    if TOAST_COOKIE in info.cookies and not info.htmx:
        cookies.append(Cookie(name=TOAST_COOKIE, value="", max_age=0, http_only=False))
    return Answer(view.status, html.encode(), "text/html; charset=utf-8", headers, cookies)
