"""Writes of tasks: one function per verb. `create_task` is the face that other parts of the platform use."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.tasks.errors import TaskOfAnother, TaskStarted
from lastlight.domains.tasks.events import (
    TaskAssigned,
    TaskBegun,
    TaskCancelled,
    TaskChanged,
    TaskCommented,
    TaskCreated,
    TaskFinished,
    TaskReminded,
)
from lastlight.domains.tasks.model import Comment, Priority, Task
from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ, TASKS_WORK
from lastlight.domains.tasks.queries import COMMENTS, find_task, read_task
from lastlight.domains.tasks.rules import myself, require_assignable, require_standing, require_times, require_title
from lastlight.domains.tasks.schemas import TaskChange, TaskIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import UserId, uuid7
from lastlight.runtime.context import Ctx

INSERT = """
insert into tasks (tenant_id, id, venue_id, title, details, priority, assignee_id, created_by, source, source_id, recurrence_id, due_at,
                   remind_at, assigned_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, case when $7::uuid is not null then now() end)
on conflict do nothing
"""
OPEN_OF_SOURCE = """
select id from tasks
where tenant_id = $1 and source = $2 and source_id = $3 and status in ('open', 'started')
"""
ASSIGN = """
update tasks
set assignee_id = $3, assigned_at = case when $3::uuid is not null then now() end, status = 'open', started_at = null, started_by = null
where tenant_id = $1 and id = $2
"""
CHANGE = """
update tasks
set title = $3, details = $4, priority = $5, due_at = $6, remind_at = $7,
    reminded_at = case when remind_at is distinct from $7 then null else reminded_at end
where tenant_id = $1 and id = $2
"""
START = """
update tasks
set status = 'started', started_at = now(), started_by = $3, assignee_id = coalesce(assignee_id, $3),
    assigned_at = coalesce(assigned_at, now())
where tenant_id = $1 and id = $2
"""
FINISH = """
update tasks
set status = 'done', ended_at = now(), ended_by = $3, outcome = $4, started_at = coalesce(started_at, now()),
    started_by = coalesce(started_by, $3), assignee_id = coalesce(assignee_id, $3), assigned_at = coalesce(assigned_at, now())
