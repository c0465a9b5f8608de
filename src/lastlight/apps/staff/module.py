"""What the staff app brings: the shift's first page. Visits come from their domain."""

from lastlight.apps.night import feed_lines, shown_venues
from lastlight.domains import checkins
from lastlight.domains.checkins import VISITS_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, View, page
from lastlight.runtime.module import Module, Nav


@page("/staff", permission=VISITS_READ)
async def shift_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show the floor at a glance, sized for a phone."""
    tonight = await checkins.read_tonight(ctx, venue_ids=await shown_venues(ctx, request), feed_length=12)
    lines = feed_lines(tonight.feed, visits="/staff/visits", several=len(tonight.venues) > 1)
    return View("staff/shift.html", {"venues": tonight.venues, "feed": lines})


MODULE = Module(
    name="staff_app",
    summary="Staff: the floor from a phone.",
    pages=(shift_page,),
    nav=(Nav(app="staff", label="Floor", href="/staff", icon="radio", permission=VISITS_READ, order=10),),
)
