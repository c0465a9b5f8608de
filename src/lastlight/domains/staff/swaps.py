"""Swaps: somebody hands a published shift to another, perhaps for one of theirs; a planner approves it. A shift that is nobody's is taken
by whoever wants it: at once, or as a swap from nobody that waits for the planner.

Rows are locked in one order everywhere: the shifts by their id, then the swap.
"""

from typing import Any
from uuid import UUID

from lastlight.domains.identity import require_colleague
from lastlight.domains.staff.clock import myself
from lastlight.domains.staff.errors import OpenShiftsGiven, ShiftNotOpen, ShiftNotSwappable, SwapNotWaiting
from lastlight.domains.staff.events import SwapChanged
from lastlight.domains.staff.model import Shift, Swap, SwapStatus
from lastlight.domains.staff.permissions import SHIFTS_PLAN, SHIFTS_READ
from lastlight.domains.staff.schemas import SwapIn, TakenOut
from lastlight.domains.staff.settings import OPEN_SHIFTS
from lastlight.domains.staff.shifts import END_SWAPS, lock_shift, read_shift, tell_shift
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

SWAP = """
select id, venue_id, shift_id, from_user_id, to_user_id, for_shift_id, status, reason, decided_by, decision_note, created_at, version
from shift_swaps
where tenant_id = $1 and id = $2
"""
LOCK = "select 1 from shift_swaps where tenant_id = $1 and id = $2 for update"
INSERT = """
insert into shift_swaps (tenant_id, id, venue_id, shift_id, from_user_id, to_user_id, for_shift_id, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
CLAIM = """
insert into shift_swaps (tenant_id, id, venue_id, shift_id, to_user_id, status, answered_at)
values ($1, $2, $3, $4, $5, 'accepted', now())
"""
TAKE = "update shifts set user_id = $3, reminded_at = null where tenant_id = $1 and id = $2"
ANSWER = "update shift_swaps set status = $3, answered_at = now() where tenant_id = $1 and id = $2"
DECIDE = """
update shift_swaps set status = $3, decided_by = $4, decided_at = now(), decision_note = $5 where tenant_id = $1 and id = $2
"""
# One statement, so that the two never have both shifts.
EXCHANGE = """
update shifts set user_id = case id when $3 then $4::uuid else $5::uuid end, reminded_at = null
where tenant_id = $1 and (id = $3 or id = $2)
"""


async def ask_swap(ctx: Ctx, *, shift_id: UUID, data: SwapIn) -> Swap:
    """Offer a published shift of one's own to a colleague."""
    shift = await lock_shift(ctx, shift_id=shift_id)
    ctx.require(SHIFTS_READ, shift.venue_id)
    mine = myself(ctx)
    if shift.user_id != mine or not _can_be_swapped(ctx, shift):
        raise NotFound if shift.user_id != mine and shift.published_at is None else ShiftNotSwappable
    if data.to_user_id == mine:
        raise Invalid(fields={"to_user_id": "Choose somebody else."})
    await require_colleague(ctx, user_id=data.to_user_id, venue_id=shift.venue_id, field="to_user_id")
    if data.for_shift_id is not None:
        other = await read_shift(ctx, shift_id=data.for_shift_id)
        ctx.require(SHIFTS_READ, other.venue_id)
        if other.user_id != data.to_user_id or not _can_be_swapped(ctx, other):
            raise Invalid(fields={"for_shift_id": "Choose a published shift of theirs that has not begun."})
        await require_colleague(ctx, user_id=mine, venue_id=other.venue_id, field="for_shift_id")
    swap_id = uuid7()
    row = (shift.venue_id, shift_id, mine, data.to_user_id, data.for_shift_id, data.reason.strip())
    await ctx.db.execute(INSERT, ctx.tenant_id, swap_id, *row)
    return await _told(ctx, swap_id, before=None)


async def take_shift(ctx: Ctx, *, shift_id: UUID) -> TakenOut:
    """Take a published shift that is nobody's: at once, or with a planner's approval, as the business decides."""
    rule = await setting(ctx, OPEN_SHIFTS)
    mine = myself(ctx)
    shift = await lock_shift(ctx, shift_id=shift_id)
    ctx.require(SHIFTS_READ, shift.venue_id)
    if shift.user_id is not None or not _can_be_swapped(ctx, shift):
        raise NotFound if shift.published_at is None and not ctx.allows(SHIFTS_PLAN, shift.venue_id) else ShiftNotOpen
    if rule == "off":
        raise OpenShiftsGiven
    await require_colleague(ctx, user_id=mine, venue_id=shift.venue_id, field="user_id")
    if rule == "direct":
        await ctx.db.execute(TAKE, ctx.tenant_id, shift_id, mine)
        await ctx.db.execute(END_SWAPS, ctx.tenant_id, shift_id)
        after = await read_shift(ctx, shift_id=shift_id)
        tell_shift(ctx, after=after, before=shift, reason="taken")
        return TakenOut(shift=after, swap=None)
    swap_id = uuid7()
    await ctx.db.execute(CLAIM, ctx.tenant_id, swap_id, shift.venue_id, shift_id, mine)
    return TakenOut(shift=shift, swap=await _told(ctx, swap_id, before=None))


