"""How jobs end besides being done: cancelled, given up, overtaken, repeated by hand; and what cannot be read harms nobody."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from lastlight.kernel.ids import TenantId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Job, Retry, actions, job
from lastlight.runtime.jobs.actions import JobEndedAlready, JobNotEnded
from lastlight.runtime.settings import Settings
from tests.runtime.jobs import errands
from tests.runtime.jobs.test_jobs import effects, eventually, queue, row, until, worker
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database


@pytest.fixture
async def tenant(database_settings: Settings) -> TenantId:
    return await make_tenant(database_settings, f"t-{uuid4().hex[:12]}")


async def said(settings: Settings, tenant: TenantId) -> list[str]:
    rows = await administer(settings, "select name from outbox where tenant_id = $1 order by position", tenant)
    return [row["name"] for row in rows]


async def test_a_waiting_job_that_is_cancelled_never_runs(database_settings: Settings, tenant: TenantId) -> None:
    async with opened_services(database_settings, [errands.module()]) as services:
        job_id = await queue(services, tenant, errands.effect, name="never")
        async with system_ctx(services, tenant) as ctx:
            assert (await actions.cancel(ctx, job_id=job_id)).state == "cancelled"
        with pytest.raises(JobEndedAlready):
            async with system_ctx(services, tenant) as ctx:
                await actions.cancel(ctx, job_id=job_id)
    async with worker(database_settings) as services:
        await until(database_settings, await queue(services, tenant, errands.effect, name="after"), "done")

        async def empty() -> bool:
            return not await administer(database_settings, "select 1 from queue.pgqueuer")

        await eventually(empty)
    ended = await row(database_settings, job_id)
    assert (ended["state"], ended["attempts"], ended["error"]) == ("cancelled", 0, "Cancelled.")
    assert await effects(database_settings, tenant, "never") == 0
    assert await said(database_settings, tenant) == ["job.cancelled"]


async def test_a_running_job_that_somebody_cancels_undoes_what_it_had_not_committed(
    database_settings: Settings, tenant: TenantId
) -> None:
    async with worker(database_settings) as services:
        job_id = await queue(services, tenant, errands.asleep)
        await until(database_settings, job_id, "running")
        async with system_ctx(services, tenant) as ctx:
            assert (await actions.cancel(ctx, job_id=job_id)).state == "running"
        await until(database_settings, job_id, "cancelled")
    assert await effects(database_settings, tenant, "asleep") == 0


def test_the_pause_doubles_up_to_its_bound() -> None:
    retry = Retry(attempts=9, backoff=2.0, most=30.0)
    for attempt, seconds in ((1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (60, 30)):
        waits = [retry.wait(attempt).total_seconds() for _ in range(200)]
        assert 0.9 * seconds <= min(waits) < max(waits) <= 1.1 * seconds, attempt


async def test_a_failed_attempt_waits_its_turn_and_can_be_repeated_by_hand_once_it_is_dead(
    database_settings: Settings, tenant: TenantId
) -> None:
    async with worker(database_settings) as services:
        job_id = await queue(services, tenant, errands.poison)
        await until(database_settings, job_id, "dead")
        async with system_ctx(services, tenant) as ctx:
            again = await actions.requeue(ctx, job_id=job_id)
            assert (again.state, again.attempts, again.max_attempts) == ("queued", 3, 6)
        with pytest.raises(JobNotEnded):
            async with system_ctx(services, tenant) as ctx:
                await actions.requeue(ctx, job_id=job_id)
        dead = await until(database_settings, job_id, "dead")
    assert (dead["attempts"], dead["error"]) == (6, "RuntimeError: boom")
    assert await said(database_settings, tenant) == ["job.ended", "job.requeued", "job.ended"]


async def test_a_failed_attempt_leaves_the_work_to_one_that_waits_under_its_key(
    database_settings: Settings, tenant: TenantId
) -> None:
    async with worker(database_settings) as services:
        async with system_ctx(services, tenant) as ctx:
            first = await ctx.enqueue(errands.delayed, key="one", name="keyed", fails=True)
        await until(database_settings, first, "running")
        later = datetime.now(UTC) + timedelta(seconds=3)
        async with system_ctx(services, tenant) as ctx:
            second = await ctx.enqueue(errands.delayed, key="one", run_at=later, name="keyed")
        assert second != first
        left = await until(database_settings, first, "cancelled")
        assert (left["attempts"], left["error"]) == (1, "Another one waits under the same key.")
        assert (await until(database_settings, second, "done"))["attempts"] == 1
    assert await effects(database_settings, tenant, "keyed") == 1


UNREADABLE = (
    "insert into queue.pgqueuer (entrypoint, payload) values ('job', null)",
    "insert into queue.pgqueuer (entrypoint, payload) values ('job', 'short')",
    "insert into queue.pgqueuer (entrypoint, payload) values ('job', uuid_send(uuidv7()) || uuid_send(uuidv7()))",
)


async def test_carriers_that_carry_nothing_are_dropped(database_settings: Settings, tenant: TenantId) -> None:
    for statement in UNREADABLE:
        await administer(database_settings, statement)
    async with worker(database_settings) as services:
        await until(database_settings, await queue(services, tenant, errands.effect, name="passes"), "done")

        async def empty() -> bool:
            return not await administer(database_settings, "select 1 from queue.pgqueuer")

        await eventually(empty)


STORED = {
    '{"name": "x", "colour": "red"}': "TypeError: job test.effect does not take colour",
    '{"name": {"deep": [1]}}': "ValidationError: Expected `str`",
    "{}": "TypeError: job test.effect needs name",
}


@pytest.mark.parametrize("stored", STORED)
async def test_arguments_of_another_version_end_dead_and_say_why(
    database_settings: Settings, tenant: TenantId, stored: str
) -> None:
    async with opened_services(database_settings, [errands.module()]) as services:
        job_id = await queue(services, tenant, errands.effect, name="x")
    await administer(database_settings, "update jobs set args = $1::text::jsonb where id = $2", stored, job_id)
    async with worker(database_settings):
        dead = await until(database_settings, job_id, "dead")
    assert dead["error"].startswith(STORED[stored])
    assert await effects(database_settings, tenant, "x") == 0


async def test_several_workers_do_each_job_once(database_settings: Settings, tenant: TenantId) -> None:
    """The worker's row is the gate: 120 jobs, three workers that compete, one effect and one attempt each."""
    async with worker(database_settings) as services, worker(database_settings), worker(database_settings):
        async with system_ctx(services, tenant) as ctx:
            for number in range(120):
                await ctx.enqueue(errands.effect, name=f"n{number % 4}")

        async def done() -> bool:
            sql = "select count(*) filter (where state <> 'done') as left from jobs where tenant_id = $1"
            return (await administer(database_settings, sql, tenant))[0]["left"] == 0

        await eventually(done)
    counts = [await effects(database_settings, tenant, f"n{number}") for number in range(4)]
    attempts = await administer(database_settings, "select distinct attempts from jobs where tenant_id = $1", tenant)
    assert (counts, [row["attempts"] for row in attempts]) == ([30] * 4, [1])


