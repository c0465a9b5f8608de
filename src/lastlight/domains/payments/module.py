"""What payments bring to the platform."""

from lastlight.domains.ledger import SOURCES
from lastlight.domains.payments.action_pages import ACTION_PAGES
from lastlight.domains.payments.api import ROUTES
from lastlight.domains.payments.drills import webhook_failures
from lastlight.domains.payments.errors import ERRORS, RefundTooLarge
from lastlight.domains.payments.events import (
    EVENTS,
    DisputeChanged,
    DisputeOpened,
    DisputeOverturned,
    ProviderEventFailed,
    ProviderTrouble,
)
from lastlight.domains.payments.inbox_pages import CREW_HOME, INBOX_PAGES
from lastlight.domains.payments.inbox_pages import HOME as EVENTS_HOME
from lastlight.domains.payments.jobs import JOBS
from lastlight.domains.payments.listings import LISTINGS
from lastlight.domains.payments.looking import look
from lastlight.domains.payments.notices import (
    NOTICES,
    PUSH_JOBS,
    push_dispute,
    push_failed_event,
    push_overturned,
    push_trouble,
)
from lastlight.domains.payments.pages import DISPUTE_EVENTS, DISPUTES_HOME, HOME, PAGES, REFUNDS_HOME
from lastlight.domains.payments.permissions import PAYMENTS_READ, PERMISSIONS
from lastlight.domains.payments.queries import count_disputes_to_answer, count_failed_events
from lastlight.domains.payments.secrets import SEALED
from lastlight.domains.payments.sources import payment_sources
from lastlight.domains.payments.stages import STAGES
from lastlight.domains.payments.watching import watch_provider
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.module import Module, Nav, Reaction


async def count_to_answer(ctx: Ctx, *, request: RequestInfo) -> int | None:
    """How many disputes wait for an answer."""
    return await count_disputes_to_answer(ctx)


async def count_failed(ctx: Ctx, *, request: RequestInfo) -> int | None:
    """How many events of the provider could not be worked off."""
    return await count_failed_events(ctx)


SOURCES.add("payments", payment_sources)
MODULE = Module(
    name="payments",
    summary="Card payments: captured, settled, refunded, disputed; the card provider's events.",
    routes=ROUTES,
    pages=(*PAGES, *ACTION_PAGES, *INBOX_PAGES),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"payments_back_within": RefundTooLarge},
    jobs=(look, *JOBS, watch_provider, *PUSH_JOBS, *(stage.job for stage in STAGES)),
    reactions=(
        Reaction(DisputeOpened, push_dispute),
        Reaction(DisputeChanged, push_dispute),
        Reaction(DisputeOverturned, push_overturned),
        Reaction(ProviderEventFailed, push_failed_event),
        Reaction(ProviderTrouble, push_trouble),
    ),
    notices=NOTICES,
    listings=LISTINGS,
    sealed=(SEALED,),
    drills=(webhook_failures,),
    nav=(
        Nav(
            app="owner",
            label="Card payments",
            href=HOME,
            icon="credit-card",
            permission=PAYMENTS_READ,
            group="Money",
            order=64,
            also=(REFUNDS_HOME,),
        ),
        Nav(
            app="owner",
            label="Disputes",
            href=DISPUTES_HOME,
            icon="gavel",
            permission=PAYMENTS_READ,
            group="Money",
            order=66,
            count=count_to_answer,
            count_events=tuple(DISPUTE_EVENTS),
            hot=True,
        ),
        Nav(
            app="owner",
            label="Card events",
            href=EVENTS_HOME,
            icon="webhook",
            permission=PAYMENTS_READ,
            group="Money",
            order=68,
            count=count_failed,
            count_events=("payment.webhook_failed", "payment.webhook_replayed"),
            hot=True,
        ),
        Nav(
            app="platform",
            label="Card events",
            href=CREW_HOME,
            icon="webhook",
            permission=PAYMENTS_READ,
            group="House",
            order=56,
        ),
    ),
)
