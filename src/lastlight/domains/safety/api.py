"""Safety at the edge: thin; the actions hold the rules."""

from uuid import UUID

from lastlight.domains.checkins import ClaimInFuture, ClaimTooLate, ClaimUnsigned
from lastlight.domains.safety import alerts, checks, contacts, floor, interventions, watch
from lastlight.domains.safety import thresholds as limits
from lastlight.domains.safety.emergency_listings import CHECKS
from lastlight.domains.safety.errors import (
    AlertNotOpen,
    AlertOpen,
    AssigneeUnfit,
    CheckOpen,
    CheckOver,
    ContactsSet,
    IncidentResolved,
    InterventionResolved,
    NotInside,
    ThresholdsSet,
)
from lastlight.domains.safety.listings import ALERTS, INTERVENTIONS, LOG
from lastlight.domains.safety.model import (
    Alert,
    EmergencyContacts,
    FloorGuest,
    FloorState,
    Intervention,
    ResponseFigures,
    SafetyCheck,
    Thresholds,
)
from lastlight.domains.safety.permissions import SAFETY_CHECKS, SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import (
    AlertIn,
    AnswerIn,
    AssignmentIn,
    CheckIn,
    ContactsIn,
    FiguresQuery,
    InterventionIn,
    ReasonIn,
    ThresholdsIn,
)
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import NotFound, Stale
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Safety",)
GUEST = ("Patron app",)

list_safety_alerts = listing_get("/api/safety/alerts", ALERTS, tags=TAGS)
list_safety_interventions = listing_get("/api/safety/interventions", INTERVENTIONS, tags=TAGS)
list_safety_checks = listing_get("/api/safety/checks", CHECKS, tags=TAGS)
list_safety_log = listing_get("/api/safety/log", LOG, tags=TAGS)


