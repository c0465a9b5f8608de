"""Feature flags on screens: the crew's list, one flag with the businesses it falls on, and what an owner has."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.flags import actions, queries
from lastlight.domains.flags.model import KEY_PATTERN, Spread
from lastlight.domains.flags.permissions import FLAGS_MANAGE, FLAGS_READ
from lastlight.domains.flags.schemas import FlagChange, FlagIn, TenantFlagIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import TenantId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.runtime.tenant_settings import SETTINGS_READ

HOME = "/platform/flags"
ONE = f"{HOME}/{{flag_key:str}}"
ANSWER = f"{ONE}/tenants/{{tenant_id:uuid}}/answer"
EVENTS = ["flag.created", "flag.changed", "flag.removed", "flag.killed", "flag.revived", "flag.tenant_changed"]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Percentage = Annotated[int, msgspec.Meta(ge=0, le=100)]
What = Literal["kill", "revival", "removal"]


class NewFlagForm(Input, frozen=True, kw_only=True):
    """A flag to be; it begins switched off."""

    key: Annotated[str, msgspec.Meta(pattern=KEY_PATTERN, max_length=80)]
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    spread: Spread = "tenant"


class FlagForm(Input, frozen=True, kw_only=True):
    """The platform's answer for everybody."""

    description: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    enabled: bool = False
    percentage: Percentage = 100
    spread: Spread = "tenant"
    version: int


class FlagQuery(Input, frozen=True, kw_only=True):
    """Words of a business's name."""

    q: Annotated[str, msgspec.Meta(max_length=120)] = ""


class DecisionQuery(Input, frozen=True, kw_only=True):
    """What is asked about."""

    what: What = "kill"


class DecisionForm(Input, frozen=True, kw_only=True):
    """What is to happen to a flag, and why."""

    what: What
    reason: Text = ""
    version: int


class AnswerForm(Input, frozen=True, kw_only=True):
    """A business's own answer; `platform` takes it away."""

    answer: Literal["on", "off", "platform"]
    percentage: Percentage = 100
    reason: Text = ""
    version: int


@page(HOME, permission=FLAGS_READ, db="platform", listing=queries.FLAGS_LIST)
async def feature_flags_page(ctx: Ctx, query: Any) -> View:
    """List the platform's feature flags."""
    view = await queries.FLAGS_LIST.view(ctx, query)
    shown = {"view": view, "home": HOME, "paged": bool(query.after), "events": EVENTS}
    return View("flags/flags.html", shown)


async def _blank(_ctx: Ctx) -> dict[str, Any]:
    return {"home": HOME}


@page(f"{HOME}/new", permission=FLAGS_MANAGE)
async def flag_new_page(ctx: Ctx) -> View:
    """Ask for a new flag."""
    return View("flags/flag_new.html", await _blank(ctx))


@page_post(f"{HOME}/new", permission=FLAGS_MANAGE, db="platform", form_page="flags/flag_new.html", form_context=_blank)
async def flag_new_submit(ctx: Ctx, form: Form[NewFlagForm]) -> Redirect:
    """Add a flag, switched off."""
    data = form.require()
    wanted = FlagIn(key=data.key, description=data.description, spread=data.spread)
    flag = await actions.create_flag(ctx, data=wanted)
    return Redirect(f"{HOME}/{flag.key}", toast="The flag is there, switched off.")


async def _flag(ctx: Ctx, *, flag_key: str, q: str = "") -> dict[str, Any]:
    return {
        "flag": await queries.read_flag(ctx, key=flag_key),
        "businesses": await queries.businesses_of(ctx, key=flag_key, q=q),
        "q": q,
        "home": HOME,
        "here": f"{HOME}/{flag_key}",
        "events": EVENTS,
        "what": "kill",
        "asked": flag_key in ctx.services.registry.flags,
        "history": await entity_history(ctx, entity="flag", entity_id=flag_key),
    }


@page(ONE, permission=FLAGS_READ, db="platform")
async def feature_flag_page(ctx: Ctx, flag_key: str, query: FlagQuery) -> View:
    """Show a flag, and which businesses it falls on."""
    return View("flags/flag.html", await _flag(ctx, flag_key=flag_key, q=query.q))


