"""The evidence of drills, on the crew's screens."""

from typing import Any
from uuid import UUID

from lastlight.runtime.context import Ctx
from lastlight.runtime.drills.events import DRILLS_READ
from lastlight.runtime.drills.listing import DRILL_RUNS, read_drill_run
from lastlight.runtime.http import View, page

HOME = "/platform/drills"


@page(HOME, permission=DRILLS_READ, listing=DRILL_RUNS)
async def drills_page(ctx: Ctx, query: Any) -> View:
    """List the drills that were run, and what there is to run."""
    known = sorted(ctx.services.registry.drills.values(), key=lambda drill: drill.name)
    view = await DRILL_RUNS.view(ctx, query)
    context: dict[str, Any] = {"view": view, "home": HOME, "paged": bool(query.after), "known": known}
    return View("platform/drills.html", context)


@page(f"{HOME}/{{run_id:uuid}}", permission=DRILLS_READ)
async def drill_page(ctx: Ctx, run_id: UUID) -> View:
    """Show one run of a drill with what each step found."""
    return View("platform/drill.html", {"run": await read_drill_run(ctx, run_id=run_id), "home": HOME})


DRILL_PAGES = (drills_page, drill_page)
