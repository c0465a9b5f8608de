"""What is done with tenants: decided, suspended, changed, entered. The transaction is inside the tenant, by the system's role."""

from datetime import timedelta
from typing import Any

import msgspec
from msgspec import UNSET

from lastlight.domains import identity
from lastlight.domains.tenancy.errors import ApplicantUnproven, ModuleNeeded, NotActive, NotPending, NotSuspended
from lastlight.domains.tenancy.events import (
    TenantApproved,
    TenantChanged,
    TenantDecided,
    TenantEntered,
    TenantModuleChanged,
    TenantReactivated,
    TenantRejected,
    TenantSuspended,
)
from lastlight.domains.tenancy.jobs import mail_decision
from lastlight.domains.tenancy.queries import list_modules, read_tenant
from lastlight.domains.tenancy.registration import check_time_zone
from lastlight.domains.tenancy.schemas import ModuleOut, TenantChangeIn, TenantOut
from lastlight.domains.tenancy.toggles import BY_NAME, TOGGLES, wrongly_standing
from lastlight.kernel.errors import Conflict, NotFound, Stale
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, TenantId, UserId
from lastlight.runtime.context import Ctx

SCOPE_LIFE = timedelta(hours=1)
"""How long the crew stays inside a tenant before it has to give a reason again."""


class Standing(msgspec.Struct, frozen=True):
    """A tenant as it is decided upon."""

    id: TenantId
    slug: str
    name: str
    status: str
    plan: str
    applicant_id: UserId | None
    version: int


async def approve(ctx: Ctx) -> TenantOut:
    """Approve the registration: built-in roles, modules, and the applicant as owner. Raises NotPending, ApplicantUnproven."""
    tenant = await _lock(ctx)
    if tenant.status != "pending":
        raise NotPending
    if tenant.applicant_id is None:
        raise Conflict("Nobody stands behind this registration; reject it.")
    if not await ctx.db.fetchval("select email_verified_at is not null from users where id = $1", tenant.applicant_id):
        raise ApplicantUnproven
    await _set_status(ctx, "active", reason="")
    await ctx.db.execute("update tenants set approved_at = now() where id = $1", ctx.tenant_id)
    await identity.give_builtin_roles(ctx, tenant_id=ctx.tenant_id)
    await give_modules(ctx, tenant_ids=[ctx.tenant_id])
    role = await identity.lock_role(ctx, role_id=await identity.role_by_key(ctx, key="owner"))
    await identity.add_membership(ctx, user_id=tenant.applicant_id, role=role, venue_ids=None)
    return await _decided(ctx, tenant, TenantApproved(tenant_id=tenant.id), "approved")


async def reject(ctx: Ctx, *, reason: str) -> TenantOut:
    """Reject the registration. Raises NotPending."""
    tenant = await _lock(ctx)
    if tenant.status != "pending":
        raise NotPending
    await _set_status(ctx, "rejected", reason=reason)
    return await _decided(ctx, tenant, TenantRejected(tenant_id=tenant.id), "rejected", reason=reason)


async def suspend(ctx: Ctx, *, reason: str) -> TenantOut:
    """Suspend the business: from their next request on nobody gets in but the crew. Raises NotActive."""
    tenant = await _lock(ctx)
    if tenant.status != "active":
        raise NotActive
    await _set_status(ctx, "suspended", reason=reason)
    return await _decided(ctx, tenant, TenantSuspended(tenant_id=tenant.id), "suspended", reason=reason)


async def reactivate(ctx: Ctx, *, reason: str) -> TenantOut:
    """Let a suspended business run again. Raises NotSuspended."""
    tenant = await _lock(ctx)
    if tenant.status != "suspended":
        raise NotSuspended
    await _set_status(ctx, "active", reason="")
    return await _decided(ctx, tenant, TenantReactivated(tenant_id=tenant.id), "reactivated", reason=reason)


async def change_plan(ctx: Ctx, *, plan: str, version: int) -> TenantOut:
    """Change the plan of the business. Raises Stale."""
    tenant = await _lock(ctx)
    if tenant.version != version:
        raise Stale
    if plan != tenant.plan:
        await ctx.db.execute("update tenants set plan = $2 where id = $1", ctx.tenant_id, plan)
        ctx.emit(
            TenantChanged(tenant_id=tenant.id, fields=["plan"]),
            entity=("tenant", tenant.id),
            before={"plan": tenant.plan},
            after={"plan": plan},
        )
        _tell_platform(ctx, tenant, "plan changed")
    return await read_tenant(ctx)


async def set_module(ctx: Ctx, *, module: str, enabled: bool, reason: str = "") -> ModuleOut:
    """Switch a module of the business on or off, from the next request on.

    Raises NotFound when there is no such module, ModuleNeeded when one that it needs is off, or one that needs it is on.
    """
    toggle = BY_NAME.get(module)
    if toggle is None:
        raise NotFound("There is no such module; GET /api/modules lists them.")
    tenant = await _lock(ctx)
    in_the_way = wrongly_standing(toggle, enabled=enabled, on={m.name for m in await list_modules(ctx) if m.enabled})
    if in_the_way:
        state, titles = "on" if enabled else "off", " and ".join(other.title for other in in_the_way)
        raise ModuleNeeded(f"Switch {titles} {state} first.", extra={"modules": ", ".join(o.name for o in in_the_way)})
    before = await ctx.db.fetchval(
        "select enabled from tenant_modules where tenant_id = $1 and module = $2", ctx.tenant_id, module
    )
    if before is not enabled:
        await ctx.db.execute(
            """insert into tenant_modules (tenant_id, module, enabled) values ($1, $2, $3)
               on conflict (tenant_id, module) do update set enabled = excluded.enabled""",
            ctx.tenant_id,
            module,
            enabled,
        )
        ctx.emit(
            TenantModuleChanged(tenant_id=tenant.id, module=module, enabled=enabled),
            entity=("tenant", tenant.id),
            before={"module": module, "enabled": bool(before)},
            after={"module": module, "enabled": enabled},
            reason=reason,
        )
        _tell_platform(ctx, tenant, "module changed")
    return ModuleOut(toggle.name, toggle.title, toggle.description, enabled)


