"""The gallery and the other layouts on a local port, under the platform's own content policy, without a database."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment

from lastlight.runtime.http.app import CONTENT_SECURITY_POLICY
from lastlight.ui.gallery import gallery_context, gallery_shell
from lastlight.ui.render import create_environment, render_page
from lastlight.ui.shell import App, Theme
from lastlight.ui.static import serve_static

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

PROBLEM = {"status": 404, "title": "Not found", "detail": "There is no such visit, or you may not see it.", "instance": "01J9ZK7Q4N"}


@contextmanager
def gallery_site() -> Generator[str]:
    """Serve on a free port of this machine; gives the base address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(create_environment()))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _handler(environment: Environment) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path.startswith("/static/"):
                self._static(address.path.removeprefix("/static/"))
            else:
                query = {name: values[-1] for name, values in parse_qs(address.query).items()}
                self._page(address.path, query)

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode(), keep_blank_values=True)
            reason = sent.get("reason", [""])[-1]
            if self.path == "/form" and not reason.strip():
                self._send(422, _render(environment, "/form", {}, reason=reason, error="Say why, finance reads this."))
            elif self.path == "/form" and reason == "problem":
                self._send(409, b'{"detail": "Somebody was faster."}', content_type="application/problem+json")
            else:
                self._send(200, b"", headers={"HX-Trigger": '{"ll:toast": {"text": "Refund sent", "tone": "ok"}}', "HX-Reswap": "none"})

        def _page(self, path: str, query: dict[str, str]) -> None:
            body = _render(environment, path, query)
            self._send(200 if body else 404, body or b"not here")

        def _static(self, name: str) -> None:
            found = serve_static(name, self.headers.get("Accept-Encoding", ""), self.headers.get("If-None-Match", ""))
            if found is None:
                self._send(404, b"not here")
            else:
                kind = found.headers["Content-Type"]
                rest = {key: value for key, value in found.headers.items() if key != "Content-Type"}
                self._send(found.status, found.body, content_type=kind, headers=rest)

        def _send(
            self, status: int, body: bytes, *, content_type: str = "text/html; charset=utf-8", headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Tests are quiet."""

    return Handler


def _render(environment: Environment, path: str, query: dict[str, str], **context: str) -> bytes:
    app = cast("App", query.get("app", "management"))
    shell = gallery_shell(app, theme=cast("Theme", query.get("theme", "dark")), live=query.get("live") == "yes")
    texts = {"/sign-in": SIGN_IN, "/screen": SCREEN, "/form": FORM}
    if path == "/gallery":
        return render_page(environment, "gallery/index.html", {**gallery_context(), "shell": shell}).encode()
    if path == "/problem":
        return render_page(environment, "problem.html", {"shell": shell, "problem": PROBLEM}).encode()
    if path == "/docs":
        return render_page(environment, "layouts/docs.html", {"openapi_url": "/openapi.json"}).encode()
    if path not in texts:
        return b""
    values = {"reason": "", "error": "", **context, "shell": shell}
    return environment.from_string(texts[path]).render(values).encode()
