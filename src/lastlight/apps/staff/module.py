"""What the staff app brings: the shift's first page. Visits come from their domain."""

from lastlight.apps.night import feed_lines, shown_venues
from lastlight.domains import checkins
from lastlight.domains.checkins import VISITS_READ
from lastlight.domains.tasks import TASKS_WORK, read_board
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, View, page
from lastlight.runtime.module import Module, Nav

MOST_TASKS = 20


@page("/staff", permission=VISITS_READ)
async def shift_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show the floor at a glance, sized for a phone."""
    tonight = await checkins.read_tonight(ctx, venue_ids=await shown_venues(ctx, request), feed_length=12)
    lines = feed_lines(tonight.feed, visits="/staff/visits", several=len(tonight.venues) > 1)
    return View("staff/shift.html", {"venues": tonight.venues, "feed": lines})


@page("/staff/without-network", permission=VISITS_READ)
async def without_network_page(ctx: Ctx) -> View:
    """Show what a device keeps for when there is no network: calling for help, whom to ring, one's open tasks."""
    board = await read_board(ctx, mine=True) if ctx.allows(TASKS_WORK) else None
    return View("staff/without_network.html", {"tasks": (board.started + board.open)[:MOST_TASKS] if board else []})


MODULE = Module(
    name="staff_app",
    summary="Staff: the floor from a phone.",
    pages=(shift_page, without_network_page),
    nav=(Nav(app="staff", label="Floor", href="/staff", icon="radio", permission=VISITS_READ, order=10),),
)
