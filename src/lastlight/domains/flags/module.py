"""What feature flags bring to the platform."""

from lastlight.domains.flags.api import ROUTES
from lastlight.domains.flags.errors import ERRORS, FlagKeyTaken
from lastlight.domains.flags.events import EVENTS
from lastlight.domains.flags.permissions import PERMISSIONS
from lastlight.runtime.module import Module

MODULE = Module(
    name="flags",
    summary="Feature flags: for the platform, for a business, and for a share of either.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"feature_flags_pkey": FlagKeyTaken},
)
