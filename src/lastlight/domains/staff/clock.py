"""Clocking in and out, and breaks: one's own time, by the database's clock."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.staff.errors import AlreadyClockedIn, NotClockedIn, NotOnBreak, OnBreak
from lastlight.domains.staff.events import BreakEnded, BreakStarted, ClockedIn, ClockedOut
from lastlight.domains.staff.model import ClockPosition, Shift, TimeEntry, check_clock
from lastlight.domains.staff.permissions import TIME_CLOCK, TIME_READ
from lastlight.domains.staff.schemas import ClockOut
from lastlight.domains.staff.settings import CLOCK_GEOFENCE, EARLY_MINUTES
from lastlight.domains.tasks import settle_task
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import UserId, VenueId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

FORGOTTEN_SOURCE = "time"
"""What the tasks about forgotten clock-outs say that they are from."""
ENTRY = """
select e.id, e.venue_id, w.name as venue, e.user_id, u.name as person, e.shift_id, e.status, e.started_at, e.ended_at, e.break_seconds,
       e.worked_seconds, e.business_day, e.corrected_at, e.forgotten_at, e.version,
       case when e.in_position is null then 'not_given' when e.in_position->>'outside_m' is null then 'unchecked'
            else 'at_venue' end as in_place,
       case when e.ended_at is null then null when e.out_position is null then 'not_given'
            when e.out_position->>'outside_m' is null then 'unchecked' else 'at_venue' end as out_place,
       (select b.started_at from time_breaks b where b.tenant_id = $1 and b.entry_id = e.id and b.ended_at is null) as break_since
from time_entries e
join venues w on w.tenant_id = $1 and w.id = e.venue_id
join users u on u.id = e.user_id
where e.tenant_id = $1 and e.id = $2
"""
LOCK_OPEN = "select id from time_entries where tenant_id = $1 and user_id = $2 and status = 'open' for update"
OPEN = "select id from time_entries where tenant_id = $1 and user_id = $2 and status = 'open'"
CLOCKED_IN_AT = "select venue_id from time_entries where tenant_id = $1 and user_id = $2 and status = 'open'"
INSERT = """
insert into time_entries (tenant_id, id, venue_id, user_id, shift_id, started_at, business_day, in_position)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
CLOSE = """
update time_entries
set status = 'closed', ended_at = $3, out_position = $4, break_seconds = least(
        (select coalesce(sum(floor(extract(epoch from b.ended_at - b.started_at))), 0) from time_breaks b
         where b.tenant_id = $1 and b.entry_id = $2)::integer,
        floor(extract(epoch from $3 - started_at))::integer)
where tenant_id = $1 and id = $2
"""
START_BREAK = "insert into time_breaks (tenant_id, entry_id, started_at) values ($1, $2, $3)"
END_BREAK = "update time_breaks set ended_at = $3 where tenant_id = $1 and entry_id = $2 and ended_at is null"
TOUCH = "update time_entries set updated_at = now() where tenant_id = $1 and id = $2"
COMING = """
select s.id, s.venue_id, w.name as venue, s.user_id, '' as person, s.duty, s.note, s.starts_at, s.ends_at, s.status, s.published_at,
       s.version
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
where s.tenant_id = $1 and s.user_id = $2 and s.status = 'published' and s.ends_at > $3
order by s.starts_at
limit 20
"""


async def clock_in(ctx: Ctx, *, venue_id: VenueId, position: ClockPosition | None) -> TimeEntry:
    """Begin to work at a venue, now; the time counts for one's shift there, if one is about to begin or runs."""
    mine = myself(ctx)
    venue = await find_venue(ctx, venue_id=venue_id, permission=TIME_CLOCK)
    if venue.status == "archived":
        raise Invalid(fields={"venue_id": "This venue is archived; choose another."})
    if await ctx.db.fetchval(OPEN, ctx.tenant_id, mine):
        raise AlreadyClockedIn
    checked = check_clock(position, fence=venue.geofence, rule=await setting(ctx, CLOCK_GEOFENCE))
    shift_id = await _shift_to_count_for(ctx, mine, venue_id)
    entry_id = uuid7()
    day = venue.business_day(ctx.now)
    await ctx.db.execute(INSERT, ctx.tenant_id, entry_id, venue_id, mine, shift_id, ctx.now, day, checked)
    entry = await read_entry(ctx, entry_id=entry_id)
    said = ClockedIn(**_said(entry), shift_id=shift_id, started_at=entry.started_at)
    ctx.emit(said, entity=("time_entry", entry_id), venue_id=venue_id, after=entry_facts(entry))
    return entry


