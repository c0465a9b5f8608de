"""Shifts: planned, published, changed and cancelled by who plans; one person's never overlap."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.identity import require_colleague
from lastlight.domains.staff.errors import ShiftCancelled
from lastlight.domains.staff.events import ShiftChanged, ShiftPublished
from lastlight.domains.staff.model import Shift
from lastlight.domains.staff.permissions import SHIFTS_PLAN, SHIFTS_READ
from lastlight.domains.staff.schemas import PublicationIn, ShiftChange, ShiftIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import VenueId, uuid7
from lastlight.runtime.context import Ctx

SHIFT = """
select s.id, s.venue_id, w.name as venue, s.user_id, coalesce(u.name, '') as person, s.duty, s.note, s.starts_at, s.ends_at, s.status,
       s.published_at, s.version
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
left join users u on u.id = s.user_id
where s.tenant_id = $1 and s.id = $2
"""
LOCK = "select 1 from shifts where tenant_id = $1 and id = $2 for update"
INSERT = """
insert into shifts (tenant_id, id, venue_id, user_id, duty, note, starts_at, ends_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
UPDATE = """
update shifts
set user_id = $3, duty = $4, note = $5, starts_at = $6, ends_at = $7,
    reminded_at = case when user_id is not distinct from $3 and starts_at = $6 then reminded_at end
where tenant_id = $1 and id = $2
"""
PUBLISH = """
update shifts set status = 'published', published_at = now()
where tenant_id = $1 and venue_id = $2 and status = 'planned' and starts_at >= $3 and starts_at < $4
returning id, venue_id, user_id, starts_at, ends_at, version
"""
CANCEL = "update shifts set status = 'cancelled' where tenant_id = $1 and id = $2"
END_SWAPS = """
update shift_swaps set status = 'withdrawn'
where tenant_id = $1 and (shift_id = $2 or for_shift_id = $2) and status in ('asked', 'accepted')
"""
DECIDED = ("user_id", "duty", "note", "starts_at", "ends_at")


async def plan_shift(ctx: Ctx, *, data: ShiftIn) -> Shift:
    """Plan a shift; nobody but planners sees it until it is published."""
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=SHIFTS_PLAN)
    if venue.status == "archived":
        raise Invalid(fields={"venue_id": "This venue is archived; choose another."})
    _require_times(data.starts_at, data.ends_at)
    if data.user_id is not None:
        await require_colleague(ctx, user_id=data.user_id, venue_id=venue.id, field="user_id")
    shift_id = uuid7()
    row = (data.user_id, data.duty.strip(), data.note.strip(), data.starts_at, data.ends_at, ctx.actor.user_id)
    await ctx.db.execute(INSERT, ctx.tenant_id, shift_id, data.venue_id, *row)
    shift = await read_shift(ctx, shift_id=shift_id)
    tell_shift(ctx, after=shift, before=None)
    return shift


async def change_shift(ctx: Ctx, *, shift_id: UUID, data: ShiftChange, version: int) -> Shift:
    """Change a shift; swaps of it that wait end with a change of its person or times."""
    before = await lock_shift(ctx, shift_id=shift_id)
    ctx.require(SHIFTS_PLAN, before.venue_id)
    if before.version != version:
        raise Stale
    if before.status == "cancelled":
        raise ShiftCancelled
    given = {name: value for name in DECIDED if (value := getattr(data, name)) is not UNSET}
    wanted = msgspec.structs.replace(before, **given)
    if wanted == before:
        return before
    _require_times(wanted.starts_at, wanted.ends_at)
    if wanted.user_id is not None and wanted.user_id != before.user_id:
        await require_colleague(ctx, user_id=wanted.user_id, venue_id=before.venue_id, field="user_id")
    values = (wanted.user_id, wanted.duty.strip(), wanted.note.strip(), wanted.starts_at, wanted.ends_at)
    await ctx.db.execute(UPDATE, ctx.tenant_id, shift_id, *values)
    if any(getattr(wanted, name) != getattr(before, name) for name in ("user_id", "starts_at", "ends_at")):
        await ctx.db.execute(END_SWAPS, ctx.tenant_id, shift_id)
    after = await read_shift(ctx, shift_id=shift_id)
    tell_shift(ctx, after=after, before=before)
    return after


