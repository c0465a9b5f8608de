"""The evidence of drills, for the platform's crew."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills.events import DRILLS_READ
from lastlight.runtime.drills.run import DrillStep
from lastlight.runtime.http.columns import ID, Column, Filter
from lastlight.runtime.http.listing import Listing

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
    of="r",
    columns=(
        ID,
        Column("ran_at", "Ran", kind="time", sort=True),
        Column("drill", "Drill", sort=True),
        Column("passed", "Passed", kind="bool"),
        Column("seconds", "Seconds", sql="r.seconds::float8", kind="number"),
        Column("business", "Played in", sql="coalesce(t.name, '')"),
        Column("run_by", "Run by"),
        Column("runbook", "Runbook", shown=False),
    ),
    filters=(
        Filter("drill"),
        Filter("passed"),
        Filter("ran_at"),
    ),
    search=("r.drill", "r.run_by"),
    sort="-ran_at",
)


async def read_drill_run(ctx: Ctx, *, run_id: UUID) -> DrillRun:
    """One run with its steps; NotFound when there is none."""
    ctx.require(DRILLS_READ)
    return await ctx.db.one(DrillRun, ONE, PLATFORM, run_id)
