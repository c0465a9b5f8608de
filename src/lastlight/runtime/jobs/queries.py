"""Reads of jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.ids import JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.listing import Column, Filter, Listing
from lastlight.runtime.jobs.events import JOBS_READ

STATES = (
    ("queued", "Waiting"),
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Refused"),
    ("dead", "Given up"),
    ("cancelled", "Cancelled"),
)


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the list shows it."""

    id: UUID
    tenant_id: UUID
    kind: str
    state: str
    scheduled: bool
    attempts: int
    max_attempts: int
    progress_done: int
    progress_total: int | None
    progress_note: str
    error: str
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobOut(JobRow, frozen=True, kw_only=True):
    """One job, with its result."""

    result: Any = None
    cancel_requested_at: datetime | None
    version: int


JOBS = Listing(
    name="jobs",
    label="Jobs",
    row=JobRow,
    permission=JOBS_READ,
    source="jobs j",
    tenant="j.tenant_id",
    key="j.id",
    cross_tenant=True,
    sort="-created_at",
    columns=(
        Column(name="created_at", sql="j.created_at", label="Queued", kind="time", sort=True),
        Column(name="kind", sql="j.kind", label="Job", sort=True),
        Column(name="state", sql="j.state", label="State", kind="enum", choices=STATES),
        Column(name="progress_done", sql="j.progress_done", label="Done", kind="number"),
        Column(name="progress_total", sql="j.progress_total", label="Of", kind="number"),
        Column(name="progress_note", sql="j.progress_note", label="Note"),
        Column(name="attempts", sql="j.attempts", label="Attempts", kind="number"),
        Column(name="max_attempts", sql="j.max_attempts", label="At most", kind="number", shown=False),
        Column(name="error", sql="j.error", label="Error"),
        Column(name="run_at", sql="j.run_at", label="Due", kind="time", shown=False),
        Column(name="started_at", sql="j.started_at", label="Started", kind="time", shown=False),
        Column(name="finished_at", sql="j.finished_at", label="Ended", kind="time"),
        Column(name="scheduled", sql="j.scheduled", label="By schedule", kind="bool", shown=False),
        Column(name="tenant_id", sql="j.tenant_id", label="Tenant", kind="uuid", shown=False),
        Column(name="id", sql="j.id", label="Id", kind="uuid", shown=False),
    ),
    filters=(
        Filter(name="state", sql="j.state", label="State", kind="enum", choices=STATES),
        Filter(name="kind", sql="j.kind", label="Job"),
        Filter(name="scheduled", sql="j.scheduled", label="By schedule", kind="bool"),
        Filter(name="tenant_id", sql="j.tenant_id", label="Tenant", kind="uuid"),
        Filter(name="created_at", sql="j.created_at", label="Queued", kind="time"),
    ),
    search=("j.kind", "j.error"),
)

ONE = """
select id, tenant_id, kind, state, scheduled, attempts, max_attempts, progress_done, progress_total, progress_note, error, result,
       created_at, run_at, started_at, finished_at, cancel_requested_at, version
from jobs where tenant_id = $1 and id = $2
"""


async def find_job(ctx: Ctx, job_id: JobId) -> JobOut:
    """One job of the tenant; NotFound when there is none."""
    return await ctx.db.one(JobOut, ONE, ctx.tenant_id, job_id)
