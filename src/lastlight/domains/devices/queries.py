"""Reads of devices."""

from uuid import UUID

from lastlight.domains.devices.model import Device
from lastlight.domains.devices.permissions import DEVICES_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

DEVICE = """
select d.id, d.venue_id, w.name as venue, d.name, d.kind, d.status, d.maintenance, d.maintenance_reason, d.enrolled_at,
       d.revoked_at, s.last_seen_at, s.battery, coalesce(s.charging, false) as charging, coalesce(s.firmware, '') as firmware,
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
