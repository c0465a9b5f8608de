"""Sockets under attack and on bad networks: closed in time, silent to strangers, bounded, and without a gap when they come back."""

import asyncio
import contextlib
import dataclasses
import json
import random
import time
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId
from lastlight.runtime.realtime import hub as hub_module
from lastlight.runtime.realtime import server as server_module
from lastlight.runtime.realtime import watch, wire
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.frames import text_frame
from tests.support.socket_faults import (
    HANDSHAKE,
    raw_socket,
    stuck_socket,
    unbounded_session,
)
from tests.support.sockets import Site, serving, sign_in, until
from tests.support.streams import new_tenant, open_services, relaying, ring, settled

pytestmark = pytest.mark.database
BELLS = "bells.hear"
LARGE = "x" * 20_000
UNHURRIED = 30.0
"""The quick share shares its machine with other tests: there it says little how soon something is closed."""


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=100_000)
    async with open_services(roomy) as opened, relaying(opened):
        yield opened


@pytest_asyncio.fixture
async def site(services: Services) -> AsyncGenerator[Site]:
    async with serving(services) as running:
        yield running


async def tokens(services: Services, tenant: TenantId, count: int, *, seconds: int = 900) -> list[str]:
    """A token each of so many people who hear the bells."""
    return [(await sign_in(services, tenant, [BELLS])).token(services, seconds=seconds) for _ in range(count)]


# --- tokens that end ----------------------------------------------------------------------------------------------


async def outlived(services: Services, site: Site, run: FaultRun, *, patience: float) -> list[str]:
    """Sockets that still hear something so long after their token ended; how late the others were closed."""
    tenant = await new_tenant(services)
    count = run.size(quick=12, long=300)
    broken: list[str] = []
    async with unbounded_session() as session, contextlib.AsyncExitStack() as stack:
        issued = time.time()
        sockets = [
            await stack.enter_async_context(raw_socket(session, site, token))
            for token in await tokens(services, tenant, count, seconds=600)
        ]
        ends: dict[str, float] = {}
        for seat in site.realtime.hub.seats.values():
            assert seat.expires_at is not None
            assert abs(seat.expires_at - issued - 600) < 60, "a socket ends with its token"
            seat.expires_at = time.time() + run.rng.random()
            ends[seat.sid] = seat.expires_at
        last = max(ends.values())
        while time.time() < last + patience and not all(one.ended.is_set() for one in sockets):
            await asyncio.sleep(0.05)
        late = max(0.0, time.time() - last)
        await ring(services, tenant, 1)
        await settled(services, tenant, 1)
        await asyncio.sleep(0.2)
        for one in sockets:
            if not one.ended.is_set() or one.numbers():
                broken.append("a socket outlived its token")
            elif not one.said("system.goodbye"):
                broken.append("a socket was closed without a word")
        run.report(sockets=count, closed_within_s=round(late, 1), outlived=len(broken))
    return broken


@pytest.mark.fault("R1")
async def test_a_socket_ends_with_its_token(services: Services, site: Site, run: FaultRun) -> None:
    assert await outlived(services, site, run, patience=5 if run.long else UNHURRIED) == []


