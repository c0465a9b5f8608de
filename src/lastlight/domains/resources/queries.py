"""Reads of resources and bookings."""

from datetime import datetime, timedelta
from uuid import UUID

from lastlight.domains.resources.model import Booking, Resource
from lastlight.domains.resources.permissions import BOOKINGS_READ, RESOURCES_READ
from lastlight.domains.resources.schemas import Availability, FreeQuery, Offers, Span
from lastlight.domains.venues import Venue
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import ResourceId, VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

RESOURCES = """
select r.id, r.venue_id, v.name as venue, v.currency, r.kind, r.name, r.zone, r.capacity,
       case when r.price_unit is not null then jsonb_build_object('amount', r.price_minor, 'unit', r.price_unit) end as price,
       r.bookable, r.buffer_minutes, r.shortest_minutes, r.longest_minutes, r.status, r.status_reason, r.created_at, r.updated_at,
       r.retired_at, r.version
from resources r
join venues v on v.tenant_id = $1 and v.id = r.venue_id
where r.tenant_id = $1 and ($2::uuid is null or r.id = $2) and ($3::uuid is null or r.venue_id = $3)
  and ($4 or (r.bookable and r.status = 'available'))
order by r.kind, r.zone, r.name, r.id
limit 1000
"""
BOOKING = """
select b.id, b.venue_id, v.name as venue, b.resource_id, r.name as resource, r.kind, b.patron_id,
       coalesce(p.name, b.guest_name) as guest, b.party_size, b.starts_at, b.ends_at, b.free_at, b.status, b.status_reason,
       b.booked_by,
       case when b.currency is not null then jsonb_build_object('amount', b.price_minor, 'currency', b.currency) end as price,
       b.note, b.arrived_at, b.ended_at, b.created_at, b.version
from bookings b
join venues v on v.tenant_id = $1 and v.id = b.venue_id
join resources r on r.tenant_id = $1 and r.id = b.resource_id
left join patrons p on p.tenant_id = $1 and p.id = b.patron_id
where b.tenant_id = $1 and b.id = $2
"""
LOCK_BOOKING = "select 1 from bookings where tenant_id = $1 and id = $2 for update"
HOLD_RESOURCE = "select pg_advisory_xact_lock(hashtextextended($1, 15))"
TAKEN = """
select starts_at, free_at from bookings
where tenant_id = $1 and resource_id = $2 and status in ('booked', 'arrived', 'done')
  and tstzrange(starts_at, free_at) && tstzrange($3, $4)
order by starts_at, id
"""
AHEAD = """
select exists (select from bookings where tenant_id = $1 and resource_id = $2 and status in ('booked', 'arrived') and free_at > now())
"""


async def read_resource(ctx: Ctx, *, resource_id: UUID) -> Resource:
    """A resource of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Resource, RESOURCES, ctx.tenant_id, resource_id, None, True)


async def find_resource(ctx: Ctx, *, resource_id: UUID, permission: Permission = RESOURCES_READ) -> Resource:
    """A resource at a venue that the actor holds a permission for; NotFound when it is not theirs, or not there."""
    resource = await read_resource(ctx, resource_id=resource_id)
    ctx.require(permission, resource.venue_id)
    return resource


async def hold_resource(ctx: Ctx, *, resource_id: UUID) -> None:
    """Keep others from booking or changing it until the transaction ends; a guest, too, may hold it without writing it."""
    await ctx.db.execute(HOLD_RESOURCE, f"{ctx.tenant_id}/resource/{resource_id}")


async def read_booking(ctx: Ctx, *, booking_id: UUID) -> Booking:
    """A booking of the tenant, or of the guest who asks; NotFound when there is none."""
    return await ctx.db.one(Booking, BOOKING, ctx.tenant_id, booking_id)


async def find_booking(ctx: Ctx, *, booking_id: UUID, permission: Permission = BOOKINGS_READ) -> Booking:
    """A booking at a venue that the actor holds a permission for."""
    booking = await read_booking(ctx, booking_id=booking_id)
    ctx.require(permission, booking.venue_id)
    return booking


async def lock_booking(ctx: Ctx, *, booking_id: UUID, permission: Permission) -> Booking:
    """A booking, held against other changes until the transaction ends; who may not see it holds nothing."""
    await find_booking(ctx, booking_id=booking_id, permission=permission)
    if not await ctx.db.fetchval(LOCK_BOOKING, ctx.tenant_id, booking_id):
        raise NotFound
    return await find_booking(ctx, booking_id=booking_id, permission=permission)


async def has_bookings_ahead(ctx: Ctx, *, resource_id: UUID) -> bool:
    """Whether somebody has it now, or will."""
    return bool(await ctx.db.fetchval(AHEAD, ctx.tenant_id, resource_id))


async def list_offers(ctx: Ctx, *, venue: Venue) -> Offers:
    """What a venue lends to guests."""
    return Offers(items=await ctx.db.rows(Resource, RESOURCES, ctx.tenant_id, None, VenueId(venue.id), False))


async def read_availability(ctx: Ctx, *, resource_id: UUID, query: FreeQuery) -> Availability:
    """When a resource is taken. The transaction must see every booking of the tenant, also those of others than the asker."""
    resource = await read_resource(ctx, resource_id=resource_id)
    start: datetime = query.start or ctx.now
    if start.tzinfo is None:
        raise Invalid(fields={"start": "Give a time with its offset, such as 2026-11-21T20:00:00+02:00."})
    try:
        end = start + timedelta(hours=query.hours)
    except OverflowError as error:
        raise Invalid(fields={"start": "Choose a time that is nearer."}) from error
    return Availability(
        resource_id=ResourceId(resource.id),
        bookable=resource.bookable and resource.status == "available",
        start=start,
        end=end,
        taken=await ctx.db.rows(Span, TAKEN, ctx.tenant_id, resource.id, start, end),
    )
