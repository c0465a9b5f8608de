"""The planner on screens: a venue's week, its shifts, their publication, and swaps to decide."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.identity import colleagues
from lastlight.domains.staff import shifts, swaps
from lastlight.domains.staff.forms import NoteForm
from lastlight.domains.staff.listings import PLANNED_SHIFTS, SWAPS
from lastlight.domains.staff.permissions import SHIFTS_PLAN
from lastlight.domains.staff.schemas import PublicationIn
from lastlight.domains.staff.team_pages import picked_venues
from lastlight.domains.staff.week import monday_of, read_week
from lastlight.domains.venues import Venue, chosen_venue, find_venue, standing_venues
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post

HOME = "/manage/schedule"
PLAN_EVENTS = ("shift.changed", "shift.published", "shift.swap_changed")
PUBLISH, REFUSE = "staff/publish.html", "staff/swap_refuse.html"
WAITING = """
select count(*) from shift_swaps x
join shifts s on s.tenant_id = $1 and s.id = x.shift_id
where x.tenant_id = $1 and x.status = 'accepted' and s.starts_at > now() and ($2::uuid[] is null or x.venue_id = any($2))
"""


class WeekQuery(Input, frozen=True, kw_only=True):
    """Which week, by any day of it, at which venue."""

    day: date | None = None
    venue_id: VenueId | None = None


class PublishQuery(Input, frozen=True, kw_only=True):
    """The week that is published, by any day of it; this one unless another is named."""

    venue_id: VenueId | None = None
    day: date | None = None


class PublishForm(Input, frozen=True, kw_only=True):
    """The same, confirmed."""

    venue_id: VenueId
    day: date


@page(HOME, permission=SHIFTS_PLAN)
async def plan_page(ctx: Ctx, query: WeekQuery, request: RequestInfo) -> View:
    """Show a venue's week by person and by day."""
    venues = await standing_venues(ctx, permission=SHIFTS_PLAN)
    venue = _picked(venues, query.venue_id, request)
    context: dict[str, Any] = {
        "venues": [(str(one.id), one.name) for one in venues],
        "home": HOME,
        "events": PLAN_EVENTS,
        "swaps": await _waiting(ctx, request),
        "week": None,
    }
    if venue is not None:
        today = venue.business_day(ctx.now)
        monday = monday_of(query.day or today)
        week = await read_week(ctx, venue=venue, monday=monday)
        context |= {
            "week": week,
            "today": today,
            "before": monday - timedelta(days=7),
            "after": monday + timedelta(days=7),
            "url": f"{HOME}?venue_id={venue.id}&day={monday}",
        }
    return View("staff/plan.html", context)


@page(f"{HOME}/list", permission=SHIFTS_PLAN, listing=PLANNED_SHIFTS)
async def shifts_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List shifts, those that are not published too."""
    return View("staff/shifts.html", await _list(ctx, PLANNED_SHIFTS, query, request))


@page(f"{HOME}/swaps", permission=SHIFTS_PLAN, listing=SWAPS)
async def swaps_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List swaps, and the open shifts that people ask for."""
    return View("staff/swaps.html", await _list(ctx, SWAPS, query, request))


async def publish_facts(ctx: Ctx) -> dict[str, Any]:
    """What the dialog of a publication shows when it was refused."""
    return {"week": None, "home": HOME}


@page(f"{HOME}/publication", permission=SHIFTS_PLAN)
async def publish_dialog(ctx: Ctx, query: PublishQuery, request: RequestInfo) -> View:
    """Ask whether a week is published."""
    venue = shown_venue(await standing_venues(ctx, permission=SHIFTS_PLAN), query.venue_id, request)
    week = await read_week(ctx, venue=venue, monday=monday_of(query.day or venue.business_day(ctx.now)))
    return View(PUBLISH, {"week": week, "home": HOME}, block="dialog")


@page_post(
    f"{HOME}/publication", permission=SHIFTS_PLAN, form_page=PUBLISH, form_block="dialog", form_context=publish_facts
)
async def publish_submit(ctx: Ctx, form: Form[PublishForm]) -> Redirect:
    """Show a week's planned shifts to everybody at the venue."""
    data = form.require()
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=SHIFTS_PLAN)
    week = await read_week(ctx, venue=venue, monday=monday_of(data.day))
    span = PublicationIn(venue_id=venue.id, starts_from=week.starts_from, starts_to=week.starts_to)
    count = await shifts.publish_shifts(ctx, data=span)
    words = "1 shift is published." if count == 1 else f"{count} shifts are published."
    return Redirect(week_of(venue, week.starts_from), toast=words)


