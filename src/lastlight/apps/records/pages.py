"""The audit log and jobs, built for a console by its prefix."""

from typing import Any

from lastlight.kernel.ids import JobId, TenantId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.audit.entries import AUDIT, AUDIT_READ, ORIGINS, read_entry
from lastlight.runtime.audit.history import changes_of
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Operation, Redirect, View, page, page_post
from lastlight.runtime.jobs import actions as job_actions
from lastlight.runtime.jobs.events import JOBS_MANAGE, JOBS_READ, PLATFORM_JOBS_MANAGE
from lastlight.runtime.jobs.queries import JOBS, JobOut, find_job

CANCELLED = "It stops within a few seconds."
QUEUED_AGAIN = "It is queued again."


def audit_pages(prefix: str) -> tuple[Operation, ...]:
    """The audit log inside one console."""
    home = f"{prefix}/audit"

    @page(home, permission=AUDIT_READ, listing=AUDIT)
    async def audit_page(ctx: Ctx, query: Any) -> View:
        """List who did what."""
        view = await AUDIT.view(ctx, query)
        return View("records/audit.html", {"view": view, "home": home, "paged": bool(query.after)})

    @page(f"{home}/{{seq:int}}", permission=AUDIT_READ)
    async def audit_entry_page(ctx: Ctx, seq: int) -> View:
        """Show one entry with its place in the chain."""
        entry = await read_entry(ctx, seq=seq)
        before, after = changes_of(entry.before, entry.after)
        return View(
            "records/entry.html",
            {"entry": entry, "origins": dict(ORIGINS), "home": home, "before": before, "after": after},
        )

    return (audit_page, audit_entry_page)


def job_pages(prefix: str) -> tuple[Operation, ...]:
    """A business's own jobs inside its console: what runs, what failed, what to do about it."""
    home = f"{prefix}/jobs"
    one = f"{home}/{{job_id:uuid}}"

    @page(one, permission=JOBS_READ)
    async def job_page(ctx: Ctx, job_id: JobId) -> View:
        """Show one job and how far it is."""
        return await _job(ctx, job_id, home=home, manage=JOBS_MANAGE)

    @page_post(f"{one}/cancel", permission=JOBS_MANAGE)
    async def job_cancel(ctx: Ctx, job_id: JobId) -> Redirect:
        """Cancel a job."""
        await job_actions.cancel(ctx, job_id=job_id)
        return Redirect(f"{home}/{job_id}", toast=CANCELLED)

    @page_post(f"{one}/retry", permission=JOBS_MANAGE)
    async def job_retry(ctx: Ctx, job_id: JobId) -> Redirect:
        """Queue a job again."""
        await job_actions.requeue(ctx, job_id=job_id)
        return Redirect(f"{home}/{job_id}", toast=QUEUED_AGAIN)

    return (_jobs_page(home, crew=False), job_page, job_cancel, job_retry)


def crew_job_pages() -> tuple[Operation, ...]:
    """The jobs of every tenant, each opened inside its tenant."""
    home = "/platform/jobs"
    one = f"{home}/{{tenant_id:uuid}}/{{job_id:uuid}}"

    @page(one, permission=JOBS_READ, scope_tenant="tenant_id", db="platform")
    async def tenant_job_page(ctx: Ctx, tenant_id: TenantId, job_id: JobId) -> View:
        """Show one job of a tenant and how far it is."""
        return await _job(ctx, job_id, home=f"{home}/{tenant_id}", manage=PLATFORM_JOBS_MANAGE)

    @page_post(f"{one}/cancel", permission=PLATFORM_JOBS_MANAGE, scope_tenant="tenant_id", db="platform")
    async def tenant_job_cancel(ctx: Ctx, tenant_id: TenantId, job_id: JobId) -> Redirect:
        """Cancel a tenant's job."""
        await job_actions.cancel(ctx, job_id=job_id)
        return Redirect(f"{home}/{tenant_id}/{job_id}", toast=CANCELLED)

    @page_post(f"{one}/retry", permission=PLATFORM_JOBS_MANAGE, scope_tenant="tenant_id", db="platform")
    async def tenant_job_retry(ctx: Ctx, tenant_id: TenantId, job_id: JobId) -> Redirect:
        """Queue a tenant's job again."""
        await job_actions.requeue(ctx, job_id=job_id)
        return Redirect(f"{home}/{tenant_id}/{job_id}", toast=QUEUED_AGAIN)

    return (_jobs_page(home, crew=True), tenant_job_page, tenant_job_cancel, tenant_job_retry)


def _jobs_page(home: str, *, crew: bool) -> Operation:
    @page(home, permission=JOBS_READ, listing=JOBS)
    async def jobs_page(ctx: Ctx, query: Any) -> View:
        """List jobs."""
        view = await JOBS.view(ctx, query)
        return View("records/jobs.html", {"view": view, "home": home, "crew": crew, "paged": bool(query.after)})

    return jobs_page


async def _job(ctx: Ctx, job_id: JobId, *, home: str, manage: Permission) -> View:
    job = await find_job(ctx, job_id)
    shown = {"job": job, "home": home, "percent": _percent(job), "may_manage": ctx.allows(manage)}
    return View("records/job.html", shown)


def _percent(job: JobOut) -> int:
    if job.state == "done":
        return 100
    return round(100 * job.progress_done / job.progress_total) if job.progress_total else 0
