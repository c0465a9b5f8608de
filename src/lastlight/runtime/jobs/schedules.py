"""Schedules: each is due once, whatever the number of workers, and what it queues is queued in the same transaction."""

import asyncio
from datetime import timedelta

import structlog

from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import states
from lastlight.runtime.jobs.declaration import Job
from lastlight.runtime.jobs.enqueue import poke_after_commit, poke_workers
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
REVIVE_SECONDS = 30.0

REGISTER = """
insert into job_schedules (kind, next_run) values ($1, $2)
on conflict (kind) do update set next_run = least(job_schedules.next_run, excluded.next_run)
"""
DUE = "select kind from job_schedules where next_run <= now()"
TAKE = "update job_schedules set last_run = now(), next_run = $2 where kind = $1 and next_run <= now()"
CARRIED = """
insert into queue.pgqueuer (entrypoint, payload) select 'job', uuid_send(tenant_id) || uuid_send(id) from queued
"""
FOR_PLATFORM = f"""
with queued as (
    insert into jobs (tenant_id, kind, scheduled, max_attempts)
    select $1, $2, true, $3
    where not exists (select from jobs j where j.tenant_id = $1 and j.kind = $2 and j.state in ('queued', 'running'))
    returning tenant_id, id
)
{CARRIED}
"""  # noqa: S608 - made of our own parts
FOR_TENANTS = f"""
with queued as (
    insert into jobs (tenant_id, kind, scheduled, max_attempts)
    select t.id, $1, true, $2
    from tenants t
    where t.kind = 'business' and case when $3::uuid[] is null then t.status = 'active' else t.id = any($3) end
      and ($4::text is null or exists (select from tenant_modules m where m.tenant_id = t.id and m.module = $4 and m.enabled))
      and not exists (select from jobs j where j.tenant_id = t.id and j.kind = $1 and j.state in ('queued', 'running'))
    returning tenant_id, id
)
{CARRIED}
"""  # noqa: S608 - made of our own parts


async def run_schedules(services: Services, stop: asyncio.Event, *, stale: timedelta) -> None:
    """Queue what is due until `stop`, and every half minute give a carrier to jobs that lost theirs."""
    registered, revive_at = False, 0.0
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        try:
            if not registered:
                await register(services)
                registered = True
            await queue_due(services)
            if loop.time() >= revive_at:
                await _revive(services, stale)
                revive_at = loop.time() + REVIVE_SECONDS
        except LOST as error:
            log.warning("schedules wait for the database", error=str(error) or type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue


async def register(services: Services) -> None:
    """Write down the next time of every schedule; an expression that became more frequent holds from now on."""
    async with system_ctx(services, role="system") as ctx:
        for declared in sorted(services.registry.jobs.values(), key=lambda j: j.name):
            if declared.schedule is not None:
                await ctx.db.execute(REGISTER, declared.name, declared.next_run(ctx.now))


async def queue_due(services: Services) -> int:
    """Queue every schedule that is due; how many this process took. What was missed during a stop is queued once."""
    taken = 0
    for row in await services.pools.system.fetch(DUE):
        declared = services.registry.jobs.get(row["kind"])
        if declared is None or declared.schedule is None:
            continue  # a newer version's, or one that is no more
        async with system_ctx(services, role="system") as ctx:
            taken += await queue_schedule(ctx, declared)
    return taken


async def queue_schedule(ctx: Ctx, declared: Job) -> int:
    """Queue one schedule if it is still due: 1 if this transaction took it, else 0."""
    if not await ctx.db.execute(TAKE, declared.name, declared.next_run(ctx.now)):
        return 0
    if declared.each == "platform":
        await ctx.db.execute(FOR_PLATFORM, PLATFORM, declared.name, declared.retry.attempts)
    else:
        tenants = None if declared.each == "tenant" else list(await declared.each(ctx))
        await ctx.db.execute(FOR_TENANTS, declared.name, declared.retry.attempts, tenants, declared.toggle)
    poke_after_commit(ctx)
    return 1


async def _revive(services: Services, stale: timedelta) -> None:
    now = await services.pools.system.fetchval("select now()")
    lost = await states.revive(services, silent_since=now - stale - timedelta(seconds=5))
    if lost:
        log.warning("jobs without a carrier were given one", jobs=lost)
        poke_workers(services)
