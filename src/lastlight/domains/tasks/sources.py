"""Tasks that other parts of the platform asked for: ended when their thing is over, made urgent when it grew worse."""

from uuid import UUID

from lastlight.domains.tasks.actions import change_priority, end_unneeded
from lastlight.domains.tasks.model import Priority, Task
from lastlight.domains.tasks.queries import read_task
from lastlight.runtime.context import Ctx

STANDING = """
select id from tasks
where tenant_id = $1 and source = $2 and source_id = $3 and status in ('open', 'started')
for update
"""
EVER = "select exists (select from tasks where tenant_id = $1 and source = $2 and source_id = $3)"


async def had_task(ctx: Ctx, *, source: str, source_id: UUID) -> bool:
    """Whether a thing has a task, or had one: what is told twice makes no second."""
    return await ctx.db.fetchval(EVER, ctx.tenant_id, source, source_id)


async def settle_task(ctx: Ctx, *, source: str, source_id: UUID, reason: str) -> Task | None:
    """End the task of a thing that is over, unless somebody works on it already, who finishes it themselves."""
    task = await _standing(ctx, source, source_id)
    if task is None or task.status != "open":
        return None
    return await end_unneeded(ctx, task=task, reason=reason)


async def hasten_task(ctx: Ctx, *, source: str, source_id: UUID, priority: Priority) -> Task | None:
    """Give the task of a thing that grew worse another priority; None where it has no task that stands."""
    task = await _standing(ctx, source, source_id)
    if task is None or task.priority == priority:
        return task
    return await change_priority(ctx, task=task, priority=priority)


async def _standing(ctx: Ctx, source: str, source_id: UUID) -> Task | None:
    task_id = await ctx.db.fetchval(STANDING, ctx.tenant_id, source, source_id)
    return None if task_id is None else await read_task(ctx, task_id=task_id)
