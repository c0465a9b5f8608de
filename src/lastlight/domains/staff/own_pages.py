"""One's own work on a phone: the clock, one's time sheet, and corrections of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from lastlight.domains.staff import clock, corrections, screens
from lastlight.domains.staff.forms import ClockForm, CorrectionForm, correction_form, to_correction
from lastlight.domains.staff.listings import OWN_CORRECTIONS, OWN_ENTRIES
from lastlight.domains.staff.model import Shift
from lastlight.domains.staff.permissions import TIME_CLOCK
from lastlight.domains.staff.settings import CLOCK_GEOFENCE
from lastlight.domains.tasks import TASKS_WORK, read_board
from lastlight.domains.venues import Venue, chosen_venue, find_venue, standing_venues
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post
from lastlight.runtime.tenant_settings import setting

CLOCK, TIME = "/staff/shift", "/staff/time"
CLOCK_EVENTS = (
    "shift.published",
    "shift.swap_changed",
    "task.assigned",
    "task.started",
    "task.finished",
    "task.cancelled",
)


class CorrectionQuery(Input, frozen=True, kw_only=True):
    """Which time is to read otherwise; none: time that was never clocked."""

    entry_id: UUID | None = None


async def clock_facts(ctx: Ctx) -> dict[str, Any]:
    """What the clock's page shows, without what the switcher says."""
    stand = await clock.where_i_stand(ctx)
    venues = await standing_venues(ctx, permission=TIME_CLOCK)
    rule = await setting(ctx, CLOCK_GEOFENCE)
    board = await read_board(ctx, mine=True) if ctx.allows(TASKS_WORK) else None
    return {
        "stand": stand,
        "hours": await screens.own_hours(ctx),
        "venues": [(str(venue.id), venue.name) for venue in venues],
        "picked": _likely_venue(stand.shifts, venues, ctx.now),
        "rule": rule if any(venue.geofence for venue in venues) else "off",
        "tasks": (board.started + board.open)[:4] if board else [],
        "task_count": len(board.started + board.open) if board else 0,
        "events": CLOCK_EVENTS,
        "home": CLOCK,
    }


@page(CLOCK, permission=TIME_CLOCK)
async def clock_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show where one stands: clocked in or not, today's hours, the next shift, what waits."""
    facts = await clock_facts(ctx)
    switched = str(chosen_venue(request) or "")
    if not facts["picked"] and switched in {venue for venue, _ in facts["venues"]}:
        facts["picked"] = switched
    return View("staff/clock.html", facts)


@page(f"{CLOCK}/tonight", permission=TIME_CLOCK)
async def own_tonight(ctx: Ctx) -> View:
    """Show on the first page whether one is clocked in, and which tasks wait."""
    return View("staff/own_tonight.html", await clock_facts(ctx), block="tonight")


@page_post(f"{CLOCK}/in", permission=TIME_CLOCK, form_page="staff/clock.html", form_context=clock_facts)
async def clock_in_submit(ctx: Ctx, form: Form[ClockForm]) -> Redirect:
    """Begin to work, now."""
    data = form.require()
    if data.venue_id is None:
        raise Invalid(fields={"venue_id": "Choose where you are."})
    entry = await clock.clock_in(ctx, venue_id=data.venue_id, position=data.position)
    return Redirect(CLOCK, toast=f"You are clocked in at {entry.venue}.")


@page_post(f"{CLOCK}/out", permission=TIME_CLOCK, form_page="staff/clock.html", form_context=clock_facts)
async def clock_out_submit(ctx: Ctx, form: Form[ClockForm]) -> Redirect:
    """End one's work, now."""
    await clock.clock_out(ctx, position=form.require().position)
    return Redirect(CLOCK, toast="You are clocked out. Get home safe.")


@page_post(f"{CLOCK}/break", permission=TIME_CLOCK)
async def break_submit(ctx: Ctx) -> Redirect:
    """Take a break, from now on."""
    await clock.start_break(ctx)
    return Redirect(CLOCK, toast="Your break has begun.")


@page_post(f"{CLOCK}/break/end", permission=TIME_CLOCK)
async def break_end_submit(ctx: Ctx) -> Redirect:
    """Be back from a break, now."""
    await clock.end_break(ctx)
    return Redirect(CLOCK, toast="Welcome back.")


