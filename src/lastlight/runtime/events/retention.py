"""Retention of the stream: old events go, batch by batch; the audit log keeps its entries, and readers are told how far it went."""

from lastlight.kernel.errors import Problem
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.tenant_settings import TenantSetting, setting

BATCH = 2_000

KEEP_DAYS = TenantSetting(
    key="events.keep_days",
    type=int,
    default=90,
    minimum=1,
    maximum=3650,
    label="Events are kept for",
    description="How long the stream of events can be read again; the audit log keeps its entries for good.",
    unit="days",
    platform=True,
)

# Positions grow with time, so the oldest events stand first.
# every tenant: the platform keeps house for all
DROP = """
with old as (
    select o.tenant_id, o.seq
    from (select e.tenant_id, e.seq, e.at from events e order by e.position limit $1) o
    where o.at < now() - make_interval(days => $2)
), gone as (
    delete from events e using old where e.tenant_id = old.tenant_id and e.seq = old.seq returning e.tenant_id, e.seq
), marked as (
    update tenant_sequences s set dropped_to = greatest(s.dropped_to, furthest.seq)
    from (select g.tenant_id, max(g.seq) as seq from gone g group by g.tenant_id) furthest
    where s.tenant_id = furthest.tenant_id
)
select count(*) from gone
"""


class EventsDropped(Problem):
    """Events from that place on are kept no longer."""

    type = "events-dropped"
    status = 410
    title = "These events are kept no longer"
    default_detail = "Load what you show afresh, then ask for the events after the number in `next`."


@job("events.drop_old", schedule="40 3 * * *", each="platform", timeout=1800)
async def drop_old_events(job: JobRun) -> None:
    """Delete events that are older than the platform keeps them."""

    async def drop(ctx: Ctx) -> int:
        return await drop_batch(ctx, days=await setting(ctx, KEEP_DAYS))

    await job.in_batches(drop, size=BATCH)


async def drop_batch(ctx: Ctx, *, days: int) -> int:
    """Delete the oldest events if they are older than `days`; how many there were."""
    return await ctx.db.fetchval(DROP, BATCH, days)
