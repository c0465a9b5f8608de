"""The edge of registration, of one's own business, and of the platform's businesses."""

from lastlight.domains import identity
from lastlight.domains.tenancy import actions, queries
from lastlight.domains.tenancy.errors import ApplicantUnproven, ModuleNeeded, NotActive, NotPending, NotSuspended
from lastlight.domains.tenancy.permissions import (
    TENANT_MANAGE,
    TENANT_READ,
    TENANTS_DECIDE,
    TENANTS_ENTER,
    TENANTS_MANAGE,
    TENANTS_READ,
)
from lastlight.domains.tenancy.registration import Applicant, prepare_registration, register_tenant
from lastlight.domains.tenancy.schemas import (
    ModuleIn,
    ModuleOut,
    PlanIn,
    ReasonIn,
    RegistrationIn,
    RegistrationOut,
    ScopeOut,
    TenantChangeIn,
    TenantDetailOut,
    TenantOut,
)
from lastlight.kernel.errors import Conflict, Invalid, NotFound, Stale
from lastlight.kernel.ids import TenantId
from lastlight.kernel.paging import Page
from lastlight.runtime.auth.cookies import session_cookie
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Reply, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

BUSINESS = ("Businesses",)
OWN = ("One's own business",)


@post(
    "/api/tenants/registrations",
    public="a business that is not here yet has nobody to sign in",
    status=202,
    db="system",
    limit="auth",
    tags=OWN,
    raises=(Invalid, Conflict),
    prepare=prepare_registration,
)
async def register_business(ctx: Ctx, data: RegistrationIn, prepared: Applicant) -> RegistrationOut:
    """Register a business. It waits for the platform's approval; the applicant is told by e-mail.

    With an address that has an account, `password` is that account's. The answer is the same in every case.
    """
    await register_tenant(ctx, data=data, applicant=prepared)
    return RegistrationOut("received", "Thank you. Check your inbox; we write again as soon as it is decided.")


@get("/api/tenant", permission=TENANT_READ, tags=OWN)
async def read_business(ctx: Ctx) -> TenantOut:
    """One's own business."""
    return await queries.read_tenant(ctx)


@patch("/api/tenant", permission=TENANT_MANAGE, tags=OWN, raises=(Invalid, Stale))
async def change_business(ctx: Ctx, data: TenantChangeIn, if_match: int) -> TenantOut:
    """Change details of one's own business."""
    return await actions.change_tenant(ctx, data=data, version=if_match)


@get("/api/modules", signed_in="it is what their business uses", tags=OWN)
async def list_modules(ctx: Ctx) -> Page[ModuleOut]:
    """The modules of one's own business, and which of them are on."""
    return Page(await queries.list_modules(ctx))


@get(
    "/api/admin/tenants/{tenant_id:uuid}",
    permission=TENANTS_READ,
    scope_tenant="tenant_id",
    tags=BUSINESS,
    raises=(NotFound,),
)
async def read_tenant(ctx: Ctx, tenant_id: TenantId) -> TenantDetailOut:
    """One business with its modules and figures of use."""
    return await queries.read_detail(ctx)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/approval",
    permission=TENANTS_DECIDE,
    scope_tenant="tenant_id",
    status=200,
    db="system",
    tags=BUSINESS,
    raises=(NotFound, NotPending, ApplicantUnproven),
)
async def approve_tenant(ctx: Ctx, tenant_id: TenantId) -> TenantOut:
    """Approve a registration: the business starts, with its applicant as owner, who is told by e-mail."""
    return await actions.approve(ctx)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/rejection",
    permission=TENANTS_DECIDE,
    scope_tenant="tenant_id",
    status=200,
    db="system",
    tags=BUSINESS,
    raises=(NotFound, NotPending),
)
async def reject_tenant(ctx: Ctx, tenant_id: TenantId, data: ReasonIn) -> TenantOut:
    """Reject a registration; the applicant is told why by e-mail."""
    return await actions.reject(ctx, reason=data.reason)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/suspension",
    permission=TENANTS_MANAGE,
    scope_tenant="tenant_id",
    status=200,
    db="system",
    tags=BUSINESS,
    raises=(NotFound, NotActive),
)
async def suspend_tenant(ctx: Ctx, tenant_id: TenantId, data: ReasonIn) -> TenantOut:
    """Suspend a business: from their next request on none of its people and guests gets in."""
    return await actions.suspend(ctx, reason=data.reason)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/reactivation",
    permission=TENANTS_MANAGE,
    scope_tenant="tenant_id",
    status=200,
    db="system",
    tags=BUSINESS,
    raises=(NotFound, NotSuspended),
)
async def reactivate_tenant(ctx: Ctx, tenant_id: TenantId, data: ReasonIn) -> TenantOut:
    """Let a suspended business run again."""
    return await actions.reactivate(ctx, reason=data.reason)


@patch(
    "/api/admin/tenants/{tenant_id:uuid}",
    permission=TENANTS_MANAGE,
    scope_tenant="tenant_id",
    db="system",
    tags=BUSINESS,
    raises=(NotFound, Stale),
)
async def change_plan(ctx: Ctx, tenant_id: TenantId, data: PlanIn, if_match: int) -> TenantOut:
    """Change the plan of a business."""
    return await actions.change_plan(ctx, plan=data.plan, version=if_match)


@put(
    "/api/admin/tenants/{tenant_id:uuid}/modules/{module:str}",
    permission=TENANTS_MANAGE,
    scope_tenant="tenant_id",
    db="system",
    tags=BUSINESS,
    raises=(NotFound, ModuleNeeded),
)
async def set_module(ctx: Ctx, tenant_id: TenantId, module: str, data: ModuleIn) -> ModuleOut:
    """Switch a module of a business on or off, from its next request on."""
    return await actions.set_module(ctx, module=module, enabled=data.enabled, reason=data.reason)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/scope",
    permission=TENANTS_ENTER,
    scope_tenant="tenant_id",
    status=201,
    db="system",
    secret=True,
    tags=BUSINESS,
    raises=(NotFound, NotActive),
)
async def enter_tenant(ctx: Ctx, tenant_id: TenantId, data: ReasonIn) -> Reply[ScopeOut]:
    """Go inside a business for an hour, with a reason that its audit log keeps.

    A bearer gets tokens; a browser's cookie is exchanged, and `PUT /api/auth/session {"tenant": "platform"}` leads back.
    """
    channel = ctx.actor.channel
    session = await actions.enter(ctx, reason=data.reason)
    tenant = await queries.read_tenant(ctx)
    if channel == "cookie":
        token, seconds = identity.cookie_token(ctx, session=session)
        cookie = session_cookie(ctx.services.settings, token, seconds=seconds)
        return Reply(value=ScopeOut(tenant.id, tenant.slug, session.expires_at), cookies=[cookie])
    tokens = await identity.issue_tokens(ctx, session=session)
    return Reply(
        value=ScopeOut(
            tenant.id,
            tenant.slug,
            session.expires_at,
            tokens.access_token,
            tokens.refresh_token,
            expires_in=tokens.expires_in,
        )
    )


ROUTES = (
    register_business,
    read_business,
    change_business,
    list_modules,
    listing_get("/api/admin/tenants", queries.TENANTS, tags=BUSINESS),
    read_tenant,
    approve_tenant,
    reject_tenant,
    suspend_tenant,
    reactivate_tenant,
    change_plan,
    set_module,
    enter_tenant,
)
