"""The stand-in for Stripe.js: a script for pages, and the frame in which a card's number is typed, so that no page of ours ever sees it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lastlight.sandbox.wire import Answer, Request

FOLDER = "/_sandbox/fields/"
_HERE = Path(__file__).parent
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
_FILES: Mapping[str, str] = {
    "/stripe.js": "stripe.js",
    FOLDER: "frame.html",
    f"{FOLDER}frame.js": "frame.js",
    f"{FOLDER}frame.css": "frame.css",
    f"{FOLDER}confirmed.js": "confirmed.js",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
_API = "/v1/"


def answer(request: Request) -> Answer | None:
    """A file of the stand-in, whether the sandbox is well, or what a browser asks before a page calls the API; None for anything else."""
    if request.method == "OPTIONS" and request.path.startswith(_API):
        return Answer(204, b"", {"access-control-max-age": "600", **_ALLOWED})
    if request.method not in {"GET", "HEAD"}:
        return None
    if request.path == "/_sandbox/health":
        return Answer(200, b'{"status": "ok"}', {"content-type": "application/json"})
    name = _FILES.get(request.path)
    return None if name is None else _file(name)


_ALLOWED = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, stripe-version",
}


def shared(request: Request | None, given: Answer) -> Answer:
    """The answer as a page of another origin may read it: keys come in a header that no browser sends by itself."""
    if request is not None and request.path.startswith(_API) and "origin" in request.headers:
        given.headers.setdefault("access-control-allow-origin", "*")
        given.headers["access-control-expose-headers"] = "request-id"
    return given


def _file(name: str) -> Answer:
    kind = _TYPES[Path(name).suffix]
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "cross-origin",
    }
    if name.endswith(".html"):
        headers["content-security-policy"] = _POLICY
    return Answer(200, _read(name), headers)


@cache
def _read(name: str) -> bytes:
    return (_HERE / name).read_bytes()
