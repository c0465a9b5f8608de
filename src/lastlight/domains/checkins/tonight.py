"""Tonight: how full the venues are, who comes and goes, and how it compares with the same weekday a week ago."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins.permissions import VISITS_READ
from lastlight.domains.venues import VENUES_READ, Venue, VenueStatus, business_day_span, find_venue, standing_venues
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PatronId, VenueId, VisitId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input

SLOT_MINUTES = 30
FEED_LENGTH = 30

# Each venue by itself (lateral), so that every part is a short walk along an index, however many nights lie behind.
FIGURES = """
select w.venue_id, o.inside, n.*, d.*, l.arrivals_last_week
from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[]) as w (venue_id, starts, last_starts, last_now)
cross join lateral (
    select count(*) as inside from visits v where v.tenant_id = $1 and v.venue_id = w.venue_id and v.status = 'open'
) o
cross join lateral (
    select count(*) filter (where v.opened_at > now() - interval '15 minutes') as arrivals_15,
           count(*) filter (where v.opened_at > now() - interval '30 minutes') as arrivals_30,
           count(*) filter (where v.opened_at > now() - interval '60 minutes') as arrivals_60,
           count(*) filter (where v.opened_at >= w.starts) as arrivals_tonight
    from visits v
    where v.tenant_id = $1 and v.venue_id = w.venue_id and v.status <> 'voided'
      and v.opened_at >= least(w.starts, now() - interval '60 minutes')
) n
cross join lateral (
    select count(*) filter (where v.closed_at > now() - interval '15 minutes') as departures_15,
           count(*) filter (where v.closed_at >= w.starts) as departures_tonight,
           count(*) filter (where v.closed_at >= w.starts and v.status = 'timed_out') as timed_out_tonight,
           (avg(v.duration_seconds) filter (where v.closed_at >= w.starts and v.status = 'closed'))::integer as average_stay_seconds
    from visits v
    where v.tenant_id = $1 and v.venue_id = w.venue_id and v.status <> 'voided'
      and v.closed_at is not null and v.closed_at >= least(w.starts, now() - interval '15 minutes')
) d
cross join lateral (
    select count(*) as arrivals_last_week from visits v
    where v.tenant_id = $1 and v.venue_id = w.venue_id and v.status <> 'voided'
      and v.opened_at >= w.last_starts and v.opened_at < w.last_now
) l
"""
ARRIVALS = """
select w.week, floor(extract(epoch from s.since - w.wall_start) / 1800)::integer as slot, sum(s.guests)::integer as guests
from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::timestamp[], $7::integer[])
     as w (venue_id, starts, ends, zone, wall_start, week)
cross join lateral (
    select date_bin(interval '30 minutes', v.opened_at at time zone w.zone, w.wall_start) as since, count(*) as guests
    from visits v
    where v.tenant_id = $1 and v.venue_id = w.venue_id and v.status <> 'voided'
      and v.opened_at >= w.starts and v.opened_at < w.ends
    group by 1
) s
group by 1, 2
"""
# Names are looked up for the lines that are shown only.
FEED = """
select f.kind, f.at, f.visit_id, f.patron_id, p.name as patron, f.venue_id, w.name as venue, c.method, f.duration_seconds
from (
    select line.*
    from unnest($2::uuid[]) as place (venue_id)
    cross join lateral (
        (select 'in' as kind, v.opened_at as at, v.id as visit_id, v.patron_id, v.venue_id, v.checkin_id, null::integer as duration_seconds
         from visits v
         where v.tenant_id = $1 and v.venue_id = place.venue_id and v.status <> 'voided'
         order by v.opened_at desc limit $3)
        union all
        (select case when v.status = 'timed_out' then 'timed_out' else 'out' end, v.closed_at, v.id, v.patron_id, v.venue_id, null,
                v.duration_seconds
         from visits v
         where v.tenant_id = $1 and v.venue_id = place.venue_id and v.closed_at is not null and v.status in ('closed', 'timed_out')
         order by v.closed_at desc limit $3)
    ) line
    order by line.at desc, line.visit_id
    limit $3
) f
join patrons p on p.tenant_id = $1 and p.id = f.patron_id
join venues w on w.tenant_id = $1 and w.id = f.venue_id
left join checkins c on c.tenant_id = $1 and c.id = f.checkin_id
order by f.at desc, f.visit_id
"""
OCCUPANCY = """
select count(*) filter (where status = 'open') as inside,
       count(*) filter (where opened_at > now() - interval '15 minutes') as arrivals_15,
       count(*) filter (where opened_at > now() - interval '60 minutes') as arrivals_60
from visits
where tenant_id = $1 and venue_id = $2 and status <> 'voided' and (status = 'open' or opened_at > now() - interval '60 minutes')
"""


class TonightQuery(Input, frozen=True, kw_only=True):
    """Which venues; none named: all that one may see."""

    venue_id: Annotated[list[UUID], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list[UUID])


class VenueTonight(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's night so far. Last week's arrivals count up to the same hour."""

    venue_id: VenueId
    venue: str
    status: VenueStatus
    is_open: bool
    capacity: int | None
    inside: int
    arrivals_15: int
    arrivals_30: int
    arrivals_60: int
    arrivals_tonight: int
    arrivals_last_week: int
    departures_15: int
    departures_tonight: int
    timed_out_tonight: int
    average_stay_seconds: int | None
    business_day: date
    day_starts_at: datetime
    time_zone: str