async def clock_out(ctx: Ctx, *, position: ClockPosition | None) -> TimeEntry:
    """End one's work, now, and the break that one is on."""
    before = await _own_open(ctx)
    venue = await find_venue(ctx, venue_id=before.venue_id, permission=TIME_CLOCK)
    checked = check_clock(position, fence=venue.geofence, rule=await setting(ctx, CLOCK_GEOFENCE))
    ended_at = max(ctx.now, before.started_at)
    await ctx.db.execute(END_BREAK, ctx.tenant_id, before.id, max(ended_at, before.break_since or ended_at))
    await ctx.db.execute(CLOSE, ctx.tenant_id, before.id, ended_at, checked)
    await settle_forgotten(ctx, entry_id=before.id)
    after = await read_entry(ctx, entry_id=before.id)
    said = ClockedOut(**_said(after), ended_at=ended_at, worked_seconds=after.worked_seconds or 0)
    ctx.emit(
        said,
        entity=("time_entry", after.id),
        venue_id=after.venue_id,
        before=entry_facts(before),
        after=entry_facts(after),
    )
    return after


async def settle_forgotten(ctx: Ctx, *, entry_id: UUID) -> None:
    """End the task that a forgotten clock-out made, now that the time is closed."""
    await settle_task(ctx, source=FORGOTTEN_SOURCE, source_id=entry_id, reason="The time is closed now.")


async def start_break(ctx: Ctx) -> TimeEntry:
    """Take a break, from now on."""
    entry = await _own_open(ctx)
    if entry.break_since is not None:
        raise OnBreak
    await ctx.db.execute(START_BREAK, ctx.tenant_id, entry.id, max(ctx.now, entry.started_at))
    return await _break_changed(ctx, entry)


async def end_break(ctx: Ctx) -> TimeEntry:
    """Be back, now."""
    entry = await _own_open(ctx)
    if entry.break_since is None:
        raise NotOnBreak
    await ctx.db.execute(END_BREAK, ctx.tenant_id, entry.id, max(ctx.now, entry.break_since))
    return await _break_changed(ctx, entry)


async def where_i_stand(ctx: Ctx) -> ClockOut:
    """One's open time, and one's shifts that run or come."""
    mine = myself(ctx)
    entry_id = await ctx.db.fetchval(OPEN, ctx.tenant_id, mine)
    entry = None if entry_id is None else await read_entry(ctx, entry_id=entry_id)
    return ClockOut(now=ctx.now, entry=entry, shifts=await coming_shifts(ctx, user_id=mine, since=ctx.now))


async def where_clocked_in(ctx: Ctx) -> VenueId | None:
    """The venue at which the actor is clocked in now; None while they are not."""
    return await ctx.db.fetchval(CLOCKED_IN_AT, ctx.tenant_id, ctx.actor.user_id)


async def coming_shifts(ctx: Ctx, *, user_id: UserId, since: datetime) -> list[Shift]:
    """Somebody's published shifts that end after a moment."""
    return await ctx.db.rows(Shift, COMING, ctx.tenant_id, user_id, since)


async def find_entry(ctx: Ctx, *, entry_id: UUID) -> TimeEntry:
    """Clocked time: one's own, or at a venue whose time sheets one may see."""
    entry = await read_entry(ctx, entry_id=entry_id)
    if entry.user_id != ctx.actor.user_id and not ctx.allows(TIME_READ, entry.venue_id):
        raise NotFound
    return entry


async def read_entry(ctx: Ctx, *, entry_id: UUID) -> TimeEntry:
    """Clocked time of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(TimeEntry, ENTRY, ctx.tenant_id, entry_id)


def entry_facts(entry: TimeEntry) -> dict[str, Any]:
    """What the audit log keeps of clocked time."""
    names = ("status", "started_at", "ended_at", "break_seconds", "shift_id")
    return {name: msgspec.to_builtins(getattr(entry, name)) for name in names}


def myself(ctx: Ctx) -> UserId:
    """Who asks, as somebody whose own time it is; NotPermitted for the system."""
    if ctx.actor.user_id is None:
        raise NotPermitted
    return ctx.actor.user_id


async def _own_open(ctx: Ctx) -> TimeEntry:
    entry_id = await ctx.db.fetchval(LOCK_OPEN, ctx.tenant_id, myself(ctx))
    if entry_id is None:
        raise NotClockedIn
    return await read_entry(ctx, entry_id=entry_id)


async def _shift_to_count_for(ctx: Ctx, mine: UserId, venue_id: VenueId) -> UUID | None:
    early = timedelta(minutes=await setting(ctx, EARLY_MINUTES))
    shifts = await coming_shifts(ctx, user_id=mine, since=ctx.now)
    return next((s.id for s in shifts if s.venue_id == venue_id and s.starts_at - early <= ctx.now), None)


async def _break_changed(ctx: Ctx, before: TimeEntry) -> TimeEntry:
    await ctx.db.execute(TOUCH, ctx.tenant_id, before.id)
    after = await read_entry(ctx, entry_id=before.id)
    kind = BreakEnded if after.break_since is None else BreakStarted
    ctx.emit(
        kind(**_said(after)),
        entity=("time_entry", after.id),
        venue_id=after.venue_id,
        before={"break_since": msgspec.to_builtins(before.break_since)},
        after={"break_since": msgspec.to_builtins(after.break_since)},
    )
    return after


def _said(entry: TimeEntry) -> dict[str, Any]:
    return {"entry_id": entry.id, "venue_id": entry.venue_id, "user_id": entry.user_id, "version": entry.version}
