"""What Prometheus is told. Under the supervisor all processes share one folder, so any of them can answer for all."""

import asyncio
import os
import time
from typing import Any, Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from lastlight import __version__

REQUEST_SECONDS = Histogram(
    "lastlight_http_request_seconds",
    "Time from a request to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("lastlight_http_in_flight", "Requests that wait for their answer.", multiprocess_mode="livesum")
UNEXPECTED = Counter(
    "lastlight_http_unexpected_errors_total", "Requests that ended in an error nobody foresaw.", ["route"]
)
PROBLEMS = Counter("lastlight_problems_total", "Refusals, by the type of their problem.", ["type"])
WEBSOCKETS = Gauge("lastlight_websockets", "Open websockets.", multiprocess_mode="livesum")
POOL_CONNECTIONS = Gauge(
    "lastlight_db_pool_connections",
    "Database connections by pool and state.",
    ["pool", "state"],
    multiprocess_mode="livesum",
)
POOL_LIMIT = Gauge("lastlight_db_pool_limit", "Most connections of a pool.", ["pool"], multiprocess_mode="livesum")
TRANSACTION_SECONDS = Histogram(
    "lastlight_db_transaction_seconds",
    "Time of one transaction, from its begin to its end, by database role.",
    ["role"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)
JOB_SECONDS = Histogram(
    "lastlight_job_seconds",
    "Time of one attempt of a job, by what became of it.",
    ["kind", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
QUEUE_JOBS = Gauge("lastlight_queue_jobs", "Jobs by state.", ["state"], multiprocess_mode="livemostrecent")
QUEUE_OLDEST_SECONDS = Gauge(
    "lastlight_queue_oldest_seconds", "Age of the oldest job that could run.", multiprocess_mode="livemostrecent"
)
STARTED = Gauge(
    "lastlight_process_start_seconds",
    "When the youngest process started, in Unix time.",
    ["version"],
    multiprocess_mode="livemax",
)
STARTED.labels(__version__).set(time.time())

_SAMPLE_SECONDS = 5.0


class PoolLike(Protocol):
    """What we ask of a connection pool; asyncpg's has it."""

    def get_size(self) -> int: ...
    def get_idle_size(self) -> int: ...
    def get_max_size(self) -> int: ...


def render_metrics() -> tuple[bytes, str]:
    """All metrics as text, and the content type; of every process of the platform when they share a folder."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # pyright: ignore[reportUnknownMemberType] - untyped library
    return generate_latest(registry), CONTENT_TYPE_LATEST


def record_pool(name: str, pool: PoolLike) -> None:
    """Write down how many connections of a pool are idle and in use."""
    idle = pool.get_idle_size()
    POOL_CONNECTIONS.labels(name, "idle").set(idle)
    POOL_CONNECTIONS.labels(name, "used").set(pool.get_size() - idle)
    POOL_LIMIT.labels(name).set(pool.get_max_size())


async def watch_pools(pools: Any, *, seconds: float = _SAMPLE_SECONDS) -> None:
    """Write the pools down every few seconds until cancelled; `pools` has the attributes app, system and platform."""
    while True:
        for name in ("app", "system", "platform"):
            record_pool(name, getattr(pools, name))
        await asyncio.sleep(seconds)
