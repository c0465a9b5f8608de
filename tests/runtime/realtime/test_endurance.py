"""Sockets under pressure: sessions that end, clients that do not read, clients that talk too much."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from yarl import URL

from lastlight.kernel.ids import TenantId, VenueId, uuid7
from lastlight.runtime.db import bounded
from lastlight.runtime.db.queue import Queue
from lastlight.runtime.limits import Policy
from lastlight.runtime.realtime import entrance, watch, wire
from lastlight.runtime.realtime import hub as hub_module
from lastlight.runtime.realtime import server as server_module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.sockets import Site, connected, node_client, refused, serving, sign_in, until
from tests.support.streams import kill_backend, new_tenant, open_services, relaying, ring, settled

pytestmark = pytest.mark.database

BELLS = "bells.hear"
END_SESSION = "update sessions set revoked_at = now(), version = version + 1 where id = $1"


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with open_services(database_settings) as opened, relaying(opened):
        yield opened


@pytest_asyncio.fixture
async def site(services: Services) -> AsyncGenerator[Site]:
    async with serving(services) as running:
        yield running


@pytest_asyncio.fixture
async def tenant(services: Services) -> TenantId:
    return await new_tenant(services)


ENDINGS = {
    "session-ended": END_SESSION,
    "account-suspended": "update users set status = 'suspended' where id = (select user_id from sessions where id = $1)",
    "membership-ended": (
        "with s as (update sessions set version = version + 1 where id = $1 returning user_id) "
        "update memberships set status = 'ended' where user_id = (select user_id from s)"
    ),
    "tenant-suspended": "update tenants set status = 'suspended' where id = (select tenant_id from sessions where id = $1)",
}


@pytest.mark.parametrize("why", ENDINGS)
async def test_whoever_may_not_go_on_is_told_and_closed_within_five_seconds(
    services: Services, site: Site, tenant: TenantId, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U3. Counted in looks, because a busy machine stretches seconds: the next look, at most one later, closes it."""
    assert watch.EVERY_SECONDS * 2 < 5
    looks = count_looks(monkeypatch)
    person = await sign_in(services, tenant, [BELLS])
    bystander = await sign_in(services, await new_tenant(services), [BELLS])
    async with connected(site, person.token(services)) as client, connected(site, bystander.token(services)) as other:
        await services.pools.system.execute(ENDINGS[why], person.session_id)
        before = len(looks)
        await until(client.ended.is_set)
        assert [here for here in looks[before + 1 :] if person.session_id in here] == []
        await ring(services, tenant, 1)
        await settled(services, tenant, 1)
        assert client.said("system.goodbye")[0]["type"].endswith(f"/{why}")
        assert client.numbers() == []
        assert not other.ended.is_set()


PROMOTION = """
with s as (update sessions set version = version + 1 where id = $1 returning user_id)
update roles set permissions = array['bells.hear']
where id = (select m.role_id from memberships m join s on s.user_id = m.user_id)
"""


async def test_a_socket_without_a_room_gets_its_own_when_its_person_is_promoted(
    services: Services, site: Site, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [])
    async with connected(site, person.token(services)) as client:
        (seat,) = site.realtime.hub.seats.values()
        assert seat.rooms == frozenset()
        await services.pools.system.execute(PROMOTION, person.session_id)
        await until(lambda: bool(seat.rooms))
        await ring(services, tenant, 1)
        await until(lambda: client.numbers() == [1])
        assert not client.ended.is_set()