async def give_modules(ctx: Ctx, *, tenant_ids: list[TenantId]) -> int:
    """Give tenants the modules they do not have a line for yet, on or off by default; how many lines were added."""
    return await ctx.db.execute(
        """insert into tenant_modules (tenant_id, module, enabled)
           select t.id, m.name, m.enabled
           from unnest($1::uuid[]) as t (id) cross join unnest($2::text[], $3::boolean[]) as m (name, enabled)
           on conflict (tenant_id, module) do nothing""",
        tenant_ids,
        [toggle.name for toggle in TOGGLES],
        [toggle.default for toggle in TOGGLES],
    )


async def change_tenant(ctx: Ctx, *, data: TenantChangeIn, version: int) -> TenantOut:
    """Change details of one's own business. Raises Invalid, Stale."""
    before = await read_tenant(ctx)
    changes = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    changes = {name: _clean(name, value) for name, value in changes.items()}
    wanted = msgspec.structs.replace(before, **changes)
    changed = sorted(name for name in changes if getattr(before, name) != changes[name])
    if before.version != version:
        raise Stale
    if not changed:
        return before
    count = await ctx.db.execute(
        """update tenants set name = $3, contact_name = $4, contact_email = $5, contact_phone = $6, country = $7, time_zone = $8, locale = $9
           where id = $1 and version = $2""",
        ctx.tenant_id,
        version,
        wanted.name,
        wanted.contact_name,
        wanted.contact_email,
        wanted.contact_phone,
        wanted.country,
        wanted.time_zone,
        wanted.locale,
    )
    if not count:
        raise Stale
    ctx.emit(
        TenantChanged(tenant_id=before.id, fields=changed),
        entity=("tenant", before.id),
        before={name: getattr(before, name) for name in changed},
        after={name: changes[name] for name in changed},
    )
    return await read_tenant(ctx)


def _clean(name: str, value: str) -> str:
    if name == "contact_email":
        return identity.clean_email(value, field=name)
    if name == "time_zone":
        check_time_zone(value)
    if name in {"name", "contact_name"}:
        return identity.clean_name(value, field=name)
    return value.strip()


async def enter(ctx: Ctx, *, reason: str) -> identity.Session:
    """Open a session of the crew inside the business, for an hour and on its record. Raises NotActive for one that never ran."""
    actor = ctx.actor
    user_id, session_id = await identity.hold_own_session(ctx)
    tenant = await _lock(ctx)
    if tenant.status not in {"active", "suspended"}:
        raise NotActive
    if actor.channel == "cookie":
        await identity.close(ctx, session_id=session_id)
    session = await identity.open_session(
        ctx,
        user_id=user_id,
        name=actor.name,
        email=actor.email,
        place=identity.Place("crew", tenant_id=tenant.id, slug=tenant.slug, name=tenant.name),
        channel="cookie" if actor.channel == "cookie" else "bearer",
        label=f"Inside {tenant.name}",
        reason=reason,
        life=SCOPE_LIFE,
        out_of=session_id,
    )
    ctx.emit(TenantEntered(tenant_id=tenant.id, session_id=session.id), entity=("tenant", tenant.id), reason=reason)
    _tell_platform(ctx, tenant, "entered", reason=reason)
    return session


async def _lock(ctx: Ctx) -> Standing:
    """The transaction's tenant, held until its end; NotFound for the platform itself."""
    if ctx.tenant_id == PLATFORM:
        raise NotFound
    return await ctx.db.one(
        Standing,
        "select id, slug, name, status, plan, applicant_id, version from tenants where id = $1 and kind = 'business' for update",
        ctx.tenant_id,
    )


async def _set_status(ctx: Ctx, status: str, *, reason: str) -> None:
    await ctx.db.execute(
        "update tenants set status = $2, status_reason = nullif($3, '') where id = $1", ctx.tenant_id, status, reason
    )
    await identity.bump_sessions(ctx, tenant_id=ctx.tenant_id)


async def _decided(ctx: Ctx, tenant: Standing, event: Event, what: str, *, reason: str = "") -> TenantOut:
    now = await read_tenant(ctx)
    before: dict[str, Any] = {"status": tenant.status}
    ctx.emit(event, entity=("tenant", tenant.id), before=before, after={"status": now.status}, reason=reason)
    _tell_platform(ctx, tenant, what, reason=reason)
    await ctx.enqueue(mail_decision, tenant=tenant.id)
    return now


def _tell_platform(ctx: Ctx, tenant: Standing, what: str, *, reason: str = "") -> None:
    """The same in the platform's own stream, so that the crew sees what its members do."""
    ctx.emit(
        TenantDecided(tenant_id=tenant.id, what=what), entity=("tenant", tenant.id), reason=reason, tenant_id=PLATFORM
    )
