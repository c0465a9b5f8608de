"""C1, C3, soak: kill -9 at any moment of a busy night, of the web processes, the worker, the database's sessions and the database.

The platform is the real one under its real supervisor, on a durable PostgreSQL; guests and staff work meanwhile and ask again,
with the same key, for what was not answered. What they were told is compared with the database afterwards. The soak is the same
for minutes, with a fault every few seconds.
"""

from collections.abc import AsyncGenerator

import pytest

from tests.support.busy_night import Books, Cast, busy_night, engage
from tests.support.fault_runs import FaultRun
from tests.support.killable import Killable, killable_platform
from tests.support.night_books import compare
from tests.support.night_faults import DATABASE_KILLS, KILLS, MISCHIEF, Fault, end_backends, kill_web
from tests.support.recoveries import HEALED_SECONDS, Recoveries, strike_often
from tests.support.soak import Plan, soak

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
SECONDS_EACH = 4.0
QUICK_SECONDS_EACH = 40.0
"""Each is waited for; on a busy machine a new start may take ten times as long."""
QUICK = (kill_web, end_backends)
UNHURRIED = 20.0
"""The quick share shares its machine with other tests: there the time of a recovery says nothing."""


@pytest.fixture(scope="module")
async def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Killable]:
    """A platform with two web processes, in the quick share with one."""
    number = 2 if request.config.getoption("--long") else 1
    async with killable_platform(tmp_path_factory.mktemp("kills"), web_processes=number) as running:
        yield running


async def survive(
    run: FaultRun, platform: Killable, faults: tuple[Fault, ...], *, times: int
) -> tuple[Recoveries, dict[str, list[str]], Books, Cast]:
    """A night with so many kills: how soon it went on, and what the books say."""
    cast = await engage(platform.settings, guests=run.size(quick=8, long=24), staff=2)
    async with busy_night(cast, platform.url) as night:
        recoveries = await strike_often(
            night,
            platform,
            faults,
            times=times,
            dice=run.rng,
            seconds=30 + times * (SECONDS_EACH if run.long else QUICK_SECONDS_EACH),
        )
    found = await compare(platform.settings, cast, night.books)
    run.report(
        kills=recoveries.count,
        checkins=len(night.books.admitted),
        tasks=len(night.books.tasks),
        retried=night.api.retried,
        under_way=sum(recoveries.under_way),
        **{name: len(what) for name, what in found.items()},
        worst=recoveries.worst,
        each=recoveries.text(),
    )
    return recoveries, found, night.books, cast


@pytest.mark.fault("C1")
async def test_a_night_of_kills_loses_and_doubles_nothing(run: FaultRun, platform: Killable) -> None:
    times = run.size(quick=len(KILLS), long=500)
    recoveries, found, books, _ = await survive(run, platform, KILLS, times=times)
    assert found == {"lost": [], "doubled": [], "broken": []}
    assert (recoveries.count, books.given_up) == (times, 0)
    assert sum(recoveries.under_way) > times, "the kills met nothing"


@pytest.mark.fault("C3")
async def test_the_pool_heals_after_every_kill_of_the_database(run: FaultRun, platform: Killable) -> None:
    times = run.size(quick=3, long=60)
    recoveries, found, books, _ = await survive(run, platform, DATABASE_KILLS, times=times)
    assert found == {"lost": [], "doubled": [], "broken": []}
    assert (recoveries.count, books.given_up, recoveries.late(HEALED_SECONDS if run.long else UNHURRIED)) == (
        times,
        0,
        [],
    )


@pytest.mark.fault("soak")
async def test_a_night_with_a_fault_every_few_seconds(run: FaultRun, platform: Killable) -> None:
    plan = Plan(
        seconds=run.size(quick=5, long=480),
        every=20 if run.long else 1.8,
        guests=run.size(quick=6, long=24),
        staff=2,
        pause=0.3 if run.long else 0.1,
        faults=MISCHIEF if run.long else QUICK,
        healed=HEALED_SECONDS if run.long else UNHURRIED,
    )
    soaked = await soak(platform, plan, run.rng)
    run.report(
        faults=soaked.writes.count,
        requests=soaked.books.through + soaked.books.given_up,
        succeeded=f"{soaked.share:.4%}",
        writes=soaked.writes.text(),
        events=soaked.events.text(),
        memory=soaked.memory.text(),
        sockets=soaked.lives,
        gaps=soaked.gaps,
        not_possible=",".join(sorted(soaked.writes.not_possible)) or "none",
    )
    assert soaked.broken() == []
    assert soaked.writes.count >= int(plan.seconds / plan.every) * 0.75
