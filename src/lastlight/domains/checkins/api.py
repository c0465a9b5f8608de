"""The door at the edge: thin; the actions hold the rules."""

from uuid import UUID

from lastlight.domains.checkins import patron, queries, visits
from lastlight.domains.checkins import tonight as nights
from lastlight.domains.checkins.errors import (
    CLAIM_REFUSALS,
    VERIFY_REFUSALS,
    BirthDateGiven,
    NoOpenVisit,
    PatronKeysFull,
    VisitNotOpen,
    VisitOpen,
)
from lastlight.domains.checkins.listings import CHECKINS, CREW_CHECKINS, OWN_VISITS, VISITS
from lastlight.domains.checkins.model import Checkin, Visit
from lastlight.domains.checkins.patron import PhoneKeyOut
from lastlight.domains.checkins.permissions import (
    CHECKINS_READ,
    CHECKINS_VERIFY,
    VISITS_CHECKOUT,
    VISITS_CORRECT,
    VISITS_OWN,
    VISITS_READ,
)
from lastlight.domains.checkins.schemas import (
    ActivityPage,
    ActivityQuery,
    BirthDateIn,
    CheckinOut,
    CheckoutIn,
    CheckoutsIn,
    CheckoutsOut,
    Home,
    KeyIn,
    PatronRef,
    VerifyIn,
    VisitCorrection,
    VoidQuery,
)
from lastlight.domains.checkins.tonight import Occupancy, Tonight, TonightQuery
from lastlight.domains.checkins.verify import verify
from lastlight.domains.venues import VENUES_READ
from lastlight.kernel.errors import NotFound, Stale
from lastlight.kernel.ids import CheckinId, VenueId, VisitId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import also_at, delete, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

DOOR = ("Check-ins",)
STAYS = ("Visits",)
GUEST = ("Patron app",)

list_checkins = listing_get("/api/checkins", CHECKINS, tags=DOOR)
list_crew_checkins = listing_get("/api/admin/checkins", CREW_CHECKINS, tags=DOOR)
list_visits = listing_get("/api/visits", VISITS, tags=STAYS)
list_own_visits = listing_get("/api/patron/visits", OWN_VISITS, tags=GUEST)


@post(
    "/api/checkin/verify",
    permission=CHECKINS_VERIFY,
    idempotent=True,
    raises=VERIFY_REFUSALS,
    status=201,
    tags=DOOR,
)
async def create_checkin(ctx: Ctx, data: VerifyIn) -> CheckinOut:
    """Verify a scanned code and record the arrival."""
    return await verify(ctx, data=data)


@get("/api/checkins/{checkin_id:uuid}", permission=CHECKINS_READ, raises=[NotFound], tags=DOOR)
async def read_checkin(ctx: Ctx, checkin_id: CheckinId) -> Checkin:
    """Read a check-in with its position and the phone's state."""
    return await queries.find_checkin(ctx, checkin_id=checkin_id)


@post(
    "/api/checkout",
    permission=VISITS_OWN,
    idempotent=True,
    raises=[NoOpenVisit, NotFound, VisitNotOpen, *CLAIM_REFUSALS],
    tags=STAYS,
)
async def check_out(ctx: Ctx, data: CheckoutIn) -> Visit:
    """Check out of one's open visit; from an outbox, with the time at which the phone did it and its proof."""
    return await visits.check_out(ctx, data=data, visit_id=data.visit_id)


@post(
    "/api/visits/{visit_id:uuid}/checkout",
    permission=VISITS_CHECKOUT,
    idempotent=True,
    raises=[NotFound, VisitNotOpen],
    tags=STAYS,
)
async def check_out_visit(ctx: Ctx, visit_id: VisitId) -> Visit:
    """Close a guest's visit at one of one's venues, now. Guests close their own by POST /api/checkout."""
    return await visits.check_out_guest(ctx, visit_id=visit_id)


@post("/api/visits/checkout", permission=VISITS_CHECKOUT, idempotent=True, raises=[NotFound], tags=STAYS)
async def check_out_visits(ctx: Ctx, data: CheckoutsIn) -> CheckoutsOut:
    """Close many visits, now; those that are closed already are left as they are and named."""
    return await visits.check_out_guests(ctx, visit_ids=data.visit_ids)