async def publish_shifts(ctx: Ctx, *, data: PublicationIn) -> int:
    """Show a venue's planned shifts of a time to everybody there; how many there were."""
    await find_venue(ctx, venue_id=data.venue_id, permission=SHIFTS_PLAN)
    if data.starts_from.tzinfo is None or data.starts_to.tzinfo is None:
        raise Invalid(fields={"starts_from": "Give both times with their offset."})
    rows = await ctx.db.fetch(PUBLISH, ctx.tenant_id, data.venue_id, data.starts_from, data.starts_to)
    for row in rows:
        said = {name: row[name] for name in ("venue_id", "user_id", "starts_at", "ends_at", "version")}
        ctx.emit(
            ShiftPublished(shift_id=row["id"], status="published", **said),
            entity=("shift", row["id"]),
            venue_id=data.venue_id,
            before={"status": "planned"},
            after={"status": "published"},
        )
    return len(rows)


async def cancel_shift(ctx: Ctx, *, shift_id: UUID, reason: str) -> Shift:
    """Say that nobody has to come, and why."""
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why, so that they know."})
    before = await lock_shift(ctx, shift_id=shift_id)
    ctx.require(SHIFTS_PLAN, before.venue_id)
    if before.status == "cancelled":
        raise ShiftCancelled
    await ctx.db.execute(CANCEL, ctx.tenant_id, shift_id)
    await ctx.db.execute(END_SWAPS, ctx.tenant_id, shift_id)
    after = await read_shift(ctx, shift_id=shift_id)
    tell_shift(ctx, after=after, before=before, reason=reason.strip())
    return after


async def find_shift(ctx: Ctx, *, shift_id: UUID) -> Shift:
    """A shift of the schedule that one sees; one that is not published is its planners' alone."""
    shift = await read_shift(ctx, shift_id=shift_id)
    if not ctx.allows(SHIFTS_PLAN, shift.venue_id):
        ctx.require(SHIFTS_READ, shift.venue_id)
        if shift.published_at is None:
            raise NotFound
    return shift


async def lock_shift(ctx: Ctx, *, shift_id: UUID) -> Shift:
    """A shift of the tenant, held until the transaction ends."""
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, shift_id):
        raise NotFound
    return await read_shift(ctx, shift_id=shift_id)


async def read_shift(ctx: Ctx, *, shift_id: UUID) -> Shift:
    """A shift of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Shift, SHIFT, ctx.tenant_id, shift_id)


def tell_shift(ctx: Ctx, *, after: Shift, before: Shift | None, reason: str = "") -> None:
    """Say that a shift is new or different: to everybody on the schedule once it was published, before to its planners."""
    said: dict[str, Any] = {
        "shift_id": after.id,
        "venue_id": VenueId(after.venue_id),
        "user_id": after.user_id,
        "status": after.status,
        "version": after.version,
    }
    public = after.published_at is not None
    event = ShiftPublished(**said, starts_at=after.starts_at, ends_at=after.ends_at) if public else ShiftChanged(**said)
    ctx.emit(
        event,
        entity=("shift", after.id),
        venue_id=after.venue_id,
        before=None if before is None else _facts(before),
        after=_facts(after),
        reason=reason,
    )


def _require_times(starts_at: datetime, ends_at: datetime) -> None:
    found = {
        name: "Give the time with its offset, such as 2026-11-21T22:00:00+02:00."
        for name, time in (("starts_at", starts_at), ("ends_at", ends_at))
        if time.tzinfo is None
    }
    if not found and not 0 < (ends_at - starts_at).total_seconds() <= 86_400:
        found["ends_at"] = "Give an end after the beginning, within 24 hours."
    if found:
        raise Invalid(fields=found)


def _facts(shift: Shift) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(shift, name)) for name in (*DECIDED, "status")}
