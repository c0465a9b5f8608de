"""What taxes bring to the platform."""

from lastlight.domains.taxes.api import ROUTES
from lastlight.domains.taxes.errors import CONSTRAINTS, ERRORS
from lastlight.domains.taxes.events import EVENTS
from lastlight.domains.taxes.listings import LISTINGS
from lastlight.domains.taxes.pages import HOME, PAGES
from lastlight.domains.taxes.permissions import PERMISSIONS, TAXES_READ
from lastlight.domains.taxes.rate_pages import RATE_PAGES
from lastlight.runtime.module import Module, Nav

MODULE = Module(
    name="taxes",
    summary="Tax categories, rates by venue and day, and the taxes of a receipt.",
    routes=ROUTES,
    pages=(*PAGES, *RATE_PAGES),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints=CONSTRAINTS,
    listings=LISTINGS,
    nav=(Nav(app="owner", label="Taxes", href=HOME, icon="percent", permission=TAXES_READ, group="Money", order=70),),
)
