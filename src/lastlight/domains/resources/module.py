"""What resources and their bookings bring to the platform."""

from lastlight.domains.resources.api import ROUTES
from lastlight.domains.resources.errors import ERRORS, BookingOverlaps, ResourceNameTaken
from lastlight.domains.resources.events import EVENTS
from lastlight.domains.resources.jobs import settle_bookings
from lastlight.domains.resources.listings import LISTINGS
from lastlight.domains.resources.permissions import PERMISSIONS
from lastlight.domains.resources.settings import SETTINGS
from lastlight.runtime.module import Module

MODULE = Module(
    name="resources",
    summary="Arcade games, karaoke rooms and tables: how they stand, and who booked them.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"bookings_overlap": BookingOverlaps, "resources_name_taken": ResourceNameTaken},
    jobs=(settle_bookings,),
    listings=LISTINGS,
    settings=SETTINGS,
)
