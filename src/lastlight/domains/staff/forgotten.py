"""Clock-outs that were forgotten, and shifts that are about to begin: told to people, never mended by the platform.

Somebody who is clocked in long after their shift, or longer than anybody works, has forgotten to clock out. Nobody knows when they left, so
no hours are invented: the venue gets a task, and the time stays open until its owner clocks out or a correction is approved.
"""

from datetime import timedelta

from lastlight.domains.staff.clock import FORGOTTEN_SOURCE, entry_facts, read_entry
from lastlight.domains.staff.events import ClockOutForgotten, ShiftReminded
from lastlight.domains.staff.settings import FORGOTTEN_MINUTES, LONGEST_HOURS, REMIND_MINUTES
from lastlight.domains.tasks import create_task
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

FORGOTTEN = """
with late as materialized (
    select e.id
    from time_entries e
    left join shifts s on s.tenant_id = $1 and s.id = e.shift_id
    where e.tenant_id = $1 and e.status = 'open' and e.forgotten_at is null
      and case when s.id is null then e.started_at + $3::interval else greatest(s.ends_at, e.started_at) + $2::interval end <= now()
    order by e.started_at limit $4 for update of e skip locked
)
update time_entries e set forgotten_at = now()
from late
where e.tenant_id = $1 and e.id = late.id
returning e.id
"""
REMIND = """
with due as materialized (
    select id from shifts
    where tenant_id = $1 and status = 'published' and reminded_at is null and user_id is not null
      and starts_at > now() and starts_at <= now() + $2::interval
    order by starts_at limit $3 for update skip locked
)
update shifts s set reminded_at = now()
from due
where s.tenant_id = $1 and s.id = due.id
returning s.id, s.venue_id, s.user_id, s.starts_at
"""


async def find_forgotten(ctx: Ctx, *, limit: int) -> int:
    """Notice the clock-outs that were forgotten, each once, with a task for the venue; how many there were."""
    after_shift = timedelta(minutes=await setting(ctx, FORGOTTEN_MINUTES))
    longest = timedelta(hours=await setting(ctx, LONGEST_HOURS))
    rows = await ctx.db.fetch(FORGOTTEN, ctx.tenant_id, after_shift, longest, limit)
    for row in rows:
        entry = await read_entry(ctx, entry_id=row["id"])
        said = ClockOutForgotten(
            entry_id=entry.id,
            venue_id=entry.venue_id,
            user_id=entry.user_id,
            version=entry.version,
            started_at=entry.started_at,
        )
        ctx.emit(said, entity=("time_entry", entry.id), venue_id=entry.venue_id, after=entry_facts(entry))
        await create_task(
            ctx,
            venue_id=entry.venue_id,
            title="Clear up a forgotten clock-out",
            details="Somebody is still clocked in long after they can have left. Ask them when they went, and have it corrected.",
            priority="high",
            source=FORGOTTEN_SOURCE,
            source_id=entry.id,
        )
    return len(rows)


async def remind_of_shifts(ctx: Ctx, *, limit: int) -> int:
    """Remind people of their shifts that are about to begin, each once; how many there were."""
    ahead = await setting(ctx, REMIND_MINUTES)
    if ahead == 0:
        return 0
    rows = await ctx.db.fetch(REMIND, ctx.tenant_id, timedelta(minutes=ahead), limit)
    for row in rows:
        said = {name: row[name] for name in ("venue_id", "user_id", "starts_at")}
        ctx.emit(ShiftReminded(shift_id=row["id"], **said), entity=("shift", row["id"]), venue_id=row["venue_id"])
    return len(rows)
