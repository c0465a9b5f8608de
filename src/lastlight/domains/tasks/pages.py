"""Tasks on screens: one's own on a phone, the board and the list of a venue, one task with its comments and its story."""

from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from lastlight.domains.identity import colleagues
from lastlight.domains.tasks import actions, queries
from lastlight.domains.tasks.board import read_board
from lastlight.domains.tasks.forms import (
    AssignForm,
    CommentForm,
    FinishForm,
    ReasonForm,
    TaskChangeForm,
    TaskForm,
    of_task,
    to_task,
    to_task_change,
)
from lastlight.domains.tasks.listings import TASKS
from lastlight.domains.tasks.model import Task
from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ, TASKS_WORK
from lastlight.domains.venues import Venue, chosen_venue, find_venue, standing_venues
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

TASK_EVENTS = (
    "task.created",
    "task.assigned",
    "task.changed",
    "task.started",
    "task.finished",
    "task.cancelled",
    "task.commented",
)
COUNT_EVENTS = TASK_EVENTS[:6]
SOURCES = {
    "safety.alert": ("Open the alert", "safety/alerts", ("/staff", "/manage")),
    "safety.intervention": ("Open the intervention", "safety/interventions", ("/staff", "/manage")),
    "safety.sos": ("Open the SOS call", "safety/sos", ("/staff", "/manage")),
    "time": ("Open the clocked time", "team/entries", ("/manage",)),
}
"""Where the thing that a task is about stands in a console, by what the task says that it is from."""
ONE, NEW, CANCEL = "tasks/task.html", "tasks/task_new.html", "tasks/task_cancel.html"


class TaskQuery(Input, frozen=True, kw_only=True):
    """The tab that is open."""

    tab: Literal["overview", "change"] = "overview"


@page("/staff/tasks", permission=TASKS_WORK)
async def own_tasks_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show one's own tasks, those that anybody may take, and what is done."""
    shown = await _picked(ctx, request)
    board = await read_board(ctx, venue_ids=shown, mine=True)
    return View(
        "tasks/own.html", {"board": board, "home": "/staff/tasks", "events": TASK_EVENTS, "several": shown is None}
    )


@page("/manage/tasks", permission=TASKS_READ)
async def board_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show the tasks of the venue as a board."""
    shown = await _picked(ctx, request)
    context: dict[str, Any] = {
        "board": await read_board(ctx, venue_ids=shown),
        "home": "/manage/tasks",
        "events": TASK_EVENTS,
        "several": shown is None,
        "people": await _people(ctx, shown or ctx.venues(TASKS_MANAGE)) if ctx.allows(TASKS_MANAGE) else [],
    }
    return View("tasks/board.html", context)


@page("/manage/tasks/list", permission=TASKS_READ, listing=TASKS)
async def tasks_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List tasks, also those that have ended."""
    mine = {venue.id: venue.name for venue in await standing_venues(ctx, permission=TASKS_READ)}
    picked = chosen_venue(request)
    places = [(str(venue_id), name) for venue_id, name in mine.items()]
    if picked in mine:
        query, places = msgspec.structs.replace(query, venue_id=[picked]), list[tuple[str, str]]()
    view = await TASKS.view(ctx, query)
    if picked in mine:
        view = replace(view, headers=[header for header in view.headers if header.name != "venue"])
    people = await _people(ctx, [picked] if picked in mine else ctx.venues(TASKS_READ))
    return View(
        "tasks/list.html",
        {
            "view": view,
            "home": "/manage/tasks",
            "paged": bool(query.after),
            "events": TASK_EVENTS,
            "choices": {"venue_id": places, "assignee_id": people},
        },
    )


