"""The gallery and the other layouts on a local port, under the platform's content policy: a real server without a database."""

import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs

import msgspec
import uvicorn

from lastlight.ui.gallery import gallery_context, gallery_shell
from lastlight.ui.render import create_environment, render_page
from lastlight.ui.shell import App, Theme
from lastlight.ui.static import serve_static

Send = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApp = Callable[[dict[str, Any], Any, Send], Awaitable[None]]

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
PROBLEM = {
    "status": 404,
    "title": "Not found",
    "detail": "There is no such visit, or you may not see it.",
    "instance": "01J9ZK7Q4N",
}

SIGN_IN = """{% extends "layouts/plain.html" %}{% block title %}Sign in{% endblock %}
{% block lead %}To Kōjō Arcade{% endblock %}
{% block main %}{% call ui.plain_form("sign-in", "/sign-in") %}{{ ui.form_error("The password or the e-mail is not right.") }}
{{ ui.input("email", "E-mail", type="email", value="thandi@kojo.example", autocomplete="username") }}
{{ ui.input("password", "Password", type="password", autocomplete="current-password") }}
{{ ui.button("Sign in", "primary", type="submit", size="lg wide") }}{% endcall %}{% endblock %}
{% block after %}No account yet? <a class="link" href="/register">Register your venue</a>{% endblock %}"""

SCREEN = """{% extends "layouts/screen.html" %}{% block title %}Welcome{% endblock %}{% block place %}Kōjō Arcade, Rosebank{% endblock %}
{% block heading %}Scan to check in{% endblock %}{% block say %}Open Last Light, point it here{% endblock %}
{% block code %}<div class="screen-qr"><svg viewBox="0 0 9 9" role="img" aria-label="Code"><path d="M1 1h3v3h-3zM5 1h3v3h-3zM1 5h3v3h-3zM6 6h2v2h-2z" fill="#160d1c"/></svg></div>
{{ ui.meter(13, 20, "Until the next code") }}{% endblock %}{% block foot %}A new code every 20 s{% endblock %}"""

FORM = """{% extends "layouts/plain.html" %}{% block title %}Refund{% endblock %}{% block main %}
{% call ui.form("refund", "/form") %}{{ ui.textarea("reason", "Reason", value=reason, error=error) }}{{ ui.button("Refund", "primary", type="submit") }}{% endcall %}
{% endblock %}"""

IN_A_DIALOG = """{% extends "layouts/console.html" %}{% block title %}Refunds{% endblock %}{% block main %}
{{ ui.confirm_dialog("refund", "Refund R 120,00?", "The guest is told.", "/form", "Refund", cancel="Keep the charge") }}
{% endblock %}"""

LIVE = """{% extends "layouts/console.html" %}{% block title %}Tonight{% endblock %}{% block main %}
{% call ui.live("floor", "/live", ["checkin.verified"], every="50ms") %}<p>Inside: <b>{{ inside }}</b></p>
{{ ui.chart("arrivals", "Arrivals", {"kind": "line", "labels": ["21:00", "22:00"], "series": [{"name": "Tonight", "values": [1, inside]}], "unit": "count", "summary": "Arrivals"}) }}
{% endcall %}{% endblock %}"""


class GallerySite:
    """Pages, and what a test may change while they are open."""

    def __init__(self) -> None:
        self.environment = create_environment()
        self.inside = 0
        self.drawn_at = 0
        self.feed: list[dict[str, Any]] = []
        self.asked: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        path: str = scope["path"]
        self.asked.append(path)
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if path.startswith("/static/"):
            await self._static(path.removeprefix("/static/"), headers, send)
        elif path == "/api/events":
            found = [event for event in self.feed if event["seq"] > int(query["after"])]
            await _answer(
                send,
                200,
                _json({"events": found, "next": max([int(query["after"]), *(e["seq"] for e in found)])}),
                kind="application/json",
            )
        elif scope["method"] == "POST":
            await self._form(await _body(receive), send)
        else:
            page = self.page(path, query, reason="", error="")
            await _answer(send, 200 if page else 404, page or b"not here")

    def page(self, path: str, query: dict[str, str], **context: str) -> bytes:
        """A page as bytes; empty for an address that has none."""
        app, theme = cast("App", query.get("app", "management")), cast("Theme", query.get("theme", "dark"))
        shell = gallery_shell(app, theme=theme, live=path == "/live")
        shell = msgspec.structs.replace(shell, live_after=self.drawn_at)
        if path == "/gallery":
            return render_page(self.environment, "gallery/index.html", {**gallery_context(), "shell": shell}).encode()
        if path == "/problem":
            return render_page(self.environment, "problem.html", {"shell": shell, "problem": PROBLEM}).encode()
        texts = {"/sign-in": SIGN_IN, "/screen": SCREEN, "/form": FORM, "/in-a-dialog": IN_A_DIALOG, "/live": LIVE}
        if path not in texts:
            return b""
        return self.environment.from_string(texts[path]).render(shell=shell, inside=self.inside, **context).encode()

    async def _form(self, body: bytes, send: Send) -> None:
        reason = parse_qs(body.decode(), keep_blank_values=True).get("reason", [""])[-1]
        if not reason.strip():
            await _answer(send, 422, self.page("/form", {}, reason=reason, error="Say why, finance reads this."))
        elif reason == "conflict":
            await _answer(send, 409, _json({"detail": "Somebody was faster."}), kind="application/problem+json")
        elif reason == "unsure":
            told = {"title": "It is not known whether this was done", "detail": "Look before you do it again."}
            await _answer(send, 503, _json(told), kind="application/problem+json")
        elif reason == "a proxy's":
            await _answer(send, 502, b"Bad Gateway", kind="text/plain")
        elif reason == "refused":
            page = self.environment.get_template("problem.html")
            block = "".join(
                page.blocks["toast"](page.new_context({"problem": {**PROBLEM, "detail": "Refunds are paused."}}))
            )
            await _answer(send, 403, block.encode(), headers={"HX-Reswap": "none"})
        else:
            said = '{"ll:toast": {"text": "Refund sent", "tone": "ok"}}'
            await _answer(send, 200, b"", headers={"HX-Trigger": said, "HX-Reswap": "none"})

    async def _static(self, name: str, headers: dict[str, str], send: Send) -> None:
        found = serve_static(name, headers.get("accept-encoding", ""), headers.get("if-none-match", ""))
        if found is None:
            await _answer(send, 404, b"not here")
        else:
            kind = found.headers.pop("Content-Type")
            await _answer(send, found.status, found.body, kind=kind, headers=found.headers)


@contextmanager
def serving(app: AsgiApp) -> Generator[str]:
    """Serve an ASGI application on a free port of this machine; gives the base address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def gallery_site() -> Generator[str]:
    """The site of pages alone, without sockets."""
    with serving(GallerySite()) as address:
        yield address


async def _body(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    *,
    kind: str = "text/html; charset=utf-8",
    headers: dict[str, str] | None = None,
) -> None:
    sent = {"Content-Type": kind, "Content-Security-Policy": CONTENT_SECURITY_POLICY, **(headers or {})}
    pairs = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)
