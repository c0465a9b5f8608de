"""Reads of tenants: one's own, and the platform's list."""

from lastlight.domains.tenancy.permissions import TENANTS_READ
from lastlight.domains.tenancy.schemas import ModuleOut, TenantDetailOut, TenantHealth, TenantOut, TenantRow
from lastlight.domains.tenancy.toggles import TOGGLES
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.columns import ID, VERSION, Column, Filter
from lastlight.runtime.http.listing import Listing

STATUS = (
    ("pending", "Waits for approval"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("rejected", "Rejected"),
    ("archived", "Archived"),
)
PLANS = (("trial", "Trial"), ("starter", "Starter"), ("growth", "Growth"), ("enterprise", "Enterprise"))

TENANT = """
    select id, slug, name, status, status_reason, plan, contact_name, contact_email, contact_phone, country, currency, time_zone, locale,
           created_at, updated_at, approved_at, version
    from tenants where id = $1"""

HEALTH = """
    select s.last_seen_at, s.sessions, j.dead as jobs_dead, j.waiting as jobs_waiting,
           coalesce(extract(epoch from now() - j.oldest), 0)::integer as oldest_wait_seconds,
           (select count(*) from outgoing_mail m
            where m.tenant_id = $1 and m.state = 'failed' and m.created_at > now() - interval '7 days') as mails_failed
    from (select max(last_seen_at) as last_seen_at, count(*) filter (where revoked_at is null and expires_at > now()) as sessions
          from sessions where tenant_id = $1 and impersonator_id is null) s,
         (select count(*) filter (where state = 'dead' and finished_at > now() - interval '7 days') as dead,
                 count(*) filter (where state = 'queued' and run_at <= now()) as waiting,
                 min(run_at) filter (where state = 'queued' and run_at <= now()) as oldest
          from jobs where tenant_id = $1) j"""

TENANTS: Listing[TenantRow] = Listing(
    name="tenants",
    label="Businesses",
    row=TenantRow,
    permission=TENANTS_READ,
    source="tenants t",
    of="t",
    tenant="t.id",
    cross_tenant=True,
    where="t.kind = 'business'",
    columns=(
        Column("name", "Business", sort=True),
        Column("slug", "Short name", sort=True),
        Column("status", "Status", kind="enum", sort=True, choices=STATUS),
        Column("plan", "Plan", kind="enum", sort=True, choices=PLANS),
        Column("contact_name", "Contact"),
        Column("contact_email", "E-mail", shown=False),
        Column("country", "Country", sort=True),
        Column(
            "members",
            "People",
            sql="(select count(distinct m.user_id) from memberships m where m.tenant_id = t.id and m.status = 'active')",
            kind="number",
        ),
        Column("patrons", "Guests", sql="(select count(*) from patrons p where p.tenant_id = t.id)", kind="number"),
        Column("created_at", "Registered", kind="time", sort=True),
        Column("approved_at", "Approved", kind="time"),
        ID,
        VERSION,
    ),
    filters=(
        Filter("status"),
        Filter("plan"),
        Filter("created_at"),
    ),
    search=("t.name", "t.slug", "t.contact_name", "t.contact_email"),
    sort="-created_at",
)

LISTINGS = (TENANTS,)


async def read_tenant(ctx: Ctx) -> TenantOut:
    """The transaction's tenant."""
    return await ctx.db.one(TenantOut, TENANT, ctx.tenant_id)


async def read_detail(ctx: Ctx) -> TenantDetailOut:
    """The transaction's tenant as the platform sees it, with figures of use that each module counts."""
    if ctx.tenant_id == PLATFORM:
        raise NotFound
    tenant = await read_tenant(ctx)
    note = await ctx.db.fetchval("select note from tenants where id = $1", ctx.tenant_id)
    modules = await list_modules(ctx)
    return TenantDetailOut(
        tenant=tenant,
        note=note,
        modules=modules,
        usage=await read_usage(ctx),
        health=await read_health(ctx),
        version=tenant.version,
    )


async def read_health(ctx: Ctx) -> TenantHealth:
    """What failed at the transaction's tenant within a week, what waits now, and when somebody was last there."""
    return await ctx.db.one(TenantHealth, HEALTH, ctx.tenant_id)


async def read_usage(ctx: Ctx) -> dict[str, int]:
    """Figures of the tenant's use: every module counts its own."""
    counts = [pair for module in ctx.services.registry.modules for pair in module.usage.items()]
    return {label: await count(ctx) for label, count in counts}


async def list_modules(ctx: Ctx) -> list[ModuleOut]:
    """The modules of the transaction's tenant, in the catalogue's order."""
    rows = await ctx.db.fetch("select module, enabled from tenant_modules where tenant_id = $1", ctx.tenant_id)
    enabled = {row["module"]: row["enabled"] for row in rows}
    return [ModuleOut(t.name, t.title, t.description, enabled.get(t.name, False)) for t in TOGGLES]


async def switched_off(ctx: Ctx) -> frozenset[str]:
    """The names of the modules that are off for the transaction's tenant; none for the platform itself."""
    if ctx.tenant_id == PLATFORM:
        return frozenset()
    return frozenset(module.name for module in await list_modules(ctx) if not module.enabled)


async def count_waiting(ctx: Ctx) -> int:
    """How many registrations wait for a decision."""
    return await ctx.db.fetchval("select count(*) from tenants where status = 'pending' and kind = 'business'")
