"""Alerts of devices that people take note of, and those that a log gives cause for."""

from typing import Literal
from uuid import UUID

from lastlight.domains.devices.errors import DeviceAlertOver
from lastlight.domains.devices.events import DeviceAlertAcknowledged, DeviceAlertCleared, DeviceAlertRaised
from lastlight.domains.devices.model import DeviceAlert
from lastlight.domains.devices.permissions import DEVICES_MANAGE
from lastlight.domains.devices.signing import Speaker
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
TELLING = {"raised": DeviceAlertRaised, "cleared": DeviceAlertCleared, "acknowledged": DeviceAlertAcknowledged}
LogAlert = Literal["gap", "late_log"]
"""Numbers are missing in a device's log; its log came after it was revoked. Both are over once somebody has looked."""
ACKNOWLEDGE = """
update device_alerts
set acknowledged_at = now(), acknowledged_by = $3, cleared_at = case when kind in ('gap', 'late_log') then now() else cleared_at end
where tenant_id = $1 and id = $2
"""
RAISE = """
insert into device_alerts (tenant_id, device_id, venue_id, kind, detail) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, device_id, kind) where cleared_at is null do nothing
"""
CLEAR = """
update device_alerts set cleared_at = now() where tenant_id = $1 and device_id = $2 and kind = $3 and cleared_at is null
"""


async def alerts_of(ctx: Ctx, *, device_id: UUID) -> list[DeviceAlert]:
    """A device's last alerts, for a caller that has seen to the permission."""
    return await ctx.db.rows(DeviceAlert, OF_DEVICE, ctx.tenant_id, device_id)


async def raise_log_alert(ctx: Ctx, *, speaker: Speaker, kind: LogAlert, detail: str) -> None:
    """Tell of a device's log, once until somebody has looked."""
    if await ctx.db.execute(RAISE, ctx.tenant_id, speaker.id, speaker.venue_id, kind, detail):
        tell_alert(ctx, change="raised", device_id=speaker.id, venue_id=speaker.venue_id, kind=kind)


async def clear_log_alert(ctx: Ctx, *, speaker: Speaker, kind: LogAlert) -> None:
    """What was missing has come."""
    if await ctx.db.execute(CLEAR, ctx.tenant_id, speaker.id, kind):
        tell_alert(ctx, change="cleared", device_id=speaker.id, venue_id=speaker.venue_id, kind=kind)


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
    tell_alert(ctx, change="acknowledged", device_id=alert.device_id, venue_id=alert.venue_id, kind=alert.kind)
    return await ctx.db.one(DeviceAlert, ONE, ctx.tenant_id, alert_id)


def tell_alert(
    ctx: Ctx, *, change: Literal["raised", "cleared", "acknowledged"], device_id: UUID, venue_id: UUID, kind: str
) -> None:
    """Tell what became of an alert, for a caller that has written it down."""
    ctx.emit(
        TELLING[change](device_id=device_id, venue_id=venue_id, kind=kind),
        entity=("device", device_id),
        venue_id=venue_id,
        after={"alert": kind, "state": change},
    )
