"""What payments bring to the platform."""

from lastlight.domains.payments.api import ROUTES
from lastlight.domains.payments.errors import ERRORS, RefundTooLarge
from lastlight.domains.payments.events import EVENTS
from lastlight.domains.payments.jobs import JOBS
from lastlight.domains.payments.listings import LISTINGS
from lastlight.domains.payments.looking import look
from lastlight.domains.payments.permissions import PERMISSIONS
from lastlight.domains.payments.secrets import SEALED
from lastlight.domains.payments.stages import STAGES
from lastlight.runtime.module import Module

MODULE = Module(
    name="payments",
    summary="Card payments: captured, settled, refunded, disputed; the card provider's events.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"payments_back_within": RefundTooLarge},
    jobs=(look, *JOBS, *(stage.job for stage in STAGES)),
    listings=LISTINGS,
    sealed=(SEALED,),
)
