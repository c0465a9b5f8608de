"""One shift on the planner's screens: planning it, changing it, calling it off."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.staff import shifts
from lastlight.domains.staff.forms import NoteForm, ShiftChangeForm, ShiftForm, of_shift, to_shift, to_shift_change
from lastlight.domains.staff.permissions import SHIFTS_PLAN
from lastlight.domains.staff.plan_pages import HOME, people_at, shown_venue, week_of
from lastlight.domains.venues import Venue, find_venue, standing_venues
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post

SHIFT, CANCEL = "staff/shift_form.html", "staff/shift_cancel.html"
USUAL = (time(18), timedelta(hours=8))
"""When a new shift begins unless somebody says otherwise, and how long it is."""


class NewShiftQuery(Input, frozen=True, kw_only=True):
    """For whom and which day a shift is planned."""

    venue_id: VenueId | None = None
    day: date | None = None
    user_id: UUID | None = None


@page(f"{HOME}/new", permission=SHIFTS_PLAN)
async def shift_new_dialog(ctx: Ctx, query: NewShiftQuery, request: RequestInfo) -> View:
    """Ask for a shift to plan: a dialog over the week, or a page of its own."""
    venue = shown_venue(await standing_venues(ctx, permission=SHIFTS_PLAN), query.venue_id, request)
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
        "people": await people_at(ctx, venue_ids=ctx.venues(SHIFTS_PLAN)),
        "home": HOME,
        "venue": None,
    }


@page_post(f"{HOME}/new", permission=SHIFTS_PLAN, form_page=SHIFT, form_block="dialog", form_context=again)
async def shift_new_submit(ctx: Ctx, form: Form[ShiftForm]) -> Redirect:
    """Plan a shift; nobody but planners sees it until it is published."""
    data = form.require()
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=SHIFTS_PLAN)
    shift = await shifts.plan_shift(ctx, data=to_shift(data, venue))
    return Redirect(week_of(venue, shift.starts_at), toast="Planned. Publish the week when it stands.")


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
    return Redirect(week_of(venue, after.starts_at), toast="Saved.")


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
    return Redirect(week_of(venue, shift.starts_at), toast="The shift is cancelled.")


async def _dialog(ctx: Ctx, venue: Venue, values: dict[str, str]) -> dict[str, Any]:
    people = await people_at(ctx, venue_ids=[venue.id])
    return {"shift": None, "venue": venue, "values": values, "people": people, "home": HOME}


SHIFT_PAGES = (
    shift_new_dialog,
    shift_new_submit,
    shift_dialog,
    shift_submit,
    shift_cancel_dialog,
    shift_cancel_submit,
)
