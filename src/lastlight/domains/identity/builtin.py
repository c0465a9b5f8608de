"""Copying the built-in roles into the table: at the start of each release, and for each new tenant."""

from lastlight.domains.identity.presets import Preset, presets_for
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services

COPY = """
    insert into roles (tenant_id, key, name, description, builtin, permissions)
    select t.id, $2, $3, $4, true, $5
    from unnest($1::uuid[]) as t (id)
    on conflict (tenant_id, key) do update
    set name = excluded.name, description = excluded.description, permissions = excluded.permissions, archived_at = null
    where (roles.name, roles.description, roles.permissions) is distinct from (excluded.name, excluded.description, excluded.permissions)
       or roles.archived_at is not null
    returning roles.tenant_id, roles.id"""


async def sync_builtin_roles(services: Services) -> int:
    """Bring every tenant's built-in roles to what this release says; how many roles were made or changed."""
    changed = 0
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        await ctx.db.execute("select pg_advisory_xact_lock(hashtextextended('builtin roles', 5))")
        rows = await ctx.db.fetch("select id from tenants where kind = 'business' order by id")
        for preset in presets_for(platform=True):
            changed += await _copy(ctx, [PLATFORM], preset)
        for preset in presets_for(platform=False):
            changed += await _copy(ctx, [TenantId(row["id"]) for row in rows], preset)
    return changed


async def give_builtin_roles(ctx: Ctx, *, tenant_id: TenantId) -> None:
    """The built-in roles for one tenant, in its own transaction."""
    for preset in presets_for(platform=tenant_id == PLATFORM):
        await _copy(ctx, [tenant_id], preset)


async def _copy(ctx: Ctx, tenants: list[TenantId], preset: Preset) -> int:
    permissions = preset.resolve(ctx.services.registry.permissions)
    rows = await ctx.db.fetch(COPY, tenants, preset.key, preset.name, preset.description, permissions)
    for row in rows:
        await bump_sessions(ctx, role_id=row["id"], tenant_id=row["tenant_id"])
    return len(rows)
