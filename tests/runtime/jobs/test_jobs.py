"""Jobs in one worker: effects, retries, refusals, progress, cancelling, modules, schedules."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from lastlight.kernel.ids import JobId, TenantId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Job, JobRun, job
from lastlight.runtime.jobs.schedules import queue_due, register
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.runtime.jobs import errands
from tests.support.services import NIL, administer, make_tenant, opened_services

pytestmark = pytest.mark.database


@pytest.fixture
async def tenant(database_settings: Settings) -> TenantId:
    return await make_tenant(database_settings, f"t-{uuid4().hex[:12]}")


@asynccontextmanager
async def worker(settings: Settings, *jobs: Job) -> AsyncGenerator[Services]:
    """A worker that runs in this process."""
    async with opened_services(settings, [errands.module(*jobs)]) as services:
        stop = asyncio.Event()
        task = asyncio.create_task(run_jobs(services, stop, stale=timedelta(seconds=6)))
        try:
            yield services
        finally:
            stop.set()
            await task


async def queue(services: Services, tenant: TenantId, job: Job, **args: Any) -> JobId:
    async with system_ctx(services, tenant) as ctx:
        return await ctx.enqueue(job, **args)


async def row(settings: Settings, job_id: JobId) -> Any:
    return (await administer(settings, "select * from jobs where id = $1", job_id))[0]


async def until(settings: Settings, job_id: JobId, *states: str, seconds: float = 40) -> Any:
    async def look() -> Any:
        found = await row(settings, job_id)
        return found if found["state"] in states else None

    return await eventually(look, seconds)


async def eventually(look: Callable[[], Awaitable[Any]], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await look():
            return found
        await asyncio.sleep(0.03)
    raise AssertionError("it did not happen in time")


async def effects(settings: Settings, tenant: TenantId, name: str) -> int:
    rows = await administer(
        settings, "select value from tenant_settings where tenant_id = $1 and key = $2", tenant, name
    )
    return int(rows[0]["value"]) if rows else 0


async def test_runs_in_its_tenant_with_the_declared_types(database_settings: Settings, tenant: TenantId) -> None:
    async with worker(database_settings) as services:
        done = await until(database_settings, await queue(services, tenant, errands.effect, name="one"), "done")
        assert (done["attempts"], done["error"], done["result"]) == (1, "", '{"name": "one"}')
        assert await effects(database_settings, tenant, "one") == 1
        typed = await until(
            database_settings, await queue(services, tenant, errands.types, item=uuid4(), many=[1]), "done"
        )
        assert typed["result"] == f'["UUID", "int", "none", "{tenant}"]'


async def test_is_picked_up_at_once_and_left_nothing_in_the_queue(
    database_settings: Settings, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers are told: with a look only every ten minutes it is done in no time."""
    monkeypatch.setattr("lastlight.runtime.jobs.worker.POLL", timedelta(minutes=10))
    async with worker(database_settings) as services:
        await asyncio.sleep(1)
        await until(database_settings, await queue(services, tenant, errands.effect, name="fast"), "done")

        async def empty() -> bool:
            return not await administer(database_settings, "select 1 from queue.pgqueuer")

        await eventually(empty)


async def test_a_rolled_back_transaction_queues_nothing(database_settings: Settings, tenant: TenantId) -> None:
    async with opened_services(database_settings, [errands.module()]) as services:
        with contextlib.suppress(KeyError):
            async with system_ctx(services, tenant) as ctx:
                await ctx.enqueue(errands.effect, name="never")
                raise KeyError("changed my mind")
        assert await administer(database_settings, "select 1 from jobs where tenant_id = $1", tenant) == []
        carriers = "select 1 from queue.pgqueuer where substr(payload, 1, 16) = uuid_send($1::uuid)"
        assert await administer(database_settings, carriers, tenant) == []


