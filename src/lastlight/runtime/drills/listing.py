"""The evidence of drills, for the platform's crew."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills.events import DRILLS_READ
from lastlight.runtime.drills.run import DrillStep
from lastlight.runtime.http.listing import Column, Filter, Listing

ONE = """
select r.id, r.drill, r.runbook, coalesce(t.name, '') as business, r.run_by, r.passed, r.seconds, r.ran_at, r.steps
from drill_runs r
left join tenants t on t.id = r.business_id
where r.tenant_id = $1 and r.id = $2
"""


class DrillRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a drill in a list."""

    id: UUID
    drill: str
    runbook: str
    business: str
    run_by: str
    passed: bool
    seconds: float
    ran_at: datetime


class DrillRun(DrillRow, frozen=True, kw_only=True):
    """A run of a drill with what each step found."""

    steps: list[DrillStep]


DRILL_RUNS = Listing(
    name="drill_runs",
    label="Drills",
    row=DrillRow,
    permission=DRILLS_READ,
    source="drill_runs r left join tenants t on t.id = r.business_id",
    tenant="r.tenant_id",
    key="r.id",
    columns=(
        Column(name="id", sql="r.id", label="Id", kind="uuid", shown=False),
        Column(name="ran_at", sql="r.ran_at", label="Ran", kind="time", sort=True),
        Column(name="drill", sql="r.drill", label="Drill", sort=True),
        Column(name="passed", sql="r.passed", label="Passed", kind="bool"),
        Column(name="seconds", sql="r.seconds::float8", label="Seconds", kind="number"),
        Column(name="business", sql="coalesce(t.name, '')", label="Played in"),
        Column(name="run_by", sql="r.run_by", label="Run by"),
        Column(name="runbook", sql="r.runbook", label="Runbook", shown=False),
    ),
    filters=(
        Filter(name="drill", sql="r.drill", label="Drill"),
        Filter(name="passed", sql="r.passed", label="Passed", kind="bool"),
        Filter(name="ran_at", sql="r.ran_at", label="Ran", kind="time"),
    ),
    search=("r.drill", "r.run_by"),
    sort="-ran_at",
)


async def read_drill_run(ctx: Ctx, *, run_id: UUID) -> DrillRun:
    """One run with its steps; NotFound when there is none."""
    ctx.require(DRILLS_READ)
    return await ctx.db.one(DrillRun, ONE, PLATFORM, run_id)
