"""The outermost layer: request ids, metrics by route, one line a request, spans."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from structlog.testing import LogCapture

from lastlight.runtime.observability.middleware import ObservabilityMiddleware
from lastlight.runtime.observability.tracing import span, use_tracer
from lastlight.runtime.settings import Settings


async def door(scope: Any, _receive: Any, send: Any) -> None:
    """A small application: /venues/… answers, /broken breaks, all else is not found."""
    if scope["path"].startswith("/venues/"):
        scope["state"]["route"] = "/venues/{id}"
        with span("read_venue", venue__kind="bar"):
            await _answer(send, 200)
    elif scope["path"] == "/broken":
        scope["path_template"] = "/broken"
        raise RuntimeError("broken")
    else:
        await _answer(send, 404)


async def _answer(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"X-Request-Id", b"inner")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    """A client of the small application under the middleware."""
    app = ObservabilityMiddleware(door, Settings.load({}, var_dir=tmp_path))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # pyright: ignore[reportArgumentType] - looser types
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
def lines() -> Generator[list[Any]]:
    """The lines logged during the test."""
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture], cache_logger_on_first_use=False)
    yield capture.entries
    structlog.configure(**before)


@pytest.fixture
def spans() -> Generator[InMemorySpanExporter]:
    """The spans that were written during the test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    use_tracer(provider.get_tracer("test"))
    yield exporter
    use_tracer(None)


def counted(method: str, route: str, status: str) -> float:
    """How many requests the histogram has seen with these labels."""
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("lastlight_http_request_seconds_count", labels) or 0.0


async def test_a_request_gets_an_id_and_the_answer_carries_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/venues/1")
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.headers.get_list("x-request-id") == [answer.headers["x-request-id"]]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123.DEF", True), ("short", False), ("x" * 65, False), ("bad\"quote's", False), ("line\tbreak", False)],
)
async def test_a_sane_id_of_the_caller_is_kept(client: httpx.AsyncClient, given: str, kept: bool) -> None:
    answer = await client.get("/venues/1", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is kept


async def test_requests_are_counted_by_route_and_not_by_path(client: httpx.AsyncClient) -> None:
    before = counted("GET", "/venues/{id}", "200"), counted("GET", "unmatched", "404")
    await client.get("/venues/1")
    await client.get("/venues/2")
    await client.get("/made/up/by/a/scanner")
    after = counted("GET", "/venues/{id}", "200"), counted("GET", "unmatched", "404")
    assert (after[0] - before[0], after[1] - before[1]) == (2, 1)


async def test_a_made_up_method_does_not_make_a_metric(client: httpx.AsyncClient) -> None:
    before = counted("OTHER", "unmatched", "404")
    await client.request("BREW", "/x")
    assert counted("OTHER", "unmatched", "404") - before == 1


async def test_one_line_a_request_without_the_raw_path(client: httpx.AsyncClient, lines: list[Any]) -> None:
    await client.get("/venues/secret-code?token=abc", headers={"X-Request-Id": "request-1"})
    (line,) = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/venues/{id}",
        "status": 200,
        "request_id": "request-1",
    }


async def test_an_unforeseen_error_is_counted_and_logged_once(client: httpx.AsyncClient, lines: list[Any]) -> None:
    before = REGISTRY.get_sample_value("lastlight_http_unexpected_errors_total", {"route": "/broken"}) or 0
    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert REGISTRY.get_sample_value("lastlight_http_unexpected_errors_total", {"route": "/broken"}) == before + 1
    assert [(line["event"], line["log_level"]) for line in lines] == [("request_failed", "error"), ("request", "info")]
    assert lines[1]["status"] == 500


async def test_a_span_joins_the_trace_of_its_caller(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await client.get("/venues/1", headers={"traceparent": caller})
    inner, outer = spans.get_finished_spans()
    assert (inner.name, dict(inner.attributes or {})) == ("read_venue", {"venue.kind": "bar"})
    assert (outer.name, dict(outer.attributes or {})) == (
        "GET /venues/{id}",
        {"http.route": "/venues/{id}", "http.response.status_code": 200},
    )
    assert outer.parent is not None
    assert f"{outer.parent.trace_id:032x}" == caller.split("-")[1]
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id


async def test_without_a_collector_a_span_is_nothing() -> None:
    with span("anything", a=1) as nothing:
        assert nothing is None
