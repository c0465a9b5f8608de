"""Writes of bookings: made, moved, and what becomes of them."""

from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.resources.booking_news import facts_of, tell_change, tell_created
from lastlight.domains.resources.booking_rules import (
    guest_of,
    require_bookable,
    require_free,
    require_open,
    require_standing,
)
from lastlight.domains.resources.errors import (
    BookingArrived,
    BookingNotDue,
    BookingsFull,
)
from lastlight.domains.resources.events import BookingStatusChanged
from lastlight.domains.resources.model import (
    MINUTE,
    STAFF_LATE,
    BookedBy,
    Booking,
    BookingStatus,
    Resource,
    changed_fields,
    price_of,
    require_room,
    require_time,
)
from lastlight.domains.resources.permissions import BOOKINGS_MANAGE, BOOKINGS_OWN
from lastlight.domains.resources.queries import (
    hold_resource,
    lock_booking,
    read_booking,
    read_resource,
)
from lastlight.domains.resources.schemas import BookingChange, BookingIn, OwnBookingIn
from lastlight.domains.resources.settings import FURTHEST_AHEAD, MOST_OF_GUEST, stored_rules
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import BookingId, PatronId, uuid7
from lastlight.runtime.context import Ctx

INSERT = """
insert into bookings (tenant_id, id, venue_id, resource_id, patron_id, guest_name, party_size, starts_at, ends_at, free_at, booked_by,
                      created_by, price_minor, currency, note)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
UPDATE = """
update bookings
set resource_id = $3, party_size = $4, starts_at = $5, ends_at = $6, free_at = $7, price_minor = $8, currency = $9, note = $10
where tenant_id = $1 and id = $2
"""
SET_STATUS = """
update bookings
set status = $3, status_reason = $4,
    arrived_at = case when $3 = 'arrived' then now() else arrived_at end,
    ended_at = case when $3 in ('done', 'cancelled', 'no_show') then now() else ended_at end,
    free_at = case when $3 = 'done' then least(free_at, greatest(starts_at, now() + (free_at - ends_at))) else free_at end
where tenant_id = $1 and id = $2
"""
HOLD_GUEST = "select pg_advisory_xact_lock(hashtextextended($1, 16))"
COUNT_OWN = """
select count(*) from bookings
where tenant_id = $1 and patron_id = $2 and status in ('booked', 'arrived') and ends_at > now()
"""
BY = {"patron": "guest", "system": "clock"}
KNOWN_PATRON = "select 1 from patrons where tenant_id = $1 and id = $2"


async def book(ctx: Ctx, *, data: BookingIn) -> Booking:
    """Book for a guest of the business, or under a name that staff write down."""
    await hold_resource(ctx, resource_id=data.resource_id)
    resource = await read_resource(ctx, resource_id=data.resource_id)
    ctx.require(BOOKINGS_MANAGE, resource.venue_id)
    name = data.guest_name.strip()
    if (data.patron_id is None) == (not name):
        raise Invalid(fields={"guest_name": "Name the guest, or give the id of one who has an account; not both."})
    if data.patron_id is not None and not await ctx.db.fetchval(KNOWN_PATRON, ctx.tenant_id, data.patron_id):
        raise Invalid(fields={"patron_id": "This business has no such guest."})
    earliest = ctx.now - STAFF_LATE
    require_time(resource, starts_at=data.starts_at, ends_at=data.ends_at, earliest=earliest)
    require_bookable(resource)
    await require_free(ctx, resource=resource, starts_at=data.starts_at, ends_at=data.ends_at)
    return await _add(ctx, resource=resource, data=data, patron_id=data.patron_id, name=name, by="staff")


async def book_own(ctx: Ctx, *, data: OwnBookingIn) -> Booking:
    """Book for oneself, within the venue's hours and the business's limits."""
    patron_id = guest_of(ctx)
    await ctx.db.execute(HOLD_GUEST, f"{ctx.tenant_id}/bookings/{patron_id}")
    await hold_resource(ctx, resource_id=data.resource_id)
    resource = await read_resource(ctx, resource_id=data.resource_id)
    require_time(resource, starts_at=data.starts_at, ends_at=data.ends_at, earliest=ctx.now)
    rules = await stored_rules(ctx)
    furthest: int = FURTHEST_AHEAD.read(rules.get(FURTHEST_AHEAD.key))
    if data.starts_at > ctx.now + timedelta(days=furthest):
        raise Invalid(fields={"starts_at": f"Book at most {furthest} days ahead."})
    if await ctx.db.fetchval(COUNT_OWN, ctx.tenant_id, patron_id) >= MOST_OF_GUEST.read(rules.get(MOST_OF_GUEST.key)):
        raise BookingsFull
    await require_open(ctx, resource=resource, starts_at=data.starts_at, ends_at=data.ends_at)
    return await _add(ctx, resource=resource, data=data, patron_id=patron_id, name="", by="guest")


async def change_booking(ctx: Ctx, *, booking_id: UUID, data: BookingChange, version: int) -> Booking:
    """Move a booking, or change its party or note; the price follows the time."""
    before = await lock_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
    if before.version != version:
        raise Stale
    require_standing(before)
    wanted = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET}
    after = msgspec.structs.replace(before, **wanted)
    for place in sorted({before.resource_id, after.resource_id}):
        await hold_resource(ctx, resource_id=place)
    resource = await read_resource(ctx, resource_id=after.resource_id)
    ctx.require(BOOKINGS_MANAGE, resource.venue_id)
    if resource.venue_id != before.venue_id:
        raise Invalid(fields={"resource_id": "Choose one at the same venue, or cancel and book anew."})
    times = (after.resource_id, after.starts_at, after.ends_at)
    free_at, price = before.free_at, before.price
    if times != (before.resource_id, before.starts_at, before.ends_at):
        require_bookable(resource)
        earliest = min(before.starts_at, ctx.now - STAFF_LATE)
        require_time(resource, starts_at=after.starts_at, ends_at=after.ends_at, earliest=earliest)
        await require_free(ctx, resource=resource, starts_at=after.starts_at, ends_at=after.ends_at, but=before.id)
        free_at = after.ends_at + resource.buffer_minutes * MINUTE
        price = price_of(resource, starts_at=after.starts_at, ends_at=after.ends_at)
    require_room(resource, after.party_size)
    changed = changed_fields(facts_of(before), facts_of(after))
    if not changed:
        return before
    await _update(ctx, msgspec.structs.replace(after, free_at=free_at, price=price))
    return await tell_change(ctx, before=before, changed=changed)


async def arrive(ctx: Ctx, *, booking_id: UUID) -> Booking:
    """The guest of a booking is here."""
    booking = await lock_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
    if booking.status == "arrived":
        return booking
    require_standing(booking)
    return await _become(ctx, booking, "arrived")


async def end(ctx: Ctx, *, booking_id: UUID) -> Booking:
    """The guest is done; what is left of the time, but for the buffer, is free for others at once."""
    booking = await lock_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
    require_standing(booking)
    return await _become(ctx, booking, "done")


async def miss(ctx: Ctx, *, booking_id: UUID) -> Booking:
    """The guest did not come: the time is free for others."""
    booking = await lock_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
    require_standing(booking)
    if booking.status == "arrived":
        raise BookingArrived
    if booking.starts_at > ctx.now:
        raise BookingNotDue
    return await _become(ctx, booking, "no_show")


async def cancel(ctx: Ctx, *, booking_id: UUID, reason: str) -> Booking:
    """Cancel a booking for a guest, with a reason that they are told."""
    booking = await lock_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why, so that the guest can be told."})
    require_standing(booking)
    if booking.status == "arrived":
        raise BookingArrived
    return await _become(ctx, booking, "cancelled", reason.strip())


async def cancel_own(ctx: Ctx, *, booking_id: UUID, reason: str) -> Booking:
    """Cancel one's own booking, before one has come."""
    patron_id = guest_of(ctx)
    booking = await lock_booking(ctx, booking_id=booking_id, permission=BOOKINGS_OWN)
    if booking.patron_id != patron_id:
        raise NotFound
    require_standing(booking)
    if booking.status == "arrived":
        raise BookingArrived
    return await _become(ctx, booking, "cancelled", reason.strip())


