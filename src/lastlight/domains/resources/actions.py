"""Writes of resources: one function per verb."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.resources.errors import ResourceBooked, ResourceRetired
from lastlight.domains.resources.events import ResourceCreated, ResourceStatusChanged, ResourceUpdated
from lastlight.domains.resources.model import (
    FIELD_NAMES,
    Resource,
    ResourceFields,
    ResourceStatus,
    changed_fields,
    fields_of,
    require_valid,
)
from lastlight.domains.resources.permissions import RESOURCES_MANAGE, RESOURCES_STATUS
from lastlight.domains.resources.queries import find_resource, has_bookings_ahead, hold_resource, read_resource
from lastlight.domains.resources.schemas import ResourceChange, ResourceIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Conflict, Invalid, Stale
from lastlight.kernel.ids import ResourceId, uuid7
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx

INSERT = """
insert into resources (tenant_id, id, venue_id, kind, name, zone, capacity, price_minor, price_unit, bookable, buffer_minutes,
                       shortest_minutes, longest_minutes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
UPDATE = """
update resources
set name = $3, zone = $4, capacity = $5, price_minor = $6, price_unit = $7, bookable = $8, buffer_minutes = $9,
    shortest_minutes = $10, longest_minutes = $11
where tenant_id = $1 and id = $2
"""
SET_STATUS = """
update resources set status = $3, status_reason = $4, retired_at = case when $3 = 'retired' then now() end
where tenant_id = $1 and id = $2
"""


async def create_resource(ctx: Ctx, *, data: ResourceIn, resource_id: ResourceId | None = None) -> Resource:
    """Add a game, room or table to a venue."""
    ctx.require(RESOURCES_MANAGE, data.venue_id)
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=RESOURCES_MANAGE)
    if venue.status == "archived":
        raise Conflict("This venue is archived. Make it active again first.")
    fields = ResourceFields(**{name: getattr(data, name) for name in FIELD_NAMES})
    require_valid(fields)
    resource_id = resource_id or ResourceId(uuid7())
    await ctx.db.execute(INSERT, ctx.tenant_id, resource_id, data.venue_id, data.kind, *_columns(fields))
    ctx.emit(
        ResourceCreated(resource_id=resource_id, venue_id=data.venue_id, kind=data.kind, name=fields.name.strip()),
        entity=("resource", resource_id),
        venue_id=data.venue_id,
        after=_facts(fields, venue.currency),
    )
    return await read_resource(ctx, resource_id=resource_id)


async def change_resource(ctx: Ctx, *, resource_id: UUID, data: ResourceChange, version: int) -> Resource:
    """Change what is given and keep the rest; Stale when it is no longer the version that was read."""
    await hold_resource(ctx, resource_id=resource_id)
    before = await find_resource(ctx, resource_id=resource_id, permission=RESOURCES_MANAGE)
    if before.version != version:
        raise Stale
    if before.status == "retired":
        raise ResourceRetired
    given = {name: value for name in FIELD_NAMES if (value := getattr(data, name)) is not UNSET}
    fields = msgspec.structs.replace(fields_of(before), **given)
    require_valid(fields)
    old, new = (_facts(one, before.currency) for one in (fields_of(before), fields))
    changed = changed_fields(old, new)
    if not changed:
        return before
    await ctx.db.execute(UPDATE, ctx.tenant_id, resource_id, *_columns(fields))
    after = await read_resource(ctx, resource_id=resource_id)
    ctx.emit(
        ResourceUpdated(resource_id=after.id, venue_id=after.venue_id, version=after.version, fields=changed),
        entity=("resource", after.id),
        venue_id=after.venue_id,
        before={name: old[name] for name in changed},
        after={name: new[name] for name in changed},
    )
    return after


async def set_status(ctx: Ctx, *, resource_id: UUID, status: ResourceStatus, reason: str, version: int) -> Resource:
    """Take a resource out of order or into maintenance, retire it, or make it available again.

    All but the last want a reason. Retiring and its reversal are for who manages resources, and wait for standing bookings.
    """
    await hold_resource(ctx, resource_id=resource_id)
    before = await find_resource(ctx, resource_id=resource_id, permission=RESOURCES_STATUS)
    if "retired" in {status, before.status}:
        ctx.require(RESOURCES_MANAGE, before.venue_id)
    if status != "available" and not reason.strip():
        raise Invalid(fields={"reason": "Say why, so that the others know."})
    if before.version != version:
        raise Stale
    if before.status == status:
        return before
    if status == "retired" and await has_bookings_ahead(ctx, resource_id=resource_id):
        raise ResourceBooked
    await ctx.db.execute(SET_STATUS, ctx.tenant_id, resource_id, status, reason.strip())
    after = await read_resource(ctx, resource_id=resource_id)
    ctx.emit(
        ResourceStatusChanged(resource_id=after.id, venue_id=after.venue_id, version=after.version, status=status),
        entity=("resource", after.id),
        venue_id=after.venue_id,
        before={"status": before.status},
        after={"status": status},
        reason=reason.strip(),
    )
    return after


def _facts(fields: ResourceFields, currency: str) -> dict[str, Any]:
    """What the audit keeps of a resource; its price as people read it: 12.34 ZAR."""
    facts: dict[str, Any] = msgspec.to_builtins(fields)
    if fields.price is None:
        return facts
    return facts | {"price": {"amount": str(Money(fields.price.amount, currency)), "unit": fields.price.unit}}


def _columns(fields: ResourceFields) -> tuple[Any, ...]:
    return (
        fields.name.strip(),
        fields.zone.strip(),
        fields.capacity,
        fields.price.amount if fields.price else None,
        fields.price.unit if fields.price else None,
        fields.bookable,
        fields.buffer_minutes,
        fields.shortest_minutes,
        fields.longest_minutes,
    )
