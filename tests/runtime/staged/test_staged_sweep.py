"""The sweep: what no job carries out any more is asked again under its key, and at last given up; without it, it lies there for ever."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from lastlight.kernel.ids import JobId, TenantId
from lastlight.runtime import staged_sweep
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import actions
from lastlight.runtime.settings import Settings
from lastlight.runtime.staged import TOO_LATE
from lastlight.runtime.staged_sweep import GIVEN_UP, TAKEN_UP, sweep
from tests.runtime.jobs.test_jobs import eventually
from tests.runtime.staged.left_lying import FINGERPRINT, KIND, Bench, OtherSide, bench
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.services import administer, make_tenant

pytestmark = pytest.mark.database
TIMEOUT = 1.5
AT_ONCE = (timedelta(), timedelta())


@pytest.fixture
async def tenant(fresh_database: Settings) -> TenantId:
    return await make_tenant(fresh_database, f"t-{uuid4().hex[:12]}")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action is left as soon as its attempt must have ended, and further rounds do not wait."""
    monkeypatch.setattr(staged_sweep, "QUIET", timedelta())
    monkeypatch.setattr(staged_sweep, "PAUSES", AT_ONCE)


async def swept(till: Bench) -> dict[str, int]:
    """What a sweep did, once there was something to be done."""

    async def look() -> dict[str, int]:
        return await sweep(till.services)

    return await eventually(look)


async def test_an_attempt_that_took_too_long_is_asked_again_under_its_key(
    fresh_database: Settings, tenant: TenantId
) -> None:
    other = OtherSide(troubles={"hang": 1})
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged_id = await till.begin()
        dead = await till.left(staged_id)
        assert dead["error"] == "It took longer than it may."
        assert await swept(till) == {"taken-up": 1}
        row = await till.ends(staged_id)
        await till.job(staged_id, "done")
        assert await sweep(till.services) == {}
        jobs = await till.jobs(staged_id)
        told = await till.said()
    assert (row["state"], row["calls"], row["result"]) == ("done", 2, '"receipt for k"')
    assert (other.done, other.calls, await till.effects()) == (["k"], 2, (1, 0))
    assert [job["id"] for job in jobs] == [dead["id"]], "it is the same job, so that nobody queues it a second time"
    assert told == ["job.ended", "job.requeued"]


async def test_without_a_sweep_it_lies_there(fresh_database: Settings, tenant: TenantId) -> None:
    """The control: the worker itself finds nothing to do, however often it looks."""
    other = OtherSide(troubles={"hang": 1})
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged_id = await till.begin()
        await till.left(staged_id)
        passes = await till.begin("passes")
        await till.ends(passes)
        await asyncio.sleep(2)
        row = await till.row(staged_id)
    assert (row["state"], row["finished_at"], other.calls, await till.effects()) == ("calling", None, 2, (0, 0))


async def test_a_worker_that_dies_in_every_attempt_leaves_an_action_that_another_takes_up(
    fresh_database: Settings, tenant: TenantId, tmp_path: Path
) -> None:
    other, place = OtherSide(), tmp_path / "acted"
    async with bench(fresh_database, tenant, other.stage(attempts=2), workers=0) as till:
        staged_id = await till.begin()
        for _ in range(2):
            await asyncio.to_thread(_live_and_die, fresh_database, place)
    async with bench(fresh_database, tenant, other.stage(attempts=2)) as till:
        dead = await till.left(staged_id)
        assert (dead["error"], other.calls) == ("The worker died during every attempt.", 0)
        assert await swept(till) == {"taken-up": 1}
        row = await till.ends(staged_id)
    assert (row["state"], row["calls"]) == ("done", 3)
    acted = Counter((await asyncio.to_thread(place.read_text)).splitlines(keepends=True)) + Counter(
        FINGERPRINT.format(key=key) for key in other.done
    )
    assert acted == {FINGERPRINT.format(key="k"): 3}, "it was asked under one key"
    assert await till.effects() == (1, 0)


def _live_and_die(settings: Settings, place: Path) -> None:
    arguments = {"database_url": settings.database_url, "secret_key": SECRET_KEY, "place": str(place)}
    command = [sys.executable, "-m", "tests.runtime.staged.left_lying", msgspec.json.encode(arguments).decode()]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, timeout=60, check=False)
    assert ended.returncode == -9


async def test_an_answer_that_could_not_be_kept_in_the_last_attempt_is_kept_later(
    fresh_database: Settings, tenant: TenantId
) -> None:
    other = OtherSide(troubles={"apply": 2})
    async with bench(fresh_database, tenant, other.stage(attempts=2)) as till:
        staged_id = await till.begin()
        assert (await till.left(staged_id))["error"] == "ArithmeticError: It cannot be kept."
        assert await swept(till) == {"taken-up": 1}
        row = await till.ends(staged_id)
    assert (row["state"], other.done, await till.effects()) == ("done", ["k"], (1, 0))