async def answer_swap(ctx: Ctx, *, swap_id: UUID, status: SwapStatus) -> Swap:
    """Accept or decline what was offered to oneself."""
    before = await _lock(ctx, swap_id)
    if before.to_user_id != ctx.actor.user_id:
        raise NotFound
    if before.status != "asked":
        raise SwapNotWaiting
    await ctx.db.execute(ANSWER, ctx.tenant_id, swap_id, status)
    return await _told(ctx, swap_id, before=before)


async def withdraw_swap(ctx: Ctx, *, swap_id: UUID) -> Swap:
    """Take back what one offered, or the open shift that one asked for, before it is approved."""
    before = await _lock(ctx, swap_id)
    if (before.from_user_id or before.to_user_id) != ctx.actor.user_id:
        raise NotFound
    if before.status not in {"asked", "accepted"}:
        raise SwapNotWaiting
    await ctx.db.execute(ANSWER, ctx.tenant_id, swap_id, "withdrawn")
    return await _told(ctx, swap_id, before=before)


async def approve_swap(ctx: Ctx, *, swap_id: UUID, note: str) -> Swap:
    """Give the shifts to their new people; one who plans at both venues. Refused where one of them is planned elsewhere then."""
    ctx.require(SHIFTS_PLAN)
    seen = await find_swap(ctx, swap_id=swap_id)
    ctx.require(SHIFTS_PLAN, seen.venue_id)
    ids = [seen.shift_id] if seen.for_shift_id is None else sorted([seen.shift_id, seen.for_shift_id])
    shifts = {shift_id: await lock_shift(ctx, shift_id=shift_id) for shift_id in ids}
    for shift in shifts.values():
        if not ctx.allows(SHIFTS_PLAN, shift.venue_id):
            raise NotPermitted("Part of this swap is at another venue. Somebody who plans at both approves it.")
    before = await _lock(ctx, swap_id)
    if before.status != "accepted":
        raise SwapNotWaiting
    await _require_standing(ctx, before, shifts)
    other = before.for_shift_id
    people = (before.to_user_id, before.from_user_id)
    await ctx.db.execute(EXCHANGE, ctx.tenant_id, other or before.shift_id, before.shift_id, *people)
    for shift_id, shift in shifts.items():
        tell_shift(ctx, after=await read_shift(ctx, shift_id=shift_id), before=shift, reason="swapped")
    await ctx.db.execute(DECIDE, ctx.tenant_id, swap_id, "approved", myself(ctx), note.strip())
    return await _told(ctx, swap_id, before=before)


async def refuse_swap(ctx: Ctx, *, swap_id: UUID, note: str) -> Swap:
    """Leave the shifts as they are, and say why."""
    ctx.require(SHIFTS_PLAN)
    if not note.strip():
        raise Invalid(fields={"note": "Say why, so that they know."})
    before = await _lock(ctx, swap_id)
    ctx.require(SHIFTS_PLAN, before.venue_id)
    if before.status not in {"asked", "accepted"}:
        raise SwapNotWaiting
    await ctx.db.execute(DECIDE, ctx.tenant_id, swap_id, "refused", myself(ctx), note.strip())
    return await _told(ctx, swap_id, before=before)


async def find_swap(ctx: Ctx, *, swap_id: UUID) -> Swap:
    """A swap that one takes part in, or at a venue whose shifts one plans."""
    swap = await ctx.db.one(Swap, SWAP, ctx.tenant_id, swap_id)
    if ctx.actor.user_id not in {swap.from_user_id, swap.to_user_id} and not ctx.allows(SHIFTS_PLAN, swap.venue_id):
        raise NotFound
    return swap


async def _lock(ctx: Ctx, swap_id: UUID) -> Swap:
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, swap_id):
        raise NotFound
    return await find_swap(ctx, swap_id=swap_id)


async def _require_standing(ctx: Ctx, swap: Swap, shifts: dict[UUID, Shift]) -> None:
    """The shifts are still their people's, still to come, and their people still work there."""
    owners = {swap.shift_id: swap.from_user_id, swap.for_shift_id: swap.to_user_id}
    takers = {swap.shift_id: swap.to_user_id, swap.for_shift_id: swap.from_user_id}
    for shift_id, shift in shifts.items():
        if shift.user_id != owners[shift_id] or not _can_be_swapped(ctx, shift):
            raise ShiftNotSwappable
        taker = takers[shift_id]
        if taker is not None:
            await require_colleague(ctx, user_id=taker, venue_id=shift.venue_id, field="to_user_id")


def _can_be_swapped(ctx: Ctx, shift: Shift) -> bool:
    return shift.status == "published" and shift.starts_at > ctx.now


async def _told(ctx: Ctx, swap_id: UUID, *, before: Swap | None) -> Swap:
    after = await ctx.db.one(Swap, SWAP, ctx.tenant_id, swap_id)
    said: dict[str, Any] = {
        "swap_id": after.id,
        "venue_id": after.venue_id,
        "shift_id": after.shift_id,
        "from_user_id": after.from_user_id,
        "to_user_id": after.to_user_id,
        "status": after.status,
        "version": after.version,
    }
    ctx.emit(
        SwapChanged(**said),
        entity=("shift_swap", after.id),
        venue_id=after.venue_id,
        before=None if before is None else {"status": before.status},
        after={"status": after.status},
        reason=after.decision_note or after.reason,
    )
    return after
