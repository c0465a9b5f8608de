"""Finding what looks like fraud: travel that nobody makes, and one pass at two doors. The rules are the business's settings."""

from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.checkins.flags import Apart, raise_flag
from lastlight.domains.checkins.settings import CLONE_WINDOW, TRAVEL_KMH, TRAVEL_LEAST_KM
from lastlight.domains.venues import Point
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.context import Ctx

EARTH_KM = 6371.0
# The check-ins of the guest just before and just after: a late sync puts one between two that were judged before. One that was
# taken back, or was called a mistake, says nothing about where the guest was.
NEIGHBOURS = """
select c.id, c.patron_id, c.arrived_at, c.venue_id, w.name as venue, w.latitude, w.longitude,
       n.id as other_id, n.arrived_at as other_at, n.venue_id as other_venue_id, v.name as other_venue,
       v.latitude as other_latitude, v.longitude as other_longitude
from checkins c
join venues w on w.tenant_id = $1 and w.id = c.venue_id
cross join lateral (
    (select o.id, o.venue_id, o.arrived_at from checkins o
     where o.tenant_id = $1 and o.patron_id = c.patron_id and (o.arrived_at, o.id) < (c.arrived_at, c.id)
       and not exists (select from checkin_revocations r where r.tenant_id = $1 and r.checkin_id = o.id)
     order by o.arrived_at desc, o.id desc limit 1)
    union all
    (select o.id, o.venue_id, o.arrived_at from checkins o
     where o.tenant_id = $1 and o.patron_id = c.patron_id and (o.arrived_at, o.id) > (c.arrived_at, c.id)
       and not exists (select from checkin_revocations r where r.tenant_id = $1 and r.checkin_id = o.id)
     order by o.arrived_at, o.id limit 1)) as n
join venues v on v.tenant_id = $1 and v.id = n.venue_id
where c.tenant_id = $1 and c.id = $2
  and not exists (select from checkin_revocations r where r.tenant_id = $1 and r.checkin_id = c.id)
"""
# Scans of one guest by two devices: the earlier let the guest in, and nobody let them out between the two.
TWO_DOORS = """
select e.id as earlier_id, e.claimed_at as earlier_at, d.name as earlier_device, l.id, l.claimed_at, l.venue_id, l.patron_id
from door_scans s
join door_scans e on e.tenant_id = $1 and e.patron_id = s.patron_id and e.direction = 'in' and e.result in ('admitted', 'double')
join door_scans l on l.tenant_id = $1 and l.patron_id = s.patron_id and l.direction = 'in' and l.device_id <> e.device_id
 and (l.claimed_at, l.id) > (e.claimed_at, e.id) and l.claimed_at <= e.claimed_at + make_interval(secs => $3)
join devices d on d.tenant_id = $1 and d.id = e.device_id
where s.tenant_id = $1 and s.id = $2 and (e.id = s.id or l.id = s.id)
  and e.claimed_at between s.claimed_at - make_interval(secs => $3) and s.claimed_at
  and not exists (select from door_scans o where o.tenant_id = $1 and o.patron_id = s.patron_id and o.result = 'left'
                  and o.claimed_at between e.claimed_at and l.claimed_at)
order by l.claimed_at, l.id, e.claimed_at desc
"""
RULES = """
select (select value from tenant_settings where tenant_id = $1 and key = $2) as fastest,
       (select value from tenant_settings where tenant_id = $1 and key = $3) as nearest,
       (select value from tenant_settings where tenant_id = $1 and key = $4) as clone_window
"""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """From when on something looks like fraud."""

    fastest_kmh: int
    nearest_km: int
    clone_seconds: int


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in as travel is judged: where, and when."""

    checkin_id: UUID
    venue_id: VenueId
    venue: str
    at: datetime
    place: Point | None


async def read_rules(ctx: Ctx) -> Rules:
    """The business's own limits."""
    row = await ctx.db.fetchrow(RULES, ctx.tenant_id, TRAVEL_KMH.key, TRAVEL_LEAST_KM.key, CLONE_WINDOW.key)
    assert row is not None
    return Rules(
        fastest_kmh=TRAVEL_KMH.read(row["fastest"]),
        nearest_km=TRAVEL_LEAST_KM.read(row["nearest"]),
        clone_seconds=CLONE_WINDOW.read(row["clone_window"]),
    )


