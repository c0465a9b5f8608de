"""The edges of jobs."""

from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import JobId, TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post
from lastlight.runtime.http.listing import listing_get
from lastlight.runtime.jobs import actions, queries
from lastlight.runtime.jobs.actions import JobEndedAlready, JobNotEnded
from lastlight.runtime.jobs.events import JOBS_MANAGE, JOBS_READ, PLATFORM_JOBS_MANAGE
from lastlight.runtime.jobs.queries import JobOut

list_jobs = listing_get("/api/jobs", queries.JOBS)


@get("/api/jobs/{job_id:uuid}", permission=JOBS_READ, raises=[NotFound])
async def read_job(ctx: Ctx, job_id: JobId) -> JobOut:
    """Read one job: its state, its progress and, once it is done, its result."""
    return await queries.find_job(ctx, job_id)


@post("/api/jobs/{job_id:uuid}/cancel", permission=JOBS_MANAGE, raises=[NotFound, JobEndedAlready])
async def cancel_job(ctx: Ctx, job_id: JobId) -> JobOut:
    """Cancel a waiting job at once; a running one stops within a few seconds."""
    return await actions.cancel(ctx, job_id=job_id)


@post("/api/jobs/{job_id:uuid}/retry", permission=JOBS_MANAGE, raises=[NotFound, JobNotEnded])
async def retry_job(ctx: Ctx, job_id: JobId) -> JobOut:
    """Queue a job that failed, was given up or was cancelled again."""
    return await actions.requeue(ctx, job_id=job_id)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/jobs/{job_id:uuid}/cancel",
    permission=PLATFORM_JOBS_MANAGE,
    db="platform",
    scope_tenant="tenant_id",
    raises=[NotFound, JobEndedAlready],
)
async def cancel_job_of_tenant(ctx: Ctx, tenant_id: TenantId, job_id: JobId) -> JobOut:
    """Cancel a tenant's job, as the platform's crew."""
    return await actions.cancel(ctx, job_id=job_id)


@post(
    "/api/admin/tenants/{tenant_id:uuid}/jobs/{job_id:uuid}/retry",
    permission=PLATFORM_JOBS_MANAGE,
    db="platform",
    scope_tenant="tenant_id",
    raises=[NotFound, JobNotEnded],
)
async def retry_job_of_tenant(ctx: Ctx, tenant_id: TenantId, job_id: JobId) -> JobOut:
    """Queue a tenant's ended job again, as the platform's crew."""
    return await actions.requeue(ctx, job_id=job_id)


ROUTES = (list_jobs, read_job, cancel_job, retry_job, cancel_job_of_tenant, retry_job_of_tenant)
