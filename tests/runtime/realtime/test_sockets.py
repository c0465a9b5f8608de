"""Sockets: who hears what, in which order, over both transports and with both clients."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from lastlight.kernel.ids import PLATFORM, TenantId, VenueId, uuid7
from lastlight.runtime import limits
from lastlight.runtime.limits import Policy
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.sockets import (
    Client,
    Person,
    Site,
    connected,
    node_client,
    refused,
    serving,
    sign_in,
    sign_in_crew,
    until,
)
from tests.support.streams import GongRang, WhisperSaid, new_tenant, open_services, relaying, ring, settled

pytestmark = pytest.mark.database

BELLS, GONGS = "bells.hear", "gongs.hear"


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


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_an_event_is_heard_as_its_envelope(
    services: Services, site: Site, tenant: TenantId, transport: Any
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    venue = VenueId(uuid7())
    async with connected(site, person.token(services), transports=[transport]) as client:
        assert client.said("system.hello") == [{"seq": 0, "tenant_id": str(tenant), "resumed": False}]
        await ring(services, tenant, 7, venue_id=venue)
        await until(lambda: bool(client.said("bell.rang")))
        envelope = client.said("bell.rang")[0]
    assert set(envelope) == {"id", "seq", "name", "at", "tenant_id", "venue_id", "data"}
    assert (envelope["seq"], envelope["name"], envelope["data"]) == (1, "bell.rang", {"number": 7})
    assert (envelope["tenant_id"], envelope["venue_id"]) == (str(tenant), str(venue))
    assert envelope["at"].endswith("Z")


async def test_everybody_hears_only_their_own_rooms(services: Services, site: Site, tenant: TenantId) -> None:
    """R1: another venue, another permission, another tenant and another guest stay silent."""
    here, there = VenueId(uuid7()), VenueId(uuid7())
    other = await new_tenant(services)
    owner = await sign_in(services, tenant, [BELLS, GONGS])
    local = await sign_in(services, tenant, [BELLS], venue_ids=[here])
    guest = await sign_in(services, tenant, patron=True)
    second = await sign_in(services, tenant, patron=True)
    stranger = await sign_in(services, other, [BELLS, GONGS])
    powerless = await sign_in(services, tenant, [])
    async with all_connected(site, services, owner, local, guest, second, stranger, powerless) as clients:
        await ring(services, tenant, 1, venue_id=here)
        await ring(services, tenant, 2, venue_id=there)
        await ring(services, tenant, 3, venue_id=here, event=GongRang)
        await ring(services, tenant, 4)
        await ring(services, tenant, 5, event=WhisperSaid, patron_id=guest.patron_id)
        await ring(services, tenant, 6, venue_id=here, patron_id=second.patron_id)
        await ring(services, other, 7)
        heard = [[1, 2, 3, 4, 6], [1, 4, 6], [5], [6], [7], []]
        await until(lambda: [client.numbers() for client in clients] == heard)
        await asyncio.sleep(0.2)
        assert [client.numbers() for client in clients] == heard


@contextlib.asynccontextmanager
async def all_connected(site: Site, services: Services, *people: Person) -> AsyncGenerator[list[Client]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connected(site, person.token(services))) for person in people]


async def test_the_crew_hears_the_platform_and_a_tenant_only_from_inside(
    services: Services, site: Site, tenant: TenantId
) -> None:
    other = await new_tenant(services)
    home = await sign_in_crew(services, [BELLS])
    inside = await sign_in_crew(services, [BELLS], inside=tenant)
    unheard = await sign_in_crew(services, [GONGS], inside=tenant)
    owner = await sign_in(services, tenant, [BELLS])
    async with all_connected(site, services, home, inside, unheard, owner) as clients:
        await ring(services, PLATFORM, 1)
        await ring(services, tenant, 2)
        await ring(services, other, 3)
        await until(lambda: [clients[0].numbers(), clients[3].numbers()] == [[1], [2]])
        await settled(services, other, 1)
        answer = await clients[1].io.call("catch_up", {"after": 0}, timeout=30)
        await asyncio.sleep(0.2)
        assert [client.numbers() for client in clients] == [[1], [2], [], [2]]
        assert [event["data"]["number"] for event in answer["events"]] == [2]


async def test_a_client_cannot_ask_for_a_room(services: Services, site: Site, tenant: TenantId) -> None:
    """R1: rooms follow from permissions; a guessed name, whatever it is sent as, seats nobody."""
    nosy = await sign_in(services, tenant, [])
    room = f"t:{tenant}:v:*:{BELLS}"
    async with connected(site, nosy.token(services)) as client:
        for message in ("join", "subscribe", "enter_room", "room", "system.hello", "bell.rang"):
            await client.io.emit(message, room)
            await client.io.emit(message, {"room": room, "rooms": [room]})
        await ring(services, tenant, 1)
        await settled(services, tenant, 1)
        answer = await client.io.call("catch_up", {"after": 0}, timeout=30)
        await asyncio.sleep(0.2)
        assert (client.numbers(), answer) == ([], {"events": [], "next": 1})


async def test_events_arrive_in_order_and_once(services: Services, site: Site, tenant: TenantId) -> None:
    person = await sign_in(services, tenant, [BELLS])
    async with (
        connected(site, person.token(services)) as fast,
        connected(site, person.token(services), transports=["polling"]) as slow,
    ):
        await asyncio.gather(*(ring(services, tenant, n) for n in range(200)))
        for client in (fast, slow):
            await until(lambda client=client: len(client.events()) >= 200)
            assert [seq for seq, _ in client.events()] == list(range(1, 201))
        assert fast.numbers() == slow.numbers()
        assert sorted(fast.numbers()) == list(range(200))


async def test_a_client_that_connects_again_gets_what_it_missed_and_then_what_is_new(
    services: Services, site: Site, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    token = person.token(services)
    async with connected(site, token) as client:
        await ring(services, tenant, 1, 2)
        await until(lambda: len(client.numbers()) == 2)
        last = client.events()[-1][0]
    await ring(services, tenant, *range(3, 250))
    await settled(services, tenant, 249)
    writing = asyncio.create_task(ring_slowly(services, tenant, range(250, 300)))
    async with connected(site, token, after=last) as client:
        await writing
        await until(lambda: len(client.numbers()) >= 297)
        assert client.said("system.hello")[0]["resumed"] is True
        assert client.numbers() == list(range(3, 300))
        assert [seq for seq, _ in client.events()] == list(range(3, 300))


async def ring_slowly(services: Services, tenant: TenantId, numbers: range) -> None:
    for number in numbers:
        await ring(services, tenant, number)
        await asyncio.sleep(0.002)


async def test_too_long_away_is_told_as_a_gap(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lastlight.runtime.realtime.greeting.MOST_REPEATED", 10)
    person = await sign_in(services, tenant, [BELLS])
    await ring(services, tenant, *range(20))
    await settled(services, tenant, 20)
    async with connected(site, person.token(services), after=5) as client:
        await until(lambda: bool(client.said("system.gap")))
        assert client.said("system.gap") == [{"after": 5, "seq": 20, "catch_up": "/api/events?after=5"}]
        assert client.said("system.hello")[0]["resumed"] is False
    async with connected(site, person.token(services), after=99) as client:  # of a stream that was set back
        await until(lambda: bool(client.said("system.gap")))
        assert client.said("system.gap") == [{"after": 99, "seq": 20, "catch_up": "/api/events?after=20"}]


async def test_what_a_slow_feed_brings_after_a_catch_up_is_not_repeated(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream may be ahead of this process's feed: the client reads it when it connects, then the feed brings it too."""
    person = await sign_in(services, tenant, [BELLS])
    late: list[Any] = []
    monkeypatch.setattr(site.realtime.feed, "_deliver", late.append)
    await ring(services, tenant, *range(1, 11))
    await until(lambda: len(late) == 10)
    async with connected(site, person.token(services), after=4) as client:
        await until(lambda: len(client.numbers()) == 6)
        await until(lambda: all(seat.held is None for seat in site.realtime.hub.seats.values()))
        for row in late:
            site.realtime._deliver(row)  # pyright: ignore[reportPrivateUsage] what the feed calls
        monkeypatch.undo()
        await ring(services, tenant, 11)
        await until(lambda: client.numbers()[-1] == 11)
        assert client.numbers() == list(range(5, 12))


