"""C6: the network between the application and its database is lost, half-open or a black hole, or keeps a commit's answer."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lastlight.runtime.settings import Settings
from tests.support import lonely_net
from tests.support.bad_network import UNHURRIED, Watched, check_in_through, never_give_up
from tests.support.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.guards_off import forget_answers
from tests.support.own_processes import own_process
from tests.support.sockets import until
from tests.support.turnstile import Turnstile, turnstile

pytestmark = [pytest.mark.processes, pytest.mark.database]

SECONDS = {Fault.RESET: 0.7, Fault.HALF_OPEN: 6.0, Fault.BLACK_HOLE: 6.0, Fault.SLOW: 3.0, Fault.LOST_COMMIT: 0.7}
CLIENTS = 12
SMALL_POOL = {"LASTLIGHT_DB_POOL_SIZE": "5"}


@pytest.fixture
async def stile(database_settings: Settings) -> AsyncGenerator[Turnstile]:
    """A business for each test: what a control breaks stays with it."""
    async with turnstile(database_settings) as made:
        yield made


@dataclass(slots=True)
class Found:
    """What all rounds together showed, and what broke in them."""

    longest: float = 0.0
    healed: float = 0.0
    health: float = 0.0
    arrived: int = 0
    repeated: int = 0
    broken: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, what: str, seen: Watched, broken: dict[str, int]) -> None:
        """Take a round in."""
        self.longest, self.healed = max(self.longest, seen.longest), max(self.healed, seen.healed)
        self.health = max(self.health, seen.health)
        self.arrived, self.repeated = self.arrived + len(seen.arrived), self.repeated + seen.repeated
        self.broken |= {f"{what}: {name}": count for name, count in (dict(seen.wrong) | broken).items()}


async def try_fault(
    stile: Turnstile, proxy: FaultProxy, port: int, fault: Fault, found: Found, *, slack: float
) -> None:
    lost = proxy.cut

    async def breaks() -> None:
        proxy.become(fault)

    async def mends() -> None:
        if fault is Fault.LOST_COMMIT:
            await until(lambda: proxy.cut > lost)  # a process that stands still meanwhile commits nothing
        proxy.become(Fault.NONE)

    seen = await check_in_through(
        stile, port, clients=CLIENTS, seconds=SECONDS[fault], breaks=breaks, mends=mends, slack=slack
    )
    found.add(fault.name, seen, await stile.broken(stile.services.settings, seen.arrived))


async def try_faults(
    stile: Turnstile, folder: Path, faults: list[Fault], *, without: str = "", slack: float = 1.0
) -> Found:
    dsn, found = stile.services.settings.admin_dsn(), Found()
    async with (
        fault_proxy(dsn) as proxy,
        own_process("web", dsn=proxy.leads(dsn), var_dir=folder, extra=SMALL_POOL, without=without) as web,
    ):
        for fault in faults:
            await try_fault(stile, proxy, web.port, fault, found, slack=slack)
    return found


async def try_true_loss(stile: Turnstile, folder: Path, *, without: str = "") -> Found:
    dsn, found = stile.services.settings.admin_dsn(), Found()
    with lonely_net.lonely_net() as net:

        async def breaks() -> None:
            net.cut()

        async def mends() -> None:
            net.mend()

        async with (
            fault_proxy(dsn, host=net.host) as line,
            own_process(
                "web", dsn=line.leads(dsn), var_dir=folder, extra=SMALL_POOL, before=net.enter, without=without
            ) as web,
        ):
            seen = await check_in_through(stile, web.port, clients=CLIENTS, seconds=7.0, breaks=breaks, mends=mends)
            found.add("LOST", seen, await stile.broken(stile.services.settings, seen.arrived))
    return found


def report(run: FaultRun, found: Found, **more: object) -> None:
    run.report(
        **more,
        arrivals=found.arrived,
        after_repeats=found.repeated,
        broken=sum(found.broken.values()),
        longest_answer=found.longest,
        healed_after=found.healed,
        slowest_health=found.health,
    )


@pytest.mark.fault("C6")
async def test_a_broken_network_fails_soon_and_doubles_nothing(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    once = [fault for fault in Fault if fault in SECONDS]
    quick = [Fault.RESET, Fault.LOST_COMMIT]
    faults = once * 6 if run.long else quick
    run.rng.shuffle(faults)
    found = await try_faults(stile, tmp_path, faults, slack=1.0 if run.long else UNHURRIED)
    report(run, found, faults=len(faults))
    assert found.broken == {}


@pytest.mark.long_only
@pytest.mark.control("C6")
async def test_a_process_that_waits_for_ever_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{never_give_up.__module__}:{never_give_up.__name__}"
    found = await try_faults(stile, tmp_path, [Fault.BLACK_HOLE], without=without)
    report(run, found)
    must_fail([what for what in found.broken if "hung" in what or "too late" in what])


@pytest.mark.control("C6")
async def test_a_platform_that_forgets_its_answers_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{forget_answers.__module__}:{forget_answers.__name__}"
    found = await try_faults(stile, tmp_path, [Fault.LOST_COMMIT], without=without, slack=UNHURRIED)
    report(run, found)
    must_fail([what for what in found.broken if "answered 4" in what or "lost" in what])


@pytest.mark.long_only
@pytest.mark.fault("C6")
@pytest.mark.skipif(not lonely_net.possible(), reason=lonely_net.NEEDS)
async def test_lost_packets_fail_soon_and_double_nothing(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    found = Found()
    for number in range(3):
        once = await try_true_loss(stile, tmp_path / str(number))
        found.longest, found.healed = max(found.longest, once.longest), max(found.healed, once.healed)
        found.health, found.arrived = max(found.health, once.health), found.arrived + once.arrived
        found.repeated += once.repeated
        found.broken |= once.broken
    report(run, found, losses=3)
    assert found.broken == {}


@pytest.mark.long_only
@pytest.mark.control("C6")
@pytest.mark.skipif(not lonely_net.possible(), reason=lonely_net.NEEDS)
async def test_a_process_that_waits_for_lost_packets_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    found = await try_true_loss(stile, tmp_path, without=f"{never_give_up.__module__}:{never_give_up.__name__}")
    report(run, found)
    must_fail([what for what in found.broken if "hung" in what or "too late" in what])