@get("/api/venues/{venue_id:uuid}/safety/thresholds", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def read_thresholds(ctx: Ctx, venue_id: VenueId) -> Thresholds:
    """Read what a venue watches; version 0 are the platform's, which nobody has changed."""
    await find_venue(ctx, venue_id=venue_id, permission=SAFETY_READ)
    return await limits.read_thresholds(ctx, venue_id=venue_id)


@put(
    "/api/venues/{venue_id:uuid}/safety/thresholds",
    permission=SAFETY_MANAGE,
    raises=[NotFound, Stale, ThresholdsSet],
    tags=TAGS,
)
async def set_thresholds(ctx: Ctx, venue_id: VenueId, data: ThresholdsIn, if_match: int) -> Thresholds:
    """Say what a venue watches: all of it; what is left out is not watched."""
    return await limits.set_thresholds(ctx, venue_id=venue_id, data=data, version=if_match)


@get("/api/venues/{venue_id:uuid}/floor", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def read_floor(ctx: Ctx, venue_id: VenueId) -> FloorState:
    """Read how full a venue is, and whether the door lets one in for one out."""
    return await watch.read_floor(ctx, venue_id=venue_id)


@get("/api/venues/{venue_id:uuid}/floor/guests", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def list_floor_guests(ctx: Ctx, venue_id: VenueId) -> list[FloorGuest]:
    """List who is in, with how near each threshold they are, the nearest first."""
    return await floor.floor_guests(ctx, venue_id=venue_id)


@get("/api/venues/{venue_id:uuid}/emergency-contacts", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def read_emergency_contacts(ctx: Ctx, venue_id: VenueId) -> EmergencyContacts:
    """Read whom a venue calls in an emergency; version 0: nobody has said."""
    return await contacts.find_contacts(ctx, venue_id=venue_id)


@put(
    "/api/venues/{venue_id:uuid}/emergency-contacts",
    permission=SAFETY_MANAGE,
    raises=[NotFound, Stale, ContactsSet],
    tags=TAGS,
)
async def set_emergency_contacts(ctx: Ctx, venue_id: VenueId, data: ContactsIn, if_match: int) -> EmergencyContacts:
    """Say whom a venue calls in an emergency: all of them, in the order of calling."""
    return await contacts.set_contacts(ctx, venue_id=venue_id, data=data, version=if_match)


@get("/api/safety/figures", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def read_response_figures(ctx: Ctx, query: FiguresQuery) -> ResponseFigures:
    """Read how fast SOS calls and alerts were answered in the last days."""
    return await floor.response_figures(ctx, query=query)


@post("/api/safety/alerts", permission=SAFETY_RESPOND, raises=[NotFound, AlertOpen], status=201, tags=TAGS)
async def report_behaviour(ctx: Ctx, data: AlertIn) -> Alert:
    """Raise an alert about a behaviour."""
    return await alerts.report_behaviour(ctx, data=data)


@get("/api/safety/alerts/{alert_id:uuid}", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def read_alert(ctx: Ctx, alert_id: UUID) -> Alert:
    """Read an alert."""
    return await alerts.find_alert(ctx, alert_id=alert_id)


@post(
    "/api/safety/alerts/{alert_id:uuid}/acknowledgement",
    permission=SAFETY_RESPOND,
    raises=[NotFound, AlertNotOpen],
    tags=TAGS,
)
async def acknowledge_alert(ctx: Ctx, alert_id: UUID) -> Alert:
    """Say that one sees to an alert; it is not told again."""
    return await alerts.acknowledge_alert(ctx, alert_id=alert_id)


@post(
    "/api/safety/alerts/{alert_id:uuid}/clearance",
    permission=SAFETY_RESPOND,
    raises=[NotFound, AlertNotOpen],
    tags=TAGS,
)
async def clear_alert(ctx: Ctx, alert_id: UUID, data: ReasonIn) -> Alert:
    """Say that an alert is over, and why."""
    return await alerts.clear_alert(ctx, alert_id=alert_id, reason=data.reason)


@post(
    "/api/safety/interventions",
    permission=SAFETY_RESPOND,
    raises=[NotFound, IncidentResolved],
    status=201,
    idempotent=True,
    tags=TAGS,
)
async def record_intervention(ctx: Ctx, data: InterventionIn) -> Intervention:
    """Record what was done about a guest or a situation."""
    return await interventions.record_intervention(ctx, data=data)


@get("/api/safety/interventions/{intervention_id:uuid}", permission=SAFETY_READ, raises=[NotFound], tags=TAGS)
async def read_intervention(ctx: Ctx, intervention_id: UUID) -> Intervention:
    """Read an intervention."""
    return await interventions.find_intervention(ctx, intervention_id=intervention_id)


@post(
    "/api/safety/interventions/{intervention_id:uuid}/assignment",
    permission=SAFETY_MANAGE,
    raises=[NotFound, InterventionResolved, AssigneeUnfit],
    tags=TAGS,
)
async def assign_intervention(ctx: Ctx, intervention_id: UUID, data: AssignmentIn) -> Intervention:
    """Say who is to see to it."""
    return await interventions.assign_intervention(ctx, intervention_id=intervention_id, user_id=data.user_id)


@post(
    "/api/safety/interventions/{intervention_id:uuid}/escalation",
    permission=SAFETY_RESPOND,
    raises=[NotFound, InterventionResolved],
    tags=TAGS,
)
async def escalate_intervention(ctx: Ctx, intervention_id: UUID, data: ReasonIn) -> Intervention:
    """Ask for somebody above, with a reason."""
    return await interventions.escalate_intervention(ctx, intervention_id=intervention_id, reason=data.reason)


@post(
    "/api/safety/interventions/{intervention_id:uuid}/resolution",
    permission=SAFETY_RESPOND,
    raises=[NotFound, InterventionResolved],
    tags=TAGS,
)
async def resolve_intervention(ctx: Ctx, intervention_id: UUID, data: ReasonIn) -> Intervention:
    """Say what came of it."""
    return await interventions.resolve_intervention(ctx, intervention_id=intervention_id, outcome=data.reason)


@post(
    "/api/safety/checks",
    permission=SAFETY_RESPOND,
    raises=[NotFound, NotInside, CheckOpen],
    status=201,
    tags=TAGS,
)
async def ask_guest(ctx: Ctx, data: CheckIn) -> SafetyCheck:
    """Ask a guest who is in whether all is well."""
    return await checks.ask_guest(ctx, data=data)


@get("/api/patron/safety-checks", permission=SAFETY_CHECKS, tags=GUEST)
async def list_own_checks(ctx: Ctx) -> list[SafetyCheck]:
    """List what one was asked, newest first."""
    return await checks.own_checks(ctx)


@post(
    "/api/patron/safety-checks/{check_id:uuid}/answer",
    permission=SAFETY_CHECKS,
    raises=[NotFound, CheckOver, ClaimInFuture, ClaimTooLate, ClaimUnsigned],
    tags=GUEST,
)
async def answer_check(ctx: Ctx, check_id: UUID, data: AnswerIn) -> SafetyCheck:
    """Answer a safety check; who asks for help after its time is heard as well."""
    return await checks.answer_check(ctx, check_id=check_id, data=data)


ROUTES = (
    list_safety_alerts,
    list_safety_interventions,
    list_safety_checks,
    list_safety_log,
    read_thresholds,
    set_thresholds,
    read_floor,
    list_floor_guests,
    read_emergency_contacts,
    set_emergency_contacts,
    read_response_figures,
    report_behaviour,
    read_alert,
    acknowledge_alert,
    clear_alert,
    record_intervention,
    read_intervention,
    assign_intervention,
    escalate_intervention,
    resolve_intervention,
    ask_guest,
    list_own_checks,
    answer_check,
)
