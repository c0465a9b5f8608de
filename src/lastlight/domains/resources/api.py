"""Resources and bookings at the edge: thin; the actions hold the rules."""

from lastlight.domains.resources import actions, bookings, queries
from lastlight.domains.resources.errors import (
    BookingArrived,
    BookingEnded,
    BookingNotDue,
    BookingOverlaps,
    BookingsFull,
    ResourceBooked,
    ResourceNameTaken,
    ResourceNotBookable,
    ResourceRetired,
    VenueNotOpenThen,
)
from lastlight.domains.resources.listings import BOOKINGS, OWN_BOOKINGS, RESOURCES
from lastlight.domains.resources.model import Booking, Resource
from lastlight.domains.resources.permissions import (
    BOOKINGS_MANAGE,
    BOOKINGS_OWN,
    BOOKINGS_READ,
    RESOURCES_MANAGE,
    RESOURCES_READ,
    RESOURCES_STATUS,
)
from lastlight.domains.resources.schemas import (
    Availability,
    BookingChange,
    BookingIn,
    CancelIn,
    FreeQuery,
    Offers,
    OwnBookingIn,
    ResourceChange,
    ResourceIn,
    ResourceStatusIn,
    Times,
    TimesQuery,
)
from lastlight.domains.venues import require_shown
from lastlight.kernel.errors import Conflict, Invalid, NotFound, Stale
from lastlight.kernel.ids import BookingId, ResourceId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, patch, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Resources",)
BOOKED = ("Bookings",)
GUEST = ("Patron app",)

list_resources = listing_get("/api/resources", RESOURCES, tags=TAGS)
list_bookings = listing_get("/api/bookings", BOOKINGS, tags=BOOKED)
list_own_bookings = listing_get("/api/patron/bookings", OWN_BOOKINGS, tags=GUEST)


@post(
    "/api/resources",
    permission=RESOURCES_MANAGE,
    raises=[Invalid, NotFound, Conflict, ResourceNameTaken],
    status=201,
    tags=TAGS,
)
async def create_resource(ctx: Ctx, data: ResourceIn) -> Resource:
    """Add an arcade game, a karaoke room or a table to a venue."""
    return await actions.create_resource(ctx, data=data)


@get("/api/resources/{resource_id:uuid}", permission=RESOURCES_READ, raises=[NotFound], tags=TAGS)
async def read_resource(ctx: Ctx, resource_id: ResourceId) -> Resource:
    """Read a game, room or table."""
    return await queries.find_resource(ctx, resource_id=resource_id)


@patch(
    "/api/resources/{resource_id:uuid}",
    permission=RESOURCES_MANAGE,
    raises=[Invalid, NotFound, Stale, ResourceNameTaken, ResourceRetired],
    tags=TAGS,
)
async def change_resource(ctx: Ctx, resource_id: ResourceId, data: ResourceChange, if_match: int) -> Resource:
    """Change the fields that are given; the others stay."""
    return await actions.change_resource(ctx, resource_id=resource_id, data=data, version=if_match)


@put(
    "/api/resources/{resource_id:uuid}/status",
    permission=RESOURCES_STATUS,
    raises=[Invalid, NotFound, Stale, ResourceBooked, ResourceNameTaken],
    tags=TAGS,
)
async def set_resource_status(ctx: Ctx, resource_id: ResourceId, data: ResourceStatusIn, if_match: int) -> Resource:
    """Take it out of order or into maintenance with a reason, retire it, or make it available again."""
    return await actions.set_status(
        ctx, resource_id=resource_id, status=data.status, reason=data.reason, version=if_match
    )


@get("/api/resources/{resource_id:uuid}/availability", permission=RESOURCES_READ, raises=[NotFound, Invalid], tags=TAGS)
async def read_availability(ctx: Ctx, resource_id: ResourceId, query: FreeQuery) -> Availability:
    """Read when it is taken, buffers included."""
    await queries.find_resource(ctx, resource_id=resource_id)
    return await queries.read_availability(ctx, resource_id=resource_id, query=query)


@post(
    "/api/bookings",
    permission=BOOKINGS_MANAGE,
    idempotent=True,
    raises=[Invalid, NotFound, ResourceNotBookable, BookingOverlaps],
    status=201,
    tags=BOOKED,
)
async def create_booking(ctx: Ctx, data: BookingIn) -> Booking:
    """Book for a guest of the business, or under a name."""
    return await bookings.book(ctx, data=data)


@get("/api/bookings/{booking_id:uuid}", permission=BOOKINGS_READ, raises=[NotFound], tags=BOOKED)
async def read_booking(ctx: Ctx, booking_id: BookingId) -> Booking:
    """Read a booking."""
    return await queries.find_booking(ctx, booking_id=booking_id)


