"""The drill of webhooks that fail: it passes and leaves only its evidence, and fails when what it proves is broken."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains.payments import inbox
from lastlight.domains.payments.drills import webhook_failures
from lastlight.kernel.ids import TenantId
from lastlight.modules import MODULES
from lastlight.runtime.drills.run import DrillReport, run_drill
from lastlight.runtime.processor import Event
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with opened_services(database_settings, MODULES) as opened:
        yield opened


async def play(services: Services) -> tuple[TenantId, DrillReport]:
    tenant_id = await make_tenant(services.settings, f"t{uuid4().hex[:12]}")
    return tenant_id, await run_drill(services, drill=webhook_failures, tenant_id=tenant_id, run_by="a test")


async def test_it_passes_and_leaves_only_its_evidence(services: Services) -> None:
    tenant_id, report = await play(services)
    assert [(step.title, step.passed) for step in report.steps] == [(step.title, True) for step in report.steps]
    assert (report.passed, len(report.steps)) == (True, 5)
    for table in ("payments", "provider_events", "jobs", "outbox"):
        left = await administer(services.settings, f"select count(*) as n from {table} where tenant_id = $1", tenant_id)
        assert left[0]["n"] == 0, table


async def test_it_fails_where_a_forgery_is_believed(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "verified", lambda ctx, *, body, signature: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType] - any arguments
    _, report = await play(services)
    assert [(step.passed, step.found) for step in report.steps] == [(False, "A forged event was believed.")]


async def test_it_fails_where_an_event_is_kept_twice(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = inbox.take_in

    async def take_again(ctx: Any, *, event: Event, body: bytes, source: Any) -> Any:
        return await taken(ctx, event=event, body=body, source=source) or (ctx.tenant_id, uuid4())

    monkeypatch.setattr(inbox, "take_in", take_again)
    _, report = await play(services)
    assert (report.passed, report.steps[-1].found) == (False, "It was taken in a second time.")


async def test_it_fails_where_nobody_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hush(ctx: Any, *, kept: inbox.Kept, error: Exception, ended: bool) -> None:
        await ctx.db.execute(inbox.HANDLED, ctx.tenant_id, kept.id, "failed", str(error), 1)

    monkeypatch.setattr(inbox, "mark_failed", hush)
    _, report = await play(services)
    assert (report.passed, report.steps[-1].found) == (False, "It was told 0 times.")