@pytest.mark.control("R1")
async def test_a_socket_that_nobody_watches_is_found(
    services: Services, site: Site, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(_services: Services, _hub: hub_module.Hub) -> None:
        return

    monkeypatch.setattr(watch, "look", blind)
    must_fail(await outlived(services, site, run, patience=5))


# --- clients that do not read -------------------------------------------------------------------------------------


async def stuck_poller(session: aiohttp.ClientSession, site: Site, token: str) -> None:
    """A client that signs in by polling and never asks for anything again."""
    async with session.get(f"{site.url}{HANDSHAKE}polling") as answer:
        sid = json.loads((await answer.text())[1:])["sid"]
    async with session.post(
        f"{site.url}{HANDSHAKE}polling&sid={sid}", data=f"40{json.dumps({'token': token})}"
    ) as answer:
        assert answer.status == 200


async def slowed(services: Services, site: Site, run: FaultRun) -> list[str]:
    """Send to readers and to clients that never read; what was kept for the latter, and what the former missed."""
    tenant = await new_tenant(services)
    stuck, readers, events = run.size(quick=6, long=60), run.size(quick=2, long=10), run.size(quick=450, long=3_000)
    hub, engine = site.realtime.hub, site.realtime.server
    broken: list[str] = []
    async with unbounded_session() as session, contextlib.AsyncExitStack() as stack:
        for number, token in enumerate(await tokens(services, tenant, stuck)):
            if number % 2:
                await stuck_poller(session, site, token)
            else:
                stack.callback((await stuck_socket(site, token)).close)
        await until(lambda: len(hub.seats) == stuck and all(seat.rooms for seat in hub.seats.values()))
        slow = list(hub.seats.values())
        sockets = [
            await stack.enter_async_context(raw_socket(session, site, token))
            for token in await tokens(services, tenant, readers)
        ]
        rooms, longest, worst = list(slow[0].rooms), 0, 0.0
        before = psutil.Process().memory_info().rss
        for number in range(1, events + 1):
            began = time.perf_counter()
            hub.deliver(rooms, number, wire.Message("bell.rang", _body(number)))
            kept = [engine.socket(seat.eio_sid) for seat in slow]
            longest = max(longest, *(0 if one is None else one.queue.qsize() for one in kept))
            if number % 10 == 0:
                await until(lambda number=number: all(len(one.heard) > number for one in sockets))
                worst = max(worst, time.perf_counter() - began)
        await until(lambda: all(len(one.numbers()) >= events for one in sockets))
        grown = (psutil.Process().memory_info().rss - before) / 2**20
        if longest > 256:
            broken.append(f"{longest} packets were kept for one client that does not read")
        broken += ["a client that does not read was not dropped" for seat in slow if not seat.gone]
        broken += ["a reader missed something" for one in sockets if one.numbers() != [*range(1, events + 1)]]
        run.report(stuck=stuck, readers=readers, events=events, longest_queue=longest, grown_mb=grown, worst_s=worst)
    return broken


def _body(number: int) -> bytes:
    return f'{{"seq":{number},"name":"bell.rang","data":{{"number":{number},"padding":"{LARGE}"}}}}'.encode()


@pytest.mark.fault("R1")
async def test_who_does_not_read_is_dropped_and_delays_nobody(services: Services, site: Site, run: FaultRun) -> None:
    assert await slowed(services, site, run) == []


@pytest.mark.control("R1")
async def test_a_queue_without_an_end_is_found(
    services: Services, site: Site, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LONGEST_QUEUE", 10**9)
    must_fail(await slowed(services, site, run))


# --- floods -------------------------------------------------------------------------------------------------------


async def shout(ws: aiohttp.ClientWebSocketResponse, text: str, most: int) -> int:
    """Send as fast as it goes until the server hangs up; how many went out."""
    sent = 0
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        while sent < most and not ws.closed:
            await ws.send_str(text)
            sent += 1
            await asyncio.sleep(0)
    return sent


async def flooded(
    services: Services, site: Site, run: FaultRun, monkeypatch: pytest.MonkeyPatch, *, patience: float
) -> list[str]:
    """Shout frames and messages, and open a crowd of sockets at once; what the server took of it."""
    tenant = await new_tenant(services)
    most = run.size(quick=400, long=5_000)
    taken, last = {"messages": 0}, time.monotonic()
    answer = site.realtime._answer  # pyright: ignore[reportPrivateUsage] counted, not changed

    async def counted(*given: Any) -> Any:
        nonlocal last
        taken["messages"] += 1
        last = time.monotonic()
        return await answer(*given)

    monkeypatch.setattr(site.realtime, "_answer", counted)
    broken: list[str] = []
    shouted = 0
    calm_token, *loud = await tokens(services, tenant, 1 + run.size(quick=4, long=40))
    async with unbounded_session() as session, raw_socket(session, site, calm_token) as calm:
        for number, token in enumerate(loud):
            text = ("3", '42["catch_up",{"after":0}]', '42["join","*"]', "6")[number % 4]
            before, began = taken["messages"], time.monotonic()
            async with raw_socket(session, site, token) as one:
                shouted += await shout(one.ws, text, most)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(one.ended.wait(), patience)
                heard = taken["messages"] - before
                allowed = wire.MESSAGES_AT_ONCE + wire.MESSAGES_A_SECOND * (last - began)
                slowly = 100 < heard <= allowed  # a machine that answers no faster than anybody may ask cuts nobody off
                if not one.ended.is_set() and not slowly:
                    broken.append(f"{most} × {text} were listened to")
            if taken["messages"] - before > max(100, allowed):
                broken.append(f"{taken['messages'] - before} messages of one flood were answered")
        held = await crowd_in(session, site, loud[0], run.size(quick=60, long=400))
        if held > server_module.SOCKETS_A_SESSION:
            broken.append(f"one sign-in held {held} sockets")
        await ring(services, tenant, 1)
        await until(lambda: calm.numbers() == [1])
    run.report(floods=len(loud), shouted=shouted, answered=taken["messages"], sockets_of_one=held)
    return broken


async def crowd_in(session: aiohttp.ClientSession, site: Site, token: str, count: int) -> int:
    """Open many sockets of one sign-in at the same moment; how many sat at once."""
    most = 0
    async with contextlib.AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(session.ws_connect(f"{site.url}{HANDSHAKE}websocket")) for _ in range(count)
        ]
        for ws in opened:
            await ws.receive_str()
        await asyncio.gather(*(ws.send_str(f"40{json.dumps({'token': token})}") for ws in opened))
        for ws in opened:
            await ws.receive()
        most = len(site.realtime.hub.seats) - 1
    await until(lambda: len(site.realtime.hub.seats) == 1)
    return most


@pytest.mark.fault("R1")
async def test_a_flood_is_cut_off(
    services: Services, site: Site, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await flooded(services, site, run, monkeypatch, patience=5 if run.long else UNHURRIED) == []


@pytest.mark.control("R1")
async def test_a_flood_that_nobody_counts_is_found(
    services: Services, site: Site, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(_self: wire.Allowance) -> bool:
        return True

    monkeypatch.setattr(wire.Allowance, "take", always)
    must_fail(await flooded(services, site, run, monkeypatch, patience=2))


# --- frames that are none -----------------------------------------------------------------------------------------


def nonsense(rng: random.Random) -> bytes:
    """Something that a hostile client writes on an open WebSocket: lengths that lie, fragments without end, rubbish."""
    kind = rng.randrange(6)
    if kind == 0:
        return b"\x81\xff" + (2 ** rng.randrange(20, 62)).to_bytes(8, "big") + bytes(4) + bytes(65_536)
    if kind == 1:
        part = b"\x01\xfe" + (60_000).to_bytes(2, "big") + bytes(4) + b"4" * 60_000
        rest = b"\x00\xfe" + (60_000).to_bytes(2, "big") + bytes(4) + b"4" * 60_000
        return part + rest * 20
    if kind == 2:
        return rng.randbytes(rng.randrange(1, 5_000))
    if kind == 3:
        return text_frame("42" + "[" * rng.randrange(1, 15_000))
    if kind == 4:
        return b"\x82\xfe" + (20_000).to_bytes(2, "big") + bytes(4) + rng.randbytes(20_000)
    return text_frame(
        f"42{rng.randrange(10**6)}[" + json.dumps("catch_up") + "," + "9" * rng.randrange(1, 15_000) + "]"
    )


async def hostile(services: Services, site: Site, run: FaultRun, log: pytest.LogCaptureFixture) -> list[str]:
    """Write nonsense on many sockets; those that the server still listens to, errors in its log, memory."""
    tenant = await new_tenant(services)
    count = run.size(quick=30, long=3_000)
    rng, loop = run.rng, asyncio.get_running_loop()
    calm_token, hostile_token = await tokens(services, tenant, 2)
    broken: list[str] = []
    async with unbounded_session() as session, raw_socket(session, site, calm_token) as calm:
        before = psutil.Process().memory_info().rss
        for _ in range(count):
            plain = await stuck_socket(site, hostile_token)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(loop.sock_sendall(plain, nonsense(rng)), 10)
            plain.close()
        await until(lambda: len(site.realtime.hub.seats) == 1)
        grown = (psutil.Process().memory_info().rss - before) / 2**20
        await ring(services, tenant, 1)
        await until(lambda: calm.numbers() == [1])
    broken += [f"logged as an error: {record.getMessage()[:200]}" for record in log.records if record.levelno >= 40]
    if grown > 100:
        broken.append(f"{grown:.0f} MB were kept")
    run.report(hostile=count, grown_mb=grown, errors=len(broken))
    return broken


@pytest.mark.fault("R1")
async def test_nonsense_harms_nobody(
    services: Services, site: Site, run: FaultRun, caplog: pytest.LogCaptureFixture
) -> None:
    assert await hostile(services, site, run, caplog) == []
