"""What the venues domain brings to the platform."""

from lastlight.domains.venues.api import ROUTES
from lastlight.domains.venues.clearing import clear_images
from lastlight.domains.venues.errors import ERRORS, VenueSlugTaken
from lastlight.domains.venues.events import EVENTS
from lastlight.domains.venues.image_api import IMAGE_ROUTES
from lastlight.domains.venues.image_pages import count_photos, image_pages
from lastlight.domains.venues.keys import SEALED
from lastlight.domains.venues.listings import BANNERS, CREW_VENUES, IMAGES, VENUES
from lastlight.domains.venues.pages import PAGES
from lastlight.domains.venues.permissions import PERMISSIONS, VENUES_MODERATE, VENUES_READ
from lastlight.domains.venues.queries import count_venues
from lastlight.domains.venues.resizing import resize_image
from lastlight.domains.venues.show_api import SHOW_ROUTES
from lastlight.domains.venues.show_pages import show_pages
from lastlight.runtime.module import Module, Nav

CONSOLES = ("/owner", "/manage")

MODULE = Module(
    name="venues",
    summary="Locations of a business: their hours, rules, fences, and the codes at their doors.",
    routes=(*ROUTES, *SHOW_ROUTES, *IMAGE_ROUTES),
    pages=(*PAGES, *(made for console in CONSOLES for made in (*show_pages(console), *image_pages(console)))),
    permissions=PERMISSIONS,
    sealed=(SEALED,),
    events=EVENTS,
    usage={"Venues": count_venues},
    errors=ERRORS,
    constraints={"venues_slug_taken": VenueSlugTaken},
    jobs=(resize_image, clear_images),
    listings=(VENUES, CREW_VENUES, BANNERS, IMAGES),
    nav=(
        Nav(
            app="management",
            label="Venues",
            href="/manage/venues",
            icon="store",
            permission=VENUES_READ,
            group="Places",
            order=64,
            also=("/manage/banners", "/manage/images"),
        ),
        Nav(
            app="owner",
            label="Venues",
            href="/owner/venues",
            icon="store",
            permission=VENUES_READ,
            order=20,
            also=("/owner/banners", "/owner/images"),
        ),
        *(
            Nav(
                app=app,
                label="Guests' photos",
                href=f"{console}/photos",
                icon="images",
                permission=VENUES_MODERATE,
                group=group,
                order=order,
                count=count_photos,
                count_events=("venue.image_changed",),
                hot=True,
            )
            for app, console, group, order in (("management", "/manage", "Places", 66), ("owner", "/owner", "", 22))
        ),
    ),
)
