"""The queue is measured over all tenants, and readiness follows the database."""

import asyncio
import contextlib

import asyncpg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import REGISTRY

from lastlight.runtime.db.bounded import BoundedPool
from lastlight.runtime.db.migrate import newest_migration
from lastlight.runtime.db.pools import Pools
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs.measure import measure_queue
from lastlight.runtime.observability import health as health_module
from lastlight.runtime.observability.health import health, ready
from lastlight.runtime.observability.metrics import watch_pools
from lastlight.runtime.observability.tracing import use_tracer
from lastlight.runtime.settings import Settings
from tests.support.services import administer, make_tenant, opened_services
from tests.support.sockets import until

pytestmark = pytest.mark.database

ADD = """
insert into jobs (tenant_id, kind, state, max_attempts, run_at, finished_at)
values ($1, 'k', 'queued', 1, now() - interval '90 seconds', null),
       ($1, 'k', 'queued', 1, now() + interval '1 hour', null),
       ($1, 'k', 'running', 1, now(), null),
       ($1, 'k', 'dead', 1, now(), now() - interval '1 hour'),
       ($1, 'k', 'dead', 1, now(), now() - interval '25 hours')
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds are a platform's patience with its database, not that of a test on a busy machine."""
    monkeypatch.setattr(health_module, "_PATIENCE_SECONDS", 60.0)


def gauge(name: str, **labels: str) -> float | None:
    """A gauge's present value."""
    return REGISTRY.get_sample_value(name, labels)


async def test_the_queue_is_measured_over_all_tenants(fresh_database: Settings) -> None:
    for slug in ("ember", "neon"):
        await administer(fresh_database, ADD, await make_tenant(fresh_database, slug))
    async with opened_services(fresh_database) as services:
        watching = asyncio.Event()
        look = asyncio.create_task(measure_queue(services, watching))
        while gauge("lastlight_queue_jobs", state="dead_last_day") != 2:
            assert not look.done()
            await asyncio.sleep(0.02)
        watching.set()
        await look
    assert gauge("lastlight_queue_jobs", state="queued") == 4
    assert gauge("lastlight_queue_jobs", state="running") == 2
    oldest = gauge("lastlight_queue_oldest_seconds")
    assert oldest is not None
    assert 90 <= oldest < 150


async def test_the_pools_are_watched(fresh_database: Settings) -> None:
    async with opened_services(fresh_database) as services:
        watch = asyncio.create_task(watch_pools(services.pools, seconds=0.02))
        async with services.pools.app.acquire():
            await until(lambda: gauge("lastlight_db_pool_connections", pool="app", state="used") == 1)
        await until(lambda: gauge("lastlight_db_pool_connections", pool="app", state="used") == 0)
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


async def test_ready_follows_the_database_and_health_does_not(fresh_database: Settings) -> None:
    async with opened_services(fresh_database) as services:
        ok, details = await ready(services.pools, newest=newest_migration())
        assert ok
        assert {name: answer["ok"] for name, answer in details["database"].items()} == {
            "app": True,
            "system": True,
            "platform": True,
        }
        await services.pools.platform.close()
        ok, details = await ready(services.pools, newest=newest_migration())
        assert not ok
        assert details["database"]["platform"] == {"ok": False, "reason": "InterfaceError"}
        assert health() == {"status": "ok"}


async def test_ready_waits_for_the_migrations_of_this_release(fresh_database: Settings) -> None:
    newest = newest_migration()
    async with opened_services(fresh_database) as services:
        await administer(fresh_database, "delete from schema_migrations where number = $1", newest)
        ok, details = await ready(services.pools, newest=newest)
        assert not ok
        assert details["migrations"] == {
            "ok": False,
            "reason": f"the database stands at migration {newest - 1}, this release needs {newest}",
        }
        older_release, _ = await ready(services.pools, newest=newest - 2)
        assert older_release


async def test_a_database_that_never_was_migrated_is_not_ready(empty_database: Settings) -> None:
    admin = BoundedPool(
        empty_database.admin_dsn(),
        min_size=1,
        max_size=3,
        max_queries=1_000,
        max_inactive_connection_lifetime=60,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
    )
    await admin
    try:
        ok, details = await ready(Pools(app=admin, system=admin, platform=admin), newest=1)
    finally:
        await admin.close()
    assert not ok
    assert details["migrations"] == {"ok": False, "reason": "UndefinedTableError"}


async def test_a_transaction_is_timed_and_its_span_tells_no_secret(fresh_database: Settings) -> None:
    def timed() -> float:
        return REGISTRY.get_sample_value("lastlight_db_transaction_seconds_count", {"role": "system"}) or 0.0

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    before = timed()
    async with opened_services(fresh_database) as services:
        use_tracer(provider.get_tracer("test"))
        try:
            async with system_ctx(services, role="system"):
                pass
            with pytest.raises(RuntimeError):
                async with system_ctx(services, role="system"):
                    raise RuntimeError("password=hunter2")
        finally:
            use_tracer(None)
    assert timed() - before == 2
    good, bad = exporter.get_finished_spans()
    assert (good.name, dict(good.attributes or {}), good.status.status_code) == (
        "transaction",
        {"db.role": "system"},
        StatusCode.UNSET,
    )
    assert (bad.status.status_code, bad.status.description, bad.events) == (StatusCode.ERROR, "RuntimeError", ())
