"""A web process that starts brings every tenant's roles and modules to what its release says; the demonstration is not needed for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lastlight import main
from lastlight.domains import tenancy
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.modules import MODULES
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.services import administer, opened_services

pytestmark = pytest.mark.database

NEW = "visits.read"
"""A permission of managers, as if this release had brought it."""
EARLIER = "update roles set permissions = array_remove(permissions, $2) where tenant_id = $1 and key = 'manager'"
HELD = "select permissions from roles where tenant_id = $1 and key = 'manager'"
SWITCHES = "select module, enabled from tenant_modules where tenant_id = $1 order by module"
AHEAD = "insert into schema_migrations (number, name, checksum) select number + 1, 'later', checksum from schema_migrations order by number desc limit 1"


async def earlier_release(settings: Settings) -> TenantId:
    """A business as an earlier release left it: a permission and a module did not exist, another module is switched off."""
    async with opened_services(settings, MODULES) as services, system_ctx(services, PLATFORM, role="system") as ctx:
        tenant_id = await tenancy.seed_tenant(
            ctx, seed="release", slug="old-bar", name="Old Bar", modules={"safety": False}
        )
    assert NEW in (await administer(settings, HELD, tenant_id))[0]["permissions"]
    await administer(settings, EARLIER, tenant_id, NEW)
    await administer(settings, "delete from tenant_modules where tenant_id = $1 and module = 'staff'", tenant_id)
    return tenant_id


@asynccontextmanager
async def web(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """What `lastlight web` serves, started without its server."""
    served: list[main.Application] = []

    def serve(application: main.Application, *_: Any, **__: Any) -> None:
        served.append(application)

    monkeypatch.setattr(main, "serve", serve)
    main.run_web(settings)
    await served[0].start()
    try:
        yield
    finally:
        await served[0].stop()


async def test_a_start_gives_new_roles_and_modules(fresh_database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant_id = await earlier_release(fresh_database)
    async with web(fresh_database, monkeypatch):
        assert NEW in (await administer(fresh_database, HELD, tenant_id))[0]["permissions"]
        switches = {row["module"]: row["enabled"] for row in await administer(fresh_database, SWITCHES, tenant_id)}
    assert "staff" in switches
    assert switches["safety"] is False, "what the platform has switched off stays off"


async def test_an_older_release_takes_nothing_back(fresh_database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant_id = await earlier_release(fresh_database)
    await administer(fresh_database, AHEAD)
    before = await administer(fresh_database, HELD, tenant_id)
    async with web(fresh_database, monkeypatch):
        assert await administer(fresh_database, HELD, tenant_id) == before
        assert "staff" not in {row["module"] for row in await administer(fresh_database, SWITCHES, tenant_id)}