async def test_a_refusal_that_could_not_be_written_down_is_heard_again(
    fresh_database: Settings, tenant: TenantId
) -> None:
    other = OtherSide(troubles={"refuse": 2, "given_up": 1})
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged_id = await till.begin()
        await till.left(staged_id)
        assert await till.effects() == (0, 0)
        assert await swept(till) == {"taken-up": 1}
        row = await till.ends(staged_id)
    assert (row["state"], row["error"], row["calls"]) == ("failed", "They do not want to.", 2)
    assert await till.effects() == (0, 1)


async def test_after_its_rounds_it_is_given_up_in_one_transaction(fresh_database: Settings, tenant: TenantId) -> None:
    other = OtherSide(troubles={"apply": 1000})
    async with bench(fresh_database, tenant, other.stage(attempts=2)) as till:
        staged_id = await till.begin()
        for attempts in (2, 4):
            assert (await till.left(staged_id))["attempts"] == attempts
            assert await swept(till) == {"taken-up": 1}
            await till.job(staged_id, "queued", "running", "dead")
            await eventually(lambda before=attempts: _tried(till, staged_id, before + 2))
        assert await swept(till) == {"given-up": 1}
        row, [job] = await till.row(staged_id), await till.jobs(staged_id)
        assert await sweep(till.services) == {}
        told = await till.said()
    assert (row["state"], row["error"], row["calls"]) == ("failed", "ArithmeticError: It cannot be kept.", 6)
    assert (job["state"], job["progress_note"]) == ("dead", GIVEN_UP)
    assert (other.done, other.calls, await till.effects()) == (["k"], 6, (0, 1))
    assert told == ["job.ended", "job.requeued"] * 2 + ["job.ended", "job.given_up"]


async def _tried(till: Bench, staged_id: UUID, attempts: int) -> bool:
    [job] = await till.jobs(staged_id)
    return job["state"] == "dead" and job["attempts"] == attempts


async def test_a_further_round_that_waits_says_why(
    fresh_database: Settings, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_sweep, "PAUSES", (timedelta(minutes=30),))
    other = OtherSide(troubles={"apply": 1})
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged_id = await till.begin()
        await till.left(staged_id)
        assert await swept(till) == {"taken-up": 1}
        [job] = await till.jobs(staged_id)
        assert await sweep(till.services) == {}, "its job waits"
    assert (job["state"], job["progress_note"]) == ("queued", TAKEN_UP)
    assert timedelta(minutes=29) < job["run_at"] - job["updated_at"] < timedelta(minutes=31)


@pytest.mark.parametrize("waits", [True, False])
async def test_what_a_person_cancelled_is_given_up_once_its_call_has_ended(
    fresh_database: Settings, tenant: TenantId, waits: bool
) -> None:
    other = OtherSide(troubles={"hang": 1})
    stage = other.stage(timeout=30 if not waits else TIMEOUT)
    async with bench(fresh_database, tenant, stage, workers=0 if waits else 1) as till:
        staged_id = await till.begin()
        [job] = await till.jobs(staged_id)
        if not waits:
            await asyncio.wait_for(other.hanging.wait(), 30)
        async with till.ctx() as ctx:
            await actions.cancel(ctx, job_id=JobId(job["id"]))
        await till.left(staged_id, "cancelled")
        if not waits:
            assert await sweep(till.services) == {}, "the call may still be on its way"
            stage.timeout = 0
        assert await swept(till) == {"given-up": 1}
        row, [job] = await till.row(staged_id), await till.jobs(staged_id)
        told = await till.said()
    assert (row["state"], row["error"], row["calls"]) == ("failed", "Cancelled.", 0 if waits else 1)
    assert (job["state"], job["progress_note"], other.calls) == ("cancelled", GIVEN_UP, 0 if waits else 1)
    assert await till.effects() == (0, 1)
    assert (told[-1], told.count("job.cancelled")) == ("job.given_up", 1)


async def test_what_cannot_be_given_up_says_so_and_keeps_nobody_from_their_turn(
    fresh_database: Settings, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_sweep, "PAUSES", ())
    monkeypatch.setattr(staged_sweep, "BATCH", 1)
    other = OtherSide(troubles={"hang": 2, "given_up": 1})
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged = [await till.begin(key) for key in ("first", "second")]
        for one in staged:
            await till.left(one)
        assert await swept(till) == {"stuck": 1}
        states = sorted([(row["state"], row["error"]) for row in [await till.row(one) for one in staged]])
        assert states == [
            ("calling", ""),
            ("calling", "It could not be settled: ArithmeticError: It cannot be given up."),
        ]
        assert await swept(till) == {"given-up": 1}
        assert await swept(till) == {"given-up": 1}
        rows = [await till.row(one) for one in staged]
    assert [(row["state"], row["error"]) for row in rows] == [("failed", "It took longer than it may.")] * 2
    assert [await till.effects(key) for key in ("first", "second")] == [(0, 1), (0, 1)]


