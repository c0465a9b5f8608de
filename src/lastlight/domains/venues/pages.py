"""Venues on screens: the list, one venue with its tabs, its form, its key, and the display at its door."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.venues import actions, keys, queries, screens
from lastlight.domains.venues.forms import VenueForm, form_errors, of_venue, to_change, to_venue
from lastlight.domains.venues.hours import next_opening
from lastlight.domains.venues.listings import VENUES
from lastlight.domains.venues.model import Venue, VenueStatus, known_time_zones
from lastlight.domains.venues.permissions import VENUES_CODES, VENUES_KEYS, VENUES_MANAGE, VENUES_READ
from lastlight.kernel.ids import VenueId
from lastlight.runtime.audit import history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

Tab = Literal["overview", "settings", "code"]


class TabQuery(Input, frozen=True, kw_only=True):
    """The tab that is open."""

    tab: Tab = "overview"


class StatusForm(Input, frozen=True, kw_only=True):
    """Pause, archive or wake a venue."""

    status: VenueStatus
    version: int
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class StatusQuery(Input, frozen=True, kw_only=True):
    """Which change is asked about."""

    status: VenueStatus


class KeyForm(Input, frozen=True, kw_only=True):
    """How long the older codes still work."""

    grace_minutes: Annotated[int, msgspec.Meta(ge=0, le=43_200)] = 0


def console_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of venues inside one console, such as /owner."""
    home = f"{prefix}/venues"
    one = f"{home}/{{venue_id:uuid}}"

    @page(home, permission=VENUES_READ, listing=VENUES)
    async def venues_page(ctx: Ctx, query: Any) -> View:
        """List venues."""
        return View(
            "venues/list.html", {"view": await VENUES.view(ctx, query), "home": home, "paged": bool(query.after)}
        )

    @page(f"{home}/new", permission=VENUES_MANAGE)
    async def venue_new_page(ctx: Ctx) -> View:
        """Ask for a new venue."""
        return View("venues/new.html", await _blank(ctx, home))

    async def again(ctx: Ctx) -> dict[str, Any]:
        return await _blank(ctx, home)

    @page_post(f"{home}/new", permission=VENUES_MANAGE, form_page="venues/new.html", form_context=again)
    async def venue_new_submit(ctx: Ctx, form: Form[VenueForm]) -> Redirect:
        """Create a venue."""
        with form_errors():
            venue = await actions.create_venue(ctx, data=to_venue(form.require()))
        return Redirect(f"{home}/{venue.id}", toast=f"{venue.name} is there.")

    @page(one, permission=VENUES_READ)
    async def venue_page(ctx: Ctx, venue_id: VenueId, query: TabQuery) -> View:
        """Show one venue."""
        return View("venues/venue.html", await _facts(ctx, venue_id, home, query.tab))

    async def settings(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        return await _facts(ctx, venue_id, home, "settings")

    @page_post(one, permission=VENUES_MANAGE, form_page="venues/venue.html", form_context=settings)
    async def venue_submit(ctx: Ctx, venue_id: VenueId, form: Form[VenueForm]) -> Redirect:
        """Change a venue; refused when somebody else did in the meantime."""
        data = form.require()
        venue = await queries.find_venue(ctx, venue_id=venue_id)
        with form_errors():
            await actions.change_venue(ctx, venue_id=venue_id, data=to_change(data, venue), version=data.version)
        return Redirect(f"{home}/{venue_id}?tab=settings", toast="Saved.")

    return (venues_page, venue_new_page, venue_new_submit, venue_page, venue_submit, *_state_pages(home, one))


def _state_pages(home: str, one: str) -> tuple[Operation, ...]:
    @page(f"{one}/status", permission=VENUES_MANAGE)
    async def status_dialog(ctx: Ctx, venue_id: VenueId, query: StatusQuery) -> View:
        """Ask whether to pause, archive or wake a venue."""
        venue = await queries.find_venue(ctx, venue_id=venue_id, permission=VENUES_MANAGE)
        return View("venues/status.html", {"venue": venue, "status": query.status, "home": home}, block="dialog")

    async def same_dialog(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        venue = await queries.find_venue(ctx, venue_id=venue_id, permission=VENUES_MANAGE)
        return {"venue": venue, "status": "paused", "home": home}

    @page_post(
        f"{one}/status",
        permission=VENUES_MANAGE,
        form_page="venues/status.html",
        form_block="dialog",
        form_context=same_dialog,
    )
    async def status_submit(ctx: Ctx, venue_id: VenueId, form: Form[StatusForm]) -> Redirect:
        """Pause, archive or wake a venue."""
        data = form.require()
        await actions.set_status(ctx, venue_id=venue_id, status=data.status, reason=data.reason, version=data.version)
        return Redirect(f"{home}/{venue_id}", toast="The venue's state is changed.")

    @page(f"{one}/key", permission=VENUES_KEYS)
    async def key_dialog(ctx: Ctx, venue_id: VenueId) -> View:
        """Ask whether to regenerate a venue's key."""
        venue = await queries.find_venue(ctx, venue_id=venue_id, permission=VENUES_KEYS)
        return View("venues/key.html", {"venue": venue, "home": home}, block="dialog")

    @page_post(f"{one}/key", permission=VENUES_KEYS)
    async def key_submit(ctx: Ctx, venue_id: VenueId, form: Form[KeyForm]) -> Redirect:
        """Regenerate a venue's key."""
        change = await keys.regenerate_key(ctx, venue_id=venue_id, grace_minutes=form.require().grace_minutes)
        return Redirect(f"{home}/{venue_id}?tab=code", toast=f"Key {change.key_number} signs from now on.")

    return (status_dialog, status_submit, key_dialog, key_submit)


@page("/screen/{venue_id:uuid}", permission=VENUES_CODES)
async def door_screen(ctx: Ctx, venue_id: VenueId, request: RequestInfo) -> View:
    """Show the rotating code, full-screen, on a display at the door."""
    code = await screens.read_screen_code(ctx, venue_id=venue_id)
    return View("venues/screen.html", {"code": code, "opens": await _opens(ctx, venue_id, is_open=code.is_open)})


async def _opens(ctx: Ctx, venue_id: UUID, *, is_open: bool) -> str:
    """When a closed venue opens next, on its own clock."""
    if is_open:
        return ""
    venue = await queries.find_venue(ctx, venue_id=venue_id, permission=VENUES_CODES)
    opens = next_opening(venue.opening_hours, venue.zone, ctx.now)
    if opens is None:
        return ""
    at, today = opens.astimezone(venue.zone), ctx.now.astimezone(venue.zone).date()
    return f"We open {'today' if at.date() == today else f'on {at:%A}'} at {at:%H:%M}."


async def _blank(ctx: Ctx, home: str) -> dict[str, Any]:
    tenant = await ctx.db.fetchrow("select currency, time_zone, country from tenants where id = $1", ctx.tenant_id)
    values = {"currency": "", "time_zone": "", "country": ""} if tenant is None else dict(tenant)
    return {"home": home, "values": values | {"always_open": "true", "fence": "circle"}, "zones": _zones()}


async def _facts(ctx: Ctx, venue_id: UUID, home: str, tab: Tab) -> dict[str, Any]:
    venue = await queries.find_venue(ctx, venue_id=venue_id)
    shown: dict[str, Any] = {"code": None, "values": {}, "zones": []}
    if tab == "code" and venue.status != "archived" and ctx.allows(VENUES_CODES, venue_id):
        shown["code"] = await screens.read_screen_code(ctx, venue_id=venue_id)
    if tab == "settings":
        shown |= {"values": of_venue(venue), "zones": _zones()}
    return {
        "venue": venue,
        "home": home,
        "tab": tab,
        "open_now": venue.is_open(ctx.now),
        "hours": _week_lines(venue),
        "history": await history.entity_history(ctx, entity="venue", entity_id=venue_id),
        **shown,
    }


def _week_lines(venue: Venue) -> list[tuple[str, str]]:
    if venue.opening_hours is None:
        return [("Every day", "always open")]
    texts = of_venue(venue)
    names = {
        "mon": "Monday",
        "tue": "Tuesday",
        "wed": "Wednesday",
        "thu": "Thursday",
        "fri": "Friday",
        "sat": "Saturday",
        "sun": "Sunday",
    }
    return [(name, texts[day].replace("-", " – ") or "closed") for day, name in names.items()]


def _zones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(known_time_zones())]


PAGES = (*console_pages("/owner"), *console_pages("/manage"), door_screen)
