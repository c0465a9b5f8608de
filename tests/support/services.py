"""Services on a test's database, with as many modules as the test declares."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.db.pools import open_pools
from lastlight.runtime.jobs.enqueue import enqueue
from lastlight.runtime.module import Module, Registry
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.storage.store import open_storage
from lastlight.ui.render import create_environment


@asynccontextmanager
async def opened_services(settings: Settings, modules: Sequence[Module] = ()) -> AsyncGenerator[Services]:
    """Services with pools on the database of `settings`; closed at the end."""
    services = Services(
        settings=settings,
        registry=Registry(modules),
        pools=await open_pools(settings),
        secrets=Secrets(settings.secret_key, settings.secret_keys),
        enqueue=enqueue,
        storage=open_storage(settings),
        templates=create_environment(),
    )
    try:
        yield services
    finally:
        await services.close()


async def make_tenant(settings: Settings, slug: str) -> TenantId:
    """An active tenant, written by the administrator."""
    tenant_id = TenantId(uuid7())
    await administer(
        settings, "insert into tenants (id, slug, name, status) values ($1, $2, $2, 'active')", tenant_id, slug
    )
    return tenant_id


async def administer(settings: Settings, sql: str, *args: object) -> list[asyncpg.Record]:
    """Run a statement as the administrator, past every policy."""
    connection = await asyncpg.connect(settings.admin_dsn())
    try:
        return await connection.fetch(sql, *args)
    finally:
        await connection.close()


NIL = UUID(int=0)
