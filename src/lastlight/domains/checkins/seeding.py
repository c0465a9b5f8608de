"""Past nights of the demonstration: check-ins and visits in bulk, told to nobody, with ids that follow from a seed."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains import identity
from lastlight.domains.checkins.past import PastVisit, device_of, plan_past_night
from lastlight.domains.venues import Venue, standing_venues
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx

OPEN_SHARE = 0.12
"""At least this share of an open venue's capacity is inside when the demonstration starts, whatever the hour."""
BATCH = 4000

KNOWN = "select exists (select from checkins where tenant_id = $1 and venue_id = any($2))"
CHECKINS = """
insert into checkins (tenant_id, id, venue_id, patron_id, method, key_number, nonce, arrived_at, received_at, business_day, position,
                      device)
select $1, c.id, c.venue_id, c.patron_id, c.method, 1, c.nonce, c.at, c.at, c.day, c.position::jsonb, c.device::jsonb
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::timestamptz[], $8::date[], $9::text[], $10::text[])
     as c (id, venue_id, patron_id, method, nonce, at, day, position, device)
"""
VISITS = """
insert into visits (tenant_id, id, venue_id, patron_id, checkin_id, status, status_reason, opened_at, times_out_at, closed_at,
                    closed_by, close_received_at, business_day)
select $1, v.id, v.venue_id, v.patron_id, v.checkin_id, v.status,
       case v.status when 'voided' then 'Scanned by mistake' else '' end, v.opened_at, v.times_out_at, v.closed_at, v.closed_by,
       case when v.closed_by in ('guest', 'staff') then v.closed_at end, v.day
from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
            $10::text[], $11::date[])
     as v (id, venue_id, patron_id, checkin_id, status, opened_at, times_out_at, closed_at, closed_by, day)
"""


async def seed_history(
    ctx: Ctx,
    *,
    seed: str,
    venue_ids: Sequence[UUID],
    patron_ids: Sequence[PatronId],
    nights: int,
    away: Sequence[PatronId] = (),
) -> int:
    """Weeks of past nights, the present one until now, and guests inside; those `away` are in none. How many visits there are.

    Nothing is done where the venues have any check-in. No event is emitted: live screens and the audit tell what happens, and this
    happened before.
    """
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id, list(venue_ids)):
        return 0
    venues = [venue for venue in await standing_venues(ctx, permission=None) if venue.id in set(venue_ids)]
    visits = _plan(ctx.now, seed=seed, venues=venues, guests=len(patron_ids), nights=nights)
    guests = list(patron_ids)
    absent = set(away)
    visits = [visit for visit in visits if visit.closed_at <= ctx.now or guests[visit.guest] not in absent]
    visits += _inside_now(ctx.now, seed=seed, venues=venues, visits=visits, guests=guests, absent=absent)
    for start in range(0, len(visits), BATCH):
        await _write(ctx, seed=seed, visits=visits[start : start + BATCH], guests=guests)
    return len(visits)


def _plan(now: datetime, *, seed: str, venues: Sequence[Venue], guests: int, nights: int) -> list[PastVisit]:
    """The visits of so many nights and of the present one, up to now."""
    today = max((venue.business_day(now) for venue in venues), default=now.date())
    days = [today - timedelta(days=back) for back in range(nights, -1, -1)]
    planned = [visit for day in days for visit in plan_past_night(seed=seed, day=day, venues=venues, guests=guests)]
    return [visit for visit in planned if visit.opened_at <= now]


def _inside_now(
    now: datetime,
    *,
    seed: str,
    venues: Sequence[Venue],
    visits: Sequence[PastVisit],
    guests: Sequence[PatronId],
    absent: set[PatronId],
) -> list[PastVisit]:
    """Guests who came within the last hours, where the plan has too few inside for a demonstration."""
    dice = random.Random(f"{seed}/now/{now.date()}")  # noqa: S311 - a plan to repeat, not a secret
    recent = {visit.guest for visit in visits if visit.closed_at > now - timedelta(hours=1)}
    free = [guest for guest, patron_id in enumerate(guests) if guest not in recent and patron_id not in absent]
    dice.shuffle(free)
    inside: list[PastVisit] = []
    for venue in venues:
        there = sum(visit.closed_at > now and visit.venue.id == venue.id for visit in visits)
        wanted = round((venue.capacity or 100) * OPEN_SHARE) - there
        for _ in range(wanted):
            opened_at = now - timedelta(minutes=dice.uniform(1, 150))
            if not free or not venue.is_open(opened_at) or not venue.is_open(now):
                continue
            inside.append(
                PastVisit(
                    venue=venue,
                    guest=free.pop(),
                    opened_at=opened_at,
                    closed_at=now + timedelta(hours=2),
                    ending="guest",
                    poster=False,
                )
            )
    return inside


async def _write(ctx: Ctx, *, seed: str, visits: Sequence[PastVisit], guests: Sequence[PatronId]) -> None:
    checkins = [_checkin_row(seed, visit, guests[visit.guest]) for visit in visits]
    await ctx.db.execute(CHECKINS, ctx.tenant_id, *_columns(checkins))
    rows = [_visit_row(seed, visit, guests[visit.guest], ctx.now) for visit in visits]
    await ctx.db.execute(VISITS, ctx.tenant_id, *_columns(rows))


def _checkin_row(seed: str, visit: PastVisit, patron_id: PatronId) -> tuple[Any, ...]:
    checkin_id = _id(seed, "checkin", visit, patron_id)
    dice = random.Random(checkin_id.int)  # noqa: S311 - a plan to repeat, not a secret
    position = None
    if visit.venue.position is not None and (visit.poster or dice.random() < 0.8):
        position = {
            "lat": round(visit.venue.position.lat + dice.gauss(0, 0.00025), 6),
            "lon": round(visit.venue.position.lon + dice.gauss(0, 0.00025), 6),
            "accuracy_m": dice.randrange(5, 40),
            "result": "inside",
            "outside_m": 0,
        }
    return (
        checkin_id,
        visit.venue.id,
        patron_id,
        "poster" if visit.poster else "screen",
        checkin_id.bytes[8:],
        visit.opened_at,
        visit.business_day,
        None if position is None else msgspec.json.encode(position).decode(),
        msgspec.json.encode(device_of(dice)).decode(),
    )


def _visit_row(seed: str, visit: PastVisit, patron_id: PatronId, now: datetime) -> tuple[Any, ...]:
    is_open = visit.closed_at > now
    status = "open" if is_open else {"time_out": "timed_out", "voided": "voided"}.get(visit.ending, "closed")
    closed_by = None if is_open else "staff" if visit.ending == "voided" else visit.ending
    return (
        _id(seed, "visit", visit, patron_id),
        visit.venue.id,
        patron_id,
        _id(seed, "checkin", visit, patron_id),
        status,
        visit.opened_at,
        visit.opened_at + timedelta(minutes=visit.venue.visit_timeout_minutes),
        None if is_open else visit.closed_at,
        closed_by,
        visit.business_day,
    )


def _id(seed: str, kind: str, visit: PastVisit, patron_id: PatronId) -> UUID:
    return identity.seeded_id(seed, kind, visit.venue.id, patron_id, visit.opened_at.isoformat())


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
