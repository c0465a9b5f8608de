"""Repeating tasks on screens: the list, and the editor of one."""

from typing import Any
from uuid import UUID

from lastlight.domains.identity import colleagues
from lastlight.domains.tasks import queries, recurring
from lastlight.domains.tasks.forms import (
    RecurrenceChangeForm,
    RecurrenceForm,
    of_recurrence,
    to_recurrence,
    to_recurrence_change,
)
from lastlight.domains.tasks.listings import RECURRENCES
from lastlight.domains.tasks.permissions import TASKS_MANAGE
from lastlight.domains.venues import chosen_venue, find_venue, standing_venues
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Redirect, RequestInfo, View, page, page_post

HOME = "/manage/tasks/recurring"
ONE, END = "tasks/recurrence.html", "tasks/recurrence_end.html"
BLANK = {
    "priority": "normal",
    "assignee_id": "",
    "every": "day",
    "month_day": "1",
    "due": "18:00",
    "lead_minutes": "60",
    "remind_minutes": "15",
    "version": "0",
}
WEEKDAYS = (
    ("1", "Monday"),
    ("2", "Tuesday"),
    ("3", "Wednesday"),
    ("4", "Thursday"),
    ("5", "Friday"),
    ("6", "Saturday"),
    ("7", "Sunday"),
)


@page(HOME, permission=TASKS_MANAGE, listing=RECURRENCES)
async def recurrences_page(ctx: Ctx, query: Any) -> View:
    """List the tasks that come again."""
    venues = await standing_venues(ctx, permission=TASKS_MANAGE)
    choices = {"venue_id": [(str(venue.id), venue.name) for venue in venues]}
    view = await RECURRENCES.view(ctx, query)
    return View("tasks/recurrences.html", {"view": view, "home": HOME, "paged": bool(query.after), "choices": choices})


async def blank(ctx: Ctx) -> dict[str, Any]:
    """What a new plan's form needs."""
    venues = await standing_venues(ctx, permission=TASKS_MANAGE)
    return {
        "plan": None,
        "home": HOME,
        "values": BLANK,
        "weekdays": list(WEEKDAYS),
        "chosen_days": [],
        "venues": [(str(venue.id), venue.name) for venue in venues],
        "picked": "",
        "people": await _people(ctx, ctx.venues(TASKS_MANAGE)),
        "history": None,
    }


async def facts(ctx: Ctx, *, recurrence_id: UUID) -> dict[str, Any]:
    """What the form of a plan that stands needs."""
    plan = await queries.find_recurrence(ctx, recurrence_id=recurrence_id, permission=TASKS_MANAGE)
    venue = await find_venue(ctx, venue_id=plan.venue_id, permission=TASKS_MANAGE)
    return {
        "plan": plan,
        "home": HOME,
        "values": of_recurrence(plan),
        "weekdays": list(WEEKDAYS),
        "chosen_days": [str(day) for day in plan.weekdays],
        "venues": [],
        "picked": "",
        "people": await _people(ctx, [plan.venue_id]),
        "zone": venue.time_zone,
        "history": await entity_history(ctx, entity="task_recurrence", entity_id=recurrence_id),
    }


@page(f"{HOME}/new", permission=TASKS_MANAGE)
async def recurrence_new_page(ctx: Ctx, request: RequestInfo) -> View:
    """Ask for a task that comes again."""
    return View(ONE, await blank(ctx) | {"picked": str(chosen_venue(request) or "")})


@page_post(f"{HOME}/new", permission=TASKS_MANAGE, form_page=ONE, form_context=blank)
async def recurrence_new_submit(ctx: Ctx, form: Form[RecurrenceForm]) -> Redirect:
    """Plan a task that comes again."""
    plan = await recurring.plan_recurrence(ctx, data=to_recurrence(form.require()))
    return Redirect(f"{HOME}/{plan.id}", toast="Planned. Its first task comes by itself.")


@page(f"{HOME}/{{recurrence_id:uuid}}", permission=TASKS_MANAGE)
async def recurrence_page(ctx: Ctx, recurrence_id: UUID) -> View:
    """Show a task that comes again."""
    return View(ONE, await facts(ctx, recurrence_id=recurrence_id))


@page_post(f"{HOME}/{{recurrence_id:uuid}}", permission=TASKS_MANAGE, form_page=ONE, form_context=facts)
async def recurrence_submit(ctx: Ctx, recurrence_id: UUID, form: Form[RecurrenceChangeForm]) -> Redirect:
    """Change what comes again, or when; refused when somebody else did in the meantime."""
    data = form.require()
    change = to_recurrence_change(data)
    await recurring.change_recurrence(ctx, recurrence_id=recurrence_id, data=change, version=data.version)
    return Redirect(f"{HOME}/{recurrence_id}", toast="Saved. Tasks that are there already stay as they are.")


@page(f"{HOME}/{{recurrence_id:uuid}}/cancellation", permission=TASKS_MANAGE)
async def recurrence_end_dialog(ctx: Ctx, recurrence_id: UUID) -> View:
    """Ask whether a task is to come again no more."""
    return View(END, await facts(ctx, recurrence_id=recurrence_id), block="dialog")


@page_post(f"{HOME}/{{recurrence_id:uuid}}/cancellation", permission=TASKS_MANAGE)
async def recurrence_end_submit(ctx: Ctx, recurrence_id: UUID) -> Redirect:
    """End what comes again; the tasks that it made stay."""
    await recurring.end_recurrence(ctx, recurrence_id=recurrence_id)
    return Redirect(HOME, toast="It no longer repeats. The tasks that it made stay.")


async def _people(ctx: Ctx, venue_ids: Any) -> list[tuple[str, str]]:
    return [(str(one.id), one.name) for one in await colleagues(ctx, venue_ids=venue_ids)]


RECURRENCE_PAGES = (
    recurrences_page,
    recurrence_new_page,
    recurrence_new_submit,
    recurrence_page,
    recurrence_submit,
    recurrence_end_dialog,
    recurrence_end_submit,
)
