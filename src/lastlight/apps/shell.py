"""Pages: what stands around each one, made from the registry and from what its reader may do."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

import msgspec
from jinja2 import Environment

from lastlight.apps.catalogue import APPS, AppPlace, app_of, home_of
from lastlight.domains import safety, tenancy, venues
from lastlight.domains.checkins import PATRONS_FIND
from lastlight.domains.identity import PATRONS_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import ANONYMOUS, Ctx
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.events.catch_up import stream_head
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.reply import FormState, RequestInfo, View
from lastlight.runtime.module import Nav
from lastlight.runtime.zones import reader_zone
from lastlight.ui.reader import locale_of
from lastlight.ui.render import render_block, render_page
from lastlight.ui.shell import (
    BrandRef,
    Command,
    Looking,
    Me,
    NavGroup,
    NavItem,
    ShellContext,
    TenantRef,
    VenueRef,
    initials,
)

OWN_COLOURS = frozenset({"management", "owner", "treasury", "payee"})
"""Consoles whose colour says which console it is; a business's accent is for its guests, its staff and its doors."""

OUTSIDERS = frozenset({"patron", "guest", "anonymous"})
"""Who works in no console."""


async def render(ctx: Ctx, op: Operation | None, info: RequestInfo, view: View) -> str:
    """A View as HTML: one block of it for a fragment, else the page inside its shell."""
    block = view.block or (parse_qs(info.query).get("fragment") or [""])[0]
    theme = _theme(ctx, info)
    context: dict[str, Any] = {
        "path": info.path,
        "query": info.query,
        "now": ctx.now,
        "actor": ctx.actor,
        "may": _may(ctx),
        "toast": view.toast or unquote(info.cookies.get("ll_toast", "")),
        "problem": None,
        "form": FormState(),
        "base_url": ctx.services.settings.base_url,
        **view.context,
    }
    place = app_of(info.path) or home_of(ctx.actor)
    locale, zone = _locale(ctx), (await reader_zone(ctx)).key
    templates = ctx.services.templates
    if block:
        if block not in templates.get_template(view.template).blocks:
            raise NotFound(f"This page has no part called {block[:60]}.")
        shell = ShellContext(app=place.app, app_name=place.title, theme=theme, locale=locale)
        return render_block(templates, view.template, block, {**context, "shell": shell}, locale=locale, zone=zone)
    async with readers_own(ctx, op) as own:
        shell = await build_shell(own, info, place, theme=theme, locale=locale)
    return render_page(templates, view.template, {**context, "shell": shell}, locale=locale, zone=zone)


def render_bare(templates: Environment, info: RequestInfo, view: View) -> str:
    """A page that stands by itself, for nothing is read: neither who asks nor whose brand it has, the theme aside."""
    place = app_of(info.path) or home_of(ANONYMOUS)
    theme = "light" if info.cookies.get("theme") == "light" else "dark"
    shell = ShellContext(app=place.app, app_name=place.title, theme=theme, home=place.prefix)
    return render_page(
        templates, view.template, {"path": info.path, "query": info.query, **view.context, "shell": shell}
    )


@asynccontextmanager
async def readers_own(ctx: Ctx, op: Operation | None) -> AsyncGenerator[Ctx]:
    """A transaction in which things are read as their reader may read them, whatever database role the operation needs."""
    role = "platform" if ctx.actor.kind == "crew" and ctx.tenant_id == PLATFORM else "app"
    # who holds a connection of a pool asks for no second one of it: many at once would wait for each other
    if op is None or op.db in {None, role} or ctx.actor.user_id is None:
        yield ctx
        return
    scope = WorkScope(ctx.actor, ctx.tenant_id, role=role, request_id=ctx.request_id)
    async with unit_of_work(ctx.services, scope) as own:
        own.drawn_at = ctx.drawn_at
        yield own


async def build_shell(
    ctx: Ctx, info: RequestInfo, place: AppPlace, *, theme: Literal["dark", "light"], locale: str
) -> ShellContext:
    """Everything around a page for this reader: places, counts, tenant, venues, palette."""
    if ctx.actor.user_id is None:
        brand = await _brand(ctx, place)
        return ShellContext(app=place.app, app_name=place.title, theme=theme, locale=locale, home="/", brand=brand)
    off = await tenancy.switched_off(ctx)
    groups = await _navigation(ctx, place, info, off)
    tenant = await _tenant(ctx)
    switchable = await _venues(ctx)
    chosen = str(venues.chosen_venue(info) or "")
    return ShellContext(
        app=place.app,
        app_name=place.title,
        theme=theme,
        follows_device=ctx.actor.theme == "system" and "theme_held" not in info.cookies,
        locale=locale,
        home=place.prefix,
        nav=groups,
        tenant=tenant,
        venue=next((venue for venue in switchable if venue.id == chosen), None),
        venues=switchable,
        all_venues_href="/switch-venue" if len(switchable) > 1 else "",
        me=Me(
            name=ctx.actor.name,
            email=ctx.actor.email,
            initials=initials(ctx.actor.name),
            roles=tuple(role.replace("_", " ").capitalize() for role in ctx.actor.roles),
            account_href="/account",
        ),
        looking=_looking(ctx, switchable),
        person=ctx.actor.user_id.hex[-12:],
        session=ctx.actor.session_id.hex[-12:] if ctx.actor.session_id else "",
        live=True,
        live_after=await stream_head(ctx) if ctx.drawn_at is None else ctx.drawn_at,
        commands=_commands(ctx, place, off),
        brand=await _brand(ctx, place),
        emergency=None if "safety" in off else await safety.emergency_of(ctx, app=place.app, venues=switchable),
    )


