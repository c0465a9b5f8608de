"""What the ledger brings to the platform."""

from lastlight.domains.ledger import jobs
from lastlight.domains.ledger.api import ROUTES
from lastlight.domains.ledger.errors import CONSTRAINTS, ERRORS
from lastlight.domains.ledger.events import EVENTS
from lastlight.domains.ledger.listings import LISTINGS
from lastlight.domains.ledger.opening import open_business_chart
from lastlight.domains.ledger.pages import HOME, PAGES
from lastlight.domains.ledger.permissions import LEDGER_READ, PERMISSIONS
from lastlight.domains.tenancy import TenantApproved, TenantChanged
from lastlight.domains.venues import VenueCreated, VenueUpdated
from lastlight.runtime.module import Module, Nav, Reaction

MODULE = Module(
    name="ledger",
    summary="The double-entry ledger: accounts, postings, holds, reversals, balances as of any time.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints=CONSTRAINTS,
    jobs=(jobs.seal, jobs.expire, open_business_chart),
    listings=LISTINGS,
)
# Apart, because it answers what businesses and venues say: the books themselves stand without them.
BOOKS_MODULE = Module(
    name="ledger_books",
    summary="The books on screens, and the chart of accounts that is made with each business.",
    pages=PAGES,
    reactions=(
        Reaction(TenantApproved, open_business_chart),
        Reaction(TenantChanged, open_business_chart),
        Reaction(VenueCreated, open_business_chart),
        Reaction(VenueUpdated, open_business_chart),
    ),
    nav=(
        Nav(app="owner", label="Overview", href=HOME, icon="wallet", permission=LEDGER_READ, group="Money", order=60),
        Nav(
            app="owner",
            label="Ledger",
            href=f"{HOME}/entries",
            icon="scale",
            permission=LEDGER_READ,
            group="Money",
            order=62,
            also=(f"{HOME}/transactions", f"{HOME}/holds"),
        ),
        Nav(
            app="owner",
            label="Accounts",
            href=f"{HOME}/accounts",
            icon="landmark",
            permission=LEDGER_READ,
            group="Money",
            order=64,
            also=(f"{HOME}/adjustments",),
        ),
    ),
)