@get("/api/visits/{visit_id:uuid}", permission=VISITS_READ, raises=[NotFound], tags=STAYS)
async def read_visit(ctx: Ctx, visit_id: VisitId) -> Visit:
    """Read a visit."""
    return await queries.find_visit(ctx, visit_id=visit_id)


@patch(
    "/api/visits/{visit_id:uuid}",
    permission=VISITS_CORRECT,
    raises=[NotFound, Stale, VisitOpen],
    tags=STAYS,
)
async def correct_visit(ctx: Ctx, visit_id: VisitId, data: VisitCorrection, if_match: int) -> Visit:
    """Correct a visit's status or times, with a reason."""
    return await visits.correct_visit(ctx, visit_id=visit_id, data=data, version=if_match)


@delete("/api/visits/{visit_id:uuid}", permission=VISITS_CORRECT, raises=[NotFound, Stale], tags=STAYS)
async def void_visit(ctx: Ctx, visit_id: VisitId, query: VoidQuery, if_match: int) -> None:
    """Void a visit: it stays on record, and counts nowhere."""
    await visits.correct_visit(ctx, visit_id=visit_id, data=visits.void_reason(query.reason), version=if_match)


@get("/api/tonight", permission=VISITS_READ, raises=[NotFound], tags=STAYS)
async def read_tonight(ctx: Ctx, query: TonightQuery) -> Tonight:
    """Read the night so far: how full, who comes and goes, and the same weekday a week ago."""
    return await nights.read_tonight(ctx, venue_ids=query.venue_id)


@get("/api/venues/{venue_id:uuid}/occupancy", permission=VENUES_READ, raises=[NotFound], tags=STAYS)
async def read_occupancy(ctx: Ctx, venue_id: VenueId) -> Occupancy:
    """Read how many guests are in a venue now, against its capacity."""
    return await nights.read_occupancy(ctx, venue_id=venue_id)


@get("/api/patron/home", permission=VISITS_OWN, tags=GUEST)
async def read_home(ctx: Ctx) -> Home:
    """Read everything that the patron app shows first."""
    return await patron.read_home(ctx)


@get("/api/patron/activity", permission=VISITS_OWN, tags=GUEST)
async def read_activity(ctx: Ctx, query: ActivityQuery) -> ActivityPage:
    """Read one's comings and goings, newest first."""
    return await patron.read_activity(ctx, query=query)


@put("/api/patron/birth-date", permission=VISITS_OWN, raises=[BirthDateGiven], tags=GUEST)
async def give_birth_date(ctx: Ctx, data: BirthDateIn) -> PatronRef:
    """Tell when one was born, once; venues with an age limit ask for it."""
    return await patron.give_birth_date(ctx, data=data)


@get("/api/patron/keys", permission=VISITS_OWN, tags=GUEST)
async def list_phone_keys(ctx: Ctx) -> list[PhoneKeyOut]:
    """List the phones that may prove the time of a scan."""
    return await patron.list_keys(ctx)


@post("/api/patron/keys", permission=VISITS_OWN, raises=[PatronKeysFull], status=201, tags=GUEST)
async def register_phone_key(ctx: Ctx, data: KeyIn) -> PhoneKeyOut:
    """Register a phone's public key; the same key again is the same phone."""
    return await patron.register_key(ctx, data=data)


@delete("/api/patron/keys/{key_id:uuid}", permission=VISITS_OWN, raises=[NotFound], tags=GUEST)
async def revoke_phone_key(ctx: Ctx, key_id: UUID) -> None:
    """Revoke a phone's key: nothing that it signed and has not sent counts any more."""
    await patron.revoke_key(ctx, key_id=key_id)


ROUTES = (
    create_checkin,
    also_at(create_checkin, "/api/sessions/checkin"),
    list_checkins,
    list_crew_checkins,
    read_checkin,
    check_out,
    check_out_visit,
    check_out_visits,
    list_visits,
    read_visit,
    correct_visit,
    void_visit,
    read_tonight,
    read_occupancy,
    read_home,
    read_activity,
    give_birth_date,
    list_own_visits,
    list_phone_keys,
    register_phone_key,
    revoke_phone_key,
)
