"""Housekeeping: answers under Idempotency-Keys go after a month, and not before."""

import pytest

from lastlight.runtime.context import SYSTEM
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.http.idempotency import Kept, keep
from lastlight.runtime.jobs.housekeeping import BATCH, DROP_KEYS
from lastlight.runtime.settings import Settings
from tests.support.services import administer
from tests.support.streams import new_tenant, open_services

pytestmark = pytest.mark.database


async def test_kept_answers_go_after_thirty_days(fresh_database: Settings) -> None:
    async with open_services(fresh_database) as services:
        tenant = await new_tenant(services)
        ages = {"fresh": "0 days", "late": "30 days -5 minutes", "old": "30 days 1 second", "ancient": "3 years"}
        for key in ages:
            scope = WorkScope(actor=SYSTEM, tenant_id=tenant, idempotency_key=key)
            async with unit_of_work(services, scope) as ctx:
                await keep(ctx, key=key, operation="ring", digest=b"d", answer=Kept(200, b"{}", {}))
        for key, age in ages.items():
            sql = "update idempotency_keys set created_at = now() - $2::text::interval where key = $1"
            await administer(services.settings, sql, key, age)
        async with system_ctx(services, role="system") as ctx:
            assert await ctx.db.execute(DROP_KEYS, BATCH) == 2
        left = await administer(services.settings, "select key from idempotency_keys order by key")
        assert [row["key"] for row in left] == ["fresh", "late"]
