"""When a thing may be booked: it is lent, the venue is open, and nobody has it then."""

from datetime import datetime
from uuid import UUID

from lastlight.domains.resources.errors import (
    BookingEnded,
    BookingOverlaps,
    ResourceNotBookable,
    VenueNotOpenThen,
)
from lastlight.domains.resources.model import (
    MINUTE,
    Booking,
    Resource,
)
from lastlight.domains.resources.permissions import BOOKINGS_OWN
from lastlight.domains.resources.queries import (
    next_free,
    read_taken,
)
from lastlight.domains.venues import find_venue, open_spans, read_venue, require_shown
from lastlight.kernel.errors import NotPermitted
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx


def guest_of(ctx: Ctx) -> PatronId:
    """The guest who books for themselves; nobody else may."""
    ctx.require(BOOKINGS_OWN)
    if ctx.actor.patron_id is None:
        raise NotPermitted("Only guests book for themselves. Book for a guest instead.")
    return ctx.actor.patron_id


def require_bookable(resource: Resource) -> None:
    """Refuse a thing that is not lent, or not now."""
    if not resource.bookable:
        raise ResourceNotBookable(f"{resource.name} is not lent by booking: just come.")
    if resource.status != "available":
        raise ResourceNotBookable(f"{resource.name} cannot be booked now: {resource.status.replace('_', ' ')}.")


def require_standing(booking: Booking) -> None:
    """Refuse to change what has ended."""
    if booking.status not in {"booked", "arrived"}:
        raise BookingEnded


async def require_open(ctx: Ctx, *, resource: Resource, starts_at: datetime, ends_at: datetime) -> None:
    """The venue is shown, takes guests, and is open from the first minute to the last."""
    await require_shown(ctx, venue_id=resource.venue_id)
    venue = await find_venue(ctx, venue_id=resource.venue_id, permission=BOOKINGS_OWN)
    if venue.status != "active":
        raise VenueNotOpenThen("This venue takes no guests at present.")
    if open_spans(venue.opening_hours, venue.zone, starts_at, ends_at) != [(starts_at, ends_at)]:
        raise VenueNotOpenThen


async def require_free(
    ctx: Ctx, *, resource: Resource, starts_at: datetime, ends_at: datetime, but: UUID | None = None
) -> None:
    """Refuse a time that is taken, and say which are free next; the database refuses it, too, but cannot say that."""
    until = ends_at + resource.buffer_minutes * MINUTE
    if not await read_taken(ctx, resource_id=resource.id, start=starts_at, end=until, but=but):
        return
    free = await next_free(ctx, resource=resource, start=starts_at, length=ends_at - starts_at, but=but)
    if not free:
        raise BookingOverlaps(f"{resource.name} is taken then, and for a day after. Choose another one.")
    zone = (await read_venue(ctx, venue_id=resource.venue_id)).zone
    words = ", ".join(f"{one.astimezone(zone):%H:%M}" for one in free)
    extra = {"next_free": ",".join(one.isoformat() for one in free)}
    raise BookingOverlaps(f"{resource.name} is taken then. It is free from {words}.", extra=extra)
