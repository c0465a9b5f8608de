"""Retention of the audit log: after its years an entry forgets what it said; its header, digest and hash stay in the chain."""

from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun

BATCH = 2_000
GENERAL_YEARS = 3
MONEY_YEARS = 7

# every tenant: the platform keeps house for all
FORGET = """
update audit_entries a set payload = null, salt = null
from (select e.tenant_id, e.seq from audit_entries e
      where e.payload is not null and e.at < now() - make_interval(years => $2)
        and (e.name <> all ($4::text[]) or e.at < now() - make_interval(years => $3))
      order by e.at limit $1) old
where a.tenant_id = old.tenant_id and a.seq = old.seq
"""


@job("audit.forget_old", schedule="10 4 * * *", each="platform", timeout=1800)
async def forget_old_entries(job: JobRun) -> None:
    """Empty audit entries whose years are over: three in general, seven for money."""
    await job.in_batches(forget_batch, size=BATCH)


async def forget_batch(ctx: Ctx) -> int:
    """Empty the oldest entries whose years are over; how many there were."""
    money = [event.event_name for event in ctx.services.registry.events.values() if event.money]
    return await ctx.db.execute(FORGET, BATCH, GENERAL_YEARS, MONEY_YEARS, money)
