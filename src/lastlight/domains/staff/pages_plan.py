"""The planner on screens: a venue's week, its shifts, their publication, and swaps to decide."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.identity import colleagues
from lastlight.domains.staff import shifts, swaps
from lastlight.domains.staff.forms import NoteForm, ShiftChangeForm, ShiftForm, of_shift, to_shift, to_shift_change
from lastlight.domains.staff.listings import PLANNED_SHIFTS, SWAPS
from lastlight.domains.staff.pages_team import picked_venues
from lastlight.domains.staff.permissions import SHIFTS_PLAN
from lastlight.domains.staff.schemas import PublicationIn
from lastlight.domains.staff.week import monday_of, read_week
from lastlight.domains.venues import Venue, chosen_venue, find_venue, standing_venues
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post

HOME = "/manage/schedule"
PLAN_EVENTS = ("shift.changed", "shift.published", "shift.swap_changed")
SHIFT, PUBLISH, CANCEL, REFUSE = (
    "staff/shift_form.html",
    "staff/publish.html",
    "staff/shift_cancel.html",
    "staff/swap_refuse.html",
)
USUAL = (time(18), timedelta(hours=8))
"""When a new shift begins unless somebody says otherwise, and how long it is."""
WAITING = """
select count(*) from shift_swaps x
join shifts s on s.tenant_id = $1 and s.id = x.shift_id
where x.tenant_id = $1 and x.status = 'accepted' and s.starts_at > now() and ($2::uuid[] is null or x.venue_id = any($2))
"""


class WeekQuery(Input, frozen=True, kw_only=True):
    """Which week, by any day of it, at which venue."""

    day: date | None = None
    venue_id: VenueId | None = None


class NewShiftQuery(Input, frozen=True, kw_only=True):
    """For whom and which day a shift is planned."""

    venue_id: VenueId | None = None
    day: date | None = None
    user_id: UUID | None = None


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
    venue = _shown(venues, query.venue_id, request)
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


@page(f"{HOME}/new", permission=SHIFTS_PLAN)
async def shift_new_dialog(ctx: Ctx, query: NewShiftQuery, request: RequestInfo) -> View:
    """Ask for a shift to plan: a dialog over the week, or a page of its own."""
    venue = _one(await standing_venues(ctx, permission=SHIFTS_PLAN), query.venue_id, request)
    day = query.day or venue.business_day(ctx.now)
    begins = datetime.combine(day, USUAL[0])
    values = {
        "user_id": str(query.user_id or ""),
        "starts_at": begins.isoformat(timespec="minutes"),
        "ends_at": (begins + USUAL[1]).isoformat(timespec="minutes"),
        "version": "0",
    }
    return View(SHIFT, await _dialog(ctx, venue, values), block="dialog" if request.htmx else "")


async def again(ctx: Ctx) -> dict[str, Any]:
    """What the dialog shows when a new shift was refused: its texts are in the form, its venue in a field of it."""
    return {
        "shift": None,
        "values": {},
        "people": await _people(ctx, ctx.venues(SHIFTS_PLAN)),
        "home": HOME,
        "venue": None,
    }


@page_post(f"{HOME}/new", permission=SHIFTS_PLAN, form_page=SHIFT, form_block="dialog", form_context=again)
async def shift_new_submit(ctx: Ctx, form: Form[ShiftForm]) -> Redirect:
    """Plan a shift; nobody but planners sees it until it is published."""
    data = form.require()
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=SHIFTS_PLAN)
    shift = await shifts.plan_shift(ctx, data=to_shift(data, venue))
    return Redirect(_week_of(venue, shift.starts_at), toast="Planned. Publish the week when it stands.")


async def shift_facts(ctx: Ctx, *, shift_id: UUID) -> dict[str, Any]:
    """What the dialogs of a shift need."""
    shift = await shifts.find_shift(ctx, shift_id=shift_id)
    venue = await find_venue(ctx, venue_id=shift.venue_id, permission=SHIFTS_PLAN)
    return await _dialog(ctx, venue, of_shift(shift, venue)) | {"shift": shift}


@page(f"{HOME}/{{shift_id:uuid}}", permission=SHIFTS_PLAN)
async def shift_dialog(ctx: Ctx, shift_id: UUID, request: RequestInfo) -> View:
    """Show a shift to change: a dialog over the week, or a page of its own."""
    return View(SHIFT, await shift_facts(ctx, shift_id=shift_id), block="dialog" if request.htmx else "")


@page_post(
    f"{HOME}/{{shift_id:uuid}}", permission=SHIFTS_PLAN, form_page=SHIFT, form_block="dialog", form_context=shift_facts
)
async def shift_submit(ctx: Ctx, shift_id: UUID, form: Form[ShiftChangeForm]) -> Redirect:
    """Change a shift; refused when somebody else did in the meantime."""
    data = form.require()
    shift = await shifts.find_shift(ctx, shift_id=shift_id)
    venue = await find_venue(ctx, venue_id=shift.venue_id, permission=SHIFTS_PLAN)
    after = await shifts.change_shift(ctx, shift_id=shift_id, data=to_shift_change(data, venue), version=data.version)
    return Redirect(_week_of(venue, after.starts_at), toast="Saved.")


@page(f"{HOME}/{{shift_id:uuid}}/cancellation", permission=SHIFTS_PLAN)
async def shift_cancel_dialog(ctx: Ctx, shift_id: UUID) -> View:
    """Ask whether nobody has to come."""
    return View(CANCEL, await shift_facts(ctx, shift_id=shift_id), block="dialog")


@page_post(
    f"{HOME}/{{shift_id:uuid}}/cancellation",
    permission=SHIFTS_PLAN,
    form_page=CANCEL,
    form_block="dialog",
    form_context=shift_facts,
)
async def shift_cancel_submit(ctx: Ctx, shift_id: UUID, form: Form[NoteForm]) -> Redirect:
    """Say that nobody has to come, and why."""
    shift = await shifts.cancel_shift(ctx, shift_id=shift_id, reason=form.require().reason)
    venue = await find_venue(ctx, venue_id=shift.venue_id, permission=SHIFTS_PLAN)
    return Redirect(_week_of(venue, shift.starts_at), toast="The shift is cancelled.")


async def publish_facts(ctx: Ctx) -> dict[str, Any]:
    """What the dialog of a publication shows when it was refused."""
    return {"week": None, "home": HOME}


@page(f"{HOME}/publication", permission=SHIFTS_PLAN)
async def publish_dialog(ctx: Ctx, query: PublishQuery, request: RequestInfo) -> View:
    """Ask whether a week is published."""
    venue = _one(await standing_venues(ctx, permission=SHIFTS_PLAN), query.venue_id, request)
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
    return Redirect(_week_of(venue, week.starts_from), toast=words)


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


def _shown(venues: list[Venue], wanted: UUID | None, request: RequestInfo) -> Venue | None:
    """The venue that is asked for, else the one that is picked in the switcher, else the first; NotFound for another's."""
    if wanted is not None and all(venue.id != wanted for venue in venues):
        raise NotFound
    picked = wanted or chosen_venue(request)
    return next((one for one in venues if one.id == picked), None) or next(iter(venues), None)


def _one(venues: list[Venue], wanted: UUID | None, request: RequestInfo) -> Venue:
    venue = _shown(venues, wanted, request)
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


async def _dialog(ctx: Ctx, venue: Venue, values: dict[str, str]) -> dict[str, Any]:
    people = await _people(ctx, [venue.id])
    return {"shift": None, "venue": venue, "values": values, "people": people, "home": HOME}


async def _people(ctx: Ctx, venue_ids: Any) -> list[tuple[str, str]]:
    return [(str(one.id), one.name) for one in await colleagues(ctx, venue_ids=venue_ids)]


def _week_of(venue: Venue, at: datetime) -> str:
    return f"{HOME}?venue_id={venue.id}&day={monday_of(venue.business_day(at))}"


PLAN_PAGES = (
    plan_page,
    shifts_page,
    swaps_page,
    shift_new_dialog,
    shift_new_submit,
    shift_dialog,
    shift_submit,
    shift_cancel_dialog,
    shift_cancel_submit,
    publish_dialog,
    publish_submit,
    swap_approve_submit,
    swap_refuse_dialog,
    swap_refuse_submit,
)
