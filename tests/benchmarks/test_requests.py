"""The benchmarks of requests at a size that shows they work; a slowness that is planted has to be seen."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from statistics import median

import pytest
import pytest_asyncio

from benchmarks import checkins, lists, pages
from benchmarks.client import Load
from benchmarks.ground import Ground, durable_ground
from benchmarks.growth import CHECK_IN, Step, figure
from benchmarks.house import House, load, opened_house
from benchmarks.measure import interleaved
from benchmarks.nights import seed_nights
from benchmarks.pages import Place, Times
from benchmarks.processes import Platform, platform
from lastlight.modules import MODULES
from lastlight.runtime.module import Registry

pytestmark = pytest.mark.database
SIZE = 64
NIGHTS = 400
PATHS = {"/manage", "/owner", "/staff", "/platform", "/api/tonight", "/api/patron/home", "/api/admin/checkins"}


@dataclass
class Bench:
    """What all tests of this module share."""

    ground: Ground
    house: House
    web: Platform
    door: checkins.Door
    desk: lists.Desk


@pytest_asyncio.fixture(scope="module")
async def bench() -> AsyncGenerator[Bench]:
    async with durable_ground() as ground, opened_house(ground, venues=checkins.VENUES, guests=SIZE) as house:
        async with house.administrator() as administrator:
            await seed_nights(administrator, tenant_id=house.tenant_id, venue_ids=house.venues, checkins=NIGHTS)
        readers = await lists.readers(house, 2)
        async with platform(ground.settings, "web") as web:
            door = checkins.Door(house, web, await checkins.check_in_script(house), SIZE)
            desk = lists.Desk(house, web, readers, await lists.list_script(house, readers[0]), SIZE)
            yield Bench(ground, house, web, door, desk)


async def test_check_ins_are_measured_against_the_same_statements(bench: Bench) -> None:
    rounds = await counted(bench, "checkins")
    ratio, delay = await checkins.measure(bench.door, ours=bench.door.ours, rounds=1)
    # a round before, the measured one, and one at half load; the peer's two
    assert await counted(bench, "checkins") == rounds + 5 * SIZE
    assert ratio.values[0] > 0
    assert delay.told["per_s"] > 0
    assert "ll.enter_with_key" in bench.door.script.text
    assert "insert into visits" in bench.door.script.text
    assert "insert into outbox" in bench.door.script.text


async def test_a_slow_web_process_is_seen(bench: Bench) -> None:
    """The process is held up for five sixths of the time while it is measured."""

    async def hold_up() -> None:
        try:
            while True:
                bench.web.processes["web"].send_signal(signal.SIGSTOP)
                await asyncio.sleep(0.05)
                bench.web.processes["web"].send_signal(signal.SIGCONT)
                await asyncio.sleep(0.01)
        finally:
            bench.web.processes["web"].send_signal(signal.SIGCONT)

    async def held_up() -> float:
        holding = asyncio.create_task(hold_up())
        try:
            return await bench.door.ours()
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    plain = await interleaved(bench.door.ours, bench.door.theirs, rounds=3)
    slowed = await interleaved(held_up, bench.door.theirs, rounds=3)
    assert median(slowed.ratios) < median(plain.ratios) / 2


async def test_lists_are_measured_against_the_same_statements(bench: Bench) -> None:
    (figure,) = await lists.measure(bench.desk, ours=bench.desk.ours, rounds=1)
    assert figure.values[0] > 0
    assert "from checkins c" in bench.desk.script.text
    assert bench.desk.loads[-1].statuses == {200: SIZE}


async def test_a_refused_request_is_no_figure(bench: Bench) -> None:
    requests = checkins.checkins(bench.house.tokens[:1], "no code at all", 0)
    with pytest.raises(RuntimeError, match="422"):
        await load(checkins.Plan(port=bench.web.port, requests=requests))


async def test_every_place_is_timed_as_somebody_who_belongs_there(bench: Bench) -> None:
    everywhere = pages.places(Registry(MODULES).operations)
    assert len(everywhere) > 200
    some = [place for place in everywhere if place.path in PATHS]
    found = await pages.time_places(bench.web, some, await pages.tokens(bench.house), times=2)
    assert {place.path for place in found.of} == PATHS
    assert all(len(times) == 2 for times in found.of.values())
    assert len(pages.figures(found)) == 7


def test_a_slow_page_is_named() -> None:
    fast, slow = Place("/manage", "management", "manager"), Place("/manage/slow", "management", "manager")
    (figure,) = pages.figures(Times({fast: [5.0, 6.0], slow: [80.0, 90.0]}))
    assert figure.verdict == "missed"
    assert figure.told["slowest"].startswith("/manage/slow 90.0")
    assert figure.told["over_50_ms"] == 1


def test_what_grows_is_named() -> None:
    steady, growing = Place("/manage", "management", "manager"), Place("/owner", "owner", "owner")
    base = Step(100, 1, {steady: 5.0, growing: 5.0, CHECK_IN: 4.0})
    grown = figure("10× the rows", base, Step(1000, 1, {steady: 5.0, growing: 40.0, CHECK_IN: 4.0}))
    assert grown.value == 1.0
    assert grown.told["grew"] == "1 of 3"
    assert grown.told["most"] == "/owner ×8.0 (40 ms)"
    all_slower = figure("all", base, Step(1000, 1, {place: 2 * time for place, time in base.of.items()}))
    assert all_slower.verdict == "missed"


def test_delays_count_from_when_a_request_was_due() -> None:
    found = Load(seconds=2.0, cpu_seconds=0.1, latencies=[0.1, 0.2], statuses={200: 2}, refusals=[])
    assert found.rate == 1.0


async def counted(bench: Bench, table: str) -> int:
    async with bench.house.administrator() as administrator:
        return await administrator.fetchval(f"select count(*) from {table}")
