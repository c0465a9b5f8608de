"""Tasks at the edge: thin; the actions hold the rules."""

from uuid import UUID

from lastlight.domains.tasks import actions, queries, recurring
from lastlight.domains.tasks.errors import RecurrenceEnded, TaskEnded, TaskOfAnother, TaskStarted
from lastlight.domains.tasks.listings import OWN_TASKS, RECURRENCES, TASKS
from lastlight.domains.tasks.model import Comment, Task
from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ, TASKS_WORK
from lastlight.domains.tasks.schemas import (
    AssignmentIn,
    CancelTaskIn,
    CommentIn,
    CommentsOut,
    FinishIn,
    Recurrence,
    RecurrenceChange,
    RecurrenceIn,
    TaskChange,
    TaskIn,
)
from lastlight.kernel.errors import NotFound, Stale
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import delete, get, patch, post
from lastlight.runtime.http.listing import listing_get

TAGS = ("Tasks",)

list_tasks = listing_get("/api/tasks", TASKS, tags=TAGS)
list_own_tasks = listing_get("/api/tasks/mine", OWN_TASKS, tags=TAGS)
list_recurrences = listing_get("/api/task-recurrences", RECURRENCES, tags=TAGS)


@post("/api/tasks", permission=TASKS_WORK, raises=[NotFound], status=201, tags=TAGS)
async def create_task(ctx: Ctx, data: TaskIn) -> Task:
    """Write a task down: for whoever takes it, for oneself, or, who manages tasks, for another."""
    return await actions.write_task(ctx, data=data)


@get("/api/tasks/{task_id:uuid}", permission=TASKS_READ, raises=[NotFound], tags=TAGS)
async def read_task(ctx: Ctx, task_id: UUID) -> Task:
    """Read a task."""
    return await queries.find_task(ctx, task_id=task_id)


@patch("/api/tasks/{task_id:uuid}", permission=TASKS_MANAGE, raises=[NotFound, Stale, TaskEnded], tags=TAGS)
async def change_task(ctx: Ctx, task_id: UUID, data: TaskChange, if_match: int) -> Task:
    """Change what is to be done, or until when."""
    return await actions.change_task(ctx, task_id=task_id, data=data, version=if_match)


@post(
    "/api/tasks/{task_id:uuid}/assignment",
    permission=TASKS_WORK,
    raises=[NotFound, TaskEnded, TaskOfAnother],
    tags=TAGS,
)
async def assign_task(ctx: Ctx, task_id: UUID, data: AssignmentIn) -> Task:
    """Give a task to somebody; take a free one, or hand back one's own. The assignee is told by push."""
    return await actions.assign_task(ctx, task_id=task_id, assignee_id=data.assignee_id)


@post(
    "/api/tasks/{task_id:uuid}/start",
    permission=TASKS_WORK,
    raises=[NotFound, TaskEnded, TaskOfAnother, TaskStarted],
    tags=TAGS,
)
async def start_task(ctx: Ctx, task_id: UUID) -> Task:
    """Begin to work on a task, one's own or a free one."""
    return await actions.start_task(ctx, task_id=task_id)


@post("/api/tasks/{task_id:uuid}/finish", permission=TASKS_WORK, raises=[NotFound, TaskEnded, TaskOfAnother], tags=TAGS)
async def finish_task(ctx: Ctx, task_id: UUID, data: FinishIn) -> Task:
    """Say that a task is done, and what came of it."""
    return await actions.finish_task(ctx, task_id=task_id, outcome=data.outcome)


@post("/api/tasks/{task_id:uuid}/cancellation", permission=TASKS_MANAGE, raises=[NotFound, TaskEnded], tags=TAGS)
async def cancel_task(ctx: Ctx, task_id: UUID, data: CancelTaskIn) -> Task:
    """Say that a task need not be done, and why."""
    return await actions.cancel_task(ctx, task_id=task_id, reason=data.reason)


@get("/api/tasks/{task_id:uuid}/comments", permission=TASKS_READ, raises=[NotFound], tags=TAGS)
async def list_task_comments(ctx: Ctx, task_id: UUID) -> CommentsOut:
    """Read what was said about a task, oldest first."""
    return CommentsOut(items=await queries.comments_of(ctx, task_id=task_id))


@post("/api/tasks/{task_id:uuid}/comments", permission=TASKS_WORK, raises=[NotFound], status=201, tags=TAGS)
async def comment_task(ctx: Ctx, task_id: UUID, data: CommentIn) -> Comment:
    """Say something about a task."""
    return await actions.comment_task(ctx, task_id=task_id, body=data.body)


@post("/api/task-recurrences", permission=TASKS_MANAGE, raises=[NotFound], status=201, tags=TAGS)
async def plan_recurrence(ctx: Ctx, data: RecurrenceIn) -> Recurrence:
    """Plan a task that comes again each day, on some weekdays, or on a day of each month."""
    return await recurring.plan_recurrence(ctx, data=data)


@get("/api/task-recurrences/{recurrence_id:uuid}", permission=TASKS_MANAGE, raises=[NotFound], tags=TAGS)
async def read_recurrence(ctx: Ctx, recurrence_id: UUID) -> Recurrence:
    """Read a task that comes again."""
    return await queries.find_recurrence(ctx, recurrence_id=recurrence_id, permission=TASKS_MANAGE)


@patch(
    "/api/task-recurrences/{recurrence_id:uuid}",
    permission=TASKS_MANAGE,
    raises=[NotFound, Stale, RecurrenceEnded],
    tags=TAGS,
)
async def change_recurrence(ctx: Ctx, recurrence_id: UUID, data: RecurrenceChange, if_match: int) -> Recurrence:
    """Change what comes again, or when."""
    return await recurring.change_recurrence(ctx, recurrence_id=recurrence_id, data=data, version=if_match)


@delete("/api/task-recurrences/{recurrence_id:uuid}", permission=TASKS_MANAGE, raises=[NotFound], tags=TAGS)
async def end_recurrence(ctx: Ctx, recurrence_id: UUID) -> None:
    """End what comes again; the tasks that it made stay."""
    await recurring.end_recurrence(ctx, recurrence_id=recurrence_id)


ROUTES = (
    list_tasks,
    list_own_tasks,
    create_task,
    read_task,
    change_task,
    assign_task,
    start_task,
    finish_task,
    cancel_task,
    list_task_comments,
    comment_task,
    list_recurrences,
    plan_recurrence,
    read_recurrence,
    change_recurrence,
    end_recurrence,
)
