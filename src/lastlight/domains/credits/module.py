"""What credits bring to the platform."""

from lastlight.domains.credits.api import ROUTES
from lastlight.domains.credits.errors import CONSTRAINTS, ERRORS
from lastlight.domains.credits.events import EVENTS
from lastlight.domains.credits.jobs import expire_due
from lastlight.domains.credits.listings import LISTINGS
from lastlight.domains.credits.notices import CREDITS, warn
from lastlight.domains.credits.pages import PAGES
from lastlight.domains.credits.permissions import CREDITS_READ, PERMISSIONS
from lastlight.domains.credits.settings import SETTINGS
from lastlight.domains.credits.sources import credit_sources
from lastlight.domains.ledger import SOURCES
from lastlight.runtime.module import Module, Nav

SOURCES.add("credits", credit_sources)
MODULE = Module(
    name="credits",
    summary="Guests' credits: bought by card, spent, given back, adjusted, expired; lots that remember what paid for them.",
    routes=ROUTES,
    pages=PAGES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints=CONSTRAINTS,
    jobs=(expire_due, warn),
    notices=(CREDITS,),
    listings=LISTINGS,
    settings=SETTINGS,
    nav=tuple(
        Nav(
            app=app,
            label="Credits",
            href=f"{console}/credits",
            icon="coins",
            permission=CREDITS_READ,
            group="Money",
            order=order,
        )
        for app, console, order in (("management", "/manage", 70), ("owner", "/owner", 65))
    ),
)
