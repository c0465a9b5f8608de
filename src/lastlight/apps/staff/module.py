"""What the staff app brings: the shift's first page. Visits come from their domain."""

from lastlight.domains import checkins
from lastlight.domains.checkins import VISITS_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import View, page
from lastlight.runtime.module import Module, Nav


@page("/staff", permission=VISITS_READ)
async def shift_page(ctx: Ctx) -> View:
    """Show the floor at a glance, sized for a phone."""
    tonight = await checkins.read_tonight(ctx, feed_length=10)
    return View("staff/shift.html", {"venues": tonight.venues, "feed": tonight.feed})


MODULE = Module(
    name="staff_app",
    summary="Staff: the floor from a phone.",
    pages=(shift_page,),
    nav=(Nav(app="staff", label="Floor", href="/staff", icon="radio", permission=VISITS_READ, order=10),),
)