async def test_a_socket_that_leaves_while_its_permissions_are_read_sits_nowhere(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    hub, reading, left = site.realtime.hub, asyncio.Event(), asyncio.Event()
    real = server_module.actor_of

    async def slowly(*given: Any) -> Any:
        actor = await real(*given)
        reading.set()
        await left.wait()
        return actor

    monkeypatch.setattr(server_module, "actor_of", slowly)
    async with connected(site, person.token(services)) as client:
        (seat,) = hub.seats.values()
        await client.io.emit("authenticate", {"token": person.token(services)})
        await until(reading.is_set)
        before = seat.actor
        hub.dismiss(seat.sid)
        left.set()
        await until(lambda: seat.actor is not before)
        await asyncio.sleep(0.1)
        assert (hub.rooms, hub.seats) == ({}, {})


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[set[UUID]]:
    """The sessions that sit here after each look of the watch."""
    looks: list[set[UUID]] = []
    real = watch.look

    async def counted(services: Services, hub: hub_module.Hub) -> None:
        await real(services, hub)
        looks.append(hub.session_ids())

    monkeypatch.setattr(watch, "look", counted)
    return looks


async def test_a_demotion_moves_the_socket_to_the_rooms_it_may_still_sit_in(
    services: Services, site: Site, tenant: TenantId
) -> None:
    here, there = VenueId(uuid7()), VenueId(uuid7())
    person = await sign_in(services, tenant, [BELLS])
    async with connected(site, person.token(services)) as client:
        await ring(services, tenant, 1, venue_id=there)
        await until(lambda: client.numbers() == [1])
        pool = services.pools.system
        await pool.execute("update memberships set venue_ids = $2 where user_id = $1", person.user_id, [here])
        await pool.execute("update sessions set version = version + 1 where id = $1", person.session_id)
        (seat,) = site.realtime.hub.seats.values()
        await until(lambda: any(str(here) in room for room in seat.rooms))
        await ring(services, tenant, 2, venue_id=there)
        await ring(services, tenant, 3, venue_id=here)
        await until(lambda: client.numbers()[-1] == 3)
        assert client.numbers() == [1, 3]
        assert not client.ended.is_set()


async def test_a_socket_ends_with_its_token_unless_it_brings_a_fresh_one(
    services: Services, site: Site, tenant: TenantId
) -> None:
    """R1: the token expires under the socket."""
    person = await sign_in(services, tenant, [BELLS])
    someone = await sign_in(services, tenant, [BELLS])
    async with (
        connected(site, person.token(services, seconds=600)) as idle,
        connected(site, person.token(services, seconds=600)) as fresh,
    ):
        ends = [seat.expires_at or 0 for seat in site.realtime.hub.seats.values()]
        assert all(500 < end - time.time() <= 600 for end in ends), "a socket ends with its token"
        for seat in site.realtime.hub.seats.values():
            seat.expires_at = time.time() + 60
        foreign = await fresh.io.call("authenticate", {"token": someone.token(services)}, timeout=30)
        answer = await fresh.io.call("authenticate", {"token": person.token(services)}, timeout=30)
        for seat in site.realtime.hub.seats.values():
            seat.expires_at = (seat.expires_at or 0) - 60
        await until(idle.ended.is_set)
        assert foreign["type"].endswith("/token-invalid")
        assert answer["expires_at"] > time.time() + 800
        assert idle.said("system.goodbye")[0]["type"].endswith("/token-expired")
        assert not fresh.ended.is_set()


async def test_the_npm_client_does_not_come_back_when_its_session_ended(
    services: Services, site: Site, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    async with node_client(site, auth={"token": person.token(services)}) as client:
        await until(lambda: bool(client.said("system.hello")))
        await services.pools.system.execute(END_SESSION, person.session_id)
        await until(lambda: bool(client.said("disconnect")))
        await asyncio.sleep(1)
        assert client.said("disconnect") == ["io server disconnect"]
        assert len(client.said("connect")) == 1


async def raw_socket(site: Site, token: str) -> Any:
    """A signed-in WebSocket with a tiny receive buffer that nobody reads."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(plain, ("127.0.0.1", site.port))
    hello = (
        "GET /realtime/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(plain, hello.encode())
    await loop.sock_recv(plain, 4096)
    await loop.sock_sendall(plain, frame(f'40{{"token":"{token}"}}'))
    return plain


def frame(text: str) -> bytes:
    """A client's text frame, masked with zeros."""
    payload = text.encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + payload


async def test_a_client_that_does_not_read_is_cut_off_and_delays_nobody(
    services: Services, site: Site, tenant: TenantId
) -> None:
    """R1: memory stays bounded, the others hear everything at once."""
    sleeper, reader = await sign_in(services, tenant, [BELLS]), await sign_in(services, tenant, [BELLS])
    stuck = await raw_socket(site, sleeper.token(services))
    await until(lambda: len(site.realtime.hub.rooms) > 0)
    slow = next(iter(site.realtime.hub.seats.values()))
    async with connected(site, reader.token(services)) as client:
        longest = 0
        padding = "x" * 20_000
        for number in range(600):
            site.realtime.hub.deliver(
                list(slow.rooms or client_rooms(site)),
                number + 1,
                wire.Message("bell.rang", message_body(number, padding)),
            )
            if not slow.gone:
                longest = max(longest, site.realtime.server.socket(slow.eio_sid).queue.qsize())
            await asyncio.sleep(0)
            if number % 20 == 0:
                await until(lambda number=number: len(client.numbers()) >= number - 20)
        await until(lambda: len(client.numbers()) == 600)
        assert client.numbers() == list(range(600))
    assert slow.gone
    assert 0 < longest <= hub_module.LONGEST_QUEUE
    await until(lambda: slow.eio_sid not in site.realtime.server.opened)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionResetError):  # or an orderly end
        while await asyncio.wait_for(loop.sock_recv(stuck, 65536), 30):
            pass
    stuck.close()


def client_rooms(site: Site) -> list[str]:
    return list(site.realtime.hub.rooms)


def message_body(number: int, padding: str) -> bytes:
    return f'{{"seq":{number},"name":"bell.rang","data":{{"number":{number},"padding":"{padding}"}}}}'.encode()


async def test_who_talks_too_much_is_cut_off(services: Services, site: Site, tenant: TenantId) -> None:
    """R1: a flood ends the flooder's socket and nobody else's."""
    loud, calm = await sign_in(services, tenant, [BELLS]), await sign_in(services, tenant, [BELLS])
    async with connected(site, loud.token(services)) as client, connected(site, calm.token(services)) as other:
        for _ in range(2_000):
            if client.ended.is_set():
                break
            await client.io.emit("catch_up", {"after": 0})
        await until(client.ended.is_set)
        await ring(services, tenant, 1)
        await until(lambda: other.numbers() == [1])
        assert client.numbers() == []


NONSENSE = {
    "too large": "42" + "[" + '"x",' * 10_000 + '"x"]',
    "too deep": "42" + "[" * 8000,
    "no packet": "hello",
    "no JSON": "42[",
    "binary attachments": '451-["x",{"_placeholder":true,"num":0}]',
    "an unknown type": "49",
    "an empty event": "42[]",
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_ends_the_connection_and_leaves_no_trace(
    services: Services, site: Site, tenant: TenantId, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{site.url}/realtime/?EIO=4&transport=websocket") as ws,
    ):
        await ws.receive_str()
        await ws.send_str(f'40{{"token":"{person.token(services)}"}}')
        await ws.receive_str()
        await ws.send_str(NONSENSE[name])
        async with asyncio.timeout(30):
            while (await ws.receive()).type not in {
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            }:
                pass
    await until(lambda: not site.realtime.hub.seats and not site.realtime.server.opened)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_connection_that_never_signs_in_is_dropped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SIGN_IN_SECONDS", 0.1)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{site.url}/realtime/?EIO=4&transport=websocket") as ws,
    ):
        await ws.receive_str()
        async with asyncio.timeout(30):
            assert (await ws.receive()).type in {
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            }


