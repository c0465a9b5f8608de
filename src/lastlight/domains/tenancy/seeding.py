"""Tenants for the demonstration and for tests, and what every start brings up to date."""

from lastlight.domains import flags, identity
from lastlight.domains.tenancy.actions import give_modules
from lastlight.domains.tenancy.toggles import BY_NAME
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services


async def sync_tenants(services: Services) -> None:
    """Bring every tenant's built-in roles and modules, and the platform's flags, to what this release says; run at each start."""
    await identity.sync_builtin_roles(services)
    await flags.sync_flags(services)
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        rows = await ctx.db.fetch("select id from tenants where kind = 'business' order by id")
        await give_modules(ctx, tenant_ids=[TenantId(row["id"]) for row in rows])


async def seed_tenant(
    ctx: Ctx,
    *,
    seed: str,
    slug: str,
    name: str,
    status: str = "active",
    plan: str = "growth",
    contact_name: str = "",
    contact_email: str = "",
    country: str = "ZA",
    currency: str = "ZAR",
    time_zone: str = "Africa/Johannesburg",
    modules: dict[str, bool] | None = None,
    accent: str = "",
) -> TenantId:
    """An approved tenant with its built-in roles and modules; may be repeated. Needs the system's database role."""
    tenant_id = TenantId(identity.seeded_id(seed, "tenant", slug))
    await ctx.db.execute(
        """insert into tenants (id, slug, name, status, plan, contact_name, contact_email, country, currency, time_zone, approved_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $4 = 'pending' then null else now() end)
           on conflict (id) do nothing""",
        tenant_id,
        slug,
        name,
        status,
        plan,
        contact_name,
        contact_email,
        country,
        currency,
        time_zone,
    )
    await identity.give_builtin_roles(ctx, tenant_id=tenant_id)
    await _give_start(ctx, tenant_id, accent)
    for module, enabled in (modules or {}).items():
        assert module in BY_NAME, f"there is no module {module}"
        await ctx.db.execute(
            "update tenant_modules set enabled = $3 where tenant_id = $1 and module = $2", tenant_id, module, enabled
        )
    return tenant_id


async def _give_start(ctx: Ctx, tenant_id: TenantId, accent: str) -> None:
    await give_modules(ctx, tenant_ids=[tenant_id])
    if accent:
        sql = "insert into tenant_brands (tenant_id, accent) values ($1, $2) on conflict (tenant_id) do nothing"
        await ctx.db.execute(sql, tenant_id, accent)
