"""Scheduled work of people's time and shifts."""

from collections.abc import Sequence

from lastlight.domains.staff.forgotten import find_forgotten, remind_of_shifts
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 200
# The soonest that any business may call a clock-out forgotten, and the furthest ahead that it may remind: their own settings decide.
RUNNING = """
select t.id from tenants t
where t.status = 'active'
  and exists (select from time_entries e where e.tenant_id = t.id and e.status = 'open' and e.forgotten_at is null
              and e.started_at <= now() - interval '15 minutes')
"""
COMING = """
select t.id from tenants t
where t.status = 'active'
  and exists (select from shifts s where s.tenant_id = t.id and s.status = 'published' and s.reminded_at is null
              and s.user_id is not null and s.starts_at > now() and s.starts_at <= now() + interval '1 day')
"""


async def tenants_at_work(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants where somebody is clocked in and nobody has noticed that they forgot to clock out."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(RUNNING)]


async def tenants_with_shifts_coming(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a shift within a day whose person was not reminded."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(COMING)]


@job("staff.find_forgotten", schedule="*/5 * * * *", each=tenants_at_work)
async def notice_forgotten(ctx: Ctx) -> int:
    """Notice clock-outs that were forgotten, and give the venue a task; no hours are invented."""
    return await find_forgotten(ctx, limit=BATCH)


@job("staff.remind", schedule="*/5 * * * *", each=tenants_with_shifts_coming)
async def remind_people(ctx: Ctx) -> int:
    """Remind people of shifts that are about to begin."""
    return await remind_of_shifts(ctx, limit=BATCH)