@page(TIME, permission=TIME_CLOCK, listing=OWN_ENTRIES)
async def own_time_page(ctx: Ctx, query: Any) -> View:
    """List one's clocked time."""
    return View(
        "staff/own_time.html", {"view": await OWN_ENTRIES.view(ctx, query), "paged": bool(query.after), "home": TIME}
    )


@page(f"{TIME}/corrections", permission=TIME_CLOCK, listing=OWN_CORRECTIONS)
async def own_corrections_page(ctx: Ctx, query: Any) -> View:
    """List the corrections of one's time."""
    view = await OWN_CORRECTIONS.view(ctx, query)
    return View("staff/own_corrections.html", {"view": view, "paged": bool(query.after), "home": TIME})


@page(f"{TIME}/{{entry_id:uuid}}", permission=TIME_CLOCK)
async def own_entry_page(ctx: Ctx, entry_id: UUID) -> View:
    """Show clocked time of one's own, with its story."""
    entry = await clock.find_entry(ctx, entry_id=entry_id)
    if entry.user_id != ctx.actor.user_id:
        raise NotFound
    story = await entity_history(ctx, entity="time_entry", entity_id=entry_id)
    return View("staff/own_entry.html", {"entry": entry, "home": TIME, "history": story})


async def correction_facts(ctx: Ctx, *, entry_id: UUID | None = None) -> dict[str, Any]:
    """What the form of a correction of one's own time needs."""
    facts = await correction_form(ctx, entry_id=entry_id)
    if facts["entry"] is not None and facts["entry"].user_id != ctx.actor.user_id:
        raise NotFound
    return facts | {"home": TIME, "action": f"{TIME}/correction"}


@page(f"{TIME}/correction", permission=TIME_CLOCK)
async def own_correction_page(ctx: Ctx, query: CorrectionQuery) -> View:
    """Ask how time should read."""
    return View("staff/correction_form.html", await correction_facts(ctx, entry_id=query.entry_id))


@page_post(
    f"{TIME}/correction", permission=TIME_CLOCK, form_page="staff/correction_form.html", form_context=correction_facts
)
async def correction_submit(ctx: Ctx, form: Form[CorrectionForm]) -> Redirect:
    """Ask that time reads otherwise; somebody else approves it."""
    data = form.require()
    where = data.venue_id
    if data.entry_id is not None:
        entry = await clock.find_entry(ctx, entry_id=data.entry_id)
        if entry.user_id != ctx.actor.user_id or where not in {None, entry.venue_id}:
            raise NotFound
        where = entry.venue_id
    if where is None:
        raise Invalid(fields={"venue_id": "Choose where you worked."})
    venue = await find_venue(ctx, venue_id=where, permission=TIME_CLOCK)
    await corrections.ask_correction(ctx, data=to_correction(data, venue, entry_id=data.entry_id))
    return Redirect(f"{TIME}/corrections", toast="Asked. It counts once somebody else approves it.")


@page_post(f"{TIME}/corrections/{{correction_id:uuid}}/withdrawal", permission=TIME_CLOCK)
async def correction_withdraw_submit(ctx: Ctx, correction_id: UUID) -> Redirect:
    """Take back a correction that one asked for."""
    await corrections.withdraw_correction(ctx, correction_id=correction_id)
    return Redirect(f"{TIME}/corrections", toast="Taken back.")


def _likely_venue(shifts: list[Shift], venues: list[Venue], now: datetime) -> str:
    """Where one is most likely to clock in: at the next shift's venue if it is of this day, or at the only one."""
    if len(venues) == 1:
        return str(venues[0].id)
    soon = next((shift for shift in shifts if (shift.starts_at - now).total_seconds() < 43_200), None)
    return str(soon.venue_id) if soon else ""


OWN_PAGES = (
    clock_page,
    own_tonight,
    clock_in_submit,
    clock_out_submit,
    break_submit,
    break_end_submit,
    own_time_page,
    own_corrections_page,
    own_entry_page,
    own_correction_page,
    correction_submit,
    correction_withdraw_submit,
)
