"""C1, C3: the web process dies, or loses its connection, at every single step of a write; the same key is asked again.

What was acknowledged is there, what was not is there wholly or not at all, and the retry has its one effect. The places are not
a list that somebody keeps: every statement of the request is one, before it is sent and after its answer, and so are the
steps of the answer.

The soak (tests/faults/test_kills.py) has its controls here: its clients and its eye for memory, on this site with a guard off.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import httpx
import pytest

from lastlight.kernel.errors import Unsure
from lastlight.runtime.settings import Settings
from lastlight.simulator.client import new_key
from tests.support.busy_night import Books, Cast, busy_night, engage
from tests.support.door import HERE
from tests.support.dying_writes import ANSWER, NEVER, DyingWrites, fail_at_the_answer, fail_everywhere
from tests.support.failing_site import FailingSite, failing_site
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.memory import Memory
from tests.support.night_books import compare
from tests.support.recoveries import HEALED_SECONDS, Recoveries, strike
from tests.support.services import administer
from tests.support.soak import Plan, Soaked
from tests.support.sockets import until

pytestmark = [pytest.mark.database, pytest.mark.processes]

MOST_PLACES = 12
"""So many connections the roles of a site have at most: each of them may be opened once by a pool that does not heal."""
LEAK_REQUESTS = 160
"""So many show it, at half a megabyte each."""
LEAK_SECONDS = 30.0
ANY = Plan(seconds=0, every=1, guests=4, staff=1, pause=0, faults=())
WRITES = ("/api/tasks", "/api/checkin/verify", "/api/checkout")


class Trial(DyingWrites):
    """The writes of guests and staff, and what they were told."""

    writes = WRITES

    def __init__(self, site: FailingSite, cast: Cast, http: httpx.AsyncClient) -> None:
        super().__init__(site, http)
        self.cast = cast
        self.books = Books(refused=self.refused)

    async def write(self, name: str, at: str) -> bool:
        """One write, named by its path."""
        key = new_key()
        text = f"{key}~{at}"
        person, token = self.cast.staff[0] if name == "/api/tasks" else self.cast.guests[0]
        told = await self.ask(token, name, self._body(name, text), key=key, at=at)
        if told is not None:
            self._keep(name, key, text, told, person.patron_id)
        return await self.reached(key, at)

    async def before(self, name: str) -> None:
        """Who goes has come before."""
        if name == "/api/checkout":
            await self.write("/api/checkin/verify", NEVER)

    async def between(self, name: str) -> None:
        """Let the guest leave after coming and come after leaving."""
        if name != "/api/tasks":
            await self.write("/api/checkout" if name == "/api/checkin/verify" else "/api/checkin/verify", NEVER)

    def _body(self, path: str, title: str) -> dict[str, Any]:
        position = {"lat": HERE.lat, "lon": HERE.lon, "accuracy_m": 10}
        bodies: dict[str, dict[str, Any]] = {
            "/api/checkin/verify": {"code": self.cast.code, "position": position},
            "/api/tasks": {"venue_id": str(self.cast.venue_id), "title": title},
            "/api/checkout": {},
        }
        return bodies[path]

    def _keep(self, path: str, key: UUID, title: str, told: Any, patron_id: UUID | None) -> None:
        if path == "/api/tasks":
            self.books.tasks[title] = UUID(told["id"])
        elif path == "/api/checkout":
            self.books.left.add(UUID(told["id"]))
        else:
            assert patron_id is not None
            self.books.admitted[key] = (patron_id, UUID(told["checkin"]["id"]), UUID(told["visit"]["id"]))


@pytest.fixture(scope="module")
async def site_of_module(
    database_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[FailingSite]:
    """The site that every test of this module fails and revives."""
    async with failing_site(database_settings, tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
async def site(site_of_module: FailingSite) -> FailingSite:
    """The site in a life with all its guards."""
    await site_of_module.live_anew()
    return site_of_module


async def tried(
    settings: Settings, site: FailingSite, what: Any, *, guard_off: str = ""
) -> tuple[Trial, dict[str, list[str]], Any]:
    """Run one kind of failures; what the books say afterwards."""
    cast = await engage(settings, guests=1, staff=1)
    if guard_off:
        await site.live_anew(guard_off=guard_off)
    async with httpx.AsyncClient(base_url=site.url, timeout=30) as http:
        trial = Trial(site, cast, http)
        result = await what(trial)
    return trial, await compare(settings, cast, trial.books), result


@pytest.mark.fault("C1")
async def test_a_web_process_that_dies_anywhere_in_a_write(
    run: FaultRun, database_settings: Settings, site: FailingSite
) -> None:
    writes = WRITES if run.long else WRITES[1:]  # who came goes, so that the next try finds them outside

    async def everywhere(trial: Trial) -> int:
        await fail_at_the_answer(trial, writes=writes)
        kinds = ("before", "after") if run.long else ("after",)
        return await fail_everywhere(trial, kinds, every=run.size(quick=6, long=1))

    trial, found, places = await tried(database_settings, site, everywhere)
    run.report(deaths=trial.deaths, statements=places, **{name: len(what) for name, what in found.items()})
    assert found == {"lost": [], "doubled": [], "broken": []}
    assert trial.deaths >= len(ANSWER) * len(writes) + places


@pytest.mark.fault("C3")
async def test_a_connection_that_is_lost_while_the_database_answers(
    run: FaultRun, database_settings: Settings, site: FailingSite
) -> None:
    """The statement was carried out and its answer never came: for the commit this is the unknown outcome."""

    async def everywhere(trial: Trial) -> int:
        return await fail_everywhere(trial, ("lost",), every=1)

    trial, found, places = await tried(database_settings, site, everywhere)
    unsure = trial.said[Unsure.type]
    run.report(
        losses=trial.deaths, statements=places, unsure=unsure, **{name: len(what) for name, what in found.items()}
    )
    assert unsure == len(WRITES), "each lost commit, and nothing else, is answered as unknown"
    assert found == {"lost": [], "doubled": [], "broken": []}
    assert trial.deaths >= places > len(WRITES)


@pytest.mark.control("C1", "C3")
async def test_without_the_kept_answers_a_retry_is_a_second_effect(
    run: FaultRun, database_settings: Settings, site: FailingSite
) -> None:
    async def tasks(trial: Trial) -> None:
        await fail_at_the_answer(trial, writes=("/api/tasks",))

    trial, found, _ = await tried(database_settings, site, tasks, guard_off="keys")
    run.report(deaths=trial.deaths, **{name: len(what) for name, what in found.items()})
    must_fail(found["doubled"])


@pytest.mark.control("C1")
async def test_an_answer_before_the_commit_is_a_lost_write(
    run: FaultRun, database_settings: Settings, site: FailingSite
) -> None:
    async def tasks(trial: Trial) -> None:
        await fail_at_the_answer(trial, writes=("/api/tasks",))

    trial, found, _ = await tried(database_settings, site, tasks, guard_off="commit")
    run.report(deaths=trial.deaths, **{name: len(what) for name, what in found.items()})
    must_fail(found["lost"])


END_SESSIONS = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lastlight-%'
"""


