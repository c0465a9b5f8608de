"""C7: more clients than connections: to the pool, to the server, and to the web process itself."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import psutil
import pytest

from lastlight.runtime.settings import Settings
from tests.support.fault_proxy import Fault, fault_proxy
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.flood import UNHURRIED as SLACK
from tests.support.flood import Flooded, flood, take_every_caller, wait_for_ever
from tests.support.own_processes import Own, own_process
from tests.support.plain_wire import Wire, request
from tests.support.services import administer
from tests.support.turnstile import Comer, Turnstile, turnstile

pytestmark = [pytest.mark.processes, pytest.mark.database]

POOL = {"LASTLIGHT_DB_POOL_SIZE": "5"}
KEPT_SHARE = 0.5
"""Least share of the rate that few clients get, which many must get together."""
SLOW_SECONDS = 0.02
RECOVERED_SECONDS = 1.5
UNHURRIED = 15.0
"""The quick share shares its machine with other tests: there the time of a recovery says little."""


@pytest.fixture(scope="module")
async def stile(database_settings: Settings) -> AsyncGenerator[Turnstile]:
    async with turnstile(database_settings) as made:
        yield made


DESCRIPTORS = 200
KEPT = 8
"""Connections that were there before all others came: together they want more of the database than one of them."""
IDLE = 300
AFTERWARDS = 50
"""So many of the idle callers come when the process has lost its sessions with the database."""
LIMITED = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")


@pytest.fixture(scope="module")
async def web(stile: Turnstile, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Own]:
    """A web process with the descriptors and the pool of a small machine."""
    dsn, folder = stile.services.settings.admin_dsn(), tmp_path_factory.mktemp("web")
    before = LIMITED if shutil.which("prlimit") else ()
    async with own_process("web", dsn=dsn, var_dir=folder, extra=POOL, before=before) as made:
        yield made


async def starve(stile: Turnstile, folder: Path, run: FaultRun, *, seconds: float, without: str = "") -> dict[str, int]:
    """500 clients on a pool of 5 before a database that is slow to answer; what broke."""
    dsn, dice = stile.services.settings.admin_dsn(), run.rng
    async with (
        fault_proxy(dsn) as proxy,
        own_process("web", dsn=proxy.leads(dsn), var_dir=folder, extra=POOL, without=without) as web,
    ):
        proxy.delay = SLOW_SECONDS
        proxy.become(Fault.SLOW)
        few = await flood(stile, web.port, clients=8, seconds=seconds / 2, dice=dice)
        many = await flood(stile, web.port, clients=500, seconds=seconds, dice=dice, each=12)
        proxy.become(Fault.NONE)
        after = await first_arrival(stile, web.port)
    share = many.rate / few.rate
    broken = dict(+(few.wrong + many.wrong)) | await stile.broken(stile.services.settings, few.arrived + many.arrived)
    if share < KEPT_SHARE:
        broken["the rate collapsed"] = 1
    if after > RECOVERED_SECONDS:
        broken["it did not recover"] = 1
    run.report(
        clients=500,
        pool=5,
        arrivals=len(many.arrived),
        turned_away=many.statuses[503],
        longest=many.longest,
        health=many.health,
        ready=many.ready,
        share_of_rate=share,
        recovered_after=after,
        broken=sum(broken.values()),
    )
    return broken


async def first_arrival(stile: Turnstile, port: int) -> float:
    """How long a new guest waits until they are in."""
    began = time.monotonic()
    comer = (await stile.comers(1))[0]
    wire, sent = Wire(port), stile.arrival(comer)
    while (await wire.ask(sent)).status != 201 and time.monotonic() - began < 20:
        await asyncio.sleep(0.05)
    wire.close()
    return time.monotonic() - began


@pytest.mark.long_only
@pytest.mark.fault("C7")
async def test_five_hundred_clients_on_a_pool_of_five(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    assert await starve(stile, tmp_path, run, seconds=run.size(quick=5, long=40)) == {}


@pytest.mark.long_only
@pytest.mark.control("C7")
async def test_a_queue_without_an_end_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{wait_for_ever.__module__}:{wait_for_ever.__name__}"
    found = await starve(stile, tmp_path, run, seconds=run.size(quick=5, long=15), without=without)
    must_fail([what for what in found if "hung" in what or "too late" in what])


@pytest.mark.fault("C7")
async def test_a_server_without_a_free_connection(stile: Turnstile, web: Own, run: FaultRun) -> None:
    """The database takes no more connections than a fresh process holds: the work goes on over those."""
    settings = stile.services.settings
    name = settings.admin_dsn().rsplit("/", 1)[1]
    await administer(settings, f'alter database "{name}" connection limit 1')
    try:
        slack, seconds = 1.0 if run.long else SLACK, run.size(quick=2, long=20)
        seen = await flood(stile, web.port, clients=40, seconds=seconds, dice=run.rng, slack=slack)
    finally:
        await administer(settings, f'alter database "{name}" connection limit -1')
    after = await first_arrival(stile, web.port)
    broken = dict(+seen.wrong) | await stile.broken(settings, seen.arrived)
    run.report(
        clients=40,
        arrivals=len(seen.arrived),
        turned_away=seen.statuses[503],
        longest=seen.longest,
        recovered_after=after,
    )
    assert broken == {}
    assert seen.arrived, "the connections that were there went on working"
    assert after < (RECOVERED_SECONDS if run.long else UNHURRIED)


async def end_sessions(stile: Turnstile, web: Own) -> None:
    """The database ends every session that the process has open, as an administrator may."""
    ports = [each.laddr.port for each in psutil.Process(web.process.pid).net_connections("tcp") if each.raddr]
    ended = await administer(
        stile.services.settings,
        "select pg_terminate_backend(a.pid, 5000) from pg_stat_activity a where a.client_port = any($1::int[])",
        ports,
    )
    assert ended, "the process had no session to lose"


async def crowd_out(stile: Turnstile, web: Own, run: FaultRun) -> tuple[Flooded, int, int]:
    """Idle and half-spoken connections, more than the process may open: a kept one still works, new ones do afterwards.

    The database ends the sessions that the process had, and yet more callers take what that set free: the work needs descriptors
    anew while everybody is there.
    """
    kept, guests = [Wire(web.port) for _ in range(KEPT)], await stile.comers(40)
    for wire in kept:
        assert (await wire.ask(request("GET", "/health"))).status == 200
    idle = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(IDLE - AFTERWARDS)]
    for _, writer in idle[::2]:
        writer.write(b"GET /health HTTP/1.1\r\nHost: slow\r\n")
    await asyncio.sleep(0.3)
    await end_sessions(stile, web)
    idle += [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(AFTERWARDS)]
    await asyncio.sleep(0.3)
    seen = Flooded()

    async def arrive(wire: Wire, comers: Sequence[Comer]) -> None:
        for comer in comers:
            try:
                answer = await wire.ask(stile.arrival(comer), patience=10 if run.long else 40)
            except (OSError, TimeoutError):
                seen.wrong["a kept connection was not served"] += 1
                return
            seen.statuses[answer.status] += 1
            seen.wrong[f"answered {answer.status} {answer.body[:150]!r}"] += answer.status != 201

    await asyncio.gather(*(arrive(wire, guests[at::KEPT]) for at, wire in enumerate(kept)))
    refused = web.said("unexpected error")
    for _, writer in idle:
        writer.close()
    after = await first_arrival(stile, web.port)
    seen.wrong["no new connection afterwards"] += after > (RECOVERED_SECONDS if run.long else UNHURRIED)
    seen.wrong = +seen.wrong
    return seen, refused, len(idle)


@pytest.mark.fault("C7")
@pytest.mark.skipif(
    shutil.which("prlimit") is None, reason="apt-get install util-linux: prlimit bounds the descriptors"
)
async def test_more_connections_than_descriptors(stile: Turnstile, web: Own, run: FaultRun) -> None:
    seen, refused, idle = await crowd_out(stile, web, run)
    run.report(idle=idle, descriptors=DESCRIPTORS, served=seen.statuses[201], broken=sum(seen.wrong.values()))
    assert dict(seen.wrong) == {}
    assert refused == 0


@pytest.mark.control("C7")
@pytest.mark.skipif(
    shutil.which("prlimit") is None, reason="apt-get install util-linux: prlimit bounds the descriptors"
)
async def test_a_process_that_takes_every_caller_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{take_every_caller.__module__}:{take_every_caller.__name__}"
    dsn = stile.services.settings.admin_dsn()
    async with own_process("web", dsn=dsn, var_dir=tmp_path, extra=POOL, before=LIMITED, without=without) as web:
        seen, refused, idle = await crowd_out(stile, web, run)
    run.report(idle=idle, descriptors=DESCRIPTORS, served=seen.statuses[201], broken=sum(seen.wrong.values()))
    must_fail(dict(seen.wrong) or refused)
