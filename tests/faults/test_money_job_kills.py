"""C2 over money: the worker dies at every step of what it asks the card provider to do: one effect, counted at the provider.

The provider is the sandbox, a process of its own. The statements of a job surround its call, so that among the places is the one
that matters most: the provider has done it, and nobody has written that down.
"""

import asyncio
from pathlib import Path

import pytest

from lastlight.runtime.settings import Settings
from tests.support.failing_jobs import fail_everywhere
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.money_jobs import ORDERS, MoneyJobs, trying_money
from tests.support.processors import SandboxBeside

pytestmark = [pytest.mark.database, pytest.mark.processes]

AT_ONCE = {"later_seconds": 0}
AFTER_THE_CALL = 5
"""Four statements write down that the provider is about to be asked: the fifth comes when it has answered."""


@pytest.fixture
def swift(paying: Settings, beside: SandboxBeside) -> Settings:
    """The settings of an account at which disputes open as soon as the card is charged."""
    SandboxBeside(beside.base, paying.stripe_secret_key, "", "").control("rules", **AT_ONCE)
    return paying


async def everywhere(trial: MoneyJobs) -> list[int]:
    """Each failure at every statement of each kind of orders; how many statements there were."""
    failures = ("before", "after", "lost")
    return await asyncio.gather(*(fail_everywhere(trial.one, kind, failures, every=1) for kind in ORDERS))


async def at_the_worst_place(trial: MoneyJobs) -> list[int]:
    """The first statement after the call."""
    reached = await asyncio.gather(*(trial.one(kind, f"{AFTER_THE_CALL}:before") for kind in ORDERS))
    return [AFTER_THE_CALL] * sum(reached)


@pytest.mark.fault("C2")
async def test_a_worker_that_dies_anywhere_around_an_order_to_the_provider(
    run: FaultRun, swift: Settings, tmp_path: Path
) -> None:
    async with trying_money(swift, tmp_path) as trial:
        tried = everywhere(trial) if run.long else at_the_worst_place(trial)
        statements = await tried
        again = await trial.asked_again()
    run.report(
        orders=len(ORDERS),
        deaths=trial.deaths,
        statements="+".join(str(count) for count in statements),
        asked_again=again,
        broken=len(trial.found),
    )
    assert trial.found == []
    assert trial.deaths >= run.size(quick=len(ORDERS), long=150)
    assert again >= run.size(quick=5, long=40), "the provider was hardly ever asked a second time"


@pytest.mark.control("C2")
async def test_a_new_key_each_time_is_a_second_effect(run: FaultRun, swift: Settings, tmp_path: Path) -> None:
    async with trying_money(swift, tmp_path, fresh_keys=True) as trial:
        await trial.one("open", f"{AFTER_THE_CALL}:before")
        await trial.one("refund", f"{AFTER_THE_CALL}:before")
    run.report(deaths=trial.deaths, broken=len(trial.found))
    for kind in ("open", "refund"):
        must_fail([sentence for sentence in trial.found if sentence.startswith(kind) and "done 2 times" in sentence])
