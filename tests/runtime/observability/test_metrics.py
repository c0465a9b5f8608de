"""Metrics of several processes, answered by any of them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import prometheus_client

from lastlight import main
from lastlight.runtime.observability.metrics import record_pool, render_metrics

WORK = """
import os, sys
from lastlight.runtime.observability.metrics import IN_FLIGHT, REQUEST_SECONDS, WEBSOCKETS, render_metrics
REQUEST_SECONDS.labels("GET", "/x", "200").observe(0.01)
WEBSOCKETS.inc(int(sys.argv[1]))
IN_FLIGHT.inc()
if sys.argv[2] == "render":
    sys.stdout.write(render_metrics()[0].decode())
sys.stdout.flush()
os._exit(0)
"""


def test_counts_of_all_processes_are_added(tmp_path: Path) -> None:
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", WORK, "3", "quiet"], env=env, check=True)
    second = subprocess.run(
        [sys.executable, "-c", WORK, "4", "render"], env=env, check=True, capture_output=True, text=True
    )
    lines = second.stdout.splitlines()
    assert 'lastlight_http_request_seconds_count{method="GET",route="/x",status="200"} 2.0' in lines
    assert "lastlight_websockets 7.0" in lines


def test_alone_a_process_answers_for_itself() -> None:
    text, kind = render_metrics()
    assert kind.startswith("text/plain")
    assert b"lastlight_process_start_seconds" in text


class Pool:
    """A pool of ten connections, four open, one idle."""

    def get_size(self) -> int:
        """Open connections."""
        return 4

    def get_idle_size(self) -> int:
        """Unused ones."""
        return 1

    def get_max_size(self) -> int:
        """The most it opens."""
        return 10


def test_pools_are_shown_by_state() -> None:
    record_pool("made_up", Pool())
    lines = render_metrics()[0].decode().splitlines()
    assert 'lastlight_db_pool_connections{pool="made_up",state="idle"} 1.0' in lines
    assert 'lastlight_db_pool_connections{pool="made_up",state="used"} 3.0' in lines
    assert 'lastlight_db_pool_limit{pool="made_up"} 10.0' in lines


LABELS = {
    "method",
    "route",
    "status",
    "type",
    "pool",
    "state",
    "role",
    "kind",
    "outcome",
    "name",
    "job",
    "way",
    "why",
    "version",
}
"""What metrics may be told apart by: each has as many values as our own code names, never as many as there are tenants or people."""


def test_no_metric_grows_with_tenants_or_people() -> None:
    assert main.create_services.__module__ == "lastlight.main", (
        "the whole platform is imported, with all of its metrics"
    )
    collectors: Any = getattr(prometheus_client.REGISTRY, "_collector_to_names")  # noqa: B009 - it has no public way
    ours = {
        collector: names for collector, names in collectors.items() if any(n.startswith("lastlight_") for n in names)
    }
    names = {name for found in ours.values() for name in found}
    assert {"lastlight_relay_events", "lastlight_job_seconds", "lastlight_problems", "lastlight_websockets"} <= names
    assert {label for collector in ours for label in getattr(collector, "_labelnames", ())} <= LABELS
