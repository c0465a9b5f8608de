"""C1, C3 over money: the web process dies, or loses the database, at every single step of every write that moves money.

Credits are spent, given back, adjusted alone and by two, bought and refunded in each way there is, and the ledger is adjusted;
the card provider is the sandbox, a process of its own, and a worker asks it. After each failure, before anybody asks again, the
books of the ledger and of the credits have to agree; in the end they say what was acknowledged, to the unit, and so does the provider.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from lastlight.kernel.errors import Unsure
from lastlight.runtime.settings import Settings
from tests.support.dying_writes import ANSWER, fail_at_the_answer, fail_everywhere
from tests.support.failing_site import FailingSite, failing_site
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.money_books import compare
from tests.support.money_trials import MoneyTrial
from tests.support.tills import opened_till

pytestmark = [pytest.mark.database, pytest.mark.processes]

WELL: dict[str, list[str]] = {"lost": [], "doubled": [], "broken": []}
Trying = Callable[[MoneyTrial], Awaitable[Any]]


async def tried(
    run: FaultRun, paying: Settings, site: FailingSite, what: Trying, *, guard_off: str = ""
) -> tuple[MoneyTrial, dict[str, list[str]], Any]:
    """Run one kind of failures against a new till; what its books say afterwards."""
    async with opened_till(paying) as till, httpx.AsyncClient(base_url=site.url, timeout=30) as http:
        trial = MoneyTrial(site, till, http, run.rng)
        await trial.begin()
        if guard_off:
            await site.live_anew(guard_off=guard_off)
        result = await what(trial)
        found = await compare(till, trial.told)
    found["broken"] += [f"right after a failure: {finding}" for finding in trial.halves]
    found["broken"] += [f"{count} × {refusal}" for refusal, count in trial.refused.items()]
    run.report(
        failures=trial.deaths,
        acknowledged=sum(len(rows) for rows in trial.told.rows.values()),
        looks=trial.looks,
        **{name: len(sentences) for name, sentences in found.items()},
    )
    return trial, found, result


@pytest.fixture(scope="module")
async def site_of_module(
    database_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[FailingSite]:
    """The site that every test of this module fails and revives."""
    async with failing_site(database_settings, tmp_path_factory.mktemp("till"), money=True) as made:
        yield made


@pytest.fixture
async def site(site_of_module: FailingSite) -> FailingSite:
    """The site in a life with all its guards."""
    await site_of_module.live_anew()
    return site_of_module


@pytest.mark.fault("C1")
async def test_a_web_process_that_dies_anywhere_in_a_write_of_money(
    run: FaultRun, paying: Settings, site: FailingSite
) -> None:
    writes = MoneyTrial.writes if run.long else ("spend",)

    async def everywhere(trial: MoneyTrial) -> int:
        await fail_at_the_answer(trial, writes=writes)
        kinds = ("before", "after") if run.long else ("after",)
        return await fail_everywhere(trial, kinds, every=run.size(quick=12, long=1), first=run.size(quick=7, long=1))

    trial, found, places = await tried(run, paying, site, everywhere)
    run.report(statements=places)
    assert found == WELL
    assert trial.deaths >= len(ANSWER) * len(writes) + places
    assert places >= len(MoneyTrial.writes)


@pytest.mark.fault("C1", "C3")
@pytest.mark.parametrize("kind", ["lost", "ended"])
async def test_a_database_that_is_lost_anywhere_in_a_write_of_money(
    run: FaultRun, paying: Settings, site: FailingSite, kind: str
) -> None:
    """`lost`: it was done and the answer never came. `ended`: its process is gone before it is asked."""

    async def everywhere(trial: MoneyTrial) -> int:
        return await fail_everywhere(trial, (kind,), every=run.size(quick=5, long=1))

    trial, found, places = await tried(run, paying, site, everywhere)
    unsure = trial.said[Unsure.type]
    run.report(statements=places, unsure=unsure)
    assert found == WELL
    assert trial.deaths >= places > len(MoneyTrial.writes) * 2
    if run.long:
        assert unsure >= len(MoneyTrial.writes), (
            "each commit is among the statements, and nobody knows what became of it"
        )


async def spends(trial: MoneyTrial) -> None:
    """Die at the answer of spends and refunds."""
    await fail_at_the_answer(trial, writes=("spend", "refund"))


@pytest.mark.control("C1", "C3")
async def test_without_the_kept_answers_a_retry_takes_twice(run: FaultRun, paying: Settings, site: FailingSite) -> None:
    _, found, _ = await tried(run, paying, site, spends, guard_off="keys")
    must_fail(found["doubled"])


@pytest.mark.control("C1")
async def test_an_answer_before_the_commit_is_lost_money(run: FaultRun, paying: Settings, site: FailingSite) -> None:
    _, found, _ = await tried(run, paying, site, spends, guard_off="commit")
    must_fail(found["lost"])


@pytest.mark.control("C1")
async def test_a_posting_apart_from_its_entry_is_half(run: FaultRun, paying: Settings, site: FailingSite) -> None:
    async def one_kind(trial: MoneyTrial) -> None:
        for number in range(6, 20, 3):
            await trial.write("spend", f"{number}:after")

    _, found, _ = await tried(run, paying, site, one_kind, guard_off="whole")
    must_fail([finding for finding in found["broken"] if finding.startswith("right after a failure")])