where tenant_id = $1 and id = $2
"""
CANCEL = "update tasks set status = 'cancelled', ended_at = now(), ended_by = $3, outcome = $4 where tenant_id = $1 and id = $2"
COMMENT = "insert into task_comments (tenant_id, id, task_id, author_id, body) values ($1, $2, $3, $4, $5)"
# Materialized: a sub-select that locks would be run again for each row, and each time skip what it had locked.
REMIND = """
with due as materialized (
    select id from tasks
    where tenant_id = $1 and remind_at <= now() and reminded_at is null and status in ('open', 'started')
    order by remind_at limit $2 for update skip locked
)
update tasks t
set reminded_at = now()
from due
where t.tenant_id = $1 and t.id = due.id
returning t.id, t.venue_id, t.assignee_id, t.priority, t.due_at, t.version
"""
DECIDED = ("title", "details", "priority", "due_at", "remind_at")


async def create_task(
    ctx: Ctx,
    *,
    venue_id: UUID,
    title: str,
    details: str = "",
    priority: Priority = "normal",
    assignee_id: UUID | None = None,
    due_at: datetime | None = None,
    remind_at: datetime | None = None,
    source: str = "person",
    source_id: UUID | None = None,
    recurrence_id: UUID | None = None,
) -> Task:
    """Write a task down, for a caller that has seen to the permission; its assignee is told by push.

    `source` names who asks (a domain, such as "safety") and `source_id` the thing that it is about: while a task of that thing is
    not ended there is no second one, and it is given back as it stands.
    """
    task_id = uuid7()
    row = (venue_id, title.strip(), details.strip(), priority, assignee_id, ctx.actor.user_id, source, source_id)
    made = await ctx.db.execute(INSERT, ctx.tenant_id, task_id, *row, recurrence_id, due_at, remind_at)
    if not made:
        standing = await ctx.db.fetchval(OPEN_OF_SOURCE, ctx.tenant_id, source, source_id)
        if standing is None:
            raise NotFound("This task has been made already.")
        return await read_task(ctx, task_id=standing)
    task = await read_task(ctx, task_id=task_id)
    ctx.emit(
        TaskCreated(**_said(task), source=source), entity=("task", task.id), venue_id=task.venue_id, after=_facts(task)
    )
    if task.assignee_id is not None:
        _tell_assigned(ctx, task, before=None)
    return task


async def write_task(ctx: Ctx, *, data: TaskIn) -> Task:
    """Somebody writes a task down: for nobody in particular, for themselves, or, who manages tasks, for another."""
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=TASKS_WORK)
    if venue.status == "archived":
        raise Invalid(fields={"venue_id": "This venue is archived; choose another."})
    require_title(data.title)
    require_times(ctx.now, due_at=data.due_at, remind_at=data.remind_at)
    if data.assignee_id is not None:
        await require_assignable(ctx, venue_id=data.venue_id, assignee_id=data.assignee_id)
    return await create_task(
        ctx,
        venue_id=data.venue_id,
        title=data.title,
        details=data.details,
        priority=data.priority,
        assignee_id=data.assignee_id,
        due_at=data.due_at,
        remind_at=data.remind_at,
    )


async def change_task(ctx: Ctx, *, task_id: UUID, data: TaskChange, version: int) -> Task:
    """Change what is to be done; Stale when it is no longer the version that was read."""
    before = await find_task(ctx, task_id=task_id, permission=TASKS_MANAGE, lock=True)
    if before.version != version:
        raise Stale
    require_standing(before)
    given = {name: value for name in DECIDED if (value := getattr(data, name)) is not UNSET}
    wanted = msgspec.structs.replace(before, **given)
    require_title(wanted.title)
    require_times(ctx.now, **{name: given[name] for name in ("due_at", "remind_at") if name in given})
    if wanted == before:
        return before
    values = (wanted.title.strip(), wanted.details.strip(), wanted.priority, wanted.due_at, wanted.remind_at)
    await ctx.db.execute(CHANGE, ctx.tenant_id, task_id, *values)
    after = await read_task(ctx, task_id=task_id)
    _tell(ctx, TaskChanged(**_said(after)), before, after)
    return after


async def assign_task(ctx: Ctx, *, task_id: UUID, assignee_id: UserId | None) -> Task:
    """Give a task to somebody, or to nobody. One may take a free task and hand back one's own; the rest is a manager's."""
    before = await find_task(ctx, task_id=task_id, permission=TASKS_WORK, lock=True)
    require_standing(before)
    if before.assignee_id == assignee_id:
        return before
    mine = ctx.actor.user_id
    if before.assignee_id not in {None, mine} and not ctx.allows(TASKS_MANAGE, before.venue_id):
        raise TaskOfAnother
    if assignee_id is not None:
        await require_assignable(ctx, venue_id=before.venue_id, assignee_id=assignee_id)
    await ctx.db.execute(ASSIGN, ctx.tenant_id, task_id, assignee_id)
    after = await read_task(ctx, task_id=task_id)
    _tell_assigned(ctx, after, before=before)
    return after


async def start_task(ctx: Ctx, *, task_id: UUID) -> Task:
    """Begin to work on a task, one's own or a free one, which becomes one's own."""
    before = await find_task(ctx, task_id=task_id, permission=TASKS_WORK, lock=True)
    require_standing(before)
    mine = myself(ctx)
    if before.assignee_id not in {None, mine}:
        raise TaskOfAnother
    if before.status == "started":
        raise TaskStarted
    await ctx.db.execute(START, ctx.tenant_id, task_id, mine)
    after = await read_task(ctx, task_id=task_id)
    _tell(ctx, TaskBegun(**_said(after)), before, after)
    return after


async def finish_task(ctx: Ctx, *, task_id: UUID, outcome: str = "") -> Task:
    """Say that a task is done: its assignee, anybody for a free one, or who manages tasks."""
    before = await find_task(ctx, task_id=task_id, permission=TASKS_WORK, lock=True)
    require_standing(before)
    mine = myself(ctx)
    if before.assignee_id not in {None, mine} and not ctx.allows(TASKS_MANAGE, before.venue_id):
        raise TaskOfAnother
    await ctx.db.execute(FINISH, ctx.tenant_id, task_id, mine, outcome.strip())
    after = await read_task(ctx, task_id=task_id)
    _tell(ctx, TaskFinished(**_said(after)), before, after)
    return after


async def cancel_task(ctx: Ctx, *, task_id: UUID, reason: str) -> Task:
    """Say that a task need not be done, and why."""
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why, so that the others know."})
    before = await find_task(ctx, task_id=task_id, permission=TASKS_MANAGE, lock=True)
    require_standing(before)
    return await end_unneeded(ctx, task=before, reason=reason)


async def end_unneeded(ctx: Ctx, *, task: Task, reason: str) -> Task:
    """Cancel a task that stands and is held, for a caller that has seen to the permission."""
    await ctx.db.execute(CANCEL, ctx.tenant_id, task.id, ctx.actor.user_id, reason.strip())
    after = await read_task(ctx, task_id=task.id)
    _tell(ctx, TaskCancelled(**_said(after)), task, after, reason=reason.strip())
    return after


async def change_priority(ctx: Ctx, *, task: Task, priority: Priority) -> Task:
    """Give a task that stands and is held another priority, for a caller that has seen to the permission."""
    values = (task.title, task.details, priority, task.due_at, task.remind_at)
    await ctx.db.execute(CHANGE, ctx.tenant_id, task.id, *values)
    after = await read_task(ctx, task_id=task.id)
    _tell(ctx, TaskChanged(**_said(after)), task, after)
    return after


async def comment_task(ctx: Ctx, *, task_id: UUID, body: str) -> Comment:
    """Say something about a task, also one that has ended."""
    if not body.strip():
        raise Invalid(fields={"body": "Write something."})
    task = await find_task(ctx, task_id=task_id, permission=TASKS_WORK)
    ctx.require(TASKS_READ, task.venue_id)
    comment_id = uuid7()
    await ctx.db.execute(COMMENT, ctx.tenant_id, comment_id, task_id, ctx.actor.user_id, body.strip())
    said = await ctx.db.rows(Comment, COMMENTS, ctx.tenant_id, task_id)
    comment = next((c for c in said if c.id == comment_id), None)
    if comment is None:
        raise Invalid(fields={"body": "This task holds 500 comments already; write a new task."})
    ctx.emit(
        TaskCommented(**_said(task), comment_id=comment_id),
        entity=("task", task_id),
        venue_id=task.venue_id,
        after={"comment_id": str(comment_id)},
    )
    return comment


async def remind_assignees(ctx: Ctx, *, limit: int) -> int:
    """Remind of the tenant's tasks whose time to remind has come; how many there were."""
    rows = await ctx.db.fetch(REMIND, ctx.tenant_id, limit)
    for row in rows:
        said = {name: row[name] for name in ("venue_id", "assignee_id", "priority", "version", "due_at")}
        ctx.emit(TaskReminded(task_id=row["id"], **said), entity=("task", row["id"]), venue_id=row["venue_id"])
    return len(rows)


def _tell_assigned(ctx: Ctx, task: Task, *, before: Task | None) -> None:
    event = TaskAssigned(**_said(task), assigned_by=ctx.actor.user_id)
    held = {"assignee_id": str(before.assignee_id) if before and before.assignee_id else None}
    holds = {"assignee_id": str(task.assignee_id) if task.assignee_id else None}
    ctx.emit(event, entity=("task", task.id), venue_id=task.venue_id, before=held, after=holds)


def _tell(
    ctx: Ctx,
    event: TaskChanged | TaskBegun | TaskFinished | TaskCancelled,
    before: Task,
    after: Task,
    *,
    reason: str = "",
) -> None:
    entity = ("task", after.id)
    ctx.emit(event, entity=entity, venue_id=after.venue_id, before=_facts(before), after=_facts(after), reason=reason)


def _said(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "venue_id": task.venue_id,
        "assignee_id": task.assignee_id,
        "priority": task.priority,
        "version": task.version,
    }


def _facts(task: Task) -> dict[str, Any]:
    names = ("title", "details", "priority", "status", "assignee_id", "due_at", "remind_at", "outcome")
    return {name: msgspec.to_builtins(getattr(task, name)) for name in names}
