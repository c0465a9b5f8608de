"""Requests that meet: deadlocks, lost updates, last places, idempotency keys and cancellations, over every operation that writes."""

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Actor
from lastlight.runtime.db import entry, uow
from lastlight.runtime.http import dispatch, idempotency
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.refusals import honours_key
from tests.support import cancels, injected, key_model, last_places, races
from tests.support.calls import OPERATIONS
from tests.support.fault_runs import FaultRun, database_of, life_of_a_world, must_fail, until_found
from tests.support.services import administer
from tests.support.world import World, opened_world

pytestmark = pytest.mark.database

POOL = 12
SMALL = ("PATCH /api/tasks/{task_id:uuid}", "PUT /api/me/name", "POST /api/tasks", "POST /api/patron/bookings")
"""Operations of different shapes that the quick share always visits."""
ENDS_THE_SESSION = frozenset({"logout_all", "close_cookie_session", "revoke_other_sessions", "change_password"})
"""A replay of these finds nobody signed in."""


@pytest.fixture(scope=life_of_a_world)
async def world(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """The world on a pool of some size, where the server looks for deadlocks at once."""
    settings = database_of(request)
    name = settings.database_url.rsplit("/", 1)[-1]
    await administer(settings, f"alter database \"{name}\" set deadlock_timeout = '40ms'")
    async with opened_world(replace(settings, db_pool_size=POOL)) as found:
        yield found
        found.errors.clear()


def some(run: FaultRun, ops: list[Operation], number: int, dice: random.Random) -> list[Operation]:
    """All of them in the long form, else a few."""
    return ops if run.long else dice.sample(ops, min(number, len(ops)))


# --- C8: deadlocks and serialisation failures -------------------------------------------------------------------------


async def injected_failures(run: FaultRun, world: World, ops: list[Operation]) -> list[str]:
    """Each operation with a failure at each of its statements and at its commit; pages, and the quick share, at three of these."""
    found: list[str] = []
    tried, dice = 0, run.rng
    for op in ops:
        count, clean = await injected.statements_of(world, op)
        places = [injected.COMMIT, *range(count)]
        every = run.long and op.kind == "api"  # pages call the same actions
        for at in places if every else dice.sample(places, min(3, len(places))):
            code, times = dice.choice(injected.CODES), dice.choice((1, 1, 1, 2, 3))
            found += await injected.not_repeated(world, op, at=at, code=code, times=times, clean=clean)
            tried += 1
        found += await injected.not_endless(world, op, at=dice.choice(places), code=dice.choice(injected.CODES))
    run.report(operations=len(ops), failures=tried, broken=len(found))
    return found


@pytest.mark.fault("C8")
async def test_a_transaction_that_loses_is_repeated_whole_or_given_up(run: FaultRun, world: World) -> None:
    ops = [OPERATIONS[key] for key in SMALL]
    ops += some(run, [op for op in races.writing() if op not in ops], 2, run.rng)
    assert await injected_failures(run, world, ops) == []


@pytest.mark.control("C8")
async def test_without_the_repetition_failures_show(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "RETRIED", ())
    must_fail(await injected_failures(run, world, [OPERATIONS[key] for key in SMALL[:2]]))


@pytest.mark.fault("C8")
async def test_a_real_deadlock_ends_with_one_effect(run: FaultRun, world: World) -> None:
    times = run.size(quick=1, long=50)
    who = await world.newcomer(world.somebody["A.manager"])
    deadlocks = 0
    for number in range(times):
        answer, seen = await injected.renamed_against_the_order(world, who, name=f"Somebody {number}")
        assert answer.status_code == 200, answer.text
        deadlocks += seen
    told = await world.value(
        "select count(*) from outbox where name = 'user.renamed' and entity_id = $1", str(who.user_id)
    )
    run.report(deadlocks=deadlocks, renamed=told)
    assert (deadlocks, told) == (times, times)


@pytest.mark.control("C8")
async def test_without_the_repetition_a_real_deadlock_is_told(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "RETRIED", ())
    who = await world.newcomer(world.somebody["A.manager"])
    answer, _ = await injected.renamed_against_the_order(world, who, name="Somebody Else")
    must_fail(answer.status_code == 503)


# --- C8 and M1: generated races ---------------------------------------------------------------------------------------


async def generated_races(run: FaultRun, world: World, ops: list[Operation], *, unlocked: bool = False) -> list[str]:
    """Each operation with itself: together no more than one after another."""
    found: list[str] = []
    dice = run.rng
    for op in ops:
        found += await races.doubled(world, op, times=6, dice=dice, unlocked=unlocked)
    run.report(operations=len(ops), calls=12 * len(ops), broken=len(found))
    return found


@pytest.mark.fault("C8", "M1")
async def test_together_no_more_happens_than_one_after_another(run: FaultRun, world: World) -> None:
    assert await generated_races(run, world, some(run, races.writing(), 8, run.rng)) == []


@pytest.mark.control("C8", "M1")
async def test_without_turns_more_happens_together(run: FaultRun, world: World) -> None:
    ops = [op for op in races.writing("api") if op.name in {"remove_export", "start_task", "rename_me", "cancel_task"}]
    must_fail(await until_found(lambda: generated_races(run, world, ops, unlocked=True)))


@pytest.mark.fault("C8")
async def test_two_operations_on_one_thing_wait_in_one_order(run: FaultRun, world: World) -> None:
    dice, found = run.rng, list[str]()
    pairs = races.neighbours()
    pairs = pairs * 2 if run.long else dice.sample(pairs, 8)
    for shared, first, second in pairs:
        found += await races.crossed(world, first, second, shared=shared, dice=dice)
    lists = races.taking_lists()
    for op, field in lists if run.long else dice.sample(lists, 2):
        found += await races.reversed_lists(world, op, field, dice=dice)
    run.report(pairs=len(pairs), lists=len(lists), broken=len(found))
    assert found == []


@pytest.mark.control("C8")
async def test_two_orders_are_found(run: FaultRun, world: World) -> None:
    must_fail(await races.planted_inversion(world, dice=run.rng))


# --- M1: lost updates and last places ---------------------------------------------------------------------------------


async def lost(run: FaultRun, world: World, ops: list[Operation], *, unlocked: bool = False) -> list[str]:
    """Many changes of one version at once, of each operation that takes a version."""
    found: list[str] = []
    racers = run.size(quick=8, long=64)
    dice = run.rng
    for op in ops:
        found += await races.lost_updates(world, op, racers=racers, dice=dice, unlocked=unlocked)
    run.report(operations=len(ops), racers=racers, broken=len(found))
    return found


@pytest.mark.fault("M1")
async def test_one_change_of_a_version_wins(run: FaultRun, world: World) -> None:
    ops = [op for op in races.writing() if races.versioned(op)]
    assert len(ops) > 40
    assert await lost(run, world, some(run, ops, 8, run.rng)) == []


@pytest.mark.control("M1")
async def test_without_locks_updates_are_lost(run: FaultRun, world: World) -> None:
    ops = [op for op in races.writing("api") if races.versioned(op)]
    must_fail(await until_found(lambda: lost(run, world, some(run, ops, 4, run.rng), unlocked=True)))


@pytest.mark.fault("M1")
async def test_the_last_place_goes_to_one(run: FaultRun, world: World) -> None:
    racers, rounds = run.size(quick=12, long=64), run.size(quick=1, long=8)
    staff = await last_places.crowd(world, "A.staff", racers)
    guests = await last_places.crowd(world, "A.patron", racers)
    found: list[str] = []
    for _ in range(rounds):
        for name, contest in last_places.CONTESTS.items():
            won, refused = await last_places.winners(await contest(world, staff, guests), racers)
            if won != 1 or max(refused, default=0) >= 500:
                found.append(f"{name}: {won} of {racers} won, the others are answered {refused}")
    run.report(contests=rounds * len(last_places.CONTESTS), racers=racers, broken=len(found))
    assert found == []


@pytest.mark.control("M1")
async def test_without_turns_the_last_place_goes_to_many(run: FaultRun, world: World) -> None:
    staff = await last_places.crowd(world, "A.staff", 8)

    async def many_won() -> bool:
        ask = await last_places.free_task(world, staff, [])
        won, _ = await last_places.winners(ask, 8)
        return won > 1

    with races.watched(races.jitter_of(run.rng), unlocked=True):
        must_fail(await until_found(many_won))


# --- W3: idempotency keys ---------------------------------------------------------------------------------------------


@pytest.mark.fault("W3")
async def test_a_key_is_one_request_of_one_person(run: FaultRun, world: World) -> None:
    model = await key_model.keyed_at_random(world, steps=run.size(quick=150, long=6_000), dice=run.rng)
    run.report(**model.seen, broken=len(model.found))
    assert model.found == []
    assert min(model.seen[kind] for kind in ("first", "replayed", "reused")) > run.size(quick=20, long=800)


@pytest.mark.fault("W3")
async def test_a_key_that_is_raced_has_one_effect(run: FaultRun, world: World) -> None:
    ops = [op for op in races.writing("api") if honours_key(op) and op.name not in ENDS_THE_SESSION]
    found: list[str] = []
    racers = run.size(quick=6, long=16)
    chosen = some(run, ops, 5, run.rng)
    for op in chosen:
        found += await key_model.keyed_race(world, op, racers=racers)
    run.report(operations=len(chosen), racers=racers, broken=len(found))
    assert found == []


@pytest.mark.control("W3")
@pytest.mark.parametrize("guard", ["whose", "what"])
async def test_without_whose_or_what_a_key_is_for_it_shows(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    def alike(*_: object) -> bytes:
        return bytes(32)

    async def as_one(connection: Any, *, actor: Actor, **more: Any) -> entry.Entry:
        return await entry.enter(connection, actor=msgspec.structs.replace(actor, user_id=UserId(UUID(int=1))), **more)

    if guard == "what":
        monkeypatch.setattr(idempotency, "request_hash", alike)
    else:
        monkeypatch.setattr(uow, "enter", as_one)
    must_fail((await key_model.keyed_at_random(world, steps=80, dice=run.rng)).found)


# --- C9: cancelled requests -------------------------------------------------------------------------------------------


@pytest.mark.fault("C9")
async def test_a_cancelled_request_leaves_nothing_and_tells_nobody(run: FaultRun, world: World) -> None:
    async with cancels.small_application(world) as state:
        await cancels.cancel_at_random(state, cancels=run.size(quick=120, long=10_000), dice=run.rng)
        hung_up = await cancels.leave_sockets(state, leavers=run.size(quick=30, long=2_000), dice=run.rng)
        found = await cancels.left_behind(state)
        run.report(
            cancelled=state.cancelled, answered=state.answered, busy=state.refused, hung_up=hung_up, broken=len(found)
        )
    assert found == []
    assert state.answered > run.size(quick=20, long=2_000)
    assert state.refused < state.answered / run.size(quick=2, long=10), "a busy machine keeps a pool of three busy"
    assert hung_up > run.size(quick=3, long=300)


@pytest.mark.control("C9")
async def test_without_abandoning_a_cancelled_transaction_goes_on(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep(*_: object) -> None:
        """The connection goes back as it is; the driver's own clearing up is off as well."""

    monkeypatch.setattr(uow, "_abandon", keep)
    monkeypatch.setattr("asyncpg.connection.Connection._reset", keep)
    found: list[str] = []
    async with cancels.small_application(world) as state:
        dice, waves = run.rng, 0
        try:
            while not found and (waves := waves + 1) <= 10:  # one in ten meets no statement where it matters
                async with asyncio.timeout(5):
                    await cancels.cancel_at_random(state, cancels=60 * waves, dice=dice)
                    found += await cancels.left_behind(state)
        except TimeoutError:
            found.append("requests wait for a transaction that nobody ends")
        except asyncpg.InFailedSQLTransactionError:
            found.append("somebody was given a transaction that had failed before")
        finally:
            for role in cancels.ROLES:
                state.services.pools.by_name(role).terminate()  # what was left open would be waited for
    must_fail(found)