EVERYTHING = """
select tenant_id, id, kind from staged_actions where tenant_id is not null and kind = any ($1) and $2::interval[] is not null limit $3
"""


@pytest.mark.parametrize("late", [False, True])
async def test_a_live_job_keeps_its_action(
    fresh_database: Settings, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """However long ago it was begun; also one that was queued again after the sweep had looked."""
    monkeypatch.setattr(staged_sweep, "QUIET", timedelta(seconds=-60))
    if late:
        monkeypatch.setattr(staged_sweep, "LEFT", EVERYTHING)
    other = OtherSide(troubles={"hang": 1})
    async with bench(fresh_database, tenant, other.stage(timeout=30)) as till:
        staged_id = await till.begin()
        assert await sweep(till.services) == {}
        await asyncio.wait_for(other.hanging.wait(), 30)
        for _ in range(5):
            assert await sweep(till.services) == {}
        other.go_on.set()
        row = await till.ends(staged_id)
    assert (row["state"], row["calls"], await till.effects()) == ("done", 1, (1, 0))


async def test_sweeps_at_once_settle_each_action_once(fresh_database: Settings, tenant: TenantId) -> None:
    other = OtherSide(troubles={"hang": 100})
    keys = [f"k{number}" for number in range(10)]
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged = [await till.begin(key) for key in keys]
        for number, one in enumerate(staged):
            [job] = await till.jobs(one)
            await till.left(one)
            if number % 2:
                await administer(fresh_database, "update jobs set cancel_requested_at = now() where id = $1", job["id"])
        await asyncio.sleep(TIMEOUT)
        other.troubles["hang"] = 0
        counted: Counter[str] = Counter()
        for found in await asyncio.gather(*(sweep(till.services) for _ in range(6))):
            counted.update(found)
        rows = [await till.ends(one) for one in staged]
        jobs = [await till.jobs(one) for one in staged]
        told = Counter(await till.said())
    assert counted == {"taken-up": 5, "given-up": 5}
    assert [row["state"] for row in rows] == ["done", "failed"] * 5
    assert [len(of_one) for of_one in jobs] == [1] * 10
    assert [await till.effects(key) for key in keys] == [(1, 0), (0, 1)] * 5
    assert (told["job.requeued"], told["job.given_up"]) == (5, 5)


async def test_a_person_who_queues_it_again_meanwhile_meets_the_sweep_at_its_lock(
    fresh_database: Settings, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep has decided and holds the action; the worker that is about to call waits for it, and finds nothing to call."""
    monkeypatch.setattr(staged_sweep, "PAUSES", ())
    other = OtherSide(troubles={"hang": 1})
    decided, go_on, real = asyncio.Event(), asyncio.Event(), staged_sweep.give_up

    async def slowly(*given: Any) -> bool:
        decided.set()
        await go_on.wait()
        return await real(*given)

    monkeypatch.setattr(staged_sweep, "give_up", slowly)
    async with bench(fresh_database, tenant, other.stage(timeout=20)) as till:
        till.stage.timeout = 0
        staged_id = await till.begin()
        await asyncio.wait_for(other.hanging.wait(), 30)
        other.go_on.set()
        other.troubles["apply"] = 1
        dead = await till.left(staged_id)
        sweeping = asyncio.create_task(swept(till))
        await asyncio.wait_for(decided.wait(), 30)
        async with till.ctx() as ctx:
            await actions.requeue(ctx, job_id=JobId(dead["id"]))
        await till.job(staged_id, "running")
        assert await sweep(till.services) == {}, "it is held"
        await asyncio.sleep(0.5)
        assert other.calls == 1, "the call waits for the sweep"
        go_on.set()
        assert await sweeping == {"given-up": 1}
        await till.job(staged_id, "done")
        row = await till.row(staged_id)
    assert (row["state"], row["calls"], other.calls, await till.effects()) == ("failed", 1, 1, (0, 1))


async def test_an_attempt_that_comes_to_itself_late_does_not_fail_what_is_asked_again(
    fresh_database: Settings, tenant: TenantId
) -> None:
    """Its call belongs to the past: another has begun since, and that one says what became of it."""
    other = OtherSide(troubles={"hang": 1, "refuse-late": 1})
    async with bench(fresh_database, tenant, other.stage(timeout=30)) as till:
        staged_id = await till.begin()
        await asyncio.wait_for(other.hanging.wait(), 30)
        again = "update staged_actions set calls = calls + 1 where tenant_id = $1 and id = $2"
        await administer(fresh_database, again, tenant, staged_id)
        other.go_on.set()
        job = await till.left(staged_id, "failed")
        row = await till.row(staged_id)
    assert (job["error"], row["calls"], await till.effects()) == ("They thought better of it.", 2, (0, 0))


async def test_an_action_whose_job_is_gone_gets_another(fresh_database: Settings, tenant: TenantId) -> None:
    other = OtherSide()
    async with bench(fresh_database, tenant, other.stage(), workers=0) as till:
        staged_id = await till.begin()
        await administer(fresh_database, "delete from jobs where tenant_id = $1", tenant)
        await asyncio.sleep(TIMEOUT)
    async with bench(fresh_database, tenant, other.stage()) as till:
        assert await swept(till) == {"taken-up": 1}
        row = await till.ends(staged_id)
    assert (row["state"], row["calls"], await till.effects()) == ("done", 1, (1, 0))


@pytest.mark.parametrize("forgotten", [True, False])
async def test_what_the_other_side_may_not_recognise_any_more_is_not_asked_again(
    fresh_database: Settings, tenant: TenantId, forgotten: bool
) -> None:
    other = OtherSide(troubles={"hang": 1})
    remembered = timedelta(seconds=0.1) if forgotten else timedelta(hours=23)
    async with bench(fresh_database, tenant, other.stage(remembered=remembered)) as till:
        staged_id = await till.begin()
        await till.left(staged_id)
        assert await swept(till) == {"taken-up": 1}
        row = await till.ends(staged_id)
        job = await till.job(staged_id, "failed" if forgotten else "done")
    assert other.calls == (1 if forgotten else 2)
    assert (row["state"], row["error"]) == (("failed", TOO_LATE) if forgotten else ("done", ""))
    assert job["error"] == (TOO_LATE if forgotten else "")
    assert await till.effects() == ((0, 1) if forgotten else (1, 0))


async def test_businesses_are_swept_each_in_its_own_name(fresh_database: Settings, tenant: TenantId) -> None:
    neighbour = await make_tenant(fresh_database, f"t-{uuid4().hex[:12]}")
    other = OtherSide(troubles={"apply": 2})
    async with bench(fresh_database, tenant, other.stage()) as till:
        next_door = Bench(till.services, neighbour, till.stage)
        both = [(till, await till.begin()), (next_door, await next_door.begin())]
        for one, staged_id in both:
            await one.left(staged_id)
        await asyncio.sleep(TIMEOUT)
        assert await sweep(till.services) == {"taken-up": 2}
        for one, staged_id in both:
            assert (await one.ends(staged_id))["state"] == "done"
            assert await one.effects() == (1, 0)


FILL = """
insert into jobs (tenant_id, kind, args, state, attempts, max_attempts, created_at, finished_at)
select $1, $2, jsonb_build_object('staged_id', gen_random_uuid()), case when n % 100 = 0 then 'dead' else 'done' end, 1, 1,
       now() - n * interval '1 minute', now()
from generate_series(1, 50000) as n
"""
DONE_BEFORE = """
insert into staged_actions (tenant_id, kind, key, intent, state, finished_at)
select $1, $2, 'before-' || n, '{}', 'done', now() from generate_series(1, 20000) as n
"""


async def test_what_is_left_is_found_by_indexes_among_what_is_done(fresh_database: Settings, tenant: TenantId) -> None:
    other = OtherSide(troubles={"hang": 1})
    async with bench(fresh_database, tenant, other.stage()) as till:
        staged_id = await till.begin()
        await till.left(staged_id)
        for statement in (FILL, DONE_BEFORE):
            await administer(fresh_database, statement, tenant, KIND)
        for table in ("jobs", "staged_actions"):
            await administer(fresh_database, f"analyze {table}")
        await asyncio.sleep(TIMEOUT)
        async with system_ctx(till.services, role="system") as ctx:
            found = await _read(ctx, staged_sweep.LEFT, [KIND], [timedelta()], 200)
        async with till.ctx() as ctx:
            ended = await _read(ctx, staged_sweep.ENDED, tenant, staged_id)
    assert found < 50, "it read what is done"
    assert ended < 50, "it read the jobs of before"


async def _read(ctx: Ctx, statement: str, *values: Any) -> float:
    """How many rows of tables a statement reads to find what it finds."""
    rows = await ctx.db.fetch(f"explain (analyze, format json) {statement}", *values)
    told = rows[0][0] if not isinstance(rows[0][0], str) else msgspec.json.decode(rows[0][0])
    read, waiting = 0.0, [told[0]["Plan"]]
    assert told[0]["Plan"]["Actual Rows"] == 1
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node:
            read += node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return read
