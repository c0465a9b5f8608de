"""What credits bring to the platform."""

from lastlight.domains.credits.api import ROUTES
from lastlight.domains.credits.errors import CONSTRAINTS, ERRORS
from lastlight.domains.credits.events import EVENTS
from lastlight.domains.credits.jobs import expire_due
from lastlight.domains.credits.listings import LISTINGS
from lastlight.domains.credits.notices import CREDITS, warn
from lastlight.domains.credits.permissions import PERMISSIONS
from lastlight.domains.credits.settings import SETTINGS
from lastlight.runtime.module import Module

MODULE = Module(
    name="credits",
    summary="Guests' credits: bought by card, spent, given back, adjusted, expired; lots that remember what paid for them.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints=CONSTRAINTS,
    jobs=(expire_due, warn),
    notices=(CREDITS,),
    listings=LISTINGS,
    settings=SETTINGS,
)
