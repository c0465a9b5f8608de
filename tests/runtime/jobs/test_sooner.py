"""A job that waits is brought forward where somebody asks for that, is run once all the same, and keeps its time where nobody does."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from lastlight.kernel.ids import JobId, PatronId, TenantId, UserId, uuid7
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Retry, job
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.runtime.jobs import errands
from tests.runtime.jobs.test_jobs import effects, eventually, row, until, worker
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database
HOUR = timedelta(hours=1)
CARRIERS = """
select execute_after from queue.pgqueuer where payload = uuid_send($1::uuid) || uuid_send($2::uuid) order by execute_after
"""
ALL_DUE = "update queue.pgqueuer set execute_after = now() where payload = uuid_send($1::uuid) || uuid_send($2::uuid)"


@job("test.stumbles", retry=Retry(attempts=3, backoff=3600))
async def stumbles(ctx: Ctx, name: str) -> None:
    """Fail the first time, and then wait for an hour."""
    await ctx.services.pools.system.execute(errands.EFFECT, ctx.tenant_id, f"{name}-tried")
    if await effects(ctx.services.settings, ctx.tenant_id, f"{name}-tried") == 1:
        raise RuntimeError("boom")
    await ctx.db.execute(errands.EFFECT, ctx.tenant_id, name)


@pytest.fixture
async def tenant(fresh_database: Settings) -> TenantId:
    return await make_tenant(fresh_database, f"t-{uuid4().hex[:12]}")


async def ask(services: Services, tenant: TenantId, *, sooner: bool, **more: Any) -> JobId:
    """Queue the effect under one key."""
    async with system_ctx(services, tenant) as ctx:
        return await ctx.enqueue(errands.effect, key="k", sooner=sooner, name="x", **more)


async def due_in(settings: Settings, job_id: JobId) -> float:
    """The minutes until a job is due, rounded."""
    return round((((await row(settings, job_id))["run_at"]) - datetime.now(UTC)).total_seconds() / 60)


async def carriers(settings: Settings, tenant: TenantId, job_id: JobId) -> list[float]:
    """In how many minutes each of a job's carriers is due."""
    now = datetime.now(UTC)
    rows = await administer(settings, CARRIERS, tenant, job_id)
    return [round((one["execute_after"] - now).total_seconds() / 60) for one in rows]


async def nothing_carried(settings: Settings) -> None:
    """Wait until the queue is empty."""

    async def empty() -> bool:
        return not await administer(settings, "select 1 from queue.pgqueuer")

    await eventually(empty)


async def test_two_carriers_are_one_run(fresh_database: Settings, tenant: TenantId) -> None:
    async with opened_services(fresh_database, [errands.module()]) as services:
        first = await ask(services, tenant, sooner=False, run_at=datetime.now(UTC) + HOUR)
        assert await ask(services, tenant, sooner=True) == first
    assert await carriers(fresh_database, tenant, first) == [0, 60]
    await administer(fresh_database, ALL_DUE, tenant, first)
    async with worker(fresh_database), worker(fresh_database):
        done = await until(fresh_database, first, "done")
        await nothing_carried(fresh_database)
    assert (done["attempts"], await effects(fresh_database, tenant, "x")) == (1, 1)
    assert len(await administer(fresh_database, "select 1 from jobs where tenant_id = $1", tenant)) == 1


async def test_the_carrier_of_before_finds_a_job_that_has_ended(fresh_database: Settings, tenant: TenantId) -> None:
    async with worker(fresh_database) as services:
        first = await ask(services, tenant, sooner=False, run_at=datetime.now(UTC) + HOUR)
        await ask(services, tenant, sooner=True)
        await until(fresh_database, first, "done")

        async def one_is_left() -> bool:  # what carried it is taken out a moment after
            return await carriers(fresh_database, tenant, first) == [60]

        await eventually(one_is_left)
        await administer(fresh_database, ALL_DUE, tenant, first)
        await nothing_carried(fresh_database)
    assert ((await row(fresh_database, first))["attempts"], await effects(fresh_database, tenant, "x")) == (1, 1)


