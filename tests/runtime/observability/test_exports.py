"""Traces and error reports leave the process, to a receiver that we play, and only when one is named."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = pytest.mark.processes

CANARY = "canary-51c7e0"


@dataclass(slots=True)
class Receiver:
    """A collector on a port of its own: what it was sent, by path."""

    port: int = 0
    received: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


@pytest.fixture
def receiver() -> Generator[Receiver]:
    """The running collector."""
    kept = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append(
                (self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept
        server.shutdown()


PROGRAM = """
import os, sentry_sdk, structlog
from lastlight.runtime.observability.start import observe
from lastlight.runtime.observability.logs import bind_request
from lastlight.runtime.observability.tracing import span
from lastlight.runtime.settings import Settings
settings = Settings.load({k: v for k, v in os.environ.items() if k.startswith("LASTLIGHT_")})
observe(settings, "worker")
with span("relay.batch", relay__events=3, skipped=None):
    pass
bind_request(request_id="request-1234")
password = os.environ["CANARY"]
try:
    raise ValueError(f"refused password={password}")
except ValueError:
    structlog.stdlib.get_logger("lastlight.test").exception("job_failed", token=password, job="j-1")
sentry_sdk.flush(timeout=30)  # of itself it waits two seconds at the end of a process, however slow the receiver is
"""


def run(tmp_path: Path, **env: str) -> str:
    """Run the program above and return what it logged."""
    given = os.environ | {"LASTLIGHT_VAR_DIR": str(tmp_path), "CANARY": CANARY, **env}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=given, check=True, capture_output=True, text=True, timeout=60
    ).stderr


def test_spans_reach_the_collector(tmp_path: Path, receiver: Receiver) -> None:
    run(tmp_path, LASTLIGHT_OTLP_ENDPOINT=f"http://127.0.0.1:{receiver.port}")
    ((path, body),) = receiver.received
    assert path == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    about = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert (about["service.name"], about["lastlight.process"]) == ("lastlight", "worker")
    (written,) = resource.scope_spans[0].spans
    assert (written.name, [(a.key, a.value.int_value) for a in written.attributes]) == (
        "relay.batch",
        [("relay.events", 3)],
    )


def test_an_error_reaches_sentry_without_its_secrets(tmp_path: Path, receiver: Receiver) -> None:
    logged = run(tmp_path, LASTLIGHT_SENTRY_DSN=f"http://key@127.0.0.1:{receiver.port}/7")
    events = [body.decode() for path, body in receiver.received if path == "/api/7/envelope/"]
    (event,) = [body for body in events if '"type":"event"' in body.replace(" ", "")]
    (report,) = [json.loads(line) for line in event.splitlines() if '"exception"' in line]
    assert report["logentry"]["message"] == "job_failed"
    assert report["tags"] == {"request_id": "request-1234", "job": "j-1"}
    assert report["extra"] == {"token": "[hidden]"}
    assert report["exception"]["values"][0]["type"] == "ValueError"
    assert "user" not in report
    assert CANARY not in "".join(events)
    assert CANARY not in logged


def test_without_a_receiver_nothing_leaves(tmp_path: Path, receiver: Receiver) -> None:
    assert "job_failed" in run(tmp_path)
    assert receiver.received == []
