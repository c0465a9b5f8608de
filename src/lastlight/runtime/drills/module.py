"""Drills as a module: the list of their evidence, and those of the runtime's own mechanisms."""

from uuid import UUID

from lastlight.kernel.errors import NotFound
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills.events import DRILLS_READ, DrillRan
from lastlight.runtime.drills.listing import DRILL_RUNS, DrillRun, read_drill_run
from lastlight.runtime.events.drills import DrillSignal, realtime_down
from lastlight.runtime.http import get
from lastlight.runtime.http.listing import listing_get
from lastlight.runtime.module import Module

list_drill_runs = listing_get("/api/admin/drills", DRILL_RUNS)


@get("/api/admin/drills/{run_id:uuid}", permission=DRILLS_READ, raises=[NotFound])
async def read_drill(ctx: Ctx, run_id: UUID) -> DrillRun:
    """Read one run of a drill with what each step found."""
    return await read_drill_run(ctx, run_id=run_id)


MODULE = Module(
    name="drills",
    summary="Emergencies that are played on purpose, and the evidence of each.",
    routes=[list_drill_runs, read_drill],
    permissions=[DRILLS_READ],
    events=[DrillRan, DrillSignal],
    drills=[realtime_down],
    listings=[DRILL_RUNS],
)