async def test_a_pause_after_a_failure_is_cut_short_and_costs_no_further_attempt(
    fresh_database: Settings, tenant: TenantId
) -> None:
    async with worker(fresh_database, stumbles) as services:
        async with system_ctx(services, tenant) as ctx:
            job_id = await ctx.enqueue(stumbles, key="k", name="s")

        async def pauses() -> bool:
            found = await row(fresh_database, job_id)
            return found["state"] == "queued" and found["attempts"] == 1

        await eventually(pauses)
        async with system_ctx(services, tenant) as ctx:
            assert await ctx.enqueue(stumbles, key="k", name="s") == job_id
        assert await due_in(fresh_database, job_id) > 50, "the control: nobody was in a hurry"
        async with system_ctx(services, tenant) as ctx:
            assert await ctx.enqueue(stumbles, key="k", sooner=True, name="s") == job_id
        done = await until(fresh_database, job_id, "done")
    assert (done["attempts"], done["max_attempts"], await effects(fresh_database, tenant, "s-tried")) == (2, 3, 2)


async def test_it_is_brought_to_the_time_that_is_asked_for_and_never_put_off(
    fresh_database: Settings, tenant: TenantId
) -> None:
    async with opened_services(fresh_database, [errands.module()]) as services:
        now = datetime.now(UTC)
        first = await ask(services, tenant, sooner=True, run_at=now + HOUR)
        for later, stands in ((2 * HOUR, 60), (HOUR / 2, 30), (HOUR, 30)):
            assert await ask(services, tenant, sooner=True, run_at=now + later) == first
            assert await due_in(fresh_database, first) == stands
    assert await carriers(fresh_database, tenant, first) == [30, 60]


async def test_a_wish_that_is_rolled_back_hurries_nothing(fresh_database: Settings, tenant: TenantId) -> None:
    async with opened_services(fresh_database, [errands.module()]) as services:
        first = await ask(services, tenant, sooner=False, run_at=datetime.now(UTC) + HOUR)
        with contextlib.suppress(KeyError):
            async with system_ctx(services, tenant) as ctx:
                await ctx.enqueue(errands.effect, key="k", sooner=True, name="x")
                raise KeyError("no")
    assert (await due_in(fresh_database, first), await carriers(fresh_database, tenant, first)) == (60, [60])


async def test_a_run_that_began_before_the_wish_was_durable_is_followed_by_another(
    fresh_database: Settings, tenant: TenantId
) -> None:
    """It may not have seen what the wish is about."""
    async with opened_services(fresh_database, [errands.module()]) as services:
        first = await ask(services, tenant, sooner=False, run_at=datetime.now(UTC) + HOUR)
        async with system_ctx(services, tenant) as ctx:
            assert await ctx.enqueue(errands.effect, key="k", sooner=True, name="x") == first
            begun = (
                "update jobs set state = 'running', heartbeat_at = now(), run_at = now(), attempts = 1 where id = $1"
            )
            await administer(fresh_database, begun, first)
        rows = await administer(fresh_database, "select id, state from jobs where tenant_id = $1 order by id", tenant)
        assert [one["state"] for one in rows] == ["running", "queued"]
    assert await due_in(fresh_database, rows[1]["id"]) == 0


async def test_wishes_at_once_are_one_run(fresh_database: Settings, tenant: TenantId) -> None:
    async with opened_services(fresh_database, [errands.module()]) as services:
        first = await ask(services, tenant, sooner=False, run_at=datetime.now(UTC) + HOUR)
        assert set(await asyncio.gather(*(ask(services, tenant, sooner=True) for _ in range(20)))) == {first}
    assert await carriers(fresh_database, tenant, first) == [0, 60], "who comes second finds it due"
    async with worker(fresh_database):
        await until(fresh_database, first, "done")
    assert await effects(fresh_database, tenant, "x") == 1


async def test_a_guest_hurries_what_they_may_not_see(fresh_database: Settings, tenant: TenantId) -> None:
    async with opened_services(fresh_database, [errands.module()]) as services:
        first = await ask(services, tenant, sooner=False, run_at=datetime.now(UTC) + HOUR)
        guest = Actor(kind="patron", name="Guest", user_id=UserId(uuid7()), patron_id=PatronId(uuid7()))
        async with system_ctx(services, tenant, actor=guest) as ctx:
            assert await ctx.db.fetchval("select count(*) from jobs where tenant_id = $1", tenant) == 0
            await ctx.enqueue(errands.effect, key="k", sooner=True, name="x")
    assert await due_in(fresh_database, first) == 0
