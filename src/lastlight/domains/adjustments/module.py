"""What adjustments bring to the platform."""

from lastlight.domains.adjustments.api import ROUTES
from lastlight.domains.adjustments.errors import CONSTRAINTS, ERRORS
from lastlight.domains.adjustments.events import EVENTS, AdjustmentRequested
from lastlight.domains.adjustments.listings import LISTINGS
from lastlight.domains.adjustments.notices import APPROVALS, push_requested
from lastlight.domains.adjustments.pages import EVENTS as PAGE_EVENTS
from lastlight.domains.adjustments.pages import PAGES
from lastlight.domains.adjustments.permissions import ADJUSTMENTS_READ, PERMISSIONS
from lastlight.domains.adjustments.queries import count_waiting
from lastlight.domains.adjustments.settings import SETTINGS
from lastlight.domains.adjustments.sources import adjustment_sources
from lastlight.domains.ledger import SOURCES
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.module import Module, Nav, Reaction


async def count_to_decide(ctx: Ctx, *, request: RequestInfo) -> int | None:
    """How many adjustments wait for a second person."""
    return await count_waiting(ctx)


SOURCES.add("adjustments", adjustment_sources)
MODULE = Module(
    name="adjustments",
    summary="What is put right by hand: guests' credits and the business's accounts, above a limit by two people.",
    routes=ROUTES,
    pages=PAGES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints=CONSTRAINTS,
    listings=LISTINGS,
    settings=SETTINGS,
    jobs=(push_requested,),
    reactions=(Reaction(AdjustmentRequested, push_requested),),
    notices=(APPROVALS,),
    nav=tuple(
        Nav(
            app=app,
            label="Adjustments",
            href=f"{console}/adjustments",
            icon="sliders-horizontal",
            permission=ADJUSTMENTS_READ,
            group="Money",
            order=order,
            count=count_to_decide,
            count_events=tuple(PAGE_EVENTS),
            hot=True,
        )
        for app, console, order in (("management", "/manage", 72), ("owner", "/owner", 67))
    ),
)