async def test_wrong_arguments_and_unknown_jobs_are_refused_where_they_are_queued(
    database_settings: Settings, tenant: TenantId
) -> None:
    async with opened_services(database_settings, [errands.module()]) as services, system_ctx(services, tenant) as ctx:
        with pytest.raises(TypeError, match="needs name"):
            await ctx.enqueue(errands.effect)
        with pytest.raises(TypeError, match="does not take colour"):
            await ctx.enqueue(errands.effect, name="x", colour="red")
        with pytest.raises(RuntimeError, match=r"test\.platform"):
            await ctx.enqueue(errands.platform)


async def test_a_key_is_queued_once_while_it_waits(database_settings: Settings, tenant: TenantId) -> None:
    async with opened_services(database_settings, [errands.module()]) as services, system_ctx(services, tenant) as ctx:
        later = ctx.now + timedelta(hours=1)
        first = await ctx.enqueue(errands.effect, key="k", run_at=later, name="x")
        assert await ctx.enqueue(errands.effect, key="k", run_at=later, name="x") == first
        assert await ctx.enqueue(errands.effect, key="other", run_at=later, name="x") != first


async def test_poison_ends_dead_undone_and_lets_others_pass(database_settings: Settings, tenant: TenantId) -> None:
    async with worker(database_settings) as services:
        bad = [await queue(services, tenant, errands.poison) for _ in range(5)]
        good = [await queue(services, tenant, errands.effect, name="past-poison") for _ in range(5)]
        for job_id in good:
            await until(database_settings, job_id, "done")
        for job_id in bad:
            dead = await until(database_settings, job_id, "dead")
            assert (dead["attempts"], dead["error"]) == (3, "RuntimeError: boom")
        assert await effects(database_settings, tenant, "past-poison") == 5
        assert await effects(database_settings, tenant, "poison") == 0


async def test_refusals_are_not_repeated(database_settings: Settings, tenant: TenantId) -> None:
    async with worker(database_settings) as services:
        refused = await until(database_settings, await queue(services, tenant, errands.refused), "failed")
        assert (refused["attempts"], refused["error"]) == (1, "No such thing.")
        gave_up = await until(database_settings, await queue(services, tenant, errands.give_up), "failed")
        assert (gave_up["attempts"], gave_up["error"]) == (1, "The address does not exist.")
        late = await until(database_settings, await queue(services, tenant, errands.too_long), "dead")
        assert late["error"] == "It took longer than it may."


async def test_progress_shows_while_it_runs(database_settings: Settings, tenant: TenantId) -> None:
    go_on = asyncio.Event()

    @job("test.watched")
    async def watched(job: JobRun) -> None:
        """Come to the third of forty steps, and go on once that has been seen."""
        for step in (1, 2, 3):
            await job.progress(step, 40, f"step {step}")
        await go_on.wait()
        async with job.finish({"steps": 40}) as ctx:
            await ctx.db.execute(errands.EFFECT, ctx.tenant_id, "slow-ended")

    async with worker(database_settings, watched) as services:
        job_id = await queue(services, tenant, watched)

        async def halfway() -> Any:
            found = await row(database_settings, job_id)
            return found if found["state"] == "running" and found["progress_done"] == 3 else None

        seen = await eventually(halfway)
        assert (seen["progress_total"], seen["progress_note"]) == (40, "step 3")
        go_on.set()
        done = await until(database_settings, job_id, "done")
        assert done["result"] == '{"steps": 40}'
        assert await effects(database_settings, tenant, "slow-ended") == 1


@pytest.mark.parametrize("declared", [errands.slow, errands.asleep])
async def test_cancelling_ends_a_running_job(database_settings: Settings, tenant: TenantId, declared: Job) -> None:
    async with worker(database_settings) as services:
        job_id = await queue(services, tenant, declared)
        await until(database_settings, job_id, "running")
        await administer(database_settings, "update jobs set cancel_requested_at = now() where id = $1", job_id)
        ended = await until(database_settings, job_id, "cancelled")
        assert ended["finished_at"] is not None
        assert await effects(database_settings, tenant, "slow-ended") == 0
        assert await effects(database_settings, tenant, "asleep") == 0


