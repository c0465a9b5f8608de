"""Staged actions: the other side sees one action, whenever the process dies; the control without a key sees two."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from lastlight.kernel.ids import TenantId
from lastlight.runtime import staged as staged_actions
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Retry
from lastlight.runtime.jobs.events import JOBS_READ, JobEnded
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.staged import RefusedError, Stage, Staged
from tests.runtime.jobs.errands import EFFECT
from tests.runtime.jobs.test_jobs import effects, eventually
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database
QUICK = Retry(attempts=4, backoff=0.05)


class Provider:
    """The other side: does each key once, and may lose its answers."""

    def __init__(self, *, lost_answers: int = 0) -> None:
        self.done: list[str] = []
        self.lost_answers = lost_answers
        self.calls = 0

    async def charge(self, key: str) -> str:
        self.calls += 1
        if key not in self.done:
            self.done.append(key)
        if self.lost_answers:
            self.lost_answers -= 1
            raise ConnectionResetError("the answer was lost")
        return f"receipt for {key}"


def stage(provider: Provider, *, new_key_each_time: bool = False, refuse: bool = False, again: bool = False) -> Stage:
    async def call(services: Services, staged: Staged) -> str:
        if refuse:
            raise RefusedError("The card was declined.")
        return await provider.charge(str(uuid4()) if new_key_each_time else staged.key)

    async def apply(ctx: Ctx, staged: Staged, result: Any) -> None:
        await ctx.db.execute(EFFECT, ctx.tenant_id, staged.intent["name"])

    async def given_up(ctx: Ctx, staged: Staged, error: str) -> None:
        await ctx.db.execute(EFFECT, ctx.tenant_id, staged.intent["name"] + "-given-up")

    return Stage(kind="test.charge", call=call, apply=apply, given_up=given_up, retry=QUICK, again=again)


@asynccontextmanager
async def working(settings: Settings, declared: Stage) -> AsyncGenerator[Services]:
    module = Module(name="till", jobs=[declared.job], permissions=[JOBS_READ], events=[JobEnded])
    async with opened_services(settings, [module]) as services:
        stop = asyncio.Event()
        task = asyncio.create_task(run_jobs(services, stop, stale=timedelta(seconds=6)))
        try:
            yield services
        finally:
            stop.set()
            await task


@pytest.fixture
async def tenant(database_settings: Settings) -> TenantId:
    return await make_tenant(database_settings, f"t-{uuid4().hex[:12]}")


async def ended(settings: Settings, tenant: TenantId) -> Any:
    async def look() -> Any:
        rows = await administer(settings, "select * from staged_actions where tenant_id = $1", tenant)
        jobs = await administer(
            settings, "select 1 from jobs where tenant_id = $1 and state in ('queued', 'running')", tenant
        )
        return rows[0] if rows and rows[0]["state"] in {"done", "failed"} and not jobs else None

    return await eventually(look)


async def test_the_result_is_applied_once_and_a_key_stands_for_one_action(
    database_settings: Settings, tenant: TenantId
) -> None:
    provider = Provider()
    declared = stage(provider)
    async with working(database_settings, declared) as services:
        async with system_ctx(services, tenant) as ctx:
            assert await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"}) is not None
            assert await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"}) is None
        row = await ended(database_settings, tenant)
    assert (row["state"], row["calls"], row["result"]) == ("done", 1, '"receipt for k"')
    assert provider.done == ["k"]
    assert await effects(database_settings, tenant, "paid") == 1


@pytest.mark.parametrize("control", [False, True])
async def test_a_lost_answer_is_asked_again_under_the_same_key(
    database_settings: Settings, tenant: TenantId, control: bool
) -> None:
    provider = Provider(lost_answers=2)
    declared = stage(provider, new_key_each_time=control)
    async with working(database_settings, declared) as services:
        async with system_ctx(services, tenant) as ctx:
            await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"})
        row = await ended(database_settings, tenant)
    assert (row["state"], row["calls"], provider.calls) == ("done", 3, 3)
    assert len(provider.done) == (3 if control else 1)
    assert await effects(database_settings, tenant, "paid") == 1


async def test_an_intent_that_rolls_back_is_never_called(database_settings: Settings, tenant: TenantId) -> None:
    provider = Provider()
    declared = stage(provider)
    async with working(database_settings, declared) as services:
        ctx_manager = system_ctx(services, tenant)
        ctx = await ctx_manager.__aenter__()
        await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"})
        await ctx_manager.__aexit__(KeyError, KeyError("no"), None)
        await asyncio.sleep(0.5)
    assert provider.calls == 0


@pytest.mark.parametrize("refuse", [True, False])
async def test_refusals_and_last_attempts_are_given_up(
    database_settings: Settings, tenant: TenantId, refuse: bool
) -> None:
    provider = Provider(lost_answers=100)
    declared = stage(provider, refuse=refuse)
    async with working(database_settings, declared) as services:
        async with system_ctx(services, tenant) as ctx:
            await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"})
        row = await ended(database_settings, tenant)
    assert row["state"] == "failed"
    assert row["error"] == ("The card was declined." if refuse else "ConnectionResetError: the answer was lost")
    assert row["calls"] == (1 if refuse else 4)
    assert await effects(database_settings, tenant, "paid") == 0
    assert await effects(database_settings, tenant, "paid-given-up") == 1


@pytest.mark.parametrize("again", [True, False])
async def test_what_was_given_up_is_called_again_only_where_the_stage_says_so(
    database_settings: Settings, tenant: TenantId, again: bool
) -> None:
    provider = Provider(lost_answers=4)
    declared = stage(provider, again=again)
    async with working(database_settings, declared) as services:
        async with system_ctx(services, tenant) as ctx:
            await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"})
        row = await ended(database_settings, tenant)
        async with system_ctx(services, tenant) as ctx:
            await ctx.enqueue(declared.job, staged_id=row["id"])
        await ended(database_settings, tenant)
    assert provider.calls == (5 if again else 4)
    assert await effects(database_settings, tenant, "paid") == int(again)


async def test_a_process_that_dies_during_the_call_is_taken_up(database_settings: Settings, tenant: TenantId) -> None:
    """The worker is stopped in the middle of the call, after the other side has acted; the next one repeats it."""
    provider, hang = Provider(), asyncio.Event()
    declared = stage(provider)
    original = provider.charge

    async def charge_then_hang(key: str) -> str:
        receipt = await original(key)
        if provider.calls == 1:
            hang.set()
            await asyncio.sleep(3600)
        return receipt

    provider.charge = charge_then_hang  # pyright: ignore[reportAttributeAccessIssue]
    module = Module(name="till", jobs=[declared.job], permissions=[JOBS_READ], events=[JobEnded])
    async with opened_services(database_settings, [module]) as services:
        async with system_ctx(services, tenant) as ctx:
            await staged_actions.begin(ctx, declared, key="k", intent={"name": "paid"})
        dying = asyncio.create_task(run_jobs(services, asyncio.Event(), stale=timedelta(seconds=6)))
        await asyncio.wait_for(hang.wait(), 30)
        dying.cancel()
        await asyncio.wait({dying})
    async with working(database_settings, declared):
        row = await ended(database_settings, tenant)
    assert (row["state"], row["calls"]) == ("done", 2)
    assert (provider.done, provider.calls) == (["k"], 2)
    assert await effects(database_settings, tenant, "paid") == 1