@pytest.mark.control("C3")
async def test_a_pool_that_does_not_heal_is_seen(run: FaultRun, database_settings: Settings, site: FailingSite) -> None:
    cast = await engage(database_settings, guests=1, staff=1)
    found = Recoveries()

    async def end_sessions() -> None:
        await administer(database_settings, END_SESSIONS)

    await site.live_anew(guard_off="pool")
    async with busy_night(cast, site.url, retrying=False) as night:
        await until(lambda: night.books.through > 0)
        limit = HEALED_SECONDS if run.long else 1.0
        for _ in range(MOST_PLACES):  # a place that nobody needed yet is filled once still
            await strike(night, "end_sessions", end_sessions, found, patience=limit + 0.1)
            if found.late(limit):
                break
    run.report(worst=found.worst)
    must_fail(found.late(limit))


@pytest.mark.control("soak")
async def test_clients_that_ask_once_fall_short(run: FaultRun, database_settings: Settings, site: FailingSite) -> None:
    cast = await engage(database_settings, guests=4, staff=1)
    async with busy_night(cast, site.url, retrying=False) as night:
        for _ in range(3):
            served = night.books.through
            await until(lambda served=served: night.books.through > served + 8 and night.under_way > 0)
            await _die(site)
    soaked = Soaked(ANY, night.books)
    run.report(succeeded=f"{soaked.share:.4%}", given_up=night.books.given_up)
    must_fail(soaked.broken())


async def _die(site: FailingSite) -> None:
    await until(lambda: site.child() is not None)
    child = site.child()
    assert child is not None
    child.kill()


@pytest.mark.control("soak")
async def test_a_leak_is_seen(run: FaultRun, database_settings: Settings, site: FailingSite) -> None:
    cast = await engage(database_settings, guests=4, staff=1)
    memory = Memory(0.1, 0.3)
    await site.live_anew(guard_off="memory")
    async with busy_night(cast, site.url) as night:
        child = site.child()
        assert child is not None
        deadline = time.monotonic() + LEAK_SECONDS
        while night.books.through < LEAK_REQUESTS and time.monotonic() < deadline:
            memory.sample(time.monotonic(), {"web": {child.pid: child.memory_info().rss}})
            await asyncio.sleep(0.1)
    run.report(requests=night.books.through, memory=memory.text())
    must_fail(Soaked(ANY, night.books, memory=memory).broken())