def task_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of one task inside one console, such as /staff."""
    home = f"{prefix}/tasks"
    one = f"{home}/{{task_id:uuid}}"

    @page(f"{home}/new", permission=TASKS_WORK)
    async def task_new_page(ctx: Ctx, request: RequestInfo) -> View:
        """Ask what is to be done."""
        return View(NEW, await _blank(ctx, home) | {"picked": str(chosen_venue(request) or "")})

    async def again(ctx: Ctx) -> dict[str, Any]:
        return await _blank(ctx, home)

    @page_post(f"{home}/new", permission=TASKS_WORK, form_page=NEW, form_context=again)
    async def task_new_submit(ctx: Ctx, form: Form[TaskForm]) -> Redirect:
        """Write a task down."""
        data = form.require()
        venue = await find_venue(ctx, venue_id=data.venue_id, permission=TASKS_WORK)
        task = await actions.write_task(ctx, data=to_task(data, venue))
        return Redirect(f"{home}/{task.id}", toast="The task is written down.")

    async def overview(ctx: Ctx, *, task_id: UUID) -> dict[str, Any]:
        return await _facts(ctx, task_id, home, "overview")

    async def change(ctx: Ctx, *, task_id: UUID) -> dict[str, Any]:
        return await _facts(ctx, task_id, home, "change")

    @page(one, permission=TASKS_READ)
    async def task_page(ctx: Ctx, task_id: UUID, query: TaskQuery) -> View:
        """Show one task."""
        return View(ONE, await _facts(ctx, task_id, home, query.tab))

    @page_post(one, permission=TASKS_MANAGE, form_page=ONE, form_context=change)
    async def task_submit(ctx: Ctx, task_id: UUID, form: Form[TaskChangeForm]) -> Redirect:
        """Change what is to be done; refused when somebody else did in the meantime."""
        data = form.require()
        task = await queries.find_task(ctx, task_id=task_id, permission=TASKS_MANAGE)
        venue = await find_venue(ctx, venue_id=task.venue_id, permission=TASKS_MANAGE)
        await actions.change_task(ctx, task_id=task_id, data=to_task_change(data, venue), version=data.version)
        return Redirect(f"{home}/{task_id}", toast="Saved.")

    @page_post(f"{one}/comments", permission=TASKS_WORK, form_page=ONE, form_context=overview)
    async def task_comment_submit(ctx: Ctx, task_id: UUID, form: Form[CommentForm]) -> Redirect:
        """Say something about a task."""
        await actions.comment_task(ctx, task_id=task_id, body=form.require().body)
        return Redirect(f"{home}/{task_id}")

    @page_post(f"{one}/finish", permission=TASKS_WORK, form_page=ONE, form_context=overview)
    async def task_finish_submit(ctx: Ctx, task_id: UUID, request: RequestInfo, form: Form[FinishForm]) -> Redirect:
        """Say that a task is done."""
        await actions.finish_task(ctx, task_id=task_id, outcome=form.require().outcome)
        return Redirect(_back(request, prefix, home), toast="Done.")

    return (
        task_new_page,
        task_new_submit,
        task_page,
        task_submit,
        task_comment_submit,
        task_finish_submit,
        *_step_pages(prefix, home, one),
    )


def _step_pages(prefix: str, home: str, one: str) -> tuple[Operation, ...]:
    @page_post(f"{one}/start", permission=TASKS_WORK)
    async def task_start_submit(ctx: Ctx, task_id: UUID, request: RequestInfo) -> Redirect:
        """Begin to work on a task."""
        await actions.start_task(ctx, task_id=task_id)
        return Redirect(_back(request, prefix, f"{home}/{task_id}"), toast="It is yours, and begun.")

    @page_post(f"{one}/taking", permission=TASKS_WORK)
    async def task_take_submit(ctx: Ctx, task_id: UUID, request: RequestInfo) -> Redirect:
        """Take a task that is nobody's."""
        await actions.assign_task(ctx, task_id=task_id, assignee_id=ctx.actor.user_id)
        return Redirect(_back(request, prefix, f"{home}/{task_id}"), toast="It is yours.")

    @page_post(f"{one}/assignment", permission=TASKS_WORK)
    async def task_assign_submit(ctx: Ctx, task_id: UUID, request: RequestInfo, form: Form[AssignForm]) -> Redirect:
        """Give a task to somebody, or to whoever takes it."""
        task = await actions.assign_task(ctx, task_id=task_id, assignee_id=form.require().assignee_id)
        words = f"{task.assignee} is told." if task.assignee else "Whoever is free can take it."
        return Redirect(_back(request, prefix, f"{home}/{task_id}"), toast=words)

    async def facts(ctx: Ctx, *, task_id: UUID) -> dict[str, Any]:
        task = await queries.find_task(ctx, task_id=task_id, permission=TASKS_MANAGE)
        return {"task": task, "home": home}

    @page(f"{one}/cancellation", permission=TASKS_MANAGE)
    async def task_cancel_dialog(ctx: Ctx, task_id: UUID) -> View:
        """Ask whether a task need not be done."""
        return View(CANCEL, await facts(ctx, task_id=task_id), block="dialog")

    @page_post(
        f"{one}/cancellation", permission=TASKS_MANAGE, form_page=CANCEL, form_block="dialog", form_context=facts
    )
    async def task_cancel_submit(ctx: Ctx, task_id: UUID, form: Form[ReasonForm]) -> Redirect:
        """Say that a task need not be done, and why."""
        await actions.cancel_task(ctx, task_id=task_id, reason=form.require().reason)
        return Redirect(f"{home}/{task_id}", toast="The task is cancelled.")

    return (task_start_submit, task_take_submit, task_assign_submit, task_cancel_dialog, task_cancel_submit)


