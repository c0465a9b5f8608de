"""Reads of venues."""

from uuid import UUID

from lastlight.domains.venues.model import Venue
from lastlight.domains.venues.permissions import VENUES_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

VENUES = """
select id, slug, name, status, status_reason, address, time_zone, currency, business_day_hour, capacity, opening_hours, tags,
       age_limit, tax_rates, geofence, position_policy, visit_timeout_minutes, created_at, updated_at, archived_at, version,
       case when latitude is not null then jsonb_build_object('lat', latitude, 'lon', longitude) end as position
from venues
where tenant_id = $1 and ($2::uuid[] is null or id = any($2)) and ($3::text is null or slug = $3) and ($4 or status <> 'archived')
order by name, id
limit 500
"""
LOCK = "select 1 from venues where tenant_id = $1 and id = $2 for update"


async def find_venue(ctx: Ctx, *, venue_id: UUID, permission: Permission = VENUES_READ) -> Venue:
    """A venue that the actor holds a permission for; NotFound when it is not theirs, or not there."""
    ctx.require(permission, venue_id)
    return await read_venue(ctx, venue_id=venue_id)


async def find_venue_by_slug(ctx: Ctx, *, slug: str, permission: Permission = VENUES_READ) -> Venue:
    """A venue by its short name, under the same rule."""
    venue = await ctx.db.one(Venue, VENUES, ctx.tenant_id, ctx.venues(permission), slug, True)
    ctx.require(permission, venue.id)
    return venue


async def standing_venues(ctx: Ctx, *, permission: Permission | None = VENUES_READ) -> list[Venue]:
    """The venues that are not archived, by name: those the actor holds a permission for, or with None all of the tenant's."""
    only = None if permission is None else ctx.venues(permission)
    return await ctx.db.rows(Venue, VENUES, ctx.tenant_id, only, None, False)


async def count_venues(ctx: Ctx) -> int:
    """How many venues the business has that are not archived."""
    return await ctx.db.fetchval(
        "select count(*) from venues where tenant_id = $1 and archived_at is null", ctx.tenant_id
    )


async def lock_venue(ctx: Ctx, *, venue_id: UUID) -> Venue:
    """A venue, held against other changes until the transaction ends."""
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, venue_id):
        raise NotFound
    return await read_venue(ctx, venue_id=venue_id)


async def read_venue(ctx: Ctx, *, venue_id: UUID) -> Venue:
    """A venue of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Venue, VENUES, ctx.tenant_id, [VenueId(venue_id)], None, True)
