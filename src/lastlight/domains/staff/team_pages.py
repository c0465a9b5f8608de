"""The team on screens for who runs the night: who is on now, time sheets, clocked time, and corrections to decide."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.staff import clock, corrections, figures, screens
from lastlight.domains.staff.forms import EntryCorrectionForm, NoteForm, correction_form, to_correction
from lastlight.domains.staff.listings import CORRECTIONS, ENTRIES
from lastlight.domains.staff.permissions import TIME_APPROVE, TIME_READ
from lastlight.domains.staff.schemas import DaysQuery
from lastlight.domains.tasks import TASKS_READ, read_board
from lastlight.domains.venues import Venue, business_day_span, chosen_venue, find_venue, listed, standing_venues
from lastlight.kernel.permissions import Permission
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.exports.events import EXPORTS_CREATE
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post

HOME = "/manage/team"
TIME_EVENTS = (
    "time.clocked_in",
    "time.clocked_out",
    "time.break_started",
    "time.break_ended",
    "time.clock_out_forgotten",
    "time.correction_changed",
)
DUTY_EVENTS = (*TIME_EVENTS, "shift.published")
TONIGHT_EVENTS = (
    *DUTY_EVENTS,
    "task.created",
    "task.assigned",
    "task.started",
    "task.finished",
    "task.cancelled",
)
REFUSE, CORRECT = "staff/correction_refuse.html", "staff/correction_form.html"


class SheetsQuery(Input, frozen=True, kw_only=True):
    """The week that is shown, by any day of it, or a span of days."""

    first: date | None = None
    last: date | None = None


@page(HOME, permission=TIME_READ)
async def duty_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show who is on now, who is expected, and who is late."""
    shown = await picked_venues(ctx, request=request, permission=TIME_READ)
    context: dict[str, Any] = {
        "duty": await screens.read_duty(ctx, venue_ids=shown),
        "several": shown is None,
        "home": HOME,
        "events": DUTY_EVENTS,
        "waiting": await screens.count_corrections(ctx, venue_ids=shown),
    }
    return View("staff/duty.html", context)


@page(f"{HOME}/tonight", permission=TIME_READ)
async def duty_tonight(ctx: Ctx, request: RequestInfo) -> View:
    """Show on the first page who is on, who is late, and which tasks wait."""
    shown = await picked_venues(ctx, request=request, permission=TIME_READ)
    context: dict[str, Any] = {
        "duty": await screens.read_duty(ctx, venue_ids=shown),
        "board": await read_board(ctx, venue_ids=shown) if ctx.allows(TASKS_READ) else None,
        "waiting": await screens.count_corrections(ctx, venue_ids=shown),
        "home": HOME,
        "events": TONIGHT_EVENTS,
    }
    return View("staff/tonight.html", context, block="tonight")


@page(f"{HOME}/sheets", permission=TIME_READ)
async def sheets_page(ctx: Ctx, query: SheetsQuery, request: RequestInfo) -> View:
    """Show everybody's hours, day by day, with their export."""
    venues = await _venues(ctx, request, TIME_READ)
    today = max((venue.business_day(ctx.now) for venue in venues), default=ctx.now.date())
    first = query.first or today - timedelta(days=today.weekday())
    last = query.last or first + timedelta(days=6)
    only = venues[0].id if len(venues) == 1 else None
    sheets = await figures.time_sheets(ctx, query=DaysQuery(first=first, last=last, venue_id=only))
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    context: dict[str, Any] = {
        "sheets": sheets,
        "days": days,
        "home": HOME,
        "events": TIME_EVENTS,
        "back": first - timedelta(days=len(days)),
        "forth": last + timedelta(days=1),
        "length": len(days),
        "export": _span(venues, first, last) if ctx.allows(EXPORTS_CREATE) else None,
    }
    return View("staff/sheets.html", context)


@page(f"{HOME}/entries", permission=TIME_READ, listing=ENTRIES)
async def entries_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List everybody's clocked time."""
    return View(
        "staff/entries.html",
        await listed(ctx, request=request, listing=ENTRIES, query=query, home=HOME) | {"events": TIME_EVENTS},
    )


@page(f"{HOME}/entries/{{entry_id:uuid}}", permission=TIME_READ)
async def entry_page(ctx: Ctx, entry_id: UUID) -> View:
    """Show clocked time with its story."""
    entry = await clock.find_entry(ctx, entry_id=entry_id)
    ctx.require(TIME_READ, entry.venue_id)
    story = await entity_history(ctx, entity="time_entry", entity_id=entry_id)
    return View("staff/entry.html", {"entry": entry, "home": HOME, "history": story, "events": TIME_EVENTS})


async def entry_correction_facts(ctx: Ctx, *, entry_id: UUID) -> dict[str, Any]:
    """What the form of a correction of somebody else's time needs."""
    facts = await correction_form(ctx, entry_id=entry_id)
    ctx.require(TIME_READ, facts["entry"].venue_id)
    here = f"{HOME}/entries/{entry_id}"
    return facts | {"home": here, "action": f"{here}/correction", "place": facts["entry"].person}


@page(f"{HOME}/entries/{{entry_id:uuid}}/correction", permission=TIME_READ)
async def entry_correction_page(ctx: Ctx, entry_id: UUID) -> View:
    """Ask how somebody's time should read."""
    return View(CORRECT, await entry_correction_facts(ctx, entry_id=entry_id))