async def _brand(ctx: Ctx, place: AppPlace) -> BrandRef | None:
    """The logo, and the accent where an app has no colours of its own trade."""
    brand = await tenancy.read_brand(ctx)
    css = "" if place.app in OWN_COLOURS else brand.css
    if not css and not brand.logo:
        return None
    return BrandRef(name=brand.name, css=css, logo=brand.logo, logo_alt=brand.logo_alt)


def _looking(ctx: Ctx, known: tuple[VenueRef, ...]) -> Looking | None:
    """What stands on top of every page of somebody who only looks."""
    look = ctx.actor.looking
    if look is None:
        return None
    names = {venue.id: venue.name for venue in known}
    return Looking(
        kind=look.kind,
        actor=look.by_name,
        subject=look.subject,
        venues=tuple(names[str(venue)] for venue in look.venue_ids if str(venue) in names),
        reason=look.reason,
        ends_at=look.ends_at,
        stop_url="/looking/end",
    )


def _theme(ctx: Ctx, info: RequestInfo) -> Literal["dark", "light"]:
    wanted = info.cookies.get("theme") or ctx.actor.theme
    return "light" if wanted == "light" else "dark"


def _locale(ctx: Ctx) -> str:
    return locale_of(ctx.actor.locale)


def _may(ctx: Ctx) -> Mapping[str, bool]:
    return {name: ctx.allows(permission) for name, permission in ctx.services.registry.permissions.items()}


def _visible(ctx: Ctx, nav: Nav) -> bool:
    return nav.permission is None or ctx.allows(nav.permission)


async def _navigation(ctx: Ctx, place: AppPlace, info: RequestInfo, off: frozenset[str]) -> tuple[NavGroup, ...]:
    if ctx.actor.kind in OUTSIDERS or (place.app == "platform" and ctx.actor.kind != "crew"):
        return ()  # who is refused there is shown nothing of the console
    entries = [n for n in ctx.services.registry.nav if n.app == place.app and _visible(ctx, n) and n.toggle not in off]
    current = _current(place, entries, info.path)
    groups: dict[str, list[NavItem]] = {}
    for nav in entries:
        count = await nav.count(ctx, request=info) if nav.count is not None else None
        item = NavItem(
            label=nav.label,
            href=nav.href,
            icon=nav.icon,
            count=count,
            hot=nav.hot and bool(count),
            events=nav.count_events,
            current=nav is current,
        )
        groups.setdefault(nav.group, []).append(item)
    return tuple(NavGroup(label=label, items=tuple(items)) for label, items in groups.items())


def _current(place: AppPlace, entries: list[Nav], path: str) -> Nav | None:
    """The place that a page lies in: the one with the longest address; the console's first page has none below it."""
    known = [(prefix, nav) for nav in entries for prefix in (nav.href, *nav.also)]
    lies_in = [(p, n) for p, n in known if path == p or (p != place.prefix and path.startswith(p + "/"))]
    return max(lies_in, key=lambda found: len(found[0]), default=("", None))[1]


async def _tenant(ctx: Ctx) -> TenantRef | None:
    if ctx.tenant_id == PLATFORM:
        return None
    row = await ctx.db.fetchrow("select slug, name from tenants where id = $1", ctx.tenant_id)
    return None if row is None else TenantRef(id=str(ctx.tenant_id), slug=row["slug"], name=row["name"])


async def _venues(ctx: Ctx) -> tuple[VenueRef, ...]:
    if ctx.tenant_id == PLATFORM or not ctx.allows(venues.VENUES_READ):
        return ()
    found = await venues.standing_venues(ctx)
    return tuple(VenueRef(id=str(v.id), slug=v.slug, name=v.name, href=f"/switch-venue?venue={v.id}") for v in found)


def _commands(ctx: Ctx, place: AppPlace, off: frozenset[str]) -> tuple[Command, ...]:
    """The places of the other consoles; those of this one are its navigation."""
    titles = {each.app: each.title for each in APPS}
    others = tuple(
        Command(label=nav.label, href=nav.href, icon=nav.icon, group="Other consoles", hint=titles.get(nav.app, ""))
        for nav in ctx.services.registry.nav
        if nav.app != place.app and _reachable(ctx, nav) and nav.toggle not in off
    )
    return (*others, *_searches(ctx, place))


def _searches(ctx: Ctx, place: AppPlace) -> tuple[Command, ...]:
    """What is looked for by the text that was typed: guests, where the reader may find them."""
    if ctx.actor.kind == "crew" or ctx.tenant_id == PLATFORM:
        return ()
    if place.app in ("management", "owner") and ctx.allows(PATRONS_READ):
        href = "/manage/guests?q="
    elif ctx.allows(PATRONS_FIND):
        href = "/staff/guests/found?q="
    else:
        return ()
    return (Command(label="Find a guest:", href=href, icon="user-search", group="Search", takes_text=True),)


def _reachable(ctx: Ctx, nav: Nav) -> bool:
    if nav.app == "platform":
        return ctx.actor.kind == "crew" and _visible(ctx, nav)
    return ctx.actor.kind != "crew" and _visible(ctx, nav)


def to_builtins(value: Any) -> Any:
    """A struct as plain values, for a script's data attribute."""
    return msgspec.to_builtins(value)
