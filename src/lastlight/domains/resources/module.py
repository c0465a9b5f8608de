"""What resources and their bookings bring to the platform."""

from lastlight.domains.resources.api import ROUTES
from lastlight.domains.resources.booking_pages import booking_pages
from lastlight.domains.resources.errors import ERRORS, BookingOverlaps, ResourceNameTaken
from lastlight.domains.resources.events import EVENTS, BookingChanged, BookingCreated, BookingStatusChanged
from lastlight.domains.resources.jobs import settle_bookings
from lastlight.domains.resources.listings import LISTINGS
from lastlight.domains.resources.notices import BOOKINGS, PUSH_JOBS, push_cancelled, push_made, push_moved
from lastlight.domains.resources.pages import resource_pages
from lastlight.domains.resources.permissions import BOOKINGS_READ, PERMISSIONS, RESOURCES_READ
from lastlight.domains.resources.settings import SETTINGS
from lastlight.runtime.module import Module, Nav, Reaction

CONSOLES = ("/manage", "/staff")
PLACES = (("management", "/manage", 40), ("staff", "/staff", 40))

MODULE = Module(
    name="resources",
    summary="Arcade games, karaoke rooms and tables: how they stand, and who booked them.",
    routes=ROUTES,
    pages=tuple(made for console in CONSOLES for made in (*resource_pages(console), *booking_pages(console))),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"bookings_overlap": BookingOverlaps, "resources_name_taken": ResourceNameTaken},
    jobs=(settle_bookings, *PUSH_JOBS),
    reactions=(
        Reaction(BookingCreated, push_made),
        Reaction(BookingChanged, push_moved),
        Reaction(BookingStatusChanged, push_cancelled),
    ),
    notices=(BOOKINGS,),
    listings=LISTINGS,
    settings=SETTINGS,
    nav=tuple(
        nav
        for app, console, order in PLACES
        for nav in (
            Nav(
                app=app,
                label="Bookings",
                href=f"{console}/bookings",
                icon="calendar-clock",
                permission=BOOKINGS_READ,
                group="Places",
                order=order,
            ),
            Nav(
                app=app,
                label="Games, rooms, tables",
                href=f"{console}/resources",
                icon="gamepad-2",
                permission=RESOURCES_READ,
                group="Places",
                order=order + 2,
            ),
        )
    ),
)