async def test_a_stopped_worker_puts_its_jobs_back_without_costing_an_attempt(
    database_settings: Settings, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lastlight.runtime.jobs.worker.GRACE_SECONDS", 0.2)
    async with worker(database_settings) as services:
        job_id = await queue(services, tenant, errands.asleep)
        await until(database_settings, job_id, "running")
    back = await row(database_settings, job_id)
    assert (back["state"], back["max_attempts"] - back["attempts"]) == ("queued", 3)
    carriers = "select status::text from queue.pgqueuer where payload = uuid_send($1::uuid) || uuid_send($2::uuid)"
    assert [r[0] for r in await administer(database_settings, carriers, tenant, job_id)] == ["queued"]
    await administer(database_settings, "delete from jobs where id = $1", job_id)


async def test_a_module_that_is_off_skips_its_jobs(database_settings: Settings, tenant: TenantId) -> None:
    async with worker(database_settings) as services:
        skipped = await until(database_settings, await queue(services, tenant, errands.toggled), "cancelled")
        assert skipped["error"] == "The module pos is switched off."
        await administer(
            database_settings,
            "insert into tenant_modules (tenant_id, module, enabled) values ($1, 'pos', true)",
            tenant,
        )
        await until(database_settings, await queue(services, tenant, errands.toggled), "done")
        assert await effects(database_settings, tenant, "toggled") == 1


async def test_a_job_without_a_carrier_is_found_again(database_settings: Settings, tenant: TenantId) -> None:
    async with opened_services(database_settings, [errands.module()]) as services:
        job_id = await queue(services, tenant, errands.effect, name="found")
    await administer(database_settings, "delete from queue.pgqueuer")
    await administer(database_settings, "update jobs set run_at = now() - interval '1 hour' where id = $1", job_id)
    async with worker(database_settings):
        await until(database_settings, job_id, "done")


async def test_schedules_queue_once_for_any_number_of_workers(fresh_database: Settings) -> None:
    tenants = [await make_tenant(fresh_database, f"s-{n}") for n in range(4)]
    await administer(fresh_database, "update tenants set status = 'suspended' where id = $1", tenants[3])
    for tenant in tenants[1:]:
        await administer(
            fresh_database, "insert into tenant_modules (tenant_id, module, enabled) values ($1, 'pos', true)", tenant
        )
    async with opened_services(fresh_database, [errands.module(*errands.SCHEDULED)]) as services:
        await register(services)
        assert await queue_due(services) == 0
        for rounds in (1, 2):
            await administer(fresh_database, "update job_schedules set next_run = now() - interval '3 hours'")
            taken = await asyncio.gather(*(queue_due(services) for _ in range(8)))
            assert sum(taken) == 2
            queued = await administer(fresh_database, "select tenant_id, kind from jobs order by kind, tenant_id")
            expected = [(t, "test.every_tenant") for t in sorted(tenants[1:3])] + [(NIL, "test.platform")]
            assert [(r["tenant_id"], r["kind"]) for r in queued] == expected, f"round {rounds} runs while one waits"
        ahead = await administer(fresh_database, "select bool_and(next_run > now()) from job_schedules")
        assert ahead[0][0]


async def test_each_attempt_is_timed_by_what_became_of_it(database_settings: Settings, tenant: TenantId) -> None:
    def timed(kind: str, outcome: str) -> float:
        labels = {"kind": kind, "outcome": outcome}
        return REGISTRY.get_sample_value("lastlight_job_seconds_count", labels) or 0.0

    ways = {
        ("test.effect", "done"): 1,
        ("test.poison", "retried"): 2,
        ("test.poison", "dead"): 1,
        ("test.refused", "failed"): 1,
    }
    before = {way: timed(*way) for way in ways}
    async with worker(database_settings) as services:
        await until(database_settings, await queue(services, tenant, errands.effect, name="timed"), "done")
        await until(database_settings, await queue(services, tenant, errands.poison), "dead")
        await until(database_settings, await queue(services, tenant, errands.refused), "failed")

        async def counted() -> bool:
            return {way: timed(*way) - before[way] for way in ways} == ways

        await eventually(counted)
