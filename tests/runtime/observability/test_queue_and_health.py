"""The queue is measured over all tenants, and readiness follows the database."""

import asyncio
import contextlib

import pytest
from prometheus_client import REGISTRY

from lastlight.runtime.jobs.measure import measure_queue
from lastlight.runtime.observability.health import health, ready
from lastlight.runtime.observability.metrics import watch_pools
from lastlight.runtime.settings import Settings
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database

ADD = """
insert into jobs (tenant_id, kind, state, max_attempts, run_at, finished_at)
values ($1, 'k', 'queued', 1, now() - interval '90 seconds', null),
       ($1, 'k', 'queued', 1, now() + interval '1 hour', null),
       ($1, 'k', 'running', 1, now(), null),
       ($1, 'k', 'dead', 1, now(), now() - interval '1 hour'),
       ($1, 'k', 'dead', 1, now(), now() - interval '25 hours')
"""


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
            await asyncio.sleep(0.1)
            assert gauge("lastlight_db_pool_connections", pool="app", state="used") == 1
        await asyncio.sleep(0.1)
        assert gauge("lastlight_db_pool_connections", pool="app", state="used") == 0
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


async def test_ready_follows_the_database_and_health_does_not(fresh_database: Settings) -> None:
    async with opened_services(fresh_database) as services:
        ok, details = await ready(services.pools)
        assert ok
        assert {name: answer["ok"] for name, answer in details["database"].items()} == {
            "app": True,
            "system": True,
            "platform": True,
        }
        await services.pools.platform.close()
        ok, details = await ready(services.pools)
        assert not ok
        assert details["database"]["platform"] == {"ok": False, "reason": "InterfaceError"}
        assert health() == {"status": "ok"}
