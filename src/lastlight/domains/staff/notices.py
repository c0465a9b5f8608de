"""What the schedule tells people on their phones."""

from datetime import datetime
from typing import Any
from uuid import UUID

from lastlight.domains.staff.permissions import SHIFTS_READ
from lastlight.domains.venues import read_venue
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import Notice, NoticeKind, notify

SHIFTS = NoticeKind(
    key="shifts",
    label="Shifts and swaps",
    description="A shift of yours is published, changed or about to begin, or somebody wants to swap.",
    permission=SHIFTS_READ,
)
SWAPS = {
    "asked": "Somebody asks to swap a shift with you: {venue}",
    "accepted": "Your swap was accepted: {venue}",
    "declined": "Your swap was declined: {venue}",
    "approved": "A swap was approved: {venue}",
    "refused": "A swap was refused: {venue}",
}


@job("staff.push_shift")
async def push_shift(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell somebody that a shift of theirs is new, different or cancelled."""
    gone = data["status"] == "cancelled"
    await _of_shift(ctx, event_id, data, "A shift of yours is cancelled: {venue}" if gone else "Your shift: {venue}")


@job("staff.push_reminder")
async def push_reminder(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Remind somebody of a shift that is about to begin."""
    await _of_shift(ctx, event_id, data, "Your shift begins soon: {venue}")


async def _of_shift(ctx: Ctx, event_id: UUID, data: dict[str, Any], title: str) -> None:
    starts, ends = (datetime.fromisoformat(data[name]) if name in data else None for name in ("starts_at", "ends_at"))
    if data["user_id"] is None or starts is None:
        return
    if starts <= ctx.now and (ends is None or ends <= ctx.now):
        return  # a shift of the past was put right
    venue = await read_venue(ctx, venue_id=UUID(data["venue_id"]))
    notice = Notice(
        kind=SHIFTS,
        title=title,
        body="{starts} to {ends}" if ends else "{starts}",
        words={"venue": venue.name},
        moments={"starts": starts} | ({"ends": ends} if ends else {}),
        zone=venue.time_zone,
        url="/go/schedule",
        tag=f"shift/{data['shift_id']}",
    )
    await notify(ctx, people=[UUID(data["user_id"])], notice=notice, key=str(event_id))


@job("staff.push_swap")
async def push_swap(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell the other one of a swap how it goes: who is asked, who asked, and both when it was decided."""
    status = data["status"]
    asked, asking = data["to_user_id"], data["from_user_id"]
    people = {"asked": [asked], "accepted": [asking], "declined": [asking]}.get(status, [asked, asking])
    if status not in SWAPS or (status == "asked" and asking is None):
        return  # withdrawn, or somebody takes an open shift: nobody but its planners has to do anything
    venue = await read_venue(ctx, venue_id=UUID(data["venue_id"]))
    notice = Notice(
        kind=SHIFTS,
        title=SWAPS[status],
        body="Open the schedule to see it.",
        words={"venue": venue.name},
        url="/go/schedule",
        tag=f"swap/{data['swap_id']}",
    )
    await notify(ctx, people=[UUID(person) for person in people if person], notice=notice, key=str(event_id))


PUSH_JOBS = (push_shift, push_reminder, push_swap)
