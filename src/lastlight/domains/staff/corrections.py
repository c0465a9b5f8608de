"""Corrections of clocked time: asked for with a reason, and in force once somebody else approves them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.staff.clock import find_entry, myself, settle_forgotten
from lastlight.domains.staff.errors import CorrectionDecided, NotClockedIn, OwnCorrection
from lastlight.domains.staff.events import CorrectionChanged
from lastlight.domains.staff.model import Correction, CorrectionStatus
from lastlight.domains.staff.permissions import TIME_APPROVE, TIME_CLOCK, TIME_READ
from lastlight.domains.staff.schemas import CorrectionIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import UserId, VenueId, uuid7
from lastlight.runtime.context import Ctx

CORRECTION = """
select c.id, c.venue_id, w.name as venue, c.user_id, u.name as person, c.entry_id, c.started_at, c.ended_at, c.break_seconds, c.reason,
       c.status, c.asked_by, c.decided_by, c.decided_at, c.decision_note, c.created_at, c.version
from time_corrections c
join venues w on w.tenant_id = $1 and w.id = c.venue_id
join users u on u.id = c.user_id
where c.tenant_id = $1 and c.id = $2
"""
LOCK = "select 1 from time_corrections where tenant_id = $1 and id = $2 for update"
INSERT = """
insert into time_corrections (tenant_id, id, venue_id, user_id, entry_id, started_at, ended_at, break_seconds, reason, asked_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
DECIDE = """
update time_corrections
set status = $3, decided_by = $4, decided_at = now(), decision_note = $5, entry_id = coalesce(entry_id, $6)
where tenant_id = $1 and id = $2
"""
WITHDRAW = "update time_corrections set status = 'withdrawn' where tenant_id = $1 and id = $2"
END_BREAK = """
update time_breaks set ended_at = greatest(started_at, $3) where tenant_id = $1 and entry_id = $2 and ended_at is null
"""
CORRECT = """
update time_entries
set status = 'closed', started_at = $3, ended_at = $4, break_seconds = $5, business_day = $6, corrected_at = now()
where tenant_id = $1 and id = $2
"""
ADD = """
insert into time_entries (tenant_id, id, venue_id, user_id, status, started_at, ended_at, break_seconds, business_day, corrected_at)
values ($1, $2, $3, $4, 'closed', $5, $6, $7, $8, now())
"""


async def ask_correction(ctx: Ctx, *, data: CorrectionIn) -> Correction:
    """Ask that time reads otherwise: one's own, or of those whose time sheets one sees; or time that was never clocked, one's own."""
    _require_times(data, ctx.now)
    user_id, venue_id = await _whose(ctx, data)
    correction_id = uuid7()
    times = (data.started_at, data.ended_at, data.break_minutes * 60)
    row = (venue_id, user_id, data.entry_id, *times, data.reason.strip(), myself(ctx))
    await ctx.db.execute(INSERT, ctx.tenant_id, correction_id, *row)
    return await _told(ctx, correction_id, before=None)


async def approve_correction(ctx: Ctx, *, correction_id: UUID, note: str) -> Correction:
    """Let it count: the entry gets its times, or a new one is made. Refused where it overlaps other time of the person."""
    before = await _to_decide(ctx, correction_id)
    venue = await find_venue(ctx, venue_id=before.venue_id, permission=TIME_APPROVE)
    entry_id = before.entry_id or uuid7()
    times = (before.started_at, before.ended_at, before.break_seconds, venue.business_day(before.started_at))
    if before.entry_id is None:
        await ctx.db.execute(ADD, ctx.tenant_id, entry_id, before.venue_id, before.user_id, *times)
    else:
        await ctx.db.execute(END_BREAK, ctx.tenant_id, entry_id, before.ended_at)
        await ctx.db.execute(CORRECT, ctx.tenant_id, entry_id, *times)
        await settle_forgotten(ctx, entry_id=entry_id)
    return await _decided(ctx, before, status="approved", note=note, entry_id=entry_id)


async def refuse_correction(ctx: Ctx, *, correction_id: UUID, note: str) -> Correction:
    """Leave the time as it is, and say why."""
    before = await _to_decide(ctx, correction_id)
    if not note.strip():
        raise Invalid(fields={"note": "Say why, so that they know."})
    return await _decided(ctx, before, status="refused", note=note, entry_id=None)


async def withdraw_correction(ctx: Ctx, *, correction_id: UUID) -> Correction:
    """Take back what one asked for."""
    before = await _lock(ctx, correction_id)
    if before.asked_by != ctx.actor.user_id:
        raise NotFound
    if before.status != "asked":
        raise CorrectionDecided
    await ctx.db.execute(WITHDRAW, ctx.tenant_id, correction_id)
    return await _told(ctx, correction_id, before=before)


async def find_correction(ctx: Ctx, *, correction_id: UUID) -> Correction:
    """A correction of one's own time, that one asked for, or at a venue whose time sheets one sees."""
    found = await ctx.db.one(Correction, CORRECTION, ctx.tenant_id, correction_id)
    if ctx.actor.user_id not in {found.user_id, found.asked_by} and not ctx.allows(TIME_READ, found.venue_id):
        raise NotFound
    return found


async def _whose(ctx: Ctx, data: CorrectionIn) -> tuple[UserId, VenueId]:
    if data.entry_id is not None:
        entry = await find_entry(ctx, entry_id=data.entry_id)
        if entry.status == "voided":
            raise NotClockedIn
        if data.venue_id not in {None, entry.venue_id}:
            raise Invalid(fields={"venue_id": "This time was clocked at another venue; leave the venue out."})
        return entry.user_id, entry.venue_id
    if data.venue_id is None:
        raise Invalid(fields={"venue_id": "Name the venue where you worked, or the entry that is wrong."})
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=TIME_CLOCK)
    return myself(ctx), venue.id


