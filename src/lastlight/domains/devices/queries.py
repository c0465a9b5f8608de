"""Reads of devices."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.devices.listings import HEARTBEATS, HeartbeatRow
from lastlight.domains.devices.model import Device
from lastlight.domains.devices.permissions import DEVICES_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM, TenantId, VenueId
from lastlight.kernel.paging import Page
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

DEVICE = """
select d.id, d.venue_id, w.name as venue, d.name, d.kind, d.status, d.maintenance, d.maintenance_reason, d.maintenance_until,
       d.enrolled_at, d.code_expires_at, d.revoked_at, d.revoked_reason, s.last_seen_at, s.battery, coalesce(s.charging, false) as charging, coalesce(s.firmware, '') as firmware,
       coalesce(s.last_scan, 0) as last_scan, coalesce(s.queued, 0) as queued, s.pinged_at, s.answered_at,
       exists (select from device_alerts a where a.tenant_id = $1 and a.device_id = d.id
               and a.kind = 'offline' and a.cleared_at is null) as offline,
       exists (select from device_alerts a where a.tenant_id = $1 and a.device_id = d.id
               and a.kind = 'battery_low' and a.cleared_at is null) as battery_low,
       d.version
from devices d
join venues w on w.tenant_id = $1 and w.id = d.venue_id
left join device_states s on s.tenant_id = $1 and s.device_id = d.id
where d.tenant_id = $1 and d.id = $2
"""
CHOICES = """
select d.id, d.name, w.name as venue
from devices d
join venues w on w.tenant_id = $1 and w.id = d.venue_id
where d.tenant_id = $1 and ($2::uuid[] is null or d.venue_id = any($2))
order by d.status = 'revoked', w.name, d.name, d.id
limit 200
"""
COUNTS = """count(*) as devices,
       count(*) filter (where d.status = 'active' and d.maintenance) as maintenance,
       count(*) filter (where d.status = 'pending') as pending,
       count(*) filter (where d.status = 'active' and a.offline) as offline,
       count(*) filter (where d.status = 'active' and not a.offline and a.battery_low) as battery_low,
       count(*) filter (where d.status = 'active' and not d.maintenance and not a.offline and not a.battery_low) as good,
       coalesce(sum(s.queued) filter (where d.status = 'active'), 0)::bigint as queued"""
TROUBLE = """cross join lateral (
    select coalesce(bool_or(o.kind = 'offline'), false) as offline, coalesce(bool_or(o.kind = 'battery_low'), false) as battery_low
    from device_alerts o where o.tenant_id = d.tenant_id and o.device_id = d.id and o.cleared_at is null) a"""
FLEET = f"""
select w.id as venue_id, w.name as venue, {COUNTS}
from devices d
join venues w on w.tenant_id = d.tenant_id and w.id = d.venue_id
left join device_states s on s.tenant_id = d.tenant_id and s.device_id = d.id
{TROUBLE}
where d.tenant_id = $1 and d.status <> 'revoked' and ($2::uuid[] is null or d.venue_id = any($2))
  and ($3::uuid is null or d.venue_id = $3)
group by w.id, w.name
order by w.name, w.id
"""  # noqa: S608 - of constants
# every tenant: the platform's crew sees the hardware of all
ALL_FLEETS = f"""
select t.id as tenant_id, t.name as tenant, {COUNTS}
from devices d
join tenants t on t.id = d.tenant_id
left join device_states s on s.tenant_id = d.tenant_id and s.device_id = d.id
{TROUBLE}
where d.tenant_id is not null and d.status <> 'revoked'
group by t.id, t.name
order by offline desc, battery_low desc, t.name, t.id
limit 200
"""  # noqa: S608 - of constants
LOCK = "select venue_id from devices where tenant_id = $1 and id = $2 for update"
ALERTS_OPEN = """
select count(*) from device_alerts
where tenant_id = $1 and cleared_at is null and ($2::uuid[] is null or venue_id = any($2))
"""


async def read_device(ctx: Ctx, *, device_id: UUID) -> Device:
    """A device of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Device, DEVICE, ctx.tenant_id, device_id)


async def find_device(ctx: Ctx, *, device_id: UUID) -> Device:
    """A device at a venue that the actor may see."""
    ctx.require(DEVICES_READ)
    device = await read_device(ctx, device_id=device_id)
    ctx.require(DEVICES_READ, device.venue_id)
    return device


async def lock_device(ctx: Ctx, *, device_id: UUID, permission: Permission) -> Device:
    """A device that the actor may manage, held until the end of the transaction."""
    ctx.require(permission)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, device_id)
    if row is None:
        raise NotFound
    ctx.require(permission, row["venue_id"])
    return await read_device(ctx, device_id=device_id)


async def count_open_alerts(ctx: Ctx) -> int | None:
    """How many devices' alerts are open at the actor's venues; None where there are none."""
    return await ctx.db.fetchval(ALERTS_OPEN, ctx.tenant_id, ctx.venues(DEVICES_READ)) or None


class FleetSums(msgspec.Struct, frozen=True, kw_only=True):
    """Devices at a glance; each counts once, by what is worst about it."""

    devices: int
    good: int
    offline: int
    battery_low: int
    maintenance: int
    pending: int
    queued: int
    """Scans that wait on the devices to be sent."""


class VenueFleet(FleetSums, frozen=True, kw_only=True):
    """A venue's devices at a glance."""

    venue_id: VenueId
    venue: str


class TenantFleet(FleetSums, frozen=True, kw_only=True):
    """A business's devices at a glance."""

    tenant_id: TenantId
    tenant: str


def sum_up(fleet: Sequence[FleetSums]) -> FleetSums:
    """The counts over several venues, or businesses."""
    return FleetSums(
        devices=sum(each.devices for each in fleet),
        good=sum(each.good for each in fleet),
        offline=sum(each.offline for each in fleet),
        battery_low=sum(each.battery_low for each in fleet),
        maintenance=sum(each.maintenance for each in fleet),
        pending=sum(each.pending for each in fleet),
        queued=sum(each.queued for each in fleet),
    )


async def read_all_fleets(ctx: Ctx) -> list[TenantFleet]:
    """The devices of all businesses, business by business, those in trouble first; for the platform's crew."""
    ctx.require(DEVICES_READ)
    return await ctx.db.rows(TenantFleet, ALL_FLEETS)


async def read_fleet(ctx: Ctx, *, venue_id: UUID | None = None) -> list[VenueFleet]:
    """The devices of the actor's venues (or of one), venue by venue, without the revoked ones."""
    ctx.require(DEVICES_READ, venue_id)
    return await ctx.db.rows(VenueFleet, FLEET, ctx.tenant_id, ctx.venues(DEVICES_READ), venue_id)


async def read_heartbeats(ctx: Ctx, *, device_id: UUID, query: Any = None) -> Page[HeartbeatRow]:
    """A page of the heartbeats of a device that were kept, the newest first where the query says nothing else."""
    await find_device(ctx, device_id=device_id)
    asked = msgspec.structs.replace(query or HEARTBEATS.parse(), device_id=[device_id])
    return await HEARTBEATS.page(ctx, asked)


async def device_choices(ctx: Ctx) -> list[tuple[str, str]]:
    """The devices at the actor's venues for a filter, with their venues, those of today before the revoked ones."""
    ctx.require(DEVICES_READ)
    rows = await ctx.db.fetch(CHOICES, ctx.tenant_id, ctx.venues(DEVICES_READ))
    return [(str(row["id"]), f"{row['name']}, {row['venue']}") for row in rows]