async def test_sockets_that_are_to_take_over_and_never_do_are_dropped(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody need sign in to open them: a polling client has one at a time, not for long, and goes on polling after it."""
    monkeypatch.setattr(wire, "UPGRADE_SECONDS", 60)
    polling = f"{site.url}/realtime/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as session:
        async with session.get(polling) as answer:
            sid = json.loads((await answer.text())[1:])["sid"]
        upgrade = f"{polling}&sid={sid}".replace("polling", "websocket")
        async with session.ws_connect(upgrade):
            for _ in range(3):
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await session.ws_connect(upgrade)
        await until(lambda: not site.realtime.server.wires and not site.realtime.server.socket(sid).upgrading)
        monkeypatch.setattr(wire, "UPGRADE_SECONDS", 0.2)
        async with session.ws_connect(upgrade) as ws, asyncio.timeout(30):
            assert (await ws.receive()).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        await until(lambda: not site.realtime.server.wires)
        assert not site.realtime.server.socket(sid).upgrading, "its polls would be empty for ever"
        monkeypatch.undo()
        async with session.ws_connect(upgrade) as ws:
            await ws.send_str("2probe")
            assert await ws.receive_str() == "3probe"
            await ws.send_str("5")
            await until(lambda: site.realtime.server.socket(sid).upgraded)


@pytest.mark.parametrize("name", ["j", "%6a", "%6A"])
async def test_polling_by_a_script_tag_is_refused(site: Site, name: str) -> None:
    asked = URL(f"{site.url}/realtime/?EIO=4&transport=polling&{name}=0", encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.get(asked) as answer,
    ):
        assert answer.status == 400
        assert "___eio" not in await answer.text()


async def test_one_sign_in_holds_a_bounded_number_of_sockets(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lastlight.runtime.realtime.server.SOCKETS_A_SESSION", 2)
    person = await sign_in(services, tenant, [BELLS])
    token = person.token(services)
    async with connected(site, token), connected(site, token):
        assert await refused(site, token) == "too-many-requests"


async def test_sockets_that_one_session_opens_again_and_again_are_counted(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few(_services: Services) -> Policy:
        return Policy("few-sockets", 3, 3600)

    monkeypatch.setattr(entrance, "connects_policy", few)
    token = (await sign_in(services, tenant, [BELLS])).token(services)
    for _ in range(3):
        async with connected(site, token):
            pass
    assert await refused(site, token) == "too-many-requests"
    async with connected(site, (await sign_in(services, tenant, [BELLS])).token(services)):
        pass


async def test_a_socket_waits_for_the_database_as_requests_do(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is no request goes before all requests: that is for the platform's own watch, not for whoever opens sockets."""
    ahead: list[str] = []

    async def entered(queue: Queue, importance: int, seconds: float) -> None:
        task = asyncio.current_task()
        if importance == bounded.FIRST and task is not None:
            ahead.append(getattr(task.get_coro(), "__qualname__", ""))
        await original(queue, importance, seconds)

    original = Queue.enter
    await ring(services, tenant, 1)
    await settled(services, tenant, 1)
    token = (await sign_in(services, tenant, [BELLS])).token(services)
    monkeypatch.setattr(Queue, "enter", entered)
    async with connected(site, token, after=0) as client:
        await until(lambda: len(client.numbers()) == 1)
        await client.io.call("catch_up", {"after": 0}, timeout=30)
        await client.io.call("authenticate", {"token": token}, timeout=30)
    assert [name for name in ahead if name != "keep_watch"] == []


async def test_the_feed_goes_on_where_it_was_when_its_backend_is_killed(
    services: Services, site: Site, tenant: TenantId
) -> None:
    """C3 for sockets: the listener's backend dies under the load, nothing is lost or heard twice."""
    person = await sign_in(services, tenant, [BELLS])
    admin: Any = await asyncpg.connect(services.settings.admin_dsn())
    killed = 0
    async with connected(site, person.token(services)) as client:
        for number in range(200):
            await ring(services, tenant, number)
            await asyncio.sleep(0.015)
            if number % 50 == 25:
                killed += await kill_backend(admin, "lastlight-feed")
        await until(lambda: len(client.numbers()) >= 200)
        await asyncio.sleep(0.2)
        assert client.numbers() == list(range(200))
    await admin.close()
    assert killed >= 4