async def test_an_attempt_that_another_worker_overtook_ends_without_effect(
    database_settings: Settings, tenant: TenantId
) -> None:
    """As after a stall: the row says that a later attempt has begun, so this one stops and writes nothing."""
    async with worker(database_settings) as services:
        job_id = await queue(services, tenant, errands.slow)
        await until(database_settings, job_id, "running")
        await eventually(lambda: _started(database_settings, tenant))
        # and beats on, so that nobody finds it dead while this goes on
        overtaken = "update jobs set attempts = attempts + 1, heartbeat_at = now() + interval '1 hour' where id = $1"
        await administer(database_settings, overtaken, job_id)
        asleep = await queue(services, tenant, errands.asleep)
        await until(database_settings, asleep, "running")
        await administer(database_settings, overtaken, asleep)
        await asyncio.sleep(2)
    for overtaken_id in (job_id, asleep):
        standing = await row(database_settings, overtaken_id)
        assert (standing["state"], standing["attempts"]) == ("running", 2)
    assert await effects(database_settings, tenant, "slow-ended") == 0
    assert await effects(database_settings, tenant, "asleep") == 0


async def _started(settings: Settings, tenant: TenantId) -> bool:
    return await effects(settings, tenant, "slow-started") == 1


@pytest.mark.parametrize(
    "around", [datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 10, 23, 12, tzinfo=UTC)], ids=["spring", "autumn"]
)
def test_schedules_are_utc_and_know_no_summer_time(around: datetime) -> None:
    """A night in which clocks change neither skips nor doubles a run, wherever the machine stands."""
    daily: Job = _scheduled("20 2 * * *")
    moments = [around]
    for _ in range(5):
        moments.append(daily.next_run(moments[-1]))
    assert [moment.utcoffset() for moment in moments] == [timedelta()] * 6
    assert {(moment.hour, moment.minute) for moment in moments[1:]} == {(2, 20)}
    assert {later - earlier for earlier, later in itertools.pairwise(moments[1:])} == {timedelta(days=1)}


def _scheduled(expression: str) -> Job:
    async def run(ctx: Any) -> None:
        """Do nothing."""

    return job("test.scheduled", schedule=expression)(run)


@pytest.mark.parametrize("expression", ["61 * * * *", "every day", "", "* * * *"])
def test_a_schedule_that_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="is not a cron expression"):
        _scheduled(expression)
