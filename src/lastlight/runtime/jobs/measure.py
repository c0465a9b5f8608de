"""What the queue tells Prometheus: how much waits, for how long, and what was given up."""

import asyncio

import structlog

from lastlight.runtime.db.lost import LOST
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.observability.metrics import QUEUE_JOBS, QUEUE_OLDEST_SECONDS
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

LOOK_SECONDS = 15.0

# every tenant: figures of the whole queue
OPEN = """
select count(*) filter (where state = 'queued')  as queued,
       count(*) filter (where state = 'running') as running,
       coalesce(extract(epoch from now() - min(run_at) filter (where state = 'queued' and run_at <= now())), 0)::float8
           as oldest_seconds
from jobs
where tenant_id is not null and state in ('queued', 'running')
"""
# every tenant: figures of the whole queue
GIVEN_UP = """
select count(*) from jobs
where tenant_id is not null and state = 'dead' and finished_at > now() - interval '1 day'
"""


async def measure_queue(services: Services, stop: asyncio.Event) -> None:
    """Look at the queue every few seconds until `stop`; its own loop, so that a queue that stands still is seen."""
    while not stop.is_set():
        try:
            await _measure(services)
        except LOST as error:
            log.warning("the queue was not measured", error=str(error) or type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue


async def _measure(services: Services) -> None:
    async with system_ctx(services, role="system") as ctx:
        found = await ctx.db.fetchrow(OPEN)
        given_up = await ctx.db.fetchval(GIVEN_UP)
    assert found is not None
    QUEUE_JOBS.labels("queued").set(found["queued"])
    QUEUE_JOBS.labels("running").set(found["running"])
    QUEUE_JOBS.labels("dead_last_day").set(given_up)
    QUEUE_OLDEST_SECONDS.set(found["oldest_seconds"])
