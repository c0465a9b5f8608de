"""The platform's own settings on screens: what runs here, its keys and their rotation."""

import platform as machine
import sys
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from lastlight import __version__
from lastlight.kernel.errors import NotFound
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.migrate import newest_migration
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.runtime.keys.module import KEYS_MANAGE, ask_to_reseal, read_state, sign_everybody_out
from lastlight.runtime.push.keys import PUSH_MANAGE, list_keys, replace_key, retire_key
from lastlight.runtime.settings import SETTINGS
from lastlight.runtime.tenant_settings import PLATFORM_SETTINGS_MANAGE

HOME = "/platform/project"
KEYS = "/platform/keys"
FIGURES = """
select current_setting('server_version') as server, pg_database_size(current_database()) as size,
       (select max(number) from schema_migrations) as migration, pg_postmaster_start_time() as since
"""
What = Literal["reseal", "push", "retire", "sign_out"]


class WhatQuery(Input, frozen=True, kw_only=True):
    """What is asked about; `key` is the key of notifications that is to be retired."""

    what: What = "reseal"
    key: UUID | None = None


class WhatForm(Input, frozen=True, kw_only=True):
    """What is to be done with keys, and why."""

    what: What
    key: UUID | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


@page(HOME, permission=PLATFORM_SETTINGS_MANAGE, db="system")
async def project_page(ctx: Ctx) -> View:
    """Show what runs here and how it is set up; no secret is among it."""
    settings = ctx.services.settings
    figures = await ctx.db.fetchrow(FIGURES)
    shown: dict[str, Any] = {
        "version": __version__,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}",
        "system": f"{machine.system()} {machine.release()}",
        "figures": figures,
        "newest": newest_migration(),
        "embedded": settings.embedded,
        "demo": settings.demo,
        "base_url": settings.base_url,
        "storage": urlsplit(settings.storage_url).scheme,
        "mail": urlsplit(settings.smtp_url).hostname or "",
        "modules": len(ctx.services.registry.modules),
        "operations": len(ctx.services.registry.operations),
        "plain": [(one, _shown(getattr(settings, one.name))) for one in SETTINGS if not one.secret],
    }
    return View("platform/project.html", {**shown, "home": HOME, "keys": KEYS})


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType] a setting's own strings
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


async def _keys(ctx: Ctx) -> dict[str, Any]:
    state = await read_state(ctx)
    waiting = sum(sum(key.sealed.values()) for key in state.keys if not key.current)
    return {
        "state": state,
        "waiting": waiting,
        "home": HOME,
        "keys": KEYS,
        "what": "reseal",
        "key": None,
        "push_keys": await list_keys(ctx) if ctx.allows(PUSH_MANAGE) else [],
        "history": await entity_history(ctx, entity="platform", entity_id="keys"),
    }


@page(KEYS, permission=KEYS_MANAGE, db="system")
async def keys_page(ctx: Ctx) -> View:
    """Show the keys by their fingerprints, and how each is rotated."""
    return View("platform/keys.html", await _keys(ctx))


@page(f"{KEYS}/rotation", permission=KEYS_MANAGE, db="system")
async def rotation_dialog(ctx: Ctx, query: WhatQuery) -> View:
    """Ask whether keys are to be rotated, or everybody signed out."""
    return View("platform/rotation.html", {**await _keys(ctx), "what": query.what, "key": query.key}, block="dialog")


@page_post(
    f"{KEYS}/rotation",
    permission=KEYS_MANAGE,
    db="system",
    form_page="platform/rotation.html",
    form_block="dialog",
    form_context=_keys,
)
async def rotation_submit(ctx: Ctx, form: Form[WhatForm]) -> Redirect:
    """Seal secrets again, replace or retire a key of notifications, or sign everybody out."""
    data = form.require()
    if data.what == "sign_out":
        count = await sign_everybody_out(ctx, reason=data.reason)
        return Redirect(KEYS, toast=f"{count} sessions ended. Yours goes on.")
    if data.what == "push":
        ctx.require(PUSH_MANAGE)
        await replace_key(ctx)
        return Redirect(KEYS, toast="Browsers subscribe with a new key from now on.")
    if data.what == "retire":
        ctx.require(PUSH_MANAGE)
        if data.key is None:
            raise NotFound
        done = await retire_key(ctx, key_id=data.key, reason=data.reason)
        return Redirect(KEYS, toast=f"The key is destroyed. {done.devices} devices subscribe anew when next opened.")
    await ask_to_reseal(ctx)
    return Redirect(KEYS, toast="A job seals them again now.")


PROJECT_PAGES = (project_page, keys_page, rotation_dialog, rotation_submit)
