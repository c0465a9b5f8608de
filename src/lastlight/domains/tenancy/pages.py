"""Tenancy on screens: registering, one's own business, and the platform's list with what the crew decides."""

from typing import Any, Literal
from uuid import UUID

from lastlight.domains import identity
from lastlight.domains.tenancy import actions, queries
from lastlight.domains.tenancy.permissions import (
    TENANTS_DECIDE,
    TENANTS_ENTER,
    TENANTS_MANAGE,
    TENANTS_READ,
)
from lastlight.domains.tenancy.registration import Applicant, prepare_registration, register_tenant
from lastlight.domains.tenancy.schemas import Plan, RegistrationIn, Text
from lastlight.domains.tenancy.settings_pages import SETTINGS_PAGES, zones
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import TenantId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.auth.cookies import session_cookie
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post

HOME = "/platform/tenants"
ONE = f"{HOME}/{{tenant_id:uuid}}"
EVENTS = ["tenant.registered", "platform.tenant_changed"]
COUNT_EVENTS = tuple(EVENTS)
Decision = Literal["approval", "rejection", "suspension", "reactivation", "scope"]


class TabQuery(Input, frozen=True, kw_only=True):
    """The tab that is open."""

    tab: Literal["overview", "modules"] = "overview"


class DecisionQuery(Input, frozen=True, kw_only=True):
    """What is asked about."""

    what: Decision


class DecisionForm(Input, frozen=True, kw_only=True):
    """A decision and its reason."""

    what: Decision
    reason: Text = ""


class PlanForm(Input, frozen=True, kw_only=True):
    """A plan, and the version that was read."""

    plan: Plan
    version: int


class ModuleForm(Input, frozen=True, kw_only=True):
    """Whether the module is on; switched off, why."""

    enabled: bool = False
    reason: Text = ""


async def _register_again(_ctx: Ctx) -> dict[str, Any]:
    return {"sent": False, "zones": zones()}


@page("/register", public="A business that is not here yet has nobody to sign in.")
async def register_page(ctx: Ctx) -> View:
    """Ask who wants to come."""
    return View("tenancy/register.html", await _register_again(ctx))


@page_post(
    "/register",
    public="A business that is not here yet has nobody to sign in.",
    db="system",
    limit="auth",
    prepare=prepare_registration,
    form_page="tenancy/register.html",
    form_context=_register_again,
)
async def register_submit(ctx: Ctx, form: Form[RegistrationIn], prepared: Applicant) -> View:
    """Take a registration; it waits for the platform."""
    await register_tenant(ctx, data=form.require(), applicant=prepared)
    return View("tenancy/register.html", {"sent": True, "zones": []})


@page(HOME, permission=TENANTS_READ, listing=queries.TENANTS)
async def tenants_page(ctx: Ctx, query: Any) -> View:
    """List the businesses."""
    view = await queries.TENANTS.view(ctx, query)
    waiting = await queries.count_waiting(ctx)
    shown = {"view": view, "home": HOME, "paged": bool(query.after), "events": EVENTS, "waiting": waiting}
    return View("tenancy/tenants.html", shown)


