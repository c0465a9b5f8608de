"""Retention of the safety log: after its years a line forgets its words and its people; that it was written stays."""

from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.tenant_settings import TenantSetting

BATCH = 2_000
KEEP_YEARS = TenantSetting(
    key="safety.log_keep_years",
    type=int,
    default=7,
    minimum=3,
    maximum=30,
    label="Safety log keeps words for",
    description="After that a line of the log and of an incident's timeline forgets its words and its people. "
    "That it was written, when and about what, stays for good.",
    unit="years",
)

# every tenant: the platform keeps house for all, each by its own setting
FORGET_LOG = """
update safety_log l set text = '', name = '', user_id = null, patron_id = null
from (select e.tenant_id, e.id from safety_log e
      left join tenant_settings s on s.tenant_id = e.tenant_id and s.key = $2
      where e.name <> '' and e.at < now() - make_interval(years => coalesce((s.value #>> '{}')::integer, $3))
      order by e.at limit $1) old
where l.tenant_id = old.tenant_id and l.id = old.id
"""
# every tenant: the same for the timelines
FORGET_ENTRIES = """
update incident_entries l set text = '', name = '', user_id = null
from (select e.tenant_id, e.id from incident_entries e
      left join tenant_settings s on s.tenant_id = e.tenant_id and s.key = $2
      where e.name <> '' and e.at < now() - make_interval(years => coalesce((s.value #>> '{}')::integer, $3))
      order by e.at limit $1) old
where l.tenant_id = old.tenant_id and l.id = old.id
"""


@job("safety.forget_old", schedule="25 4 * * *", each="platform", role="system", timeout=1800)
async def forget_old_lines(job: JobRun) -> None:
    """Let lines of safety logs and timelines forget their words and people once their years are over."""
    await job.in_batches(forget_batch, size=BATCH)


async def forget_batch(ctx: Ctx) -> int:
    """Empty the oldest lines whose years are over; how many of the fuller table."""
    rule = (BATCH, KEEP_YEARS.key, KEEP_YEARS.default)
    return max(await ctx.db.execute(FORGET_LOG, *rule), await ctx.db.execute(FORGET_ENTRIES, *rule))
