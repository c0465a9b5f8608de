"""W3 and M1 over money: a key is one request of one person, and the last credit goes to one of sixty-four who want it at once."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest

from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Actor
from lastlight.runtime.db import entry, uow
from lastlight.runtime.http import idempotency
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.last_credits import Contest, opened_bar, overspent, purse_of, take_guards_away
from tests.support.money_keys import broken_keys, moving
from tests.support.purses import findings
from tests.support.races import jitter_of, watched
from tests.support.world import World, opened_world

pytestmark = pytest.mark.database

RACERS, POOL = 64, 16
WAYS = (("spend",), ("spend", "take"), ("spend", "take", "refund"))


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    """Everybody, and something of everything."""
    async with opened_world(database_settings) as found:
        yield found


async def all_broken(run: FaultRun, world: World, ops: list[Operation]) -> list[str]:
    """What operations break of a key's promises."""
    found: list[str] = []
    for op in ops:
        found += await broken_keys(world, op)
    run.report(operations=len(ops), broken=len(found))
    return found


@pytest.mark.fault("W3")
async def test_a_key_of_money_is_one_request_of_one_person(run: FaultRun, world: World) -> None:
    ops = moving()
    assert len(ops) >= 14, "fewer operations of money than there were"
    for _ in range(run.size(quick=1, long=5)):
        assert await all_broken(run, world, ops) == []


@pytest.mark.control("W3")
@pytest.mark.parametrize("guard", ["whose", "what"])
async def test_without_whose_or_what_a_key_is_for_money_is_told_wrong(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    def alike(*_: object) -> bytes:
        return bytes(32)

    async def as_one(connection: object, *, actor: Actor, **more: object) -> entry.Entry:
        return await entry.enter(connection, actor=msgspec.structs.replace(actor, user_id=UserId(UUID(int=1))), **more)  # pyright: ignore[reportArgumentType] passed on

    if guard == "what":
        monkeypatch.setattr(idempotency, "request_hash", alike)
    else:
        monkeypatch.setattr(uow, "enter", as_one)
    found = await all_broken(run, world, moving()[:3])
    must_fail([what for what in found if ("under the same key" if guard == "what" else "'s key") in what])


async def last_credits(
    run: FaultRun, settings: Settings, *, rounds: int, without: pytest.MonkeyPatch | None = None
) -> list[str]:
    """Races for the last credits of a guest; what was taken that was not there."""
    dice, found, races = run.rng, list[str](), 0
    async with opened_bar(replace(settings, db_pool_size=POOL, user_requests_per_minute=10**7)) as (till, web):
        for number in range(rounds):
            ways = ("spend",) if without else WAYS[number % len(WAYS)]
            for held, amount in ((900, 900), (dice.randint(1_000, 2_000), 100)):
                contest = Contest(till, web, await purse_of(till, held // 3, held - held // 3))
                if without is not None:
                    await take_guards_away(till, without)
                with watched(jitter_of(dice), unlocked=without is not None) as seen:
                    statuses = await contest.race(ways, racers=RACERS, amount=amount, dice=dice)
                found += await overspent(contest, statuses, held=held, amount=amount)
                found += [f"deadlock at {sql}" for sql in seen.deadlocks]
                races += 1
        if without is None:
            found += await findings(till.house)
    run.report(races=races, racers=RACERS, broken=len(found))
    return found


@pytest.mark.fault("M1")
async def test_the_last_credits_go_to_as_many_as_there_are(run: FaultRun, paying: Settings) -> None:
    assert await last_credits(run, paying, rounds=run.size(quick=2, long=60)) == []


@pytest.mark.control("M1")
async def test_without_turns_and_rules_credits_are_spent_twice(
    run: FaultRun, fresh_database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await last_credits(run, fresh_database, rounds=1, without=monkeypatch)
    must_fail([what for what in found if " took " in what])