@page_post(ONE, permission=FLAGS_MANAGE, db="platform", form_page="flags/flag.html", form_context=_flag)
async def flag_submit(ctx: Ctx, flag_key: str, form: Form[FlagForm]) -> Redirect:
    """Change the platform's answer, its share or its words."""
    data = form.require()
    change = FlagChange(
        description=data.description, enabled=data.enabled, percentage=data.percentage, spread=data.spread
    )
    await actions.change_flag(ctx, key=flag_key, data=change, version=data.version)
    return Redirect(f"{HOME}/{flag_key}", toast="Saved. It holds from the next request on.")


@page(f"{ONE}/fate", permission=FLAGS_MANAGE, db="platform")
async def flag_fate_dialog(ctx: Ctx, flag_key: str, query: DecisionQuery) -> View:
    """Ask whether a flag is to be killed, revived or removed."""
    return View("flags/fate.html", {**await _flag(ctx, flag_key=flag_key), "what": query.what}, block="dialog")


@page_post(
    f"{ONE}/fate",
    permission=FLAGS_MANAGE,
    db="platform",
    form_page="flags/fate.html",
    form_block="dialog",
    form_context=_flag,
)
async def flag_fate_submit(ctx: Ctx, flag_key: str, form: Form[DecisionForm]) -> Redirect:
    """Kill a flag for everybody, revive it, or remove it."""
    data = form.require()
    if data.what == "removal":
        await actions.remove_flag(ctx, key=flag_key, version=data.version)
        return Redirect(HOME, toast="The flag is removed: whoever asks for it finds it off.")
    if data.what == "revival":
        await actions.revive_flag(ctx, key=flag_key, version=data.version)
        return Redirect(f"{HOME}/{flag_key}", toast="It counts again as it stands.")
    await actions.kill_flag(ctx, key=flag_key, reason=data.reason, version=data.version)
    return Redirect(f"{HOME}/{flag_key}", toast="It is off for everybody, from the next request on.")


async def _answer(ctx: Ctx, *, flag_key: str, tenant_id: UUID) -> dict[str, Any]:
    return {
        "own": await queries.read_tenant_flag(ctx, key=flag_key),
        "name": await ctx.db.fetchval("select name from tenants where id = $1", ctx.tenant_id),
        "here": f"{HOME}/{flag_key}/tenants/{tenant_id}/answer",
    }


@page(ANSWER, permission=FLAGS_MANAGE, db="platform", scope_tenant="tenant_id")
async def tenant_flag_dialog(ctx: Ctx, flag_key: str, tenant_id: TenantId) -> View:
    """Ask what a flag is for one business."""
    return View("flags/answer.html", await _answer(ctx, flag_key=flag_key, tenant_id=tenant_id), block="dialog")


@page_post(
    ANSWER,
    permission=FLAGS_MANAGE,
    db="platform",
    scope_tenant="tenant_id",
    form_page="flags/answer.html",
    form_block="dialog",
    form_context=_answer,
)
async def tenant_flag_submit(ctx: Ctx, flag_key: str, tenant_id: TenantId, form: Form[AnswerForm]) -> Redirect:
    """Give one business an answer of its own, or take it away."""
    data = form.require()
    if data.answer == "platform":
        if data.version:
            await actions.clear_tenant_flag(ctx, key=flag_key, version=data.version)
        return Redirect(f"{HOME}/{flag_key}", toast="The platform's answer counts for it.")
    if not data.reason.strip():
        raise Invalid(fields={"reason": "Say why this business differs."})
    wanted = TenantFlagIn(enabled=data.answer == "on", percentage=data.percentage, reason=data.reason)
    await actions.set_tenant_flag(ctx, key=flag_key, data=wanted, version=data.version)
    return Redirect(f"{HOME}/{flag_key}", toast="The business has an answer of its own.")


@page("/owner/features", permission=SETTINGS_READ)
async def features_page(ctx: Ctx) -> View:
    """Show which features are switched on for the business."""
    return View("flags/features.html", {"answers": await queries.answers(ctx)})


PAGES = (
    feature_flags_page,
    flag_new_page,
    flag_new_submit,
    feature_flag_page,
    flag_submit,
    flag_fate_dialog,
    flag_fate_submit,
    tenant_flag_dialog,
    tenant_flag_submit,
    features_page,
)