class ArrivalSlot(msgspec.Struct, frozen=True, kw_only=True):
    """Half an hour on the venues' clocks; tonight is None for what is still to come."""

    at: str
    tonight: int | None
    last_week: int


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody came or went."""

    kind: Literal["in", "out", "timed_out"]
    at: datetime
    visit_id: VisitId
    patron_id: PatronId
    patron: str
    venue_id: VenueId
    venue: str
    method: str | None
    duration_seconds: int | None


class Tonight(msgspec.Struct, frozen=True, kw_only=True):
    """The manager's first screen."""

    at: datetime
    venues: list[VenueTonight]
    arrivals: list[ArrivalSlot]
    feed: list[FeedLine]


class Occupancy(msgspec.Struct, frozen=True, kw_only=True):
    """How full a venue is; `share` of its capacity, where it has one."""

    venue_id: VenueId
    inside: int
    capacity: int | None
    share: float | None
    arrivals_15: int
    arrivals_60: int
    at: datetime


async def read_tonight(ctx: Ctx, *, venue_ids: Sequence[UUID] = (), feed_length: int = FEED_LENGTH) -> Tonight:
    """The night at the named venues, or at all that the actor may see; NotFound for one that they may not."""
    venues = await standing_venues(ctx, permission=VISITS_READ)
    if venue_ids:
        mine = {venue.id for venue in venues}
        if any(wanted not in mine for wanted in venue_ids):
            raise NotFound
        venues = [venue for venue in venues if venue.id in venue_ids]
    if not venues:
        return Tonight(at=ctx.now, venues=[], arrivals=[], feed=[])
    ids = [venue.id for venue in venues]
    return Tonight(
        at=ctx.now,
        venues=await _figures(ctx, venues),
        arrivals=await _arrivals(ctx, venues),
        feed=await ctx.db.rows(FeedLine, FEED, ctx.tenant_id, ids, feed_length),
    )


async def read_occupancy(ctx: Ctx, *, venue_id: UUID) -> Occupancy:
    """How many guests are in a venue now."""
    venue = await find_venue(ctx, venue_id=venue_id, permission=VENUES_READ)
    row = await ctx.db.fetchrow(OCCUPANCY, ctx.tenant_id, venue_id)
    assert row is not None
    return Occupancy(
        venue_id=venue.id,
        inside=row["inside"],
        capacity=venue.capacity,
        share=round(row["inside"] / venue.capacity, 4) if venue.capacity else None,
        arrivals_15=row["arrivals_15"],
        arrivals_60=row["arrivals_60"],
        at=ctx.now,
    )


async def _figures(ctx: Ctx, venues: Sequence[Venue]) -> list[VenueTonight]:
    starts = [_day(venue, ctx.now)[0] for venue in venues]
    last_starts = [_day(venue, ctx.now, weeks_ago=1)[0] for venue in venues]
    last_now = [last + (ctx.now - start) for start, last in zip(starts, last_starts, strict=True)]
    ids = [venue.id for venue in venues]
    rows = {
        row["venue_id"]: row for row in await ctx.db.fetch(FIGURES, ctx.tenant_id, ids, starts, last_starts, last_now)
    }
    return [
        _tonight_of(venue, ctx.now, start, dict(rows[venue.id])) for venue, start in zip(venues, starts, strict=True)
    ]


def _tonight_of(venue: Venue, now: datetime, starts: datetime, row: Mapping[str, Any]) -> VenueTonight:
    return VenueTonight(
        venue=venue.name,
        status=venue.status,
        is_open=venue.is_open(now),
        capacity=venue.capacity,
        business_day=venue.business_day(now),
        day_starts_at=starts,
        time_zone=venue.time_zone,
        **row,
    )


async def _arrivals(ctx: Ctx, venues: Sequence[Venue]) -> list[ArrivalSlot]:
    """By half hours of the wall clock from the earliest business day's hour, so that nights of changing clocks compare."""
    hour = min(venue.business_day_hour for venue in venues)
    spans = [(venue, week, *_day(venue, ctx.now, weeks_ago=week)) for venue in venues for week in (0, 1)]
    rows = await ctx.db.fetch(
        ARRIVALS,
        ctx.tenant_id,
        [venue.id for venue, _, _, _ in spans],
        [start for _, _, start, _ in spans],
        [end for _, _, _, end in spans],
        [venue.time_zone for venue, _, _, _ in spans],
        [_wall_start(venue, ctx.now, week, hour) for venue, week, _, _ in spans],
        [week for _, week, _, _ in spans],
    )
    counted = {(row["week"], row["slot"]): row["guests"] for row in rows}
    current = max(_slot_now(venue, ctx.now, hour) for venue in venues)
    last = max([current, *(slot for _, slot in counted), 47])
    return [
        ArrivalSlot(
            at=_clock(hour, slot),
            tonight=counted.get((0, slot), 0) if slot <= current else None,
            last_week=counted.get((1, slot), 0),
        )
        for slot in range(last + 1)
    ]


def _day(venue: Venue, now: datetime, *, weeks_ago: int = 0) -> tuple[datetime, datetime]:
    day = venue.business_day(now) - timedelta(weeks=weeks_ago)
    return business_day_span(day, venue.zone, venue.business_day_hour)


def _wall_start(venue: Venue, now: datetime, weeks_ago: int, hour: int) -> datetime:
    """The wall clock's reading from which slots count, as PostgreSQL's timestamp without time zone."""
    day = venue.business_day(now) - timedelta(weeks=weeks_ago)
    return datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - a reading of the venue's clock has no zone


def _slot_now(venue: Venue, now: datetime, hour: int) -> int:
    wall = now.astimezone(venue.zone).replace(tzinfo=UTC)
    start = _wall_start(venue, now, 0, hour).replace(tzinfo=UTC)
    return int((wall - start).total_seconds() // 60 // SLOT_MINUTES)


def _clock(hour: int, slot: int) -> str:
    minutes = (hour * 60 + slot * SLOT_MINUTES) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"
