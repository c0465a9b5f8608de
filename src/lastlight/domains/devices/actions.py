"""What people do to devices: change, move, set aside, ping and revoke them."""

from datetime import datetime
from uuid import UUID

from lastlight.domains.devices.alerts import tell_alert
from lastlight.domains.devices.errors import DeviceNotActive, DeviceRevoked
from lastlight.domains.devices.events import DevicePinged, DeviceRevokedNow, DeviceUpdated
from lastlight.domains.devices.model import Device, DeviceChange, RevokeIn
from lastlight.domains.devices.permissions import DEVICES_MANAGE
from lastlight.domains.devices.queries import lock_device, read_device
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, Stale
from lastlight.runtime.context import Ctx

CHANGE = """
update devices
set name = $3, venue_id = $4, maintenance = $5, maintenance_reason = $6, maintenance_until = $7
where tenant_id = $1 and id = $2
"""
REVOKE = """
update devices
set status = 'revoked', revoked_at = now(), revoked_reason = $3, code_hash = null, code_expires_at = null
where tenant_id = $1 and id = $2
"""
MOVED = "insert into device_moves (tenant_id, device_id, venue_id) values ($1, $2, $3)"
CLEAR = """
update device_alerts set cleared_at = now() where tenant_id = $1 and device_id = $2 and cleared_at is null returning kind
"""
PING = """
update device_states set pinged_at = now(), answered_at = null where tenant_id = $1 and device_id = $2
"""


async def change_device(ctx: Ctx, *, device_id: UUID, data: DeviceChange, version: int) -> Device:
    """Rename a device, move it to another of one's venues, or begin and end its maintenance."""
    before = await lock_device(ctx, device_id=device_id, permission=DEVICES_MANAGE)
    if before.version != version:
        raise Stale
    if before.status == "revoked":
        raise DeviceRevoked
    if data.venue_id is not None:
        await find_venue(ctx, venue_id=data.venue_id, permission=DEVICES_MANAGE)
    wanted = _wanted(ctx, before, data)
    await ctx.db.execute(CHANGE, ctx.tenant_id, device_id, *wanted)
    after = await read_device(ctx, device_id=device_id)
    if after.venue_id != before.venue_id:
        await ctx.db.execute(MOVED, ctx.tenant_id, device_id, before.venue_id)
    if after.maintenance:
        await clear_alerts(ctx, device=after)
    ctx.emit(
        DeviceUpdated(
            device_id=after.id, venue_id=after.venue_id, maintenance=after.maintenance, version=after.version
        ),
        entity=("device", after.id),
        venue_id=after.venue_id,
        before=_facts(before),
        after=_facts(after),
        reason=after.maintenance_reason,
    )
    return await read_device(ctx, device_id=device_id)


async def revoke_device(ctx: Ctx, *, device_id: UUID, data: RevokeIn) -> Device:
    """Take a device off the list: from the commit on nothing that it signs counts. Twice is the same as once."""
    device = await lock_device(ctx, device_id=device_id, permission=DEVICES_MANAGE)
    if device.status == "revoked":
        return device
    if not data.reason.strip():
        raise Invalid(fields={"reason": "Say why; it stands in the device's history."})
    await ctx.db.execute(REVOKE, ctx.tenant_id, device_id, data.reason.strip())
    await clear_alerts(ctx, device=device)
    ctx.emit(
        DeviceRevokedNow(device_id=device.id, venue_id=device.venue_id),
        entity=("device", device.id),
        venue_id=device.venue_id,
        before={"status": device.status},
        after={"status": "revoked"},
        reason=data.reason.strip(),
    )
    return await read_device(ctx, device_id=device_id)


async def ping_device(ctx: Ctx, *, device_id: UUID) -> Device:
    """Ask whether a device hears; its next heartbeat answers."""
    device = await lock_device(ctx, device_id=device_id, permission=DEVICES_MANAGE)
    if device.status != "active":
        raise DeviceNotActive
    await ctx.db.execute(PING, ctx.tenant_id, device_id)
    ctx.emit(
        DevicePinged(device_id=device.id, venue_id=device.venue_id),
        entity=("device", device.id),
        venue_id=device.venue_id,
    )
    return await read_device(ctx, device_id=device_id)


async def clear_alerts(ctx: Ctx, *, device: Device) -> None:
    """Clear the open alerts of a device that nobody waits for any more."""
    for row in await ctx.db.fetch(CLEAR, ctx.tenant_id, device.id):
        tell_alert(ctx, change="cleared", device_id=device.id, venue_id=device.venue_id, kind=row["kind"])


def _wanted(ctx: Ctx, before: Device, data: DeviceChange) -> tuple[str, UUID, bool, str, datetime | None]:
    name = before.name if data.name is None else data.name.strip()
    maintenance = before.maintenance if data.maintenance is None else data.maintenance
    reason = before.maintenance_reason if data.maintenance_reason is None else data.maintenance_reason.strip()
    if not name:
        raise Invalid(fields={"name": "Give the device a name, such as the door where it stands."})
    if maintenance and not reason:
        raise Invalid(fields={"maintenance_reason": "Say why the device is set aside."})
    if not maintenance:
        return name, data.venue_id or before.venue_id, False, "", None
    until = data.maintenance_until if data.maintenance else before.maintenance_until
    if until is not None and (until.tzinfo is None or until <= ctx.now):
        raise Invalid(fields={"maintenance_until": "Give a time to come, or leave it open."})
    return name, data.venue_id or before.venue_id, True, reason, until


def _facts(device: Device) -> dict[str, str | bool | datetime | None]:
    return {
        "name": device.name,
        "venue_id": str(device.venue_id),
        "maintenance": device.maintenance,
        "maintenance_until": device.maintenance_until,
    }
