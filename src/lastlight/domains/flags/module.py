"""What feature flags bring to the platform."""

from lastlight.domains.flags.api import ROUTES
from lastlight.domains.flags.errors import ERRORS, FlagKeyTaken
from lastlight.domains.flags.events import EVENTS
from lastlight.domains.flags.pages import PAGES
from lastlight.domains.flags.permissions import FLAGS_READ, PERMISSIONS
from lastlight.domains.flags.queries import FLAGS_LIST
from lastlight.runtime.module import Module, Nav
from lastlight.runtime.tenant_settings import SETTINGS_READ

MODULE = Module(
    name="flags",
    summary="Feature flags: for the platform, for a business, and for a share of either.",
    routes=ROUTES,
    pages=PAGES,
    listings=(FLAGS_LIST,),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"feature_flags_pkey": FlagKeyTaken},
    nav=(
        Nav(
            app="platform",
            label="Feature flags",
            href="/platform/flags",
            icon="flag",
            permission=FLAGS_READ,
            order=40,
        ),
        Nav(
            app="owner",
            label="Features",
            href="/owner/features",
            icon="flask-conical",
            permission=SETTINGS_READ,
            group="House",
            order=86,
        ),
    ),
)
