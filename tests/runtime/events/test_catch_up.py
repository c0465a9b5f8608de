"""GET /api/events: the tenant's stream as each reader hears it, and the long poll where sockets are blocked."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId, VenueId, uuid7
from lastlight.runtime.audit.module import MODULE as AUDIT
from lastlight.runtime.events.arrivals import arrivals_of
from lastlight.runtime.events.module import MODULE as EVENTS
from lastlight.runtime.http.app import create_app
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.sockets import Person, serving, sign_in, until
from tests.support.streams import BellRang, GongRang, WhisperSaid, new_tenant, open_services, relaying, ring, settled

pytestmark = pytest.mark.database

BELLS, GONGS = "bells.hear", "gongs.hear"


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with open_services(database_settings, EVENTS, AUDIT) as opened, relaying(opened):
        yield opened


@pytest_asyncio.fixture
async def api(services: Services) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(services))  # pyright: ignore[reportArgumentType] litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest_asyncio.fixture
async def tenant(services: Services) -> TenantId:
    return await new_tenant(services)


async def events(api: httpx.AsyncClient, services: Services, person: Person, **query: Any) -> dict[str, Any]:
    answer = await api.get("/api/events", params=query, headers={"Authorization": f"Bearer {person.token(services)}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(answer: dict[str, Any]) -> list[int]:
    return [event["data"]["number"] for event in answer["events"]]


async def test_each_reader_hears_what_their_permissions_and_venues_let_them(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    here, there = VenueId(uuid7()), VenueId(uuid7())
    other = await new_tenant(services)
    owner = await sign_in(services, tenant, [BELLS, GONGS])
    local = await sign_in(services, tenant, [BELLS], venue_ids=[here])
    guest, second = await sign_in(services, tenant, patron=True), await sign_in(services, tenant, patron=True)
    powerless, stranger = await sign_in(services, tenant), await sign_in(services, other, [BELLS, GONGS])
    await ring(services, tenant, 1, venue_id=here)
    await ring(services, tenant, 2, venue_id=there)
    await ring(services, tenant, 3, venue_id=here, event=GongRang)
    await ring(services, tenant, 4)
    await ring(services, tenant, 5, event=WhisperSaid, patron_id=guest.patron_id)
    await ring(services, tenant, 6, venue_id=there, patron_id=second.patron_id)
    await ring(services, other, 7)
    await settled(services, tenant, 6)
    await settled(services, other, 1)
    people = (owner, local, guest, second, powerless, stranger)
    found = [await events(api, services, person, after=0) for person in people]
    assert [numbers(answer) for answer in found] == [[1, 2, 3, 4, 6], [1, 4], [5], [6], [], [7]]
    assert [answer["next"] for answer in found] == [6, 6, 6, 6, 6, 1]


async def test_without_after_it_says_where_the_stream_stands(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    assert await events(api, services, person) == {"events": [], "next": 0}
    await ring(services, tenant, 1, 2)
    await settled(services, tenant, 2)
    assert await events(api, services, person) == {"events": [], "next": 2}
    assert await events(api, services, person, after=99) == {"events": [], "next": 2}


async def test_next_pages_through_the_stream_without_gap_or_repetition(
    api: httpx.AsyncClient, services: Services, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lastlight.runtime.events.catch_up.WINDOW", 7)
    person = await sign_in(services, tenant, [BELLS])
    for number in range(40):
        await ring(services, tenant, number, event=GongRang if number % 3 else BellRang)
    await settled(services, tenant, 40)
    heard: list[int] = []
    after, calls = 0, 0
    while True:
        answer = await events(api, services, person, after=after, limit=2)
        heard += numbers(answer)
        calls += 1
        if answer["next"] == after:
            break
        after = answer["next"]
    assert heard == [number for number in range(40) if number % 3 == 0]
    assert calls < 20


async def test_refusals(api: httpx.AsyncClient, services: Services, tenant: TenantId) -> None:
    person = await sign_in(services, tenant, [BELLS])
    headers = {"Authorization": f"Bearer {person.token(services)}"}
    assert (await api.get("/api/events?after=0")).status_code == 401
    for query in (
        "after=-1",
        "after=x",
        "limit=0",
        "limit=501",
        "wait=26",
        "tenant_id=1",
        "after=99999999999999999999",
    ):
        answer = await api.get(f"/api/events?{query}", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), query


async def test_a_long_poll_is_answered_by_the_event_it_waits_for(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    """RTM-03: with the feed in this process the answer comes with the event; what is not heard does not wake it."""
    person = await sign_in(services, tenant, [BELLS])
    async with serving(services):
        waiting = asyncio.create_task(events(api, services, person, after=0, wait=25))
        await until(lambda: arrivals_of(services).count == 1)
        await ring(services, tenant, 1, event=GongRang)
        await settled(services, tenant, 1)
        await asyncio.sleep(0.5)
        assert not waiting.done()
        # nobody holds a connection meanwhile
        await until(lambda: services.pools.app.get_idle_size() == services.pools.app.get_size(), seconds=10)
        assert not waiting.done()
        await ring(services, tenant, 2)
        await settled(services, tenant, 2)
        began = time.monotonic()
        answer = await waiting
        took = time.monotonic() - began
    assert (numbers(answer), answer["next"]) == ([2], 2)
    assert took < 10, "the wait of 25 seconds was ended by the event"


async def test_a_long_poll_looks_by_itself_where_no_feed_runs(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    assert not arrivals_of(services).live
    waiting = asyncio.create_task(events(api, services, person, after=0, wait=25))
    await asyncio.sleep(0.2)
    await ring(services, tenant, 1)
    assert numbers(await waiting) == [1]


async def test_a_long_poll_ends_empty_when_nothing_happens(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    began = time.monotonic()
    assert await events(api, services, person, after=0, wait=1) == {"events": [], "next": 0}
    assert 0.9 < time.monotonic() - began < 20


async def test_a_long_poll_of_a_session_that_ends_meanwhile_is_refused(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    person = await sign_in(services, tenant, [BELLS])
    headers = {"Authorization": f"Bearer {person.token(services)}"}
    waiting = asyncio.create_task(api.get("/api/events?after=0&wait=10", headers=headers))
    await asyncio.sleep(0.3)
    await services.pools.system.execute("update sessions set revoked_at = now() where id = $1", person.session_id)
    answer = await waiting
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (401, "session-ended")


async def test_the_audit_log_tells_who_did_what_from_where(
    api: httpx.AsyncClient, services: Services, tenant: TenantId
) -> None:
    owner = await sign_in(services, tenant, ["audit.read"])
    reader = await sign_in(services, tenant, [BELLS])
    stranger = await sign_in(services, await new_tenant(services), ["audit.read"])
    await ring(services, tenant, 1, 2)
    await ring(services, tenant, 3, event=GongRang)
    await settled(services, tenant, 3)

    async def get(path: str, person: Person) -> httpx.Response:
        return await api.get(path, headers={"Authorization": f"Bearer {person.token(services)}"})

    page = (await get("/api/audit?limit=2", owner)).json()
    assert [entry["seq"] for entry in page["items"]] == [3, 2]
    rest = (await get(f"/api/audit?limit=2&after={page['next']}", owner)).json()
    assert [entry["seq"] for entry in rest["items"]] == [1]
    assert [entry["seq"] for entry in (await get("/api/audit?name=gong.rang", owner)).json()["items"]] == [3]
    assert [entry["seq"] for entry in (await get("/api/audit?q=%22number%22:2", owner)).json()["items"]] == [2]
    one = (await get("/api/audit/2", owner)).json()
    first = (await get("/api/audit/1", owner)).json()
    assert (one["actor"], one["actor_kind"], one["origin"], one["before"], one["after"]) == (
        "Last Light",
        "system",
        "system",
        None,
        {"number": 2},
    )
    assert one["previous_hash"] == first["hash"]
    assert first["previous_hash"] is None
    assert (await get("/api/audit/99", owner)).status_code == 404
    assert (await get("/api/audit/1", stranger)).status_code == 404
    assert (await get("/api/audit", stranger)).json()["items"] == []
    assert (await get("/api/audit", reader)).status_code == 403