@page_post(f"{HOME}/swaps/{{swap_id:uuid}}/approval", permission=SHIFTS_PLAN)
async def swap_approve_submit(ctx: Ctx, swap_id: UUID) -> Redirect:
    """Give the shifts to their new people."""
    await swaps.approve_swap(ctx, swap_id=swap_id, note="")
    return Redirect(f"{HOME}/swaps?status=accepted", toast="Approved. The schedule is changed.")


async def swap_facts(ctx: Ctx, *, swap_id: UUID) -> dict[str, Any]:
    """What the dialog of a refusal needs."""
    swap = await swaps.find_swap(ctx, swap_id=swap_id)
    ctx.require(SHIFTS_PLAN, swap.venue_id)
    return {"swap": swap, "home": HOME}


@page(f"{HOME}/swaps/{{swap_id:uuid}}/refusal", permission=SHIFTS_PLAN)
async def swap_refuse_dialog(ctx: Ctx, swap_id: UUID) -> View:
    """Ask why a swap is refused."""
    return View(REFUSE, await swap_facts(ctx, swap_id=swap_id), block="dialog")


@page_post(
    f"{HOME}/swaps/{{swap_id:uuid}}/refusal",
    permission=SHIFTS_PLAN,
    form_page=REFUSE,
    form_block="dialog",
    form_context=swap_facts,
)
async def swap_refuse_submit(ctx: Ctx, swap_id: UUID, form: Form[NoteForm]) -> Redirect:
    """Leave the shifts as they are, and say why."""
    await swaps.refuse_swap(ctx, swap_id=swap_id, note=form.require().reason)
    return Redirect(f"{HOME}/swaps?status=accepted", toast="Refused. They read why.")


async def count_swaps(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many swaps wait for a planner."""
    return await _waiting(ctx, request)


def _picked(venues: list[Venue], wanted: UUID | None, request: RequestInfo) -> Venue | None:
    """The venue that is asked for, else the one that is picked in the switcher, else the first; NotFound for another's."""
    if wanted is not None and all(venue.id != wanted for venue in venues):
        raise NotFound
    picked = wanted or chosen_venue(request)
    return next((one for one in venues if one.id == picked), None) or next(iter(venues), None)


def shown_venue(venues: list[Venue], wanted: UUID | None, request: RequestInfo) -> Venue:
    """The venue whose week is shown; NotFound where there is none."""
    venue = _picked(venues, wanted, request)
    if venue is None:
        raise NotFound
    return venue


async def _waiting(ctx: Ctx, request: RequestInfo) -> int:
    picked = await picked_venues(ctx, request=request, permission=SHIFTS_PLAN)
    return await ctx.db.fetchval(WAITING, ctx.tenant_id, picked or ctx.venues(SHIFTS_PLAN))


async def _list(ctx: Ctx, listing: Any, query: Any, request: RequestInfo) -> dict[str, Any]:
    venues = await standing_venues(ctx, permission=SHIFTS_PLAN)
    return {
        "view": await listing.view(ctx, query),
        "home": HOME,
        "paged": bool(query.after),
        "choices": {"venue_id": [(str(venue.id), venue.name) for venue in venues]},
        "events": PLAN_EVENTS,
        "swaps": await _waiting(ctx, request),
        "now_at": ctx.now,
    }


async def people_at(ctx: Ctx, *, venue_ids: Any) -> list[tuple[str, str]]:
    """Who may be planned at venues: ids and names."""
    return [(str(one.id), one.name) for one in await colleagues(ctx, venue_ids=venue_ids)]


def week_of(venue: Venue, at: datetime) -> str:
    """The address of a venue's week."""
    return f"{HOME}?venue_id={venue.id}&day={monday_of(venue.business_day(at))}"


PLAN_PAGES = (
    plan_page,
    shifts_page,
    swaps_page,
    publish_dialog,
    publish_submit,
    swap_approve_submit,
    swap_refuse_dialog,
    swap_refuse_submit,
)
