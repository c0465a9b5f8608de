"""What looks like fraud at the door: raised by the machine, judged by people."""

from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any, Literal
from uuid import UUID

from lastlight.domains.checkins.errors import FlagResolved
from lastlight.domains.checkins.events import CheckinFlagged, CheckinFlagResolved
from lastlight.domains.checkins.permissions import FLAGS_RESOLVE
from lastlight.domains.checkins.scan_schemas import Flag, ResolutionIn
from lastlight.domains.checkins.settings import TRAVEL_KMH
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM, PatronId, VenueId, uuid7
from lastlight.runtime.context import Ctx

FlagKind = Literal["duplicate", "impossible_travel", "cloned_code", "barred", "override"]
SHORTEST_KM = 5.0
"""Nearer venues are not judged: a few minutes and a vague position explain them."""
RAISE = """
insert into checkin_flags (tenant_id, id, venue_id, patron_id, kind, detail, checkin_id, scan_id, happened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing
returning id
"""
LOCK = "select venue_id, status from checkin_flags where tenant_id = $1 and id = $2 for update"
RESOLVE = """
update checkin_flags set status = $3, resolution = $4, resolved_by = $5, resolved_at = now() where tenant_id = $1 and id = $2
"""
FLAG = """
select id, venue_id, patron_id, kind, detail, checkin_id, scan_id, happened_at, status, resolution, version
from checkin_flags where tenant_id = $1 and id = $2
"""
# The check-ins of the guest just before and just after: a late sync puts one between two that were judged before.
NEIGHBOURS = """
select c.id, c.venue_id, c.patron_id, c.arrived_at, w.name as venue, w.latitude, w.longitude, n.venue as other,
       n.arrived_at as other_at, n.latitude as other_latitude, n.longitude as other_longitude,
       (select value from tenant_settings s where s.tenant_id = $1 and s.key = $3) as fastest
from checkins c
join venues w on w.tenant_id = $1 and w.id = c.venue_id
cross join lateral (
    (select o.venue_id, o.arrived_at from checkins o
     where o.tenant_id = $1 and o.patron_id = c.patron_id and o.arrived_at <= c.arrived_at and o.id <> c.id
     order by o.arrived_at desc, o.id desc limit 1)
    union all
    (select o.venue_id, o.arrived_at from checkins o
     where o.tenant_id = $1 and o.patron_id = c.patron_id and o.arrived_at > c.arrived_at
     order by o.arrived_at, o.id limit 1)) as near
join lateral (select v.name as venue, v.latitude, v.longitude, near.arrived_at from venues v
              where v.tenant_id = $1 and v.id = near.venue_id) as n on true
where c.tenant_id = $1 and c.id = $2
"""


async def raise_flag(
    ctx: Ctx,
    *,
    kind: FlagKind,
    venue_id: VenueId,
    patron_id: PatronId,
    happened_at: datetime,
    detail: str,
    checkin_id: UUID | None = None,
    scan_id: UUID | None = None,
) -> None:
    """Flag a check-in or a scan; the same finding twice is one flag."""
    flag_id = await ctx.db.fetchval(
        RAISE, ctx.tenant_id, uuid7(), venue_id, patron_id, kind, detail, checkin_id, scan_id, happened_at
    )
    if flag_id is None:
        return
    ctx.emit(
        CheckinFlagged(flag_id=flag_id, venue_id=venue_id, patron_id=patron_id, kind=kind),
        entity=("checkin_flag", flag_id),
        venue_id=venue_id,
        after={"kind": kind, "detail": detail},
    )


async def judge_travel(ctx: Ctx, *, checkin_id: UUID) -> int:
    """Flag a check-in that nobody could have reached in time from the guest's one before, or left for the one after."""
    found = 0
    for row in await ctx.db.fetch(NEIGHBOURS, ctx.tenant_id, checkin_id, TRAVEL_KMH.key):
        far = _kilometres(row)
        hours = abs((row["arrived_at"] - row["other_at"]).total_seconds()) / 3600
        if far is None or far < SHORTEST_KM or far <= TRAVEL_KMH.read(row["fastest"]) * hours:
            continue
        found += 1
        await raise_flag(
            ctx,
            kind="impossible_travel",
            venue_id=row["venue_id"],
            patron_id=row["patron_id"],
            happened_at=row["arrived_at"],
            detail=f"{far:.0f} km between {row['venue']} and {row['other']} within {hours * 60:.0f} minutes",
            checkin_id=checkin_id,
        )
    return found


async def resolve_flag(ctx: Ctx, *, flag_id: UUID, data: ResolutionIn) -> Flag:
    """Confirm or dismiss a flag, with a reason."""
    ctx.require(FLAGS_RESOLVE)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, flag_id)
    if row is None:
        raise NotFound
    ctx.require(FLAGS_RESOLVE, row["venue_id"])
    if row["status"] != "open":
        raise FlagResolved
    await ctx.db.execute(RESOLVE, ctx.tenant_id, flag_id, data.status, data.reason.strip(), ctx.actor.user_id)
    ctx.emit(
        CheckinFlagResolved(flag_id=flag_id, venue_id=row["venue_id"], status=data.status),
        entity=("checkin_flag", flag_id),
        venue_id=row["venue_id"],
        before={"status": "open"},
        after={"status": data.status},
        reason=data.reason.strip(),
    )
    return await ctx.db.one(Flag, FLAG, ctx.tenant_id, flag_id)


def _kilometres(row: Any) -> float | None:
    """The great circle between two venues (haversine); None when one has no position."""
    names = ("latitude", "longitude", "other_latitude", "other_longitude")
    if any(row[name] is None for name in names):
        return None
    lat, lon, other_lat, other_lon = (radians(row[name]) for name in names)
    half = sin((other_lat - lat) / 2) ** 2 + cos(lat) * cos(other_lat) * sin((other_lon - lon) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(half))