async def count_own(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many tasks wait for the reader."""
    return await queries.count_mine(ctx)


async def count_waiting(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many tasks wait at the venue that is picked, or at all of the reader's."""
    return await queries.count_open(ctx, venue_ids=await _picked(ctx, request))


def _back(request: RequestInfo, prefix: str, fallback: str) -> str:
    """The page of this console that the button stood on."""
    came = urlsplit(request.headers.get("referer", "")).path
    return came if came.startswith(f"{prefix}/") or came == prefix else fallback


async def _picked(ctx: Ctx, request: RequestInfo) -> list[UUID] | None:
    picked = chosen_venue(request)
    mine = {venue.id for venue in await standing_venues(ctx, permission=TASKS_READ)}
    return [picked] if picked is not None and picked in mine else None


async def _people(ctx: Ctx, venue_ids: Any) -> list[tuple[str, str]]:
    return [(str(one.id), one.name) for one in await colleagues(ctx, venue_ids=venue_ids)]


async def _blank(ctx: Ctx, home: str) -> dict[str, Any]:
    venues = await standing_venues(ctx, permission=TASKS_WORK)
    manages = ctx.allows(TASKS_MANAGE)
    mine = (str(ctx.actor.user_id), "Myself")
    return {
        "home": home,
        "venues": [(str(venue.id), venue.name) for venue in venues],
        "people": await _people(ctx, ctx.venues(TASKS_MANAGE)) if manages else [mine],
        "picked": "",
    }


async def _facts(ctx: Ctx, task_id: UUID, home: str, tab: str) -> dict[str, Any]:
    task = await queries.find_task(ctx, task_id=task_id)
    venue: Venue = await find_venue(ctx, venue_id=task.venue_id, permission=TASKS_READ)
    mine = task.assignee_id == ctx.actor.user_id
    manages, works = ctx.allows(TASKS_MANAGE, task.venue_id), ctx.allows(TASKS_WORK, task.venue_id)
    stands = not task.is_ended
    return {
        "task": task,
        "home": home,
        "tab": tab if manages and stands else "overview",
        "values": of_task(task, venue),
        "zone": venue.time_zone,
        "mine": mine,
        "manages": manages and stands,
        "may_start": works and task.status == "open" and (mine or task.assignee_id is None),
        "may_take": works and stands and task.assignee_id is None,
        "may_finish": works and stands and (mine or manages or task.assignee_id is None),
        "may_comment": works,
        "people": await _people(ctx, [task.venue_id]) if manages and stands else [],
        "comments": await queries.comments_of(ctx, task_id=task_id),
        "history": await entity_history(ctx, entity="task", entity_id=task_id),
        "events": TASK_EVENTS,
        "thing": _thing(task, home.removesuffix("/tasks")),
    }


def _thing(task: Task, prefix: str) -> tuple[str, str] | None:
    """The words and the address of what a task is about, where this console shows it."""
    words, place, consoles = SOURCES.get(task.source, ("", "", ()))
    return (words, f"{prefix}/{place}/{task.source_id}") if prefix in consoles and task.source_id else None


PAGES = (own_tasks_page, board_page, tasks_page, *task_pages("/staff"), *task_pages("/manage"))
