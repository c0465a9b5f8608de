"""What the screens of time and shifts read: one's own day, and who is on now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.staff.clock import myself
from lastlight.domains.staff.model import Shift
from lastlight.domains.staff.permissions import SHIFTS_READ, TIME_APPROVE, TIME_READ
from lastlight.domains.staff.settings import LATE_MINUTES
from lastlight.kernel.ids import UserId, VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

AHEAD = timedelta(hours=3)
"""How far ahead those who are expected stand on the screen of who is on."""
# A clocked day is the business day on its venue's clock.
HOURS = """
with mine as (
    select coalesce(e.worked_seconds, greatest(0, extract(epoch from now() - e.started_at)::integer - (
               select coalesce(sum(extract(epoch from coalesce(b.ended_at, now()) - b.started_at)), 0)::integer from time_breaks b
               where b.tenant_id = $1 and b.entry_id = e.id))) as worked,
           ((now() at time zone w.time_zone) - make_interval(hours => w.business_day_hour))::date - e.business_day as ago
    from time_entries e
    join venues w on w.tenant_id = $1 and w.id = e.venue_id
    where e.tenant_id = $1 and e.user_id = $2 and e.status <> 'voided' and e.started_at > now() - interval '9 days'
)
select coalesce(sum(worked) filter (where ago <= 0), 0)::integer as today, coalesce(sum(worked) filter (where ago < 7), 0)::integer as week
from mine
"""
ON_NOW = """
select e.id, e.user_id, u.name as person, e.venue_id, w.name as venue, e.started_at, e.forgotten_at is not null as forgotten,
       (select b.started_at from time_breaks b where b.tenant_id = $1 and b.entry_id = e.id and b.ended_at is null) as break_since,
       s.ends_at as shift_ends_at, coalesce(s.duty, '') as duty
from time_entries e
join venues w on w.tenant_id = $1 and w.id = e.venue_id
join users u on u.id = e.user_id
left join shifts s on s.tenant_id = $1 and s.id = e.shift_id
where e.tenant_id = $1 and e.status = 'open' and ($2::uuid[] is null or e.venue_id = any($2))
order by w.name, u.name, e.id
limit 500
"""
# One who is clocked in at the shift's venue has come, for that shift or not.
EXPECTED = """
select s.id, s.user_id, u.name as person, s.venue_id, w.name as venue, s.duty, s.starts_at, s.ends_at,
       s.starts_at + make_interval(mins => $4) < now() as late
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
join users u on u.id = s.user_id
where s.tenant_id = $1 and s.status = 'published' and s.ends_at > now() and s.starts_at < $3
  and ($2::uuid[] is null or s.venue_id = any($2))
  and not exists (select from time_entries e where e.tenant_id = $1 and e.user_id = s.user_id and e.status <> 'voided'
                  and (e.shift_id = s.id or (e.venue_id = s.venue_id and e.started_at < s.ends_at
                                             and coalesce(e.ended_at, 'infinity') > s.starts_at)))
order by s.starts_at, u.name, s.id
limit 500
"""
WAITING = """
select (select count(*) from time_corrections where tenant_id = $1 and status = 'asked' and ($2::uuid[] is null or venue_id = any($2)))
"""
OPEN_SHIFTS = """
select s.id, s.venue_id, w.name as venue, s.user_id, '' as person, s.duty, s.note, s.starts_at, s.ends_at, s.status, s.published_at,
       s.version
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
where s.tenant_id = $1 and s.user_id is null and s.status = 'published' and s.starts_at > now()
  and ($2::uuid[] is null or s.venue_id = any($2))
order by s.starts_at, s.id
limit 50
"""
TEAM_SHIFTS = """
select s.id, s.venue_id, w.name as venue, s.user_id, u.name as person, s.duty, s.note, s.starts_at, s.ends_at, s.status, s.published_at,
       s.version
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
join users u on u.id = s.user_id
where s.tenant_id = $1 and s.user_id <> $3 and s.status = 'published' and s.starts_at > now()
  and ($2::uuid[] is null or s.venue_id = any($2))
order by u.name, s.starts_at
limit 200
"""
OWN_SWAPS = """
select x.id, x.shift_id, s.venue_id, w.name as venue, s.duty, s.starts_at, s.ends_at, x.from_user_id, coalesce(f.name, '') as from_person,
       x.to_user_id, o.name as to_person, x.status, x.reason, t.starts_at as for_starts_at, t.ends_at as for_ends_at
