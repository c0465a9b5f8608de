"""Reads of resources and bookings."""

from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from lastlight.domains.resources.free import free_starts
from lastlight.domains.resources.model import MINUTE, Booking, Resource, price_of
from lastlight.domains.resources.permissions import BOOKINGS_READ, RESOURCES_READ
from lastlight.domains.resources.schemas import Availability, FreeQuery, Offers, Span, Times, TimesQuery, offer_of
from lastlight.domains.resources.settings import FURTHEST_AHEAD, MOST_OF_GUEST, stored_rules
from lastlight.domains.venues import business_day_span, open_spans, read_venue, require_shown
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PatronId, ResourceId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

LOOK_AHEAD = timedelta(days=1)
SEE_VISITS = "visits.read"
"""The permission of visits, which lie beside this domain: by name."""

RESOURCES = """
select r.id, r.venue_id, v.name as venue, v.currency, r.kind, r.name, r.zone, r.capacity,
       case when r.price_unit is not null then jsonb_build_object('amount', r.price_minor, 'unit', r.price_unit) end as price,
       r.bookable, r.buffer_minutes, r.shortest_minutes, r.longest_minutes, r.status, r.status_reason, r.created_at, r.updated_at,
       r.retired_at, r.version
from resources r
join venues v on v.tenant_id = $1 and v.id = r.venue_id
where r.tenant_id = $1 and ($2::uuid is null or r.id = $2) and ($3::uuid is null or r.venue_id = $3)
  and ($4 or r.status <> 'retired')
order by r.kind, r.zone, r.name, r.id
limit 1000
"""
BOOKINGS = """
select b.id, b.venue_id, v.name as venue, b.resource_id, r.name as resource, r.kind, b.patron_id,
       coalesce(p.name, b.guest_name) as guest, b.party_size, b.starts_at, b.ends_at, b.free_at, b.status, b.status_reason,
       b.booked_by,
       case when b.currency is not null then jsonb_build_object('amount', b.price_minor, 'currency', b.currency) end as price,
       b.note, b.arrived_at, b.ended_at, b.created_at, b.version
from bookings b
join venues v on v.tenant_id = $1 and v.id = b.venue_id
join resources r on r.tenant_id = $1 and r.id = b.resource_id
left join patrons p on p.tenant_id = $1 and p.id = b.patron_id
where b.tenant_id = $1 and """
BOOKING = BOOKINGS + "b.id = $2"
LOCK_BOOKING = "select 1 from bookings where tenant_id = $1 and id = $2 for update"
HOLD_RESOURCE = "select pg_advisory_xact_lock(hashtextextended($1, 15))"
TAKEN = """
select starts_at, free_at from bookings
where tenant_id = $1 and resource_id = $2 and status in ('booked', 'arrived', 'done')
  and tstzrange(starts_at, free_at) && tstzrange($3, $4) and ($5::uuid is null or id <> $5)
order by starts_at, id
"""
OF_DAY = (
    BOOKINGS
    + """b.venue_id = $2 and b.starts_at < $4 and b.ends_at > $3 and b.status <> 'cancelled'
order by b.starts_at, r.name, b.id
limit 2000
"""
)
INSIDE = """
select distinct on (p.name, p.id) p.id, p.name from visits w join patrons p on p.tenant_id = $1 and p.id = w.patron_id
where w.tenant_id = $1 and w.venue_id = $2 and w.status = 'open'
order by p.name, p.id
limit 500
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


async def list_resources(ctx: Ctx, *, venue_id: UUID) -> list[Resource]:
    """The games, rooms and tables of a venue that are not retired, for a caller that has seen to the permission."""
    return await ctx.db.rows(Resource, RESOURCES, ctx.tenant_id, None, venue_id, False)


async def list_offers(ctx: Ctx, *, venue_id: UUID) -> Offers:
    """What a venue lends to guests, how it stands, and how far ahead and how often they may book."""
    rules = await stored_rules(ctx)
    return Offers(
        items=[offer_of(one) for one in await list_resources(ctx, venue_id=venue_id)],
        furthest_ahead_days=FURTHEST_AHEAD.read(rules.get(FURTHEST_AHEAD.key)),
        most_of_guest=MOST_OF_GUEST.read(rules.get(MOST_OF_GUEST.key)),
    )


async def bookings_between(ctx: Ctx, *, venue_id: UUID, start: datetime, end: datetime) -> list[Booking]:
    """What is booked at a venue between two moments, missed and ended times too, cancelled ones not."""
    ctx.require(BOOKINGS_READ, venue_id)
    return await ctx.db.rows(Booking, OF_DAY, ctx.tenant_id, venue_id, start, end)


async def guests_inside(ctx: Ctx, *, venue_id: UUID) -> list[tuple[PatronId, str]]:
    """Who is in a venue now, by name, for who may see its visits; nobody for others."""
    if not ctx.allows(ctx.services.registry.permissions[SEE_VISITS], venue_id):
        return []
    return [(PatronId(row["id"]), row["name"]) for row in await ctx.db.fetch(INSIDE, ctx.tenant_id, venue_id)]


async def read_taken(
    ctx: Ctx, *, resource_id: UUID, start: datetime, end: datetime, but: UUID | None = None
) -> list[Span]:
    """When a resource is taken between two moments, buffers included, `but` for one booking."""
    return await ctx.db.rows(Span, TAKEN, ctx.tenant_id, resource_id, start, end, but)


async def next_free(
    ctx: Ctx, *, resource: Resource, start: datetime, length: timedelta, but: UUID | None = None, most: int = 3
) -> list[datetime]:
    """The next moments from which a resource is free for so long, looking a day ahead."""
    end = start + LOOK_AHEAD
    taken = await read_taken(ctx, resource_id=resource.id, start=start, end=end + length, but=but)
    starts = free_starts(
        [(start, end)],
        length=length,
        buffer=resource.buffer_minutes * MINUTE,
        taken=[(one.starts_at, one.free_at) for one in taken],
    )
    # not three quarters of an hour of one gap: the first moment of it says as much
    return list(islice(starts, 0, most * 4, 4)) or list(islice(starts, most))


async def read_times(ctx: Ctx, *, resource_id: UUID, query: TimesQuery) -> Times:
    """From when on a business day a guest may have a resource for so long; the transaction must see every booking of the tenant."""
    resource = await read_resource(ctx, resource_id=resource_id)
    await require_shown(ctx, venue_id=resource.venue_id)
    venue = await read_venue(ctx, venue_id=resource.venue_id)
    length = query.minutes * MINUTE
    try:
        start, end = business_day_span(query.day, venue.zone, venue.business_day_hour)
        horizon = end + length + LOOK_AHEAD
    except OverflowError as error:
        raise Invalid(fields={"day": "Choose a day of this century."}) from error
    fits = resource.shortest_minutes <= query.minutes <= resource.longest_minutes
    starts: list[datetime] = []
    if fits and resource.bookable and resource.status == "available" and venue.status == "active":
        within = open_spans(venue.opening_hours, venue.zone, max(start, ctx.now), end + length)
        taken = await read_taken(ctx, resource_id=resource.id, start=start, end=horizon)
        spans = [(one.starts_at, one.free_at) for one in taken]
        buffer = resource.buffer_minutes * MINUTE
        starts = [one for one in free_starts(within, length=length, buffer=buffer, taken=spans) if one < end]
    return Times(
        resource_id=resource.id,
        day=query.day,
        minutes=query.minutes,
        time_zone=venue.time_zone,
        starts=starts,
        price=price_of(resource, starts_at=start, ends_at=start + length),
    )


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
        taken=await read_taken(ctx, resource_id=resource.id, start=start, end=end),
    )
