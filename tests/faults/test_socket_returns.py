"""Sockets that come and go: nothing stays behind, and who comes back has missed nothing and hears nothing twice."""

import asyncio
import contextlib
import dataclasses
import gc
import json
import random
import socket
from collections.abc import AsyncGenerator

import aiohttp
import psutil
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId
from lastlight.runtime.realtime import hub as hub_module
from lastlight.runtime.realtime import server as server_module
from lastlight.runtime.realtime import watch
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.socket_faults import (
    HANDSHAKE,
    FaultProxy,
    crowd,
    fault_proxy,
    left_over,
    raw_socket,
    reset,
    stuck_socket,
    unbounded_session,
)
from tests.support.sockets import Site, serving, sign_in, until
from tests.support.streams import new_tenant, open_services, relaying, ring, settled

pytestmark = pytest.mark.database
BELLS = "bells.hear"


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=100_000)
    async with open_services(roomy) as opened:
        yield opened


@pytest_asyncio.fixture
async def site(services: Services) -> AsyncGenerator[Site]:
    async with serving(services) as running:
        yield running


async def tokens(services: Services, tenant: TenantId, count: int) -> list[str]:
    """A token each of so many people who hear the bells."""
    return [(await sign_in(services, tenant, [BELLS])).token(services) for _ in range(count)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings that find a dead connection within two seconds; in production it takes 45."""
    monkeypatch.setattr(server_module, "PING_SECONDS", 1)
    monkeypatch.setattr(server_module, "PING_TIMEOUT_SECONDS", 1)


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that looks often, and gives strangers less time."""
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(watch, "SIGN_IN_SECONDS", 1.0)


async def leaked(services: Services, site: Site, run: FaultRun, *, patience: float) -> list[str]:
    """Connect and leave in every way, many times; what the server still keeps afterwards."""
    tenant = await new_tenant(services)
    people = await tokens(services, tenant, 10)
    count = run.size(quick=150, long=6_000)
    broken: list[str] = []
    async with unbounded_session() as session:
        await come_and_go(session, site, people, 30, run.rng)
        with contextlib.suppress(AssertionError):
            await until(lambda: not any(left_over(site.realtime).values()), seconds=patience)
        gc.collect()
        process = psutil.Process()
        before = process.num_fds(), len(asyncio.all_tasks()), process.memory_info().rss
        await come_and_go(session, site, people, count, run.rng)
        with contextlib.suppress(AssertionError):
            await until(lambda: not any(left_over(site.realtime).values()), seconds=patience)
        await session.close()
        with contextlib.suppress(AssertionError):
            await until(
                lambda: process.num_fds() <= before[0] and len(asyncio.all_tasks()) <= before[1], seconds=patience
            )
        gc.collect()
        after = process.num_fds(), len(asyncio.all_tasks()), process.memory_info().rss
    kept = {name: n for name, n in left_over(site.realtime).items() if n}
    grown = (after[2] - before[2]) / 2**20
    if kept:
        broken.append(f"kept after everybody left: {kept}")
    if after[0] > before[0] + 2:
        broken.append(f"{after[0] - before[0]} files are open still")
    if after[1] > before[1] + 2:
        broken.append(f"{after[1] - before[1]} tasks run still")
    if grown > 30 + count * 0.004:
        broken.append(f"{grown:.0f} MB more")
    run.report(connections=count, fds=after[0] - before[0], tasks=after[1] - before[1], grown_mb=grown)
    return broken


async def come_and_go(
    session: aiohttp.ClientSession, site: Site, people: list[str], count: int, rng: random.Random
) -> None:
    """So many connections, ten at a time."""
    for _ in range(0, count, 10):
        await asyncio.gather(*(one_visit(session, site, token, rng.randrange(6)) for token in people))


async def one_visit(session: aiohttp.ClientSession, site: Site, token: str, way: int) -> None:
    """Connect, and leave in one of the ways there are."""
    hello = f"40{json.dumps({'token': token})}"
    if way == 0:
        with contextlib.suppress(aiohttp.ClientConnectionResetError):  # who is too slow has been sent away meanwhile
            async with raw_socket(session, site, token) as one:
                await one.ask("authenticate", {"token": token})
        return None
    if way == 1:
        return await stuck_poller_that_leaves(session, site, hello)
    if way == 5:
        return reset(await stuck_socket(site, token))
    async with session.ws_connect(f"{site.url}{HANDSHAKE}websocket") as ws:
        await ws.receive()
        if way == 2:
            return None  # it never signs in
        with contextlib.suppress(aiohttp.ClientConnectionResetError):
            await ws.send_str(hello)
            if way == 3:
                await ws.send_str(f'421["authenticate",{json.dumps({"token": token})}]')
            if way == 4:
                await ws.receive()
                await ws.send_str("41")
    return None


async def stuck_poller_that_leaves(session: aiohttp.ClientSession, site: Site, hello: str) -> None:
    """A client that polls, signs in and says goodbye."""
    async with session.get(f"{site.url}{HANDSHAKE}polling") as answer:
        sid = json.loads((await answer.text())[1:])["sid"]
    for text in (hello, "41", "1"):
        async with session.post(f"{site.url}{HANDSHAKE}polling&sid={sid}", data=text) as answer:
            await answer.read()


@pytest.mark.fault("R1")
@pytest.mark.usefixtures("impatient", "brisk")
async def test_who_left_leaves_nothing_behind(services: Services, site: Site, run: FaultRun) -> None:
    assert await leaked(services, site, run, patience=30) == []


@pytest.mark.control("R1")
@pytest.mark.usefixtures("impatient", "brisk")
async def test_seats_that_are_never_given_up_are_found(
    services: Services, site: Site, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, rng = hub_module.Hub.dismiss, run.rng

    def forgetful(hub: hub_module.Hub, sid: str) -> None:
        if rng.random() < 0.9:
            real(hub, sid)

    monkeypatch.setattr(hub_module.Hub, "dismiss", forgetful)
    must_fail(await leaked(services, site, run, patience=30 if run.long else 5))


# --- coming back --------------------------------------------------------------------------------------------------


class Restarts:
    """A web process and a relay that end and begin again; the port is the same."""

    def __init__(self, services: Services) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.services = services
        self.stack = contextlib.AsyncExitStack()
        self.relay = contextlib.AsyncExitStack()
        self.counts = {"web_restarts": 0, "relay_restarts": 0}

    async def web(self) -> None:
        """Begin the web process, or end it and begin another."""
        await self.stack.aclose()
        listener = socket.create_server(("127.0.0.1", self.port))
        await self.stack.enter_async_context(serving(self.services, listener=listener))
        self.counts["web_restarts"] += 1

    async def relaying(self) -> None:
        """Begin the relay, or end it and begin another."""
        await self.relay.aclose()
        await self.relay.enter_async_context(relaying(self.services))
        self.counts["relay_restarts"] += 1

    async def close(self) -> None:
        """End both."""
        await self.stack.aclose()
        await self.relay.aclose()


async def missed(services: Services, run: FaultRun, *, remember: bool, patience: float) -> list[str]:
    """Ring bells while connections are cut, frozen and delayed and processes restart; what each client heard of it."""
    tenant = await new_tenant(services)
    count, events, troubles = run.size(quick=6, long=40), run.size(quick=400, long=12_000), run.size(quick=8, long=120)
    place = Restarts(services)
    await place.relaying()
    await place.web()
    ask = await tokens(services, tenant, count)
    async with fault_proxy(place.port, run.rng) as proxy, crowd(proxy.port, ask, remember=remember) as clients:
        emitted = 0
        for trouble in range(troubles):
            for _ in range(events // troubles // 10):
                await ring(services, tenant, *range(10))
                emitted += 10
            await harm(proxy, place, run.rng, trouble)
        proxy.delay = 0
        await settled(services, tenant, emitted, seconds=120)
        heard = await clients.heard(emitted, seconds=patience)
    await place.close()
    wanted = [*range(1, emitted + 1)]
    broken: list[str] = []
    for number, one in enumerate(heard):
        if one["seqs"] != wanted:
            lost, twice = {*wanted} - {*one["seqs"]}, len(one["seqs"]) - len({*one["seqs"]})
            broken.append(
                f"client {number}: {len(lost)} missed, {twice} twice, in order: {one['seqs'] == sorted(one['seqs'])}"
            )
    connects = sum(one["connects"] for one in heard)
    run.report(clients=count, events=emitted, connects=connects, **place.counts, **proxy.counts, broken=len(broken))
    return broken


async def harm(proxy: FaultProxy, place: Restarts, rng: random.Random, number: int) -> None:
    """One trouble after another, each several times in a run."""
    kind = number % 4
    proxy.delay = rng.choice((0, 0, 0.02))
    if kind == 0:
        proxy.cut(rng.random())
    elif kind == 1:
        proxy.freeze(0.3)
    elif kind == 2:
        await place.web()
    else:
        await place.relaying()
    await asyncio.sleep(rng.random() * 0.2)


@pytest.mark.fault("R1")
@pytest.mark.usefixtures("impatient")
async def test_who_comes_back_has_missed_nothing(services: Services, run: FaultRun) -> None:
    assert await missed(services, run, remember=True, patience=60) == []


@pytest.mark.control("R1")
@pytest.mark.usefixtures("impatient")
async def test_a_client_without_its_cursor_has(services: Services, run: FaultRun) -> None:
    must_fail(await missed(services, run, remember=False, patience=60 if run.long else 8))