@patch(
    "/api/bookings/{booking_id:uuid}",
    permission=BOOKINGS_MANAGE,
    raises=[Invalid, NotFound, Stale, BookingEnded, ResourceNotBookable, BookingOverlaps],
    tags=BOOKED,
)
async def change_booking(ctx: Ctx, booking_id: BookingId, data: BookingChange, if_match: int) -> Booking:
    """Move a booking to another time or another table of the venue, or change its party or note."""
    return await bookings.change_booking(ctx, booking_id=booking_id, data=data, version=if_match)


@post(
    "/api/bookings/{booking_id:uuid}/arrival",
    permission=BOOKINGS_MANAGE,
    raises=[NotFound, BookingEnded],
    tags=BOOKED,
)
async def receive_booking(ctx: Ctx, booking_id: BookingId) -> Booking:
    """Say that the guest of a booking is here."""
    return await bookings.arrive(ctx, booking_id=booking_id)


@post("/api/bookings/{booking_id:uuid}/end", permission=BOOKINGS_MANAGE, raises=[NotFound, BookingEnded], tags=BOOKED)
async def end_booking(ctx: Ctx, booking_id: BookingId) -> Booking:
    """Say that the guest is done; the rest of the time is free again after the buffer."""
    return await bookings.end(ctx, booking_id=booking_id)


@post(
    "/api/bookings/{booking_id:uuid}/no-show",
    permission=BOOKINGS_MANAGE,
    raises=[NotFound, BookingEnded, BookingNotDue, BookingArrived],
    tags=BOOKED,
)
async def miss_booking(ctx: Ctx, booking_id: BookingId) -> Booking:
    """Say that the guest did not come; the time is free again."""
    return await bookings.miss(ctx, booking_id=booking_id)


@post(
    "/api/bookings/{booking_id:uuid}/cancellation",
    permission=BOOKINGS_MANAGE,
    raises=[Invalid, NotFound, BookingEnded, BookingArrived],
    tags=BOOKED,
)
async def cancel_booking(ctx: Ctx, booking_id: BookingId, data: CancelIn) -> Booking:
    """Cancel a booking, with a reason."""
    return await bookings.cancel(ctx, booking_id=booking_id, reason=data.reason)


@get("/api/patron/venues/{venue_id:uuid}/resources", permission=BOOKINGS_OWN, raises=[NotFound], tags=GUEST)
async def list_offers(ctx: Ctx, venue_id: VenueId) -> Offers:
    """What a venue lends, what a guest can book of it, and the limits of their bookings."""
    ctx.require(BOOKINGS_OWN)
    await require_shown(ctx, venue_id=venue_id)
    return await queries.list_offers(ctx, venue_id=venue_id)


@get(
    "/api/patron/resources/{resource_id:uuid}/availability",
    permission=BOOKINGS_OWN,
    db="system",
    raises=[NotFound, Invalid],
    tags=GUEST,
)
async def read_free_times(ctx: Ctx, resource_id: ResourceId, query: FreeQuery) -> Availability:
    """When something is taken, so that a guest finds a free time; nothing is told of who has it."""
    return await queries.read_availability(ctx, resource_id=resource_id, query=query)


@get(
    "/api/patron/resources/{resource_id:uuid}/times",
    permission=BOOKINGS_OWN,
    db="system",
    raises=[NotFound, Invalid],
    tags=GUEST,
)
async def read_bookable_times(ctx: Ctx, resource_id: ResourceId, query: TimesQuery) -> Times:
    """From when on a business day it can be booked for so long: inside opening hours, nobody else's time, and still to come."""
    return await queries.read_times(ctx, resource_id=resource_id, query=query)


@post(
    "/api/patron/bookings",
    permission=BOOKINGS_OWN,
    idempotent=True,
    raises=[Invalid, NotFound, ResourceNotBookable, BookingOverlaps, BookingsFull, VenueNotOpenThen],
    status=201,
    tags=GUEST,
)
async def create_own_booking(ctx: Ctx, data: OwnBookingIn) -> Booking:
    """Book for oneself."""
    return await bookings.book_own(ctx, data=data)


@post(
    "/api/patron/bookings/{booking_id:uuid}/cancellation",
    permission=BOOKINGS_OWN,
    raises=[NotFound, BookingEnded, BookingArrived],
    tags=GUEST,
)
async def cancel_own_booking(ctx: Ctx, booking_id: BookingId, data: CancelIn) -> Booking:
    """Cancel one's own booking."""
    return await bookings.cancel_own(ctx, booking_id=booking_id, reason=data.reason)


ROUTES = (
    list_resources,
    create_resource,
    read_resource,
    change_resource,
    set_resource_status,
    read_availability,
    list_bookings,
    create_booking,
    read_booking,
    change_booking,
    receive_booking,
    end_booking,
    miss_booking,
    cancel_booking,
    list_offers,
    read_free_times,
    read_bookable_times,
    list_own_bookings,
    create_own_booking,
    cancel_own_booking,
)