async def judge_travel(ctx: Ctx, *, checkin_id: UUID) -> int:
    """Flag a check-in that nobody could have reached in time from the guest's one before, or left for the one after."""
    found, rules = 0, await read_rules(ctx)
    for row in await ctx.db.fetch(NEIGHBOURS, ctx.tenant_id, checkin_id):
        earlier, later = _in_order(row)
        kilometres = distance_km(earlier.place, later.place)
        if kilometres is None or not is_impossible(kilometres, (later.at - earlier.at).total_seconds(), rules):
            continue
        found += 1
        seconds = round((later.at - earlier.at).total_seconds())
        await raise_flag(
            ctx,
            kind="impossible_travel",
            venue_id=later.venue_id,
            patron_id=row["patron_id"],
            happened_at=later.at,
            detail=f"{kilometres:.0f} km between {earlier.venue} and {later.venue} within {_minutes(seconds)}",
            checkin_id=later.checkin_id,
            other=Apart(checkin_id=earlier.checkin_id, kilometres=round(kilometres, 3), seconds=seconds),
        )
    return found


async def judge_doors(ctx: Ctx, *, scan_id: UUID) -> int:
    """Flag a pass that another scanner saw so soon after one let its guest in that it must be a copy."""
    rules = await read_rules(ctx)
    if not rules.clone_seconds:
        return 0
    rows = await ctx.db.fetch(TWO_DOORS, ctx.tenant_id, scan_id, float(rules.clone_seconds))
    for row in rows:
        seconds = round((row["claimed_at"] - row["earlier_at"]).total_seconds())
        await raise_flag(
            ctx,
            kind="cloned_code",
            venue_id=row["venue_id"],
            patron_id=PatronId(row["patron_id"]),
            happened_at=row["claimed_at"],
            detail=f"shown {seconds} s after {row['earlier_device']} let its guest in",
            scan_id=row["id"],
            other=Apart(scan_id=row["earlier_id"], seconds=seconds),
        )
    return len(rows)


def is_impossible(kilometres: float, seconds: float, rules: Rules) -> bool:
    """Whether nobody travels so far in the time; a distance under the least, and one just at the limit, is possible."""
    return kilometres >= rules.nearest_km and kilometres > rules.fastest_kmh * abs(seconds) / 3600


def distance_km(one: Point | None, other: Point | None) -> float | None:
    """The great circle between two places (haversine); None where one is not known."""
    if one is None or other is None:
        return None
    lat, lon, other_lat, other_lon = (radians(degrees) for degrees in (one.lat, one.lon, other.lat, other.lon))
    half = sin((other_lat - lat) / 2) ** 2 + cos(lat) * cos(other_lat) * sin((other_lon - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))


def _in_order(row: Any) -> tuple[Sight, Sight]:
    this = Sight(
        checkin_id=row["id"],
        venue_id=row["venue_id"],
        venue=row["venue"],
        at=row["arrived_at"],
        place=_place(row["latitude"], row["longitude"]),
    )
    other = Sight(
        checkin_id=row["other_id"],
        venue_id=row["other_venue_id"],
        venue=row["other_venue"],
        at=row["other_at"],
        place=_place(row["other_latitude"], row["other_longitude"]),
    )
    return (other, this) if (other.at, other.checkin_id) < (this.at, this.checkin_id) else (this, other)


def _place(latitude: float | None, longitude: float | None) -> Point | None:
    return None if latitude is None or longitude is None else Point(lat=latitude, lon=longitude)


def _minutes(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
