"""Writes of venues: one function per verb."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.venues.errors import VenueArchived
from lastlight.domains.venues.events import VenueArchivedEvent, VenueCreated, VenueStatusChanged, VenueUpdated
from lastlight.domains.venues.keys import add_key
from lastlight.domains.venues.model import (
    FIELD_NAMES,
    Venue,
    VenueFields,
    VenueStatus,
    default_geofence,
    differences,
    fields_of,
    require_valid,
    slug_of,
)
from lastlight.domains.venues.permissions import VENUES_MANAGE
from lastlight.domains.venues.queries import lock_venue, read_venue
from lastlight.domains.venues.schemas import VenueChange, VenueIn
from lastlight.kernel.errors import Invalid, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM, VenueId, uuid7
from lastlight.runtime.context import Ctx

TENANT_DEFAULTS = "select currency, time_zone from tenants where id = $1"
INSERT = """
insert into venues (tenant_id, id, slug, name, address, latitude, longitude, time_zone, currency, business_day_hour, capacity,
                    opening_hours, tags, age_limit, tax_rates, geofence, position_policy, visit_timeout_minutes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
UPDATE = """
update venues
set slug = $3, name = $4, address = $5, latitude = $6, longitude = $7, time_zone = $8, currency = $9, business_day_hour = $10,
    capacity = $11, opening_hours = $12, tags = $13, age_limit = $14, tax_rates = $15, geofence = $16, position_policy = $17,
    visit_timeout_minutes = $18
where tenant_id = $1 and id = $2
"""
SET_STATUS = """
update venues set status = $3, status_reason = $4, archived_at = case when $3 = 'archived' then now() end
where tenant_id = $1 and id = $2
"""


async def create_venue(ctx: Ctx, *, data: VenueIn, venue_id: VenueId | None = None) -> Venue:
    """Create a venue, under a new id or the one given, and its first key.

    Only who manages every venue may: a membership of named venues adds none.
    """
    ctx.require(VENUES_MANAGE)
    if ctx.tenant_id == PLATFORM:
        raise NotPermitted("The platform has no venues of its own. Go inside a business first, then create one there.")
    if ctx.venues(VENUES_MANAGE) is not None:
        raise NotPermitted("Your role manages named venues only. Ask an owner to create another.")
    fields = await _new_fields(ctx, data)
    require_valid(fields)
    venue_id = venue_id or VenueId(uuid7())
    await ctx.db.execute(INSERT, ctx.tenant_id, venue_id, *_columns(fields))
    await add_key(ctx, venue_id=venue_id, number=1)
    ctx.emit(
        VenueCreated(venue_id=venue_id, slug=fields.slug, name=fields.name),
        entity=("venue", venue_id),
        venue_id=venue_id,
        after=msgspec.to_builtins(fields),
    )
    return await read_venue(ctx, venue_id=venue_id)


async def change_venue(ctx: Ctx, *, venue_id: UUID, data: VenueChange, version: int) -> Venue:
    """Change what is given and keep the rest; Stale when it is no longer the version that was read."""
    given = {name: value for name in FIELD_NAMES if (value := getattr(data, name)) is not UNSET}
    return await _replace(ctx, venue_id=venue_id, version=version, given=given)


async def replace_venue(ctx: Ctx, *, venue_id: UUID, data: VenueIn, version: int) -> Venue:
    """Give every field anew; what is left out goes back to its default."""
    fields = await _new_fields(ctx, data)
    return await _replace(ctx, venue_id=venue_id, version=version, given=msgspec.structs.asdict(fields))


async def set_status(ctx: Ctx, *, venue_id: UUID, status: VenueStatus, reason: str, version: int) -> Venue:
    """Pause a venue, archive it, or make it active again. Pausing and archiving want a reason."""
    ctx.require(VENUES_MANAGE, venue_id)
    if status != "active" and not reason.strip():
        raise Invalid(fields={"reason": "Say why, so that the others know."})
    venue = await lock_venue(ctx, venue_id=venue_id)
    if venue.version != version:
        raise Stale
    if venue.status == status:
        return venue
    await ctx.db.execute(SET_STATUS, ctx.tenant_id, venue_id, status, reason.strip())
    after = await read_venue(ctx, venue_id=venue_id)
    event = (
        VenueArchivedEvent(venue_id=venue_id, version=after.version)
        if status == "archived"
        else VenueStatusChanged(venue_id=venue_id, version=after.version, status=status)
    )
    ctx.emit(
        event,
        entity=("venue", venue_id),
        venue_id=venue_id,
        before={"status": venue.status},
        after={"status": status},
        reason=reason.strip(),
    )
    return after


async def _replace(ctx: Ctx, *, venue_id: UUID, version: int, given: dict[str, Any]) -> Venue:
    ctx.require(VENUES_MANAGE, venue_id)
    before = await lock_venue(ctx, venue_id=venue_id)
    if before.version != version:
        raise Stale
    if before.status == "archived":
        raise VenueArchived
    fields = msgspec.structs.replace(fields_of(before), **given)
    require_valid(fields)
    old, new = differences(before, fields)
    if not new:
        return before
    await ctx.db.execute(UPDATE, ctx.tenant_id, venue_id, *_columns(fields))
    after = await read_venue(ctx, venue_id=venue_id)
    ctx.emit(
        VenueUpdated(venue_id=venue_id, version=after.version, fields=sorted(new)),
        entity=("venue", venue_id),
        venue_id=venue_id,
        before=old,
        after=new,
    )
    return after


async def _new_fields(ctx: Ctx, data: VenueIn) -> VenueFields:
    tenant = await ctx.db.fetchrow(TENANT_DEFAULTS, ctx.tenant_id)
    currency, time_zone = (tenant["currency"], tenant["time_zone"]) if tenant else ("", "")
    return VenueFields(
        slug=data.slug if data.slug is not None else slug_of(data.name),
        name=data.name,
        address=data.address,
        position=data.position,
        time_zone=data.time_zone or time_zone,
        currency=data.currency or currency,
        business_day_hour=data.business_day_hour,
        capacity=data.capacity,
        opening_hours=data.opening_hours,
        tags=data.tags,
        age_limit=data.age_limit,
        tax_rates=data.tax_rates,
        geofence=default_geofence(data.position) if data.geofence is UNSET else data.geofence,
        position_policy=data.position_policy,
        visit_timeout_minutes=data.visit_timeout_minutes,
    )


def _columns(fields: VenueFields) -> tuple[Any, ...]:
    return (
        fields.slug,
        fields.name.strip(),
        fields.address,
        fields.position.lat if fields.position else None,
        fields.position.lon if fields.position else None,
        fields.time_zone,
        fields.currency,
        fields.business_day_hour,
        fields.capacity,
        fields.opening_hours,
        fields.tags,
        fields.age_limit,
        fields.tax_rates,
        fields.geofence,
        fields.position_policy,
        fields.visit_timeout_minutes,
    )