async def settle(ctx: Ctx, *, booking: Booking, status: BookingStatus) -> Booking:
    """What time itself makes of a locked booking: a no-show, or done."""
    return await _become(ctx, booking, status)


async def _add(
    ctx: Ctx,
    *,
    resource: Resource,
    data: BookingIn | OwnBookingIn,
    patron_id: PatronId | None,
    name: str,
    by: BookedBy,
) -> Booking:
    require_bookable(resource)
    require_room(resource, data.party_size)
    booking_id = BookingId(uuid7())
    price = price_of(resource, starts_at=data.starts_at, ends_at=data.ends_at)
    await ctx.db.execute(
        INSERT,
        ctx.tenant_id,
        booking_id,
        resource.venue_id,
        resource.id,
        patron_id,
        name,
        data.party_size,
        data.starts_at,
        data.ends_at,
        data.ends_at + resource.buffer_minutes * MINUTE,
        by,
        ctx.actor.user_id,
        price.amount if price else None,
        price.currency if price else None,
        data.note.strip(),
    )
    return tell_created(ctx, booking=await read_booking(ctx, booking_id=booking_id))


async def _update(ctx: Ctx, booking: Booking) -> None:
    await ctx.db.execute(
        UPDATE,
        ctx.tenant_id,
        booking.id,
        booking.resource_id,
        booking.party_size,
        booking.starts_at,
        booking.ends_at,
        booking.free_at,
        booking.price.amount if booking.price else None,
        booking.price.currency if booking.price else None,
        booking.note.strip(),
    )


async def _become(ctx: Ctx, before: Booking, status: BookingStatus, reason: str = "") -> Booking:
    await ctx.db.execute(SET_STATUS, ctx.tenant_id, before.id, status, reason)
    after = await read_booking(ctx, booking_id=before.id)
    ctx.emit(
        BookingStatusChanged(
            booking_id=after.id,
            resource_id=after.resource_id,
            venue_id=after.venue_id,
            patron_id=after.patron_id,
            version=after.version,
            status=status,
            by=BY.get(ctx.actor.kind, "staff"),
        ),
        entity=("booking", after.id),
        venue_id=after.venue_id,
        patron_id=after.patron_id,
        before={"status": before.status},
        after={"status": status},
        reason=reason,
    )
    return after
