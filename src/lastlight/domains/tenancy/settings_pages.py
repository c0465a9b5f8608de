"""One's own business on screens: its details, its modules, and what it decides for itself."""

from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec

from lastlight.domains.tenancy import actions, queries
from lastlight.domains.tenancy.permissions import TENANT_MANAGE, TENANT_READ
from lastlight.domains.tenancy.schemas import TenantChangeIn
from lastlight.kernel.errors import NotFound
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.runtime.tenant_settings import (
    PLATFORM_SETTINGS_MANAGE,
    SETTINGS_MANAGE,
    SETTINGS_READ,
    all_settings,
    change_setting,
)

TEMPLATE = "tenancy/settings.html"
PARAMETERS = "tenancy/parameters.html"
OWN = "/owner/settings"
PLATFORMS = "/platform/settings"


class SettingsForm(Input, frozen=True, kw_only=True):
    """Details of one's own business."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    contact_name: Annotated[str, msgspec.Meta(max_length=120)]
    contact_email: Annotated[str, msgspec.Meta(max_length=254)]
    contact_phone: Annotated[str, msgspec.Meta(max_length=40)] = ""
    time_zone: Annotated[str, msgspec.Meta(max_length=60)]
    version: int


class SettingForm(Input, frozen=True, kw_only=True):
    """One setting's new value as text; `default` goes back to what holds without one."""

    setting: Annotated[str, msgspec.Meta(max_length=100)] = ""
    value: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    default: bool = False
    version: int


def zones() -> list[tuple[str, str]]:
    """The time zones to choose from."""
    return [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if "/" in zone]


async def _own(ctx: Ctx, **_place: Any) -> dict[str, Any]:
    tenant = await queries.read_tenant(ctx)
    return {
        "tenant": tenant,
        "zones": zones(),
        "settings": await all_settings(ctx) if ctx.allows(SETTINGS_READ) else [],
        "heading": "House rules",
        "place": OWN,
        "modules": await queries.list_modules(ctx),
        "history": await entity_history(ctx, entity="tenant", entity_id=tenant.id),
    }


@page(OWN, permission=TENANT_READ)
async def settings_page(ctx: Ctx) -> View:
    """Show one's own business."""
    return View(TEMPLATE, await _own(ctx))


@page_post(OWN, permission=TENANT_MANAGE, form_page=TEMPLATE, form_context=_own)
async def settings_submit(ctx: Ctx, form: Form[SettingsForm]) -> Redirect:
    """Change details of one's own business."""
    data = form.require()
    change = TenantChangeIn(
        name=data.name,
        contact_name=data.contact_name,
        contact_email=data.contact_email,
        contact_phone=data.contact_phone,
        time_zone=data.time_zone,
    )
    await actions.change_tenant(ctx, data=change, version=data.version)
    return Redirect(OWN, toast="Saved.")


async def _platforms(ctx: Ctx, **_place: Any) -> dict[str, Any]:
    return {"settings": await all_settings(ctx), "heading": "Parameters", "place": PLATFORMS}


@page(PLATFORMS, permission=PLATFORM_SETTINGS_MANAGE)
async def parameters_page(ctx: Ctx) -> View:
    """Show the parameters of the platform itself."""
    return View(PARAMETERS, await _platforms(ctx))


@page_post(
    f"{PLATFORMS}/{{key:str}}", permission=PLATFORM_SETTINGS_MANAGE, form_page=PARAMETERS, form_context=_platforms
)
async def parameter_submit(ctx: Ctx, key: str, form: Form[SettingForm]) -> Redirect:
    """Give one parameter of the platform another value, or its default again."""
    return await _change(ctx, key, form.require(), PLATFORMS)


@page_post(f"{OWN}/{{key:str}}", permission=SETTINGS_MANAGE, form_page=TEMPLATE, form_context=_own)
async def setting_submit(ctx: Ctx, key: str, form: Form[SettingForm]) -> Redirect:
    """Give one setting of the business another value, or its default again."""
    return await _change(ctx, key, form.require(), OWN)


async def _change(ctx: Ctx, key: str, data: SettingForm, place: str) -> Redirect:
    declared = ctx.services.registry.settings.get(key)
    if declared is None:
        raise NotFound
    value = None if data.default else declared.parse(data.value)
    await change_setting(ctx, key=key, value=value, version=data.version)
    return Redirect(place, toast="Saved.")


SETTINGS_PAGES = (settings_page, settings_submit, setting_submit, parameters_page, parameter_submit)
