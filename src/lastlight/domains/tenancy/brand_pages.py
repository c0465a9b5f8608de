"""Branding on screens: for a business among its settings, for the platform among its own."""

from typing import Annotated, Any

import msgspec

from lastlight.domains.tenancy import brands
from lastlight.domains.tenancy.brand_api import shades_of
from lastlight.domains.tenancy.permissions import TENANT_MANAGE
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post
from lastlight.ui.colours import clean_colour

TEMPLATE = "tenancy/branding.html"
DIALOG = "tenancy/logo_removal.html"
EVENTS = ["tenant.brand_changed"]


class TryQuery(Input, frozen=True, kw_only=True):
    """A colour to look at before it is chosen."""

    accent: Annotated[str, msgspec.Meta(max_length=20)] = ""


class AccentForm(Input, frozen=True, kw_only=True):
    """The accent; `default` goes back to Last Light's own."""

    accent: Annotated[str, msgspec.Meta(max_length=20)] = ""
    default: bool = False
    version: int


class VersionForm(Input, frozen=True, kw_only=True):
    """The version that was read."""

    version: int


def _brand_pages(home: str) -> tuple[Operation, ...]:
    async def facts(ctx: Ctx, *, tried: str = "") -> dict[str, Any]:
        brand = await brands.read_brand(ctx)
        accent = clean_colour(tried) or brand.accent
        return {
            "own": brand,
            "accent": accent,
            "wrong": bool(tried) and clean_colour(tried) is None,
            "tried": tried,
            "shades": shades_of(accent),
            "home": home,
            "events": EVENTS,
            "platform": home.startswith("/platform"),
            "history": await entity_history(ctx, entity="brand", entity_id=brand.tenant_id),
        }

    @page(home, permission=TENANT_MANAGE)
    async def branding_page(ctx: Ctx, query: TryQuery) -> View:
        """Show the logo and the accent, or what another colour would look like."""
        return View(TEMPLATE, await facts(ctx, tried=query.accent))

    @page_post(home, permission=TENANT_MANAGE, form_page=TEMPLATE, form_context=facts)
    async def branding_submit(ctx: Ctx, form: Form[AccentForm]) -> Redirect:
        """Choose the accent, or Last Light's own again."""
        data = form.require()
        brand = await brands.choose_accent(ctx, accent="" if data.default else data.accent, version=data.version)
        moved = [shade for shade in shades_of(brand.accent) if shade.moved]
        said = "".join(
            f" In the {one.theme} theme it is shown as {one.accent}, so that it can be read." for one in moved
        )
        return Redirect(home, toast=("Saved." if brand.accent else "Last Light's own colours are back.") + said)

    @page(f"{home}/logo-removal", permission=TENANT_MANAGE)
    async def logo_removal_dialog(ctx: Ctx) -> View:
        """Ask whether the logo is to be removed."""
        return View(DIALOG, await facts(ctx), block="dialog")

    @page_post(
        f"{home}/logo-removal", permission=TENANT_MANAGE, form_page=DIALOG, form_block="dialog", form_context=facts
    )
    async def logo_removal_submit(ctx: Ctx, form: Form[VersionForm]) -> Redirect:
        """Remove the logo."""
        await brands.remove_logo(ctx, version=form.require().version)
        return Redirect(home, toast="The logo is removed.")

    return (branding_page, branding_submit, logo_removal_dialog, logo_removal_submit)


BRAND_PAGES = (*_brand_pages("/owner/branding"), *_brand_pages("/platform/branding"))
