"""Retention of the stream: old events go, new ones stay, and whoever asks from before is told instead of missing them."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId
from lastlight.runtime.audit.verify import verify_all
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events import retention
from lastlight.runtime.events.module import MODULE as EVENTS
from lastlight.runtime.events.retention import drop_batch
from lastlight.runtime.http.app import create_app
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.services import administer
from tests.support.sockets import Person, connected, serving, sign_in, until
from tests.support.streams import new_tenant, open_services, relaying, ring, settled, stream_of

pytestmark = pytest.mark.database
BELLS = "bells.hear"


@pytest_asyncio.fixture
async def services(fresh_database: Settings) -> AsyncGenerator[Services]:
    async with open_services(fresh_database, EVENTS) as opened, relaying(opened):
        yield opened


async def aged(services: Services, tenant: TenantId, *, until_seq: int, days: int) -> None:
    """Let the first events of a tenant be so old."""
    sql = "update events set at = at - make_interval(days => $3) where tenant_id = $1 and seq <= $2"
    await administer(services.settings, sql, tenant, until_seq, days)


async def read(services: Services, person: Person, after: int) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(services))  # pyright: ignore[reportArgumentType] litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"Authorization": f"Bearer {person.token(services)}"}
        return await client.get("/api/events", params={"after": after}, headers=headers)


async def test_old_events_go_in_batches_and_every_other_tenant_keeps_its_own(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    old, young = await new_tenant(services), await new_tenant(services)
    await ring(services, old, *range(1, 11))
    await ring(services, young, *range(1, 6))
    await settled(services, old, 10)
    await settled(services, young, 5)
    await aged(services, old, until_seq=7, days=91)
    dropped: list[int] = []
    async with system_ctx(services, role="system") as ctx:
        while dropped[-1:] != [0]:
            dropped.append(await drop_batch(ctx, days=90))
    assert dropped == [4, 3, 0]
    assert [event.seq for event in await stream_of(services, old)] == [8, 9, 10]
    assert len(await stream_of(services, young)) == 5
    marks = await administer(services.settings, "select tenant_id, dropped_to from tenant_sequences")
    assert {row["tenant_id"]: row["dropped_to"] for row in marks} == {old: 7, young: 0}
    reports = {report.tenant_id: report async for report in verify_all(services.settings)}
    assert (reports[old].findings, reports[old].entries) == ([], 10), "the audit log keeps them all"


async def test_who_asks_from_before_is_told_by_request_and_by_socket(services: Services) -> None:
    tenant = await new_tenant(services)
    person = await sign_in(services, tenant, [BELLS])
    await ring(services, tenant, *range(1, 11))
    await settled(services, tenant, 10)
    await aged(services, tenant, until_seq=7, days=91)
    async with system_ctx(services, role="system") as ctx:
        assert await drop_batch(ctx, days=90) == 7
    refused: Any = await read(services, person, 6)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (410, "events-dropped")
    assert refused.json()["next"] == 10
    kept = (await read(services, person, 7)).json()
    assert [event["seq"] for event in kept["events"]] == [8, 9, 10]
    async with serving(services) as site, connected(site, person.token(services), after=6) as client:
        await until(lambda: bool(client.said("system.gap")))
        assert client.said("system.gap") == [{"after": 6, "seq": 10, "catch_up": "/api/events?after=7"}]
        answer = await client.io.call("catch_up", {"after": 6}, timeout=30)
        assert answer["type"].endswith("/events-dropped")
    async with serving(services) as site, connected(site, person.token(services), after=7) as client:
        await until(lambda: client.numbers() == [8, 9, 10])
        assert client.said("system.hello")[0]["resumed"] is True
