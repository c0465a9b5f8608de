"""Heartbeats, and the alerts that follow when they stop or tell of a battery that runs low."""

from typing import Any

from lastlight.domains.devices.alerts import tell_alert
from lastlight.domains.devices.events import DeviceAnswered, DeviceUpdated
from lastlight.domains.devices.model import Heard, HeartbeatIn
from lastlight.domains.devices.settings import BATTERY_LOW, HEARTBEAT_SECONDS, OFFLINE_AFTER
from lastlight.domains.devices.signing import Speaker
from lastlight.runtime.context import Ctx

BEAT = """
update device_states
set heartbeat_sequence = $3, last_seen_at = now(), claimed_at = $4, battery = $5, charging = $6, firmware = $7, last_scan = $8,
    queued = $9, answered_at = case when pinged_at is not null and answered_at is null then now() else answered_at end
where tenant_id = $1 and device_id = $2 and heartbeat_sequence < $3
returning pinged_at, answered_at
"""
# One in five minutes is worth keeping, and each that tells something new: a charge that moved by five points is.
REMEMBER = """
insert into device_heartbeats (tenant_id, device_id, battery, charging, firmware, last_scan, queued)
select $1, $2, $3, $4, $5, $6, $7
where not exists (
    select from (select * from device_heartbeats where tenant_id = $1 and device_id = $2 order by heard_at desc limit 1) h
    where h.heard_at > now() - interval '5 minutes' and h.charging = $4 and h.firmware = $5 and (h.queued = 0) = ($7 = 0)
      and coalesce(abs(h.battery - $3) < 5, h.battery is not distinct from $3))
"""
OVER = """
update devices set maintenance = false, maintenance_reason = '', maintenance_until = null
where tenant_id = $1 and maintenance_until <= now()
returning id, venue_id, version
"""
# What is due, one row for each alert to raise or to clear. Locked in one order, so that two runs cannot wait for each other.
RULES = """
select coalesce((select (value #>> '{}')::integer from tenant_settings where tenant_id = $1 and key = $2), $3) as offline_after,
       coalesce((select (value #>> '{}')::integer from tenant_settings where tenant_id = $1 and key = $4), $5) as battery_low
"""
RAISE = """
insert into device_alerts (tenant_id, device_id, venue_id, kind, detail)
select d.tenant_id, d.id, d.venue_id, k.kind, k.detail
from devices d
join device_states s on s.tenant_id = $1 and s.device_id = d.id
cross join lateral (values
    ('offline', 'silent since ' || to_char(s.last_seen_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
     s.last_seen_at < now() - make_interval(secs => $2)),
    ('battery_low', s.battery || ' %', s.battery <= $3 and not s.charging)) as k (kind, detail, due)
where d.tenant_id = $1 and d.status = 'active' and not d.maintenance and k.due
order by d.id, k.kind
on conflict (tenant_id, device_id, kind) where cleared_at is null do nothing
returning device_id, venue_id, kind
"""
CLEAR = """
update device_alerts a
set cleared_at = now()
from device_states s
where a.tenant_id = $1 and a.cleared_at is null and s.tenant_id = $1 and s.device_id = a.device_id
  and case a.kind when 'offline' then s.last_seen_at >= now() - make_interval(secs => $2)
                  when 'battery_low' then s.charging or s.battery >= $3 + 5 else false end
returning a.device_id, a.venue_id, a.kind
"""


async def hear(ctx: Ctx, *, speaker: Speaker, data: HeartbeatIn) -> Heard:
    """Keep what a device says of itself; a heartbeat that was overtaken or sent again changes nothing."""
    row = await ctx.db.fetchrow(
        BEAT,
        ctx.tenant_id,
        speaker.id,
        data.sequence,
        data.sent_at,
        data.battery,
        data.charging,
        data.firmware,
        data.last_scan_id,
        data.queued,
    )
    if row is not None:
        told = (data.battery, data.charging, data.firmware, data.last_scan_id, data.queued)
        await ctx.db.execute(REMEMBER, ctx.tenant_id, speaker.id, *told)
    pinged = row is not None and row["pinged_at"] is not None and row["answered_at"] == ctx.now
    if row is not None and pinged:
        ctx.emit(
            DeviceAnswered(
                device_id=speaker.id,
                venue_id=speaker.venue_id,
                seconds=round((ctx.now - row["pinged_at"]).total_seconds(), 1),
            ),
            entity=("device", speaker.id),
            venue_id=speaker.venue_id,
        )
    return Heard(
        now=ctx.now,
        venue_id=speaker.venue_id,
        maintenance=speaker.maintenance,
        pinged=pinged,
        heartbeat_seconds=HEARTBEAT_SECONDS,
    )


async def watch_fleet(ctx: Ctx) -> int:
    """Raise the alerts that are due in a tenant, clear those that are over, end maintenance; how many changed."""
    ended = await _end_maintenance(ctx)
    rules = await ctx.db.fetchrow(
        RULES, ctx.tenant_id, OFFLINE_AFTER.key, OFFLINE_AFTER.default, BATTERY_LOW.key, BATTERY_LOW.default
    )
    assert rules is not None
    limits = (rules["offline_after"], rules["battery_low"])
    cleared = await ctx.db.fetch(CLEAR, ctx.tenant_id, *limits)
    raised = await ctx.db.fetch(RAISE, ctx.tenant_id, *limits)
    for row in cleared:
        tell_alert(ctx, change="cleared", **row)
    for row in raised:
        tell_alert(ctx, change="raised", **row)
    return len(ended) + len(cleared) + len(raised)


async def _end_maintenance(ctx: Ctx) -> list[Any]:
    rows = await ctx.db.fetch(OVER, ctx.tenant_id)
    for row in rows:
        ctx.emit(
            DeviceUpdated(device_id=row["id"], venue_id=row["venue_id"], maintenance=False, version=row["version"]),
            entity=("device", row["id"]),
            venue_id=row["venue_id"],
            before={"maintenance": True},
            after={"maintenance": False},
            reason="its time was over",
        )
    return rows