@page_post(
    f"{HOME}/entries/{{entry_id:uuid}}/correction",
    permission=TIME_READ,
    form_page=CORRECT,
    form_context=entry_correction_facts,
)
async def entry_correction_submit(ctx: Ctx, entry_id: UUID, form: Form[EntryCorrectionForm]) -> Redirect:
    """Ask that somebody's time reads otherwise; neither they nor the asker approves it."""
    data = form.require()
    entry = await clock.find_entry(ctx, entry_id=entry_id)
    ctx.require(TIME_READ, entry.venue_id)
    venue = await find_venue(ctx, venue_id=entry.venue_id, permission=TIME_READ)
    made = await corrections.ask_correction(ctx, data=to_correction(data, venue, entry_id=entry_id))
    return Redirect(f"{HOME}/corrections/{made.id}", toast="Asked. Somebody else has to approve it.")


@page(f"{HOME}/corrections", permission=TIME_READ, listing=CORRECTIONS)
async def corrections_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List the corrections that people ask for."""
    context = await listed(ctx, request=request, listing=CORRECTIONS, query=query, home=HOME)
    context["waiting"] = await screens.count_corrections(
        ctx, venue_ids=await picked_venues(ctx, request=request, permission=TIME_READ)
    )
    return View("staff/corrections.html", context)


async def correction_facts(ctx: Ctx, *, correction_id: UUID) -> dict[str, Any]:
    """What a correction shows: how it reads, how it should, and who may decide it."""
    found = await corrections.find_correction(ctx, correction_id=correction_id)
    ctx.require(TIME_READ, found.venue_id)
    clocked = await clock.read_entry(ctx, entry_id=found.entry_id) if found.entry_id else None
    own = ctx.actor.user_id in {found.asked_by, found.user_id}
    return {
        "correction": found,
        "clocked": clocked,
        "home": HOME,
        "own": own and found.status == "asked",
        "may_decide": found.status == "asked" and not own and ctx.allows(TIME_APPROVE, found.venue_id),
        "history": await entity_history(ctx, entity="time_correction", entity_id=correction_id),
    }


@page(f"{HOME}/corrections/{{correction_id:uuid}}", permission=TIME_READ)
async def correction_page(ctx: Ctx, correction_id: UUID) -> View:
    """Show a correction beside what was clocked."""
    return View("staff/correction.html", await correction_facts(ctx, correction_id=correction_id))


@page_post(f"{HOME}/corrections/{{correction_id:uuid}}/approval", permission=TIME_APPROVE)
async def correction_approve_submit(ctx: Ctx, correction_id: UUID) -> Redirect:
    """Let a correction count."""
    found = await corrections.approve_correction(ctx, correction_id=correction_id, note="")
    return Redirect(f"{HOME}/corrections?status=asked", toast=f"The time of {found.person} reads as they said now.")


@page(f"{HOME}/corrections/{{correction_id:uuid}}/refusal", permission=TIME_APPROVE)
async def correction_refuse_dialog(ctx: Ctx, correction_id: UUID) -> View:
    """Ask why a correction is refused."""
    return View(REFUSE, await correction_facts(ctx, correction_id=correction_id), block="dialog")


@page_post(
    f"{HOME}/corrections/{{correction_id:uuid}}/refusal",
    permission=TIME_APPROVE,
    form_page=REFUSE,
    form_block="dialog",
    form_context=correction_facts,
)
async def correction_refuse_submit(ctx: Ctx, correction_id: UUID, form: Form[NoteForm]) -> Redirect:
    """Leave the time as it is, and say why."""
    await corrections.refuse_correction(ctx, correction_id=correction_id, note=form.require().reason)
    return Redirect(f"{HOME}/corrections?status=asked", toast="Refused. They read why.")


async def count_on(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many are on now at the venue that is picked, or at all of the reader's."""
    return len(
        (await screens.read_duty(ctx, venue_ids=await picked_venues(ctx, request=request, permission=TIME_READ))).on
    )


async def picked_venues(ctx: Ctx, *, request: RequestInfo, permission: Permission) -> list[UUID] | None:
    """The venue that is picked in the switcher, if the permission holds there; None for all of the reader's."""
    picked = chosen_venue(request)
    mine = {venue.id for venue in await standing_venues(ctx, permission=permission)}
    return [picked] if picked is not None and picked in mine else None


async def _venues(ctx: Ctx, request: RequestInfo, permission: Permission) -> list[Venue]:
    venues = await standing_venues(ctx, permission=permission)
    picked = chosen_venue(request)
    return [venue for venue in venues if venue.id == picked] or venues


def _span(venues: list[Venue], first: date, last: date) -> dict[str, Any]:
    """The query of the list of clocked time that exports these days: from when the first begins until the last has ended."""
    spans = [
        (
            business_day_span(first, venue.zone, venue.business_day_hour)[0],
            business_day_span(last, venue.zone, venue.business_day_hour)[1],
        )
        for venue in venues
    ]
    if not spans:
        return {}
    found: dict[str, Any] = {
        "started_at_from": min(start for start, _ in spans).isoformat(),
        "started_at_to": max(end for _, end in spans).isoformat(),
    }
    return found | ({"venue_id": [str(venues[0].id)]} if len(venues) == 1 else {})


TEAM_PAGES = (
    duty_page,
    duty_tonight,
    sheets_page,
    entries_page,
    entry_page,
    entry_correction_page,
    entry_correction_submit,
    corrections_page,
    correction_page,
    correction_approve_submit,
    correction_refuse_dialog,
    correction_refuse_submit,
)
