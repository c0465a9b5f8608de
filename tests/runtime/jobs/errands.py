"""Jobs of the tests, and a process that works them off until it is killed."""

import asyncio
import os
import sys
from datetime import timedelta
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import GiveUpError, JobRun, Retry, job
from lastlight.runtime.jobs.events import JOBS_READ, JobCancelled, JobEnded, JobRequeued
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.module import Module
from lastlight.runtime.settings import Settings
from tests.support.services import opened_services

EFFECT = "insert into tenant_settings (tenant_id, key, value) values ($1, $2, '1') on conflict (tenant_id, key) do update set value = to_jsonb((tenant_settings.value #>> '{}')::integer + 1)"
QUICK = Retry(attempts=3, backoff=0.05)


@job("test.effect", retry=QUICK)
async def effect(ctx: Ctx, name: str) -> dict[str, str]:
    """Count one effect in the job's own transaction."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, name)
    return {"name": name}


@job("test.types", retry=QUICK)
async def types(ctx: Ctx, item: UUID, many: list[int], note: str = "none") -> list[str]:
    """Answer with the types that arrived."""
    return [type(item).__name__, type(many[0]).__name__, note, str(ctx.tenant_id)]


@job("test.poison", retry=QUICK)
async def poison(ctx: Ctx) -> None:
    """Write, then fail: always."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "poison")
    raise RuntimeError("boom")


@job("test.refused", retry=QUICK)
async def refused(ctx: Ctx) -> None:
    """Meet a refusal."""
    raise Invalid("No such thing.")


@job("test.delayed", retry=QUICK)
async def delayed(ctx: Ctx, name: str, fails: bool = False) -> None:
    """Count one effect; one that `fails` does so after a while, in which others may queue up."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, name)
    if fails:
        await asyncio.sleep(1)
        raise RuntimeError("boom")


@job("test.give_up", retry=QUICK)
async def give_up(ctx: Ctx) -> None:
    """Give up at once."""
    raise GiveUpError("The address does not exist.")


@job("test.slow", retry=QUICK)
async def slow(job: JobRun, steps: int = 4000) -> str:
    """Work in steps, with progress."""
    async with job.transaction() as ctx:
        await ctx.db.execute(EFFECT, ctx.tenant_id, "slow-started")
    for step in range(steps):
        await asyncio.sleep(0.02)
        await job.progress(step + 1, steps, f"step {step + 1}")
    async with job.finish({"steps": steps}) as ctx:
        await ctx.db.execute(EFFECT, ctx.tenant_id, "slow-ended")
    return "ignored"


@job("test.asleep", retry=QUICK, timeout=30)
async def asleep(ctx: Ctx) -> None:
    """Write, then sleep without ever looking at progress."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "asleep")
    await asyncio.sleep(25)


@job("test.too_long", retry=Retry(attempts=1), timeout=0.1)
async def too_long(ctx: Ctx) -> None:
    """Take longer than it may."""
    await asyncio.sleep(5)


@job("test.deadly", retry=Retry(attempts=2, backoff=0.05))
async def deadly(ctx: Ctx, only_first: bool = True, unsafe: bool = False, place: str = "") -> None:
    """Do its work, then kill the worker before the job is done; `unsafe` commits the work on its own (the control)."""
    name = "unsafe" if unsafe else "deadly"
    if unsafe:
        await ctx.services.pools.system.execute(EFFECT, ctx.tenant_id, name)
    else:
        await ctx.db.execute(EFFECT, ctx.tenant_id, name)
    if only_first and await asyncio.to_thread(os.path.exists, place):
        return
    await asyncio.to_thread(_leave_a_trace, place)
    os.kill(os.getpid(), 9)


def _leave_a_trace(place: str) -> None:
    with open(place, "x") as file:  # noqa: PTH123 - the failpoint's own file
        file.write("died here")


@job("test.toggled", retry=QUICK, toggle="pos")
async def toggled(ctx: Ctx) -> None:
    """Belong to a module."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "toggled")


@job("test.every_tenant", schedule="17 3 1 1 *", toggle="pos")
async def every_tenant(ctx: Ctx) -> None:
    """Run for each tenant with the module."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "every_tenant")


@job("test.platform", schedule="17 3 1 1 *", each="platform")
async def platform(ctx: Ctx) -> None:
    """Run once for all."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "platform")


JOBS = (effect, types, poison, refused, delayed, give_up, slow, asleep, too_long, deadly, toggled)
SCHEDULED = (every_tenant, platform)


def module(*jobs: object) -> Module:
    """A module with the tests' jobs."""
    return Module(
        name="errands",
        jobs=[*JOBS, *jobs],  # pyright: ignore[reportArgumentType]
        permissions=[JOBS_READ],
        events=[JobEnded, JobCancelled, JobRequeued],
    )


async def work(database_url: str, secret_key: str) -> None:
    """Work jobs off until the process ends."""
    settings = Settings.load({}, database_url=database_url, secret_key=secret_key, db_pool_size=4)
    async with opened_services(settings, [module()]) as services:
        await run_jobs(services, asyncio.Event(), stale=timedelta(seconds=1.5))


if __name__ == "__main__":
    asyncio.run(work(**msgspec.json.decode(sys.argv[1])))