from shift_swaps x
join shifts s on s.tenant_id = $1 and s.id = x.shift_id
join venues w on w.tenant_id = $1 and w.id = s.venue_id
left join users f on f.id = x.from_user_id
join users o on o.id = x.to_user_id
left join shifts t on t.tenant_id = $1 and t.id = x.for_shift_id
where x.tenant_id = $1 and x.status in ('asked', 'accepted') and s.starts_at > now() and (x.from_user_id = $2 or x.to_user_id = $2)
order by s.starts_at, x.id
limit 50
"""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """How long somebody has worked, in seconds, up to now: on this business day, and over the last seven."""

    today: int
    week: int


class OnNow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is clocked in."""

    id: UUID
    user_id: UserId
    person: str
    venue_id: VenueId
    venue: str
    started_at: datetime
    forgotten: bool
    break_since: datetime | None
    shift_ends_at: datetime | None
    duty: str


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose shift runs or is about to begin, and who has not clocked in."""

    id: UUID
    user_id: UserId
    person: str
    venue_id: VenueId
    venue: str
    duty: str
    starts_at: datetime
    ends_at: datetime
    late: bool


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on, and who is expected."""

    on: list[OnNow]
    expected: list[Expected]

    @property
    def resting(self) -> int:
        """How many are on a break."""
        return sum(one.break_since is not None for one in self.on)

    @property
    def late(self) -> int:
        """How many should be here and are not."""
        return sum(one.late for one in self.expected)


class OwnSwap(msgspec.Struct, frozen=True, kw_only=True):
    """A swap that waits, and that somebody takes part in."""

    id: UUID
    shift_id: UUID
    venue_id: VenueId
    venue: str
    duty: str
    starts_at: datetime
    ends_at: datetime
    from_user_id: UserId | None
    from_person: str
    to_user_id: UserId
    to_person: str
    status: str
    reason: str
    for_starts_at: datetime | None
    for_ends_at: datetime | None


async def own_hours(ctx: Ctx) -> Hours:
    """How long the actor has worked today and this week, the time that runs included."""
    return await ctx.db.one(Hours, HOURS, ctx.tenant_id, myself(ctx))


async def read_duty(ctx: Ctx, *, venue_ids: Sequence[UUID] | None = None) -> Duty:
    """Who is on at the venues whose time the actor sees, or at some of them, and who is expected there."""
    seen = seen_venues(ctx, permission=TIME_READ, venue_ids=venue_ids)
    late = await setting(ctx, LATE_MINUTES)
    return Duty(
        on=await ctx.db.rows(OnNow, ON_NOW, ctx.tenant_id, seen),
        expected=await ctx.db.rows(Expected, EXPECTED, ctx.tenant_id, seen, ctx.now + AHEAD, late),
    )


async def count_corrections(ctx: Ctx, *, venue_ids: Sequence[UUID] | None = None) -> int:
    """How many corrections wait for a decision."""
    return await ctx.db.fetchval(WAITING, ctx.tenant_id, seen_venues(ctx, permission=TIME_APPROVE, venue_ids=venue_ids))


async def open_shifts(ctx: Ctx) -> list[Shift]:
    """The published shifts that are nobody's, at the venues whose schedule the actor sees."""
    return await ctx.db.rows(Shift, OPEN_SHIFTS, ctx.tenant_id, ctx.venues(SHIFTS_READ))


async def team_shifts(ctx: Ctx) -> list[Shift]:
    """The coming published shifts of the actor's colleagues: what they may offer in exchange."""
    return await ctx.db.rows(Shift, TEAM_SHIFTS, ctx.tenant_id, ctx.venues(SHIFTS_READ), myself(ctx))


async def own_swaps(ctx: Ctx) -> list[OwnSwap]:
    """The swaps that wait and that the actor takes part in."""
    return await ctx.db.rows(OwnSwap, OWN_SWAPS, ctx.tenant_id, myself(ctx))


def seen_venues(ctx: Ctx, *, permission: Permission, venue_ids: Sequence[UUID] | None) -> list[VenueId] | None:
    """The venues that a query may read: those of the permission, or those of them that are asked for; None for all."""
    seen = ctx.venues(permission)
    if venue_ids is None:
        return seen
    return [VenueId(venue) for venue in venue_ids if seen is None or venue in seen]
