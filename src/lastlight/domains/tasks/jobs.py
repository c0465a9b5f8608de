"""Scheduled work of tasks."""

from collections.abc import Sequence

from lastlight.domains.tasks.actions import remind_assignees
from lastlight.domains.tasks.recurring import make_due_tasks
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 200
TO_REMIND = """
select t.id from tenants t
where t.status = 'active'
  and exists (select from tasks k where k.tenant_id = t.id and k.remind_at <= now() and k.reminded_at is null
              and k.status in ('open', 'started'))
"""
TO_MAKE = """
select t.id from tenants t
where t.status = 'active'
  and exists (select from task_recurrences r where r.tenant_id = t.id and r.ended_at is null
              and r.next_due_at - r.lead_minutes * interval '1 minute' <= now())
"""


async def tenants_to_remind(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a task whose time to remind has come."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(TO_REMIND)]


async def tenants_with_tasks_due(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a task to make because it comes again."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(TO_MAKE)]


@job("tasks.remind", schedule="* * * * *", each=tenants_to_remind)
async def remind_of_tasks(ctx: Ctx) -> int:
    """Remind of tasks that are not done; what one run leaves, the next minute's takes."""
    return await remind_assignees(ctx, limit=BATCH)


@job("tasks.make_recurring", schedule="* * * * *", each=tenants_with_tasks_due)
async def make_recurring_tasks(ctx: Ctx) -> int:
    """Make the tasks that come again and whose time has come."""
    return await make_due_tasks(ctx, limit=BATCH)
