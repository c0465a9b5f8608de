"""The forms of tasks: what a page sends, as flat texts on a venue's clock, and what it becomes."""

from typing import Annotated, Any

import msgspec

from lastlight.domains.tasks.model import Every, Priority, Task
from lastlight.domains.tasks.schemas import Recurrence, RecurrenceChange, RecurrenceIn, TaskChange, TaskIn
from lastlight.domains.venues import Venue, read_wall_clock, write_wall_clock
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http import Input

Wall = Annotated[str, msgspec.Meta(max_length=25)]
Title = Annotated[str, msgspec.Meta(max_length=160)]
Details = Annotated[str, msgspec.Meta(max_length=4000)]


class TaskForm(Input, frozen=True, kw_only=True):
    """A task to write down; nobody chosen is whoever takes it."""

    venue_id: VenueId
    title: Title
    details: Details = ""
    priority: Priority = "normal"
    assignee_id: UserId | None = None
    due_at: Wall = ""
    remind_at: Wall = ""


class TaskChangeForm(Input, frozen=True, kw_only=True):
    """What is to be done, and until when."""

    title: Title
    details: Details = ""
    priority: Priority = "normal"
    due_at: Wall = ""
    remind_at: Wall = ""
    version: int


class AssignForm(Input, frozen=True, kw_only=True):
    """Who is to do it; nobody chosen is whoever takes it."""

    assignee_id: UserId | None = None


class FinishForm(Input, frozen=True, kw_only=True):
    """What came of it."""

    outcome: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class ReasonForm(Input, frozen=True, kw_only=True):
    """Why it need not be done."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CommentForm(Input, frozen=True, kw_only=True):
    """Something to say."""

    body: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class RecurrenceChangeForm(Input, frozen=True, kw_only=True):
    """A repeating task, at an hour of its venue's clock."""

    title: Title
    details: Details = ""
    priority: Priority = "normal"
    assignee_id: UserId | None = None
    every: Every = "day"
    weekdays: list[int] = msgspec.field(default_factory=list[int])
    month_day: int | None = None
    due: Annotated[str, msgspec.Meta(max_length=8)] = "18:00"
    lead_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 60
    remind_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] | None = None
    version: int = 0


class RecurrenceForm(RecurrenceChangeForm, frozen=True, kw_only=True):
    """A new one, at a venue."""

    venue_id: VenueId | None = None


def to_task(form: TaskForm, venue: Venue) -> TaskIn:
    """The task that a form describes."""
    return TaskIn(
        venue_id=form.venue_id,
        title=form.title,
        details=form.details,
        priority=form.priority,
        assignee_id=form.assignee_id,
        **_times(form, venue),
    )


def to_task_change(form: TaskChangeForm, venue: Venue) -> TaskChange:
    """The change that a form describes."""
    times = _times(form, venue)
    return TaskChange(title=form.title, details=form.details, priority=form.priority, **times)


def of_task(task: Task, venue: Venue) -> dict[str, str]:
    """A task as its form's texts."""
    return {
        "title": task.title,
        "details": task.details,
        "priority": task.priority,
        "due_at": write_wall_clock(task.due_at, venue.zone),
        "remind_at": write_wall_clock(task.remind_at, venue.zone),
        "version": str(task.version),
    }


def to_recurrence(form: RecurrenceForm) -> RecurrenceIn:
    """The plan that a form describes; its rhythm takes what belongs to it and leaves the rest."""
    if form.venue_id is None:
        raise Invalid(fields={"venue_id": "Choose the venue."})
    return RecurrenceIn(venue_id=form.venue_id, **_plan(form))


def to_recurrence_change(form: RecurrenceChangeForm) -> RecurrenceChange:
    """The same as a change."""
    return RecurrenceChange(**_plan(form))


def of_recurrence(plan: Recurrence) -> dict[str, Any]:
    """A plan as its form's texts."""
    return {
        "title": plan.title,
        "details": plan.details,
        "priority": plan.priority,
        "assignee_id": str(plan.assignee_id or ""),
        "every": plan.every,
        "month_day": "" if plan.month_day is None else str(plan.month_day),
        "due": f"{plan.due_minute // 60:02d}:{plan.due_minute % 60:02d}",
        "lead_minutes": str(plan.lead_minutes),
        "remind_minutes": "" if plan.remind_minutes is None else str(plan.remind_minutes),
        "version": str(plan.version),
    }


def _times(form: TaskForm | TaskChangeForm, venue: Venue) -> dict[str, Any]:
    return {
        name: read_wall_clock(text, venue.zone, field=name) if text else None
        for name, text in (("due_at", form.due_at), ("remind_at", form.remind_at))
    }


def _plan(form: RecurrenceChangeForm) -> dict[str, Any]:
    return {
        "title": form.title,
        "details": form.details,
        "priority": form.priority,
        "assignee_id": form.assignee_id,
        "every": form.every,
        "weekdays": form.weekdays if form.every == "week" else [],
        "month_day": form.month_day if form.every == "month" else None,
        "due_minute": _minute(form.due),
        "lead_minutes": form.lead_minutes,
        "remind_minutes": form.remind_minutes,
    }


def _minute(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    try:
        found = int(hours) * 60 + int(minutes[:2])
    except ValueError:
        found = -1
    if not 0 <= found < 1440:
        raise Invalid(fields={"due": "Give a time such as 18:00."})
    return found
