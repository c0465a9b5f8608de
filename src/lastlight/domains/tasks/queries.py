"""Reads of tasks."""

from collections.abc import Sequence
from uuid import UUID

from lastlight.domains.tasks.model import Comment, Task
from lastlight.domains.tasks.permissions import TASKS_READ
from lastlight.domains.tasks.schemas import Recurrence
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

TASK = """
select t.id, t.venue_id, w.name as venue, t.title, t.details, t.priority, t.status, t.assignee_id, coalesce(u.name, '') as assignee,
       t.created_by, t.source, t.source_id, t.recurrence_id, t.due_at, t.remind_at, t.reminded_at, t.assigned_at, t.started_at,
       t.ended_at, t.outcome, t.created_at, t.version
from tasks t
join venues w on w.tenant_id = $1 and w.id = t.venue_id
left join users u on u.id = t.assignee_id
where t.tenant_id = $1 and t.id = $2
"""
LOCK_TASK = "select 1 from tasks where tenant_id = $1 and id = $2 for update"
COMMENTS = """
select c.id, c.task_id, c.author_id, coalesce(u.name, '') as author, c.body, c.created_at
from task_comments c
left join users u on u.id = c.author_id
where c.tenant_id = $1 and c.task_id = $2
order by c.id
limit 500
"""
RECURRENCE = """
select r.id, r.venue_id, w.name as venue, r.title, r.details, r.priority, r.assignee_id, coalesce(u.name, '') as assignee, r.every,
       r.weekdays, r.month_day, r.due_minute, r.lead_minutes, r.remind_minutes, r.next_due_at, r.ended_at, r.version
from task_recurrences r
join venues w on w.tenant_id = $1 and w.id = r.venue_id
left join users u on u.id = r.assignee_id
where r.tenant_id = $1 and r.id = $2
"""
MINE_OPEN = "select count(*) from tasks where tenant_id = $1 and assignee_id = $2 and status in ('open', 'started')"
VENUES_OPEN = """
select count(*) from tasks
where tenant_id = $1 and status in ('open', 'started') and ($2::uuid[] is null or venue_id = any($2))
"""


async def read_task(ctx: Ctx, *, task_id: UUID) -> Task:
    """A task of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Task, TASK, ctx.tenant_id, task_id)


async def find_task(ctx: Ctx, *, task_id: UUID, permission: Permission = TASKS_READ, lock: bool = False) -> Task:
    """A task at a venue that the actor holds a permission for, held until the transaction ends where that is asked for."""
    ctx.require(permission)
    if lock and not await ctx.db.fetchval(LOCK_TASK, ctx.tenant_id, task_id):
        raise NotFound
    task = await read_task(ctx, task_id=task_id)
    ctx.require(permission, task.venue_id)
    return task


async def comments_of(ctx: Ctx, *, task_id: UUID) -> list[Comment]:
    """What was said about a task that the actor may see, oldest first."""
    task = await find_task(ctx, task_id=task_id)
    return await ctx.db.rows(Comment, COMMENTS, ctx.tenant_id, task.id)


async def find_recurrence(ctx: Ctx, *, recurrence_id: UUID, permission: Permission) -> Recurrence:
    """A repeating task, at a venue that the actor holds a permission for."""
    ctx.require(permission)
    found = await ctx.db.one(Recurrence, RECURRENCE, ctx.tenant_id, recurrence_id)
    ctx.require(permission, found.venue_id)
    return found


async def count_mine(ctx: Ctx) -> int:
    """How many tasks wait for the actor."""
    return await ctx.db.fetchval(MINE_OPEN, ctx.tenant_id, ctx.actor.user_id)


async def count_open(ctx: Ctx, *, venue_ids: Sequence[UUID] | None = None) -> int:
    """How many tasks wait at the venues that the actor may see, or at some of them."""
    seen = ctx.venues(TASKS_READ)
    if venue_ids is not None:
        seen = [VenueId(venue) for venue in venue_ids if seen is None or venue in seen]
    return await ctx.db.fetchval(VENUES_OPEN, ctx.tenant_id, seen)
