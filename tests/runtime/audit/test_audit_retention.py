"""Retention of the audit log: to the second, seven years for money, and the chain stays whole."""

from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId
from lastlight.runtime.audit import retention
from lastlight.runtime.audit.retention import forget_batch
from lastlight.runtime.audit.verify import verify_all
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.services import administer
from tests.support.streams import BellRang, GongRang, move_all, new_tenant, open_services, ring

pytestmark = pytest.mark.database

AGES = ("3 years 1 second", "3 years -5 minutes", "6 years", "7 years 1 second")
"""How old the entries of each kind are."""


@pytest_asyncio.fixture
async def services(fresh_database: Settings) -> AsyncGenerator[Services]:
    async with open_services(fresh_database) as opened:
        yield opened


async def kept_for_years(services: Services) -> TenantId:
    """A tenant whose bells and gongs rang at each of AGES: they were that old when they entered the chain."""
    tenant = await new_tenant(services)
    for event in (BellRang, GongRang):
        for number, age in enumerate(AGES):
            await ring(services, tenant, number, event=event)
            sql = "update outbox set at = now() - $3::text::interval where tenant_id = $1 and name = $2 and data ->> 'number' = $4"
            await administer(services.settings, sql, tenant, event.event_name, age, str(number))
    connection: Any = await asyncpg.connect(services.settings.dsn("system"))
    await move_all(services, connection, 2 * len(AGES))
    await connection.close()
    return tenant


async def remembered(services: Services, tenant: TenantId, event: type[BellRang | GongRang]) -> list[bool]:
    sql = "select payload is not null and salt is not null as kept from audit_entries where tenant_id = $1 and name = $2 order by seq"
    return [row["kept"] for row in await administer(services.settings, sql, tenant, event.event_name)]


async def test_an_entry_forgets_after_its_years_and_the_chain_holds(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GongRang, "money", True)
    monkeypatch.setattr(retention, "BATCH", 2)
    tenant = await kept_for_years(services)
    forgotten: list[int] = []
    async with system_ctx(services, role="system") as ctx:
        while forgotten[-1:] != [0]:
            forgotten.append(await forget_batch(ctx))
    assert sum(forgotten) == 4
    assert await remembered(services, tenant, BellRang) == [False, True, False, False]
    assert await remembered(services, tenant, GongRang) == [True, True, True, False]
    reports = [report async for report in verify_all(services.settings) if report.tenant_id == tenant]
    assert [(report.entries, report.forgotten, report.findings) for report in reports] == [(8, 4, [])]


async def test_without_the_mark_of_money_three_years_hold(services: Services) -> None:
    tenant = await kept_for_years(services)
    async with system_ctx(services, role="system") as ctx:
        assert await forget_batch(ctx) == 6
    assert await remembered(services, tenant, GongRang) == [False, True, False, False]
