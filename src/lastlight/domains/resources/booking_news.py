"""What is told of a booking: that it is there, and which of its fields changed."""

from typing import Any

import msgspec

from lastlight.domains.resources.events import BookingChanged, BookingCreated
from lastlight.domains.resources.model import (
    Booking,
)
from lastlight.domains.resources.queries import (
    read_booking,
)
from lastlight.runtime.context import Ctx


def tell_created(ctx: Ctx, *, booking: Booking) -> Booking:
    """Tell of a new booking, and give it back."""
    ctx.emit(
        BookingCreated(
            booking_id=booking.id,
            resource_id=booking.resource_id,
            venue_id=booking.venue_id,
            patron_id=booking.patron_id,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            booked_by=booking.booked_by,
        ),
        entity=("booking", booking.id),
        venue_id=booking.venue_id,
        patron_id=booking.patron_id,
        after=facts_of(booking),
    )
    return booking


async def tell_change(ctx: Ctx, *, before: Booking, changed: list[str]) -> Booking:
    """Tell which fields of a booking changed, and give it back as it is now."""
    after = await read_booking(ctx, booking_id=before.id)
    old, new = facts_of(before), facts_of(after)
    ctx.emit(
        BookingChanged(
            booking_id=after.id,
            resource_id=after.resource_id,
            venue_id=after.venue_id,
            version=after.version,
            fields=changed,
        ),
        entity=("booking", after.id),
        venue_id=after.venue_id,
        patron_id=after.patron_id,
        before={name: old[name] for name in changed},
        after={name: new[name] for name in changed},
    )
    return after


def facts_of(booking: Booking) -> dict[str, Any]:
    """What the audit keeps of a booking before and after."""
    names = ("resource_id", "starts_at", "ends_at", "party_size", "note")
    return {name: msgspec.to_builtins(getattr(booking, name)) for name in names}
