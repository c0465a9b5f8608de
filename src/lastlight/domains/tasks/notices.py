"""What tasks tell people on their phones. Titles are not in it: they may name a guest, and a locked screen shows it."""

from typing import Any
from uuid import UUID

from lastlight.domains.tasks.permissions import TASKS_WORK
from lastlight.domains.tasks.queries import find_task
from lastlight.domains.venues import read_venue
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import Notice, NoticeKind, notify

TASKS = NoticeKind(
    key="tasks", label="Tasks", description="A task is given to you, or one of yours is due.", permission=TASKS_WORK
)


@job("tasks.push_assigned")
async def push_assigned(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell somebody that a task was given to them, unless they took it themselves."""
    if data["assignee_id"] and data["assignee_id"] != data["assigned_by"]:
        await _tell(ctx, event_id, data, "A task for you: {venue}")


@job("tasks.push_reminded")
async def push_reminded(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Remind somebody of a task of theirs."""
    if data["assignee_id"]:
        await _tell(ctx, event_id, data, "Your task is waiting: {venue}")


async def _tell(ctx: Ctx, event_id: UUID, data: dict[str, Any], title: str) -> None:
    task = await find_task(ctx, task_id=UUID(data["task_id"]))
    if task.status not in {"open", "started"} or str(task.assignee_id) != data["assignee_id"]:
        return  # it was done or given to somebody else meanwhile
    venue = await read_venue(ctx, venue_id=task.venue_id)
    notice = Notice(
        kind=TASKS,
        title=title,
        body="Due {due}." if task.due_at else "Open it to see what is to be done.",
        words={"venue": venue.name},
        moments={"due": task.due_at} if task.due_at else {},
        zone=venue.time_zone,
        url=f"/go/tasks/{task.id}",
        tag=f"task/{task.id}",
        urgency="high" if task.priority == "urgent" else "normal",
    )
    await notify(ctx, people=[UUID(data["assignee_id"])], notice=notice, key=str(event_id))


PUSH_JOBS = (push_assigned, push_reminded)
