"""Reads of jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.ids import JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.columns import ID, Column, Filter, ref
from lastlight.runtime.http.listing import Listing
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
    of="j",
    cross_tenant=True,
    sort="-created_at",
    columns=(
        Column("created_at", "Queued", kind="time", sort=True),
        Column("kind", "Job", sort=True),
        Column("state", "State", kind="enum", choices=STATES),
        Column("progress_done", "Done", kind="number"),
        Column("progress_total", "Of", kind="number"),
        Column("progress_note", "Note"),
        Column("attempts", "Attempts", kind="number"),
        Column("max_attempts", "At most", kind="number", shown=False),
        Column("error", "Error"),
        Column("run_at", "Due", kind="time", shown=False),
        Column("started_at", "Started", kind="time", shown=False),
        Column("finished_at", "Ended", kind="time"),
        Column("scheduled", "By schedule", kind="bool", shown=False),
        ref("tenant_id", "Tenant"),
        ID,
    ),
    filters=(
        Filter("state"),
        Filter("kind"),
        Filter("scheduled"),
        Filter("tenant_id"),
        Filter("created_at"),
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
