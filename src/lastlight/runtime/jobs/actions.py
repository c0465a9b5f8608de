"""What people do with jobs: cancel them, and queue ended ones again."""

from datetime import timedelta

from lastlight.kernel.errors import Conflict
from lastlight.kernel.ids import JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.enqueue import carry
from lastlight.runtime.jobs.events import JobCancelled, JobRequeued
from lastlight.runtime.jobs.queries import JobOut, find_job


class JobEndedAlready(Conflict):
    """Somebody wants to cancel a job that has ended already."""

    type = "job-ended"
    title = "This job has ended"
    default_detail = "There is nothing left to cancel."


class JobNotEnded(Conflict):
    """Somebody wants to queue again a job that waits, runs or was done."""

    type = "job-not-ended"
    title = "This job cannot be queued again"
    default_detail = "Only a job that failed, was given up or was cancelled can be queued again."


CANCEL = """
update jobs set cancel_requested_at = now(),
    state = case when state = 'queued' then 'cancelled' else state end,
    error = case when state = 'queued' then 'Cancelled.' else error end,
    finished_at = case when state = 'queued' then now() end
where tenant_id = $1 and id = $2 and state in ('queued', 'running')
"""
REQUEUE = """
update jobs set state = 'queued', run_at = now() + $4::interval, finished_at = null, cancel_requested_at = null, result = null,
    max_attempts = attempts + $3, progress_note = $5
where tenant_id = $1 and id = $2 and state in ('failed', 'dead', 'cancelled')
"""


async def cancel(ctx: Ctx, *, job_id: JobId) -> JobOut:
    """Cancel a waiting job now; ask a running one to stop, which takes a few seconds."""
    job = await find_job(ctx, job_id)
    if not await ctx.db.execute(CANCEL, ctx.tenant_id, job_id):
        raise JobEndedAlready
    ctx.emit(JobCancelled(job_id=str(job_id), kind=job.kind), entity=("job", job_id), before={"state": job.state})
    return await find_job(ctx, job_id)


async def requeue(ctx: Ctx, *, job_id: JobId, after: timedelta = timedelta(), note: str = "") -> JobOut:
    """Queue an ended job again, with all of its attempts before it; its row says `note` until it runs."""
    job = await find_job(ctx, job_id)
    declared = ctx.services.registry.jobs.get(job.kind)
    attempts = declared.retry.attempts if declared is not None else 1
    if not await ctx.db.execute(REQUEUE, ctx.tenant_id, job_id, attempts, after, note):
        raise JobNotEnded
    await carry(ctx, job_id, after=after)
    before = {"state": job.state, "error": job.error}
    ctx.emit(JobRequeued(job_id=str(job_id), kind=job.kind), entity=("job", job_id), before=before, reason=note)
    return await find_job(ctx, job_id)