async def waiting_beside(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many registrations wait, beside the list's name in the sidebar."""
    return await queries.count_waiting(ctx)


async def _detail(ctx: Ctx, tenant_id: UUID) -> dict[str, Any]:
    detail = await queries.read_detail(ctx)
    return {
        "detail": detail,
        "tenant": detail.tenant,
        "home": HOME,
        "here": f"{HOME}/{tenant_id}",
        "tab": "overview",
        "plans": [(plan, plan.capitalize()) for plan in Plan.__args__],
        "filled": _filled(ctx),
        "history": await entity_history(ctx, entity="tenant", entity_id=tenant_id),
    }


def _filled(ctx: Ctx) -> set[str | None]:
    """The modules of which something is in this release: what stands behind the others comes with a later one."""
    registry = ctx.services.registry
    switched = (*registry.modules, *registry.operations, *registry.nav, *registry.jobs.values())
    return {item.toggle for item in switched}


@page(ONE, permission=TENANTS_READ, scope_tenant="tenant_id")
async def tenant_page(ctx: Ctx, tenant_id: TenantId, query: TabQuery) -> View:
    """Show one business."""
    return View("tenancy/tenant.html", {**await _detail(ctx, tenant_id), "tab": query.tab})


@page(f"{ONE}/decision", permission=TENANTS_READ, scope_tenant="tenant_id")
async def decision_dialog(ctx: Ctx, tenant_id: TenantId, query: DecisionQuery) -> View:
    """Ask whether a decision is meant."""
    shown = {**await _detail(ctx, tenant_id), "what": query.what}
    return View("tenancy/decision.html", shown, block="dialog")


async def _decision_again(ctx: Ctx, tenant_id: UUID) -> dict[str, Any]:
    return {**await _detail(ctx, tenant_id), "what": "rejection"}


@page_post(
    f"{ONE}/registration",
    permission=TENANTS_DECIDE,
    scope_tenant="tenant_id",
    db="system",
    form_page="tenancy/decision.html",
    form_block="dialog",
    form_context=_decision_again,
)
async def registration_submit(ctx: Ctx, tenant_id: TenantId, form: Form[DecisionForm]) -> Redirect:
    """Approve or reject a registration."""
    data = form.require()
    if data.what == "approval":
        tenant = await actions.approve(ctx)
        return Redirect(f"{HOME}/{tenant_id}", toast=f"{tenant.name} is approved. Its owner is told by e-mail.")
    await actions.reject(ctx, reason=_reason(data))
    return Redirect(f"{HOME}/{tenant_id}", toast="The registration is rejected. The applicant is told why.")


@page_post(
    f"{ONE}/standing",
    permission=TENANTS_MANAGE,
    scope_tenant="tenant_id",
    db="system",
    form_page="tenancy/decision.html",
    form_block="dialog",
    form_context=_decision_again,
)
async def standing_submit(ctx: Ctx, tenant_id: TenantId, form: Form[DecisionForm]) -> Redirect:
    """Suspend a business, or let it run again."""
    data = form.require()
    act = actions.suspend if data.what == "suspension" else actions.reactivate
    tenant = await act(ctx, reason=_reason(data))
    return Redirect(f"{HOME}/{tenant_id}", toast=f"{tenant.name} is {tenant.status} now.")


@page_post(
    f"{ONE}/scope",
    permission=TENANTS_ENTER,
    scope_tenant="tenant_id",
    db="system",
    secret=True,
    form_page="tenancy/decision.html",
    form_block="dialog",
    form_context=_decision_again,
)
async def scope_submit(ctx: Ctx, tenant_id: TenantId, form: Form[DecisionForm]) -> Redirect:
    """Go inside a business for an hour, with a reason."""
    session = await actions.enter(ctx, reason=_reason(form.require()))
    token, seconds = identity.cookie_token(ctx, session=session)
    return Redirect("/owner", cookies=[session_cookie(ctx.services.settings, token, seconds=seconds)])


@page_post(f"{ONE}/plan", permission=TENANTS_MANAGE, scope_tenant="tenant_id", db="system")
async def plan_submit(ctx: Ctx, tenant_id: TenantId, form: Form[PlanForm]) -> Redirect:
    """Change a business's plan."""
    data = form.require()
    await actions.change_plan(ctx, plan=data.plan, version=data.version)
    return Redirect(f"{HOME}/{tenant_id}", toast="The plan is changed.")


async def _module_detail(ctx: Ctx, tenant_id: UUID, module: str) -> dict[str, Any]:
    detail = await _detail(ctx, tenant_id)
    found = next((one for one in detail["detail"].modules if one.name == module), None)
    if found is None:
        raise NotFound("There is no such module.")
    return {**detail, "module": found}


@page(f"{ONE}/modules/{{module:str}}/switching-off", permission=TENANTS_MANAGE, scope_tenant="tenant_id")
async def module_dialog(ctx: Ctx, tenant_id: TenantId, module: str) -> View:
    """Ask whether a module is to be switched off, and why."""
    return View("tenancy/module_off.html", await _module_detail(ctx, tenant_id, module), block="dialog")


@page_post(
    f"{ONE}/modules/{{module:str}}",
    permission=TENANTS_MANAGE,
    scope_tenant="tenant_id",
    db="system",
    form_page="tenancy/module_off.html",
    form_block="dialog",
    form_context=_module_detail,
)
async def module_submit(ctx: Ctx, tenant_id: TenantId, module: str, form: Form[ModuleForm]) -> Redirect:
    """Switch a module on or off."""
    data = form.require()
    reason = data.reason if data.enabled else _reason(data)
    changed = await actions.set_module(ctx, module=module, enabled=data.enabled, reason=reason)
    state = "on" if changed.enabled else "off"
    return Redirect(f"{HOME}/{tenant_id}?tab=modules", toast=f"{changed.title} is {state} from the next request on.")


def _reason(data: DecisionForm | ModuleForm) -> str:
    """The reason that a decision needs."""
    if len(data.reason.strip()) < 3:
        raise Invalid(fields={"reason": "Say why; people read it."})
    return data.reason.strip()


PAGES = (
    register_page,
    register_submit,
    tenants_page,
    tenant_page,
    decision_dialog,
    registration_submit,
    standing_submit,
    scope_submit,
    plan_submit,
    module_dialog,
    module_submit,
    *SETTINGS_PAGES,
)
