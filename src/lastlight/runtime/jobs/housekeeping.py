"""Jobs that keep house: ended jobs, old answers and idle buckets go."""

from lastlight.runtime import limits
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun

BATCH = 2_000
# every tenant: the platform keeps house for all
DROP_ENDED = """
delete from jobs using (
    select tenant_id, id from jobs
    where tenant_id is not null and finished_at is not null and finished_at < now() - case
        when scheduled and state = 'done' then interval '1 hour'
        when state in ('failed', 'dead') then interval '90 days'
        else interval '30 days' end
    limit $1
) as old
where jobs.tenant_id = old.tenant_id and jobs.id = old.id
"""
# every tenant: the platform keeps house for all
DROP_KEYS = """
delete from idempotency_keys using (
    select tenant_id, principal, key from idempotency_keys
    where tenant_id is not null and created_at < now() - interval '30 days'
    limit $1
) as old
where idempotency_keys.tenant_id = old.tenant_id and idempotency_keys.principal = old.principal
  and idempotency_keys.key = old.key
"""
DROP_LOG = "delete from queue.pgqueuer_log where created < now() - interval '1 hour'"


@job("jobs.drop_ended", schedule="*/10 * * * *", each="platform")
async def drop_ended(job: JobRun) -> None:
    """Delete jobs that ended long ago: scheduled ones after an hour, failures after 90 days, others after 30."""

    async def drop(ctx: Ctx) -> int:
        await ctx.db.execute(DROP_LOG)
        return await ctx.db.execute(DROP_ENDED, BATCH)

    await job.in_batches(drop, size=BATCH)


@job("idempotency.drop_old", schedule="50 3 * * *", each="platform", timeout=1800)
async def drop_old_keys(job: JobRun) -> None:
    """Delete answers kept under Idempotency-Keys of more than 30 days ago: no retry is that late."""
    await job.in_batches(lambda ctx: ctx.db.execute(DROP_KEYS, BATCH), size=BATCH)


@job("limits.forget_idle", schedule="*/5 * * * *", each="platform")
async def forget_idle_limits(job: JobRun) -> None:
    """Delete the rate limits' buckets that are empty anyway."""
    await limits.forget_idle(job.services)
