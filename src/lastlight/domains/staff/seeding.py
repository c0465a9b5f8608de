"""The demonstration's rota: two worked weeks, the present one and a planned one, with ids that follow from a seed. Told to nobody."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from lastlight.domains import identity
from lastlight.domains.venues import Venue, read_venue
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx

WEEKS_BACK, WEEKS_AHEAD = 2, 2
PUBLISHED_AHEAD = timedelta(days=7)
DUTIES = ("Door", "Bar", "Floor", "Bar", "Arcade")
BEGINS = time(17)
LASTS = timedelta(hours=8)
NIGHTS_A_WEEK = 4
KNOWN = "select exists (select from shifts where tenant_id = $1)"
SHIFTS = """
insert into shifts (tenant_id, id, venue_id, user_id, duty, starts_at, ends_at, status, published_at, created_by)
select $1, s.id, s.venue_id, s.user_id, s.duty, s.starts_at, s.ends_at,
       case when s.starts_at < $8 then 'published' else 'planned' end, case when s.starts_at < $8 then s.starts_at - interval '7 days' end, $9
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[])
     as s (id, venue_id, user_id, duty, starts_at, ends_at)
"""
ENTRIES = """
insert into time_entries (tenant_id, id, venue_id, user_id, shift_id, status, started_at, ended_at, break_seconds, business_day)
select $1, e.id, e.venue_id, e.user_id, e.shift_id, 'closed', e.started_at, e.ended_at, e.break_seconds, e.day
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::integer[], $9::date[])
     as e (id, venue_id, user_id, shift_id, started_at, ended_at, break_seconds, day)
"""
CORRECTION = """
insert into time_corrections (tenant_id, id, venue_id, user_id, entry_id, started_at, ended_at, break_seconds, reason, asked_by)
select tenant_id, $3, venue_id, user_id, id, started_at, ended_at + interval '45 minutes', break_seconds, $4, user_id
from time_entries where tenant_id = $1 and id = $2
"""
SWAP = """
insert into shift_swaps (tenant_id, id, venue_id, shift_id, from_user_id, to_user_id, reason) values ($1, $2, $3, $4, $5, $6, $7)
"""


@dataclass(frozen=True, slots=True)
class Worked:
    """One shift of the rota; without a person it is open."""

    id: UUID
    venue: Venue
    user_id: UserId | None
    duty: str
    starts_at: datetime
    ends_at: datetime


async def seed_rota(ctx: Ctx, *, seed: str, crews: Mapping[VenueId, Sequence[UserId]], planner: UserId) -> int:
    """Shifts of each venue's people, the hours that they worked, a correction and a swap that wait; how many shifts.

    Nothing is done where the business has any shift.
    """
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    rota: list[Worked] = []
    for venue_id, users in crews.items():
        rota += _plan(await read_venue(ctx, venue_id=venue_id), seed=seed, users=users, today=ctx.now.date())
    columns = [list(column) for column in zip(*(_shift_row(one) for one in rota), strict=True)]
    await ctx.db.execute(SHIFTS, ctx.tenant_id, *columns, ctx.now + PUBLISHED_AHEAD, planner)
    worked = [one for one in rota if one.user_id is not None and one.ends_at < ctx.now - timedelta(hours=3)]
    entries = [_entry_row(one, seed) for one in worked]
    await ctx.db.execute(ENTRIES, ctx.tenant_id, *(list(column) for column in zip(*entries, strict=True)))
    await _ask(ctx, seed=seed, rota=rota, last_entry=entries[-1][0])
    return len(rota)


async def _ask(ctx: Ctx, *, seed: str, rota: Sequence[Worked], last_entry: UUID) -> None:
    """One correction and one swap that wait for somebody."""
    own_id = identity.seeded_id(seed, "correction", last_entry)
    await ctx.db.execute(CORRECTION, ctx.tenant_id, last_entry, own_id, "I closed the bar and forgot to clock out.")
    coming = [
        one for one in rota if one.user_id and ctx.now + timedelta(days=2) < one.starts_at < ctx.now + PUBLISHED_AHEAD
    ]
    for given in coming:
        others = [one.user_id for one in coming if one.venue.id == given.venue.id and one.user_id != given.user_id]
        busy = {one.user_id for one in rota if one.starts_at.date() == given.starts_at.date()}
        free = [user_id for user_id in others if user_id not in busy]
        if free:
            swap_id = identity.seeded_id(seed, "swap", given.id)
            words = "My sister's birthday."
            of = (swap_id, given.venue.id, given.id, given.user_id, free[0])
            await ctx.db.execute(SWAP, ctx.tenant_id, *of, words)
            return


def _plan(venue: Venue, *, seed: str, users: Sequence[UserId], today: date) -> list[Worked]:
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS_BACK)
    rota: list[Worked] = []
    for week in range(WEEKS_BACK + WEEKS_AHEAD):
        for number, user_id in enumerate(users):
            dice = random.Random(f"{seed}/{venue.slug}/{number}/{week}")  # noqa: S311 - a plan to repeat, not a secret
            for weekday in sorted(dice.sample(range(7), NIGHTS_A_WEEK)):
                shift = _shift(
                    venue, seed, monday + timedelta(weeks=week, days=weekday), user_id, DUTIES[number % len(DUTIES)]
                )
                if venue.is_open(shift.starts_at + LASTS / 2):
                    rota.append(shift)
        saturday = monday + timedelta(weeks=week, days=5)
        if saturday > today:
            rota.append(_shift(venue, seed, saturday, None, "Bar"))
    return rota


def _shift(venue: Venue, seed: str, day: date, user_id: UserId | None, duty: str) -> Worked:
    starts_at = datetime.combine(day, BEGINS, venue.zone)
    own_id = identity.seeded_id(seed, "shift", f"{venue.id}/{day}/{user_id}")
    return Worked(own_id, venue, user_id, duty, starts_at, starts_at + LASTS)


def _shift_row(one: Worked) -> tuple[UUID, VenueId, UserId | None, str, datetime, datetime]:
    return one.id, one.venue.id, one.user_id, one.duty, one.starts_at, one.ends_at


def _entry_row(one: Worked, seed: str) -> tuple[UUID, VenueId, UserId | None, UUID, datetime, datetime, int, date]:
    """What was clocked of a shift: mostly on time, now and then late, a little longer than planned."""
    dice = random.Random(f"{seed}/{one.id}")  # noqa: S311 - a plan to repeat, not a secret
    late = timedelta(minutes=dice.choice((-6, -3, -1, 0, 0, 1, 2, 14)))
    started, ended = one.starts_at + late, one.ends_at + timedelta(minutes=dice.randrange(0, 25))
    day = one.venue.business_day(one.starts_at)
    return identity.seeded_id(seed, "time", one.id), one.venue.id, one.user_id, one.id, started, ended, 1800, day
