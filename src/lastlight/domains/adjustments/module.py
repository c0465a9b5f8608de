"""What adjustments bring to the platform."""

from lastlight.domains.adjustments.api import ROUTES
from lastlight.domains.adjustments.errors import CONSTRAINTS, ERRORS
from lastlight.domains.adjustments.events import EVENTS
from lastlight.domains.adjustments.listings import LISTINGS
from lastlight.domains.adjustments.permissions import PERMISSIONS
from lastlight.domains.adjustments.settings import SETTINGS
from lastlight.runtime.module import Module

MODULE = Module(
    name="adjustments",
    summary="What is put right by hand: guests' credits and the business's accounts, above a limit by two people.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints=CONSTRAINTS,
    listings=LISTINGS,
    settings=SETTINGS,
)
