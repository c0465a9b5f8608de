"""Two web processes that share a port: whichever a client's next call lands on, both transports work, and each hears everything."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId
from lastlight.runtime.realtime.neighbours import Neighbours
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.programs import unused_port
from tests.support.sockets import Site, connected, listening, node_client, serving, sign_in, until
from tests.support.streams import new_tenant, open_services, relaying, ring

pytestmark = pytest.mark.database
BELLS = "bells.hear"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes' sockets and the port in front of both."""

    services: Services
    first: Site
    second: Site
    front: Site


@contextlib.asynccontextmanager
async def pair(settings: Settings, *, know_each_other: bool = True) -> AsyncGenerator[Pair]:
    """Both processes behind a port that gives each call to the other than the last."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = tuple(int(listener.getsockname()[1]) for listener in listeners)
    about = [Neighbours(n, ports) if know_each_other else Neighbours() for n in (1, 2)]
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_services(settings)) for _ in range(2)]
        await stack.enter_async_context(relaying(opened[0]))
        sites = [
            await stack.enter_async_context(serving(one, listener=listener, neighbours=known))
            for one, listener, known in zip(opened, listeners, about, strict=True)
        ]
        turns = itertools.cycle([site.realtime.asgi_app(None) for site in sites])

        async def in_turns(scope: Any, receive: Any, send: Any) -> None:
            await next(turns)(scope, receive, send)

        port = await stack.enter_async_context(listening(opened[0], in_turns))
        yield Pair(opened[0], sites[0], sites[1], Site(f"http://127.0.0.1:{port}", port, sites[0].realtime))


@pytest_asyncio.fixture
async def both(database_settings: Settings) -> AsyncGenerator[Pair]:
    async with pair(database_settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def tenant(both: Pair) -> TenantId:
    return await new_tenant(both.services)


async def test_a_polling_client_is_served_by_the_process_that_holds_its_socket(both: Pair, tenant: TenantId) -> None:
    token = (await sign_in(both.services, tenant, [BELLS])).token(both.services)
    async with (
        connected(both.front, token, transports=["polling"]) as one,
        connected(both.front, token, transports=["polling"]) as other,
    ):
        for number in range(40):
            await ring(both.services, tenant, number)
        for client in (one, other):
            await until(lambda client=client: len(client.numbers()) >= 40)
            assert client.numbers() == list(range(40))
        answer = await one.io.call("catch_up", {"after": 37}, timeout=30)
        assert [event["seq"] for event in answer["events"]] == [38, 39, 40]
        seats = [*both.first.realtime.hub.seats.values(), *both.second.realtime.hub.seats.values()]
        assert {seat.eio_sid[:2] for seat in seats} <= {"1.", "2."}
        assert len(seats) == 2


async def test_the_npm_client_with_its_own_defaults_hears_everything(both: Pair, tenant: TenantId) -> None:
    """Polling first, then an upgrade, which holds where it lands on the right process and else leaves it polling."""
    token = (await sign_in(both.services, tenant, [BELLS])).token(both.services)
    async with (
        node_client(both.front, auth={"token": token}) as one,
        node_client(both.front, auth={"token": token}) as other,
        node_client(both.front, auth={"token": token}, transports=["websocket"]) as third,
    ):
        clients = (one, other, third)
        await until(lambda: all(client.said("system.hello") for client in clients))
        for number in range(40):
            await ring(both.services, tenant, number)
        await until(lambda: all(len(client.said("bell.rang")) >= 40 for client in clients))
    for client in clients:
        assert [event["seq"] for event in client.said("bell.rang")] == list(range(1, 41))
        assert client.said("disconnect") == []


async def test_without_knowing_each_other_polling_fails(database_settings: Settings) -> None:
    """The control: it is the handing over that makes the tests above pass."""
    async with pair(database_settings, know_each_other=False) as strangers:
        tenant = await new_tenant(strangers.services)
        token = (await sign_in(strangers.services, tenant, [BELLS])).token(strangers.services)
        async with node_client(strangers.front, auth={"token": token}, transports=["polling"]) as client:
            await until(lambda: len(client.said("connect_error")) >= 2)
            assert client.said("system.hello") == []


FOREIGN = ("2.nobody", "2.", "3.x", "99999.x", "x.y", ".", "1.unknown", "%32.x")


@pytest.mark.parametrize("sid", FOREIGN)
async def test_a_made_up_id_is_refused_wherever_it_points(both: Pair, sid: str) -> None:
    address = f"{both.first.url}/realtime/?EIO=4&transport=polling&sid={sid}"
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as answer:
            assert answer.status == 400
        async with session.post(address, data=b"x" * 200_000) as answer:
            assert answer.status == 400
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(address.replace("polling", "websocket"))


async def test_a_call_is_handed_to_the_sockets_only(both: Pair) -> None:
    """A path with two dots in it would reach any address of the neighbour's, as a call from this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", both.first.port)
    writer.write(
        b"GET /realtime/../metrics?EIO=4&transport=polling&sid=2.nobody HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:100]
    assert b"Invalid session" in answer, "the neighbour's sockets answered"


async def test_half_a_call_is_handed_to_nobody(database_settings: Settings) -> None:
    """Its sender is gone, and what came of it may well mean something else. A whole one after it shows that calls are handed over."""
    heard: list[bytes] = []

    async def neighbour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        heard.append(await reader.read(5))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    async def say(port: int, body: bytes, length: int) -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST /realtime/?EIO=4&transport=polling&sid=2.x HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        return writer

    listener = await asyncio.start_server(neighbour, "127.0.0.1", 0)
    port = int(listener.sockets[0].getsockname()[1])
    async with (
        listener,
        open_services(database_settings) as services,
        serving(services, neighbours=Neighbours(1, (port, port))) as site,
    ):
        broken_off = await say(site.port, b"4half", 50)
        broken_off.close()
        await broken_off.wait_closed()
        await asyncio.sleep(0.3)
        whole = await say(site.port, b"4full", 5)
        await until(lambda: len(heard) > 0)
        whole.close()
    assert heard == [b"4full"]


async def test_a_neighbour_that_is_away_is_said_to_be(database_settings: Settings) -> None:
    away = unused_port()
    async with (
        open_services(database_settings) as services,
        serving(services, neighbours=Neighbours(1, (away, away))) as site,
        aiohttp.ClientSession() as session,
        session.get(f"{site.url}/realtime/?EIO=4&transport=polling&sid=2.x") as answer,
    ):
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_process_that_ends_lets_go_of_calls_that_wait_for_a_neighbour(
    both: Pair, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await sign_in(both.services, tenant, [BELLS])).token(both.services)
    asked: list[Any] = []
    ask = Neighbours._ask  # pyright: ignore[reportPrivateUsage] the call that it waits for

    async def noted(self: Neighbours, *given: Any) -> Any:
        asked.append(given)
        return await ask(self, *given)

    monkeypatch.setattr(Neighbours, "_ask", noted)
    async with connected(both.second, token, transports=["polling"]), aiohttp.ClientSession() as session:
        (seat,) = both.second.realtime.hub.seats.values()
        address = f"{both.first.url}/realtime/?EIO=4&transport=polling&sid={seat.eio_sid}"
        waiting = asyncio.create_task(session.get(address))
        await until(lambda: bool(asked))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await both.first.realtime.drain()
        assert (await waiting).status == 503


def test_what_the_supervisor_wrote_is_read() -> None:
    env = {"LASTLIGHT_INTERNAL_PLACE": "2", "LASTLIGHT_INTERNAL_NEIGHBOURS": "41001,41002"}
    assert Neighbours.read(env) == Neighbours(2, (41001, 41002))
    assert Neighbours.read({}) == Neighbours(0, ())
    assert Neighbours(2, (41001, 41002)).owner_of(b"EIO=4&sid=1.abc") == 41001
    assert Neighbours(2, (41001, 41002)).owner_of(b"EIO=4&sid=2.abc") is None