def _require_times(data: CorrectionIn, now: datetime) -> None:
    found: dict[str, str] = {}
    for name, time in (("started_at", data.started_at), ("ended_at", data.ended_at)):
        if time.tzinfo is None:
            found[name] = "Give the time with its offset, such as 2026-11-21T22:00:00+02:00."
        elif time > now:
            found[name] = "This lies in the future."
    if not found:
        worked = (data.ended_at - data.started_at).total_seconds()
        if not 0 < worked <= 86_400:
            found["ended_at"] = "Give an end after the beginning, within 24 hours."
        elif data.break_minutes * 60 > worked:
            found["break_minutes"] = "The breaks are longer than the whole time."
    if not data.reason.strip():
        found["reason"] = "Say why; whoever approves it reads it."
    if found:
        raise Invalid(fields=found)


async def _lock(ctx: Ctx, correction_id: UUID) -> Correction:
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, correction_id):
        raise NotFound
    return await find_correction(ctx, correction_id=correction_id)


async def _to_decide(ctx: Ctx, correction_id: UUID) -> Correction:
    ctx.require(TIME_APPROVE)
    before = await _lock(ctx, correction_id)
    ctx.require(TIME_APPROVE, before.venue_id)
    if before.status != "asked":
        raise CorrectionDecided
    if myself(ctx) in {before.asked_by, before.user_id}:
        raise OwnCorrection
    return before


async def _decided(
    ctx: Ctx, before: Correction, *, status: CorrectionStatus, note: str, entry_id: UUID | None
) -> Correction:
    await ctx.db.execute(DECIDE, ctx.tenant_id, before.id, status, myself(ctx), note.strip(), entry_id)
    return await _told(ctx, before.id, before=before)


async def _told(ctx: Ctx, correction_id: UUID, *, before: Correction | None) -> Correction:
    after = await ctx.db.one(Correction, CORRECTION, ctx.tenant_id, correction_id)
    ctx.emit(
        CorrectionChanged(
            correction_id=after.id,
            venue_id=after.venue_id,
            user_id=after.user_id,
            status=after.status,
            version=after.version,
        ),
        entity=("time_correction", after.id),
        venue_id=after.venue_id,
        before=None if before is None else _facts(before),
        after=_facts(after),
        reason=after.decision_note or after.reason,
    )
    return after


def _facts(correction: Correction) -> dict[str, Any]:
    names = ("status", "entry_id", "started_at", "ended_at", "break_seconds")
    return {name: msgspec.to_builtins(getattr(correction, name)) for name in names}