async def test_catch_up_by_message_pages_through_the_stream(services: Services, site: Site, tenant: TenantId) -> None:
    person = await sign_in(services, tenant, [BELLS])
    await ring(services, tenant, *range(1, 31))
    await settled(services, tenant, 30)
    async with connected(site, person.token(services)) as client:
        first = await client.io.call("catch_up", {"after": 5, "limit": 10}, timeout=30)
        second = await client.io.call("catch_up", {"after": first["next"]}, timeout=30)
        bad = await client.io.call("catch_up", {"after": -1}, timeout=30)
        unknown = await client.io.call("catch_up", {"after": 1, "tenant_id": str(tenant)}, timeout=30)
    assert [event["seq"] for event in first["events"]] == list(range(6, 16))
    assert [event["seq"] for event in second["events"]] == list(range(16, 31))
    assert (first["next"], second["next"]) == (15, 30)
    assert [problem["type"].rsplit("/", 1)[-1] for problem in (bad, unknown)] == ["malformed", "malformed"]


async def test_what_a_socket_asks_for_counts_as_a_request(
    services: Services, site: Site, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few_of(_services: Services) -> Policy:
        return Policy("few", 3, 3600)

    monkeypatch.setattr(limits, "user_policy", few_of)
    person = await sign_in(services, tenant, [BELLS])
    async with connected(site, person.token(services)) as client:
        answers = [await client.io.call("catch_up", {"after": 0}, timeout=30) for _ in range(5)]
        assert client.io.connected
    assert [answer.get("type", "ok").rsplit("/", 1)[-1] for answer in answers] == ["ok"] * 3 + ["too-many-requests"] * 2


async def test_who_is_refused_and_why(services: Services, site: Site, tenant: TenantId) -> None:
    person = await sign_in(services, tenant, [BELLS])
    ended = await sign_in(services, tenant, [BELLS])
    await services.pools.system.execute("update sessions set revoked_at = now() where id = $1", ended.session_id)
    token = person.token(services)
    assert await refused(site, None) == "not-signed-in"
    assert await refused(site, "nonsense") == "token-invalid"
    assert await refused(site, token[:-3] + ("AAA" if token[-3:] != "AAA" else "QQQ")) == "token-invalid"
    assert await refused(site, person.token(services, seconds=5, now=1_000_000)) == "token-expired"
    assert await refused(site, ended.token(services)) == "session-ended"
    assert await refused(site, None, auth={"token": 5}) == "malformed"
    assert await refused(site, None, auth={"token": token, "room": "*"}) == "malformed"
    assert await refused(site, person.cookie(services).split("=", 1)[1]) == "token-invalid"


async def test_the_console_cookie_opens_a_socket_only_for_our_own_pages(
    services: Services, site: Site, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    cookie = {"Cookie": person.cookie(services)}
    async with connected(site, None, headers={**cookie, "Origin": site.url}) as client:
        await ring(services, tenant, 1)
        await until(lambda: client.numbers() == [1])
    assert "OPEN" not in await refused(site, None, headers={**cookie, "Origin": "https://evil.example"})
    assert await refused(site, None, headers={**cookie, "Sec-Fetch-Site": "cross-site"}) == "cross-origin"
    assert await refused(site, None, headers=cookie | {"Origin": "null"})


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_the_npm_client_works_unchanged(
    services: Services, site: Site, tenant: TenantId, transports: list[str]
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    async with node_client(site, auth={"token": person.token(services)}, transports=transports) as client:
        await until(lambda: bool(client.said("system.hello")))
        await asyncio.sleep(0.2)  # an upgrade takes its time
        for number in range(50):
            await ring(services, tenant, number)
        await until(lambda: len(client.said("bell.rang")) == 50)
        await client.ask(name="catch_up", data={"after": 45})
        await until(lambda: bool(client.said("ack")))
    assert [event["seq"] for event in client.said("bell.rang")] == list(range(1, 51))
    assert [event["seq"] for event in client.said("ack")[0]["events"]] == list(range(46, 51))


async def test_the_npm_client_resumes_from_its_cursor_after_its_connection_broke(
    services: Services, site: Site, tenant: TenantId
) -> None:
    """R1: the gap of a reconnect is filled, nothing comes twice."""
    person = await sign_in(services, tenant, [BELLS])
    async with node_client(site, auth={"token": person.token(services)}, transports=["websocket"]) as client:
        await until(lambda: bool(client.said("system.hello")))
        breaks: list[int] = []
        for number in range(300):
            await ring(services, tenant, number)
            if number % 60 == 30:
                breaks.append(number)
                await until(lambda: len(client.said("connect")) == len(breaks) and bool(site.realtime.hub.seats))
                for eio_sid in list(site.realtime.server.opened):
                    await site.realtime.server.cut(eio_sid)
        await until(lambda: len(client.said("bell.rang")) >= 300)
        await asyncio.sleep(0.3)
    assert len(client.said("connect")) == len(breaks) + 1 == 6
    assert [event["seq"] for event in client.said("bell.rang")] == list(range(1, 301))


async def test_the_npm_client_is_told_why_it_is_refused(services: Services, site: Site) -> None:
    async with node_client(site, auth={"token": "nonsense"}) as client:
        await until(lambda: bool(client.said("connect_error")))
    assert client.said("connect_error")[0]["type"].endswith("/token-invalid")
