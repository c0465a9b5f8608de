"""Alerts of devices that people take note of."""

from uuid import UUID

from lastlight.domains.devices.errors import DeviceAlertOver
from lastlight.domains.devices.events import DeviceAlertAcknowledged
from lastlight.domains.devices.model import DeviceAlert
from lastlight.domains.devices.permissions import DEVICES_MANAGE
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx

ALERTS = """
select a.id, a.device_id, a.venue_id, a.kind, a.detail, a.raised_at, a.cleared_at, a.acknowledged_at,
       coalesce(u.name, '') as acknowledged_by
from device_alerts a
left join users u on u.id = a.acknowledged_by
where a.tenant_id = $1
"""
ONE = ALERTS + " and a.id = $2"
OF_DEVICE = ALERTS + " and a.device_id = $2 order by a.raised_at desc, a.id desc limit 20"
LOCK = "select venue_id from device_alerts where tenant_id = $1 and id = $2 for update"
ACKNOWLEDGE = """
update device_alerts set acknowledged_at = now(), acknowledged_by = $3 where tenant_id = $1 and id = $2
"""


async def alerts_of(ctx: Ctx, *, device_id: UUID) -> list[DeviceAlert]:
    """A device's last alerts, for a caller that has seen to the permission."""
    return await ctx.db.rows(DeviceAlert, OF_DEVICE, ctx.tenant_id, device_id)


async def acknowledge_alert(ctx: Ctx, *, alert_id: UUID) -> DeviceAlert:
    """Take note of an open alert; the first who does is kept. DeviceAlertOver when it was cleared meanwhile."""
    ctx.require(DEVICES_MANAGE)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, alert_id)
    if row is None:
        raise NotFound
    ctx.require(DEVICES_MANAGE, row["venue_id"])
    alert = await ctx.db.one(DeviceAlert, ONE, ctx.tenant_id, alert_id)
    if alert.acknowledged_at is not None:
        return alert
    if alert.cleared_at is not None:
        raise DeviceAlertOver
    await ctx.db.execute(ACKNOWLEDGE, ctx.tenant_id, alert_id, ctx.actor.user_id)
    ctx.emit(
        DeviceAlertAcknowledged(device_id=alert.device_id, venue_id=alert.venue_id, kind=alert.kind),
        entity=("device", alert.device_id),
        venue_id=alert.venue_id,
        after={"alert": alert.kind, "state": "acknowledged"},
    )
    return await ctx.db.one(DeviceAlert, ONE, ctx.tenant_id, alert_id)
