"""What bookings tell guests on their phones: what staff did about a booking of theirs."""

from typing import Any
from uuid import UUID

from lastlight.domains.identity import account_of_guest
from lastlight.domains.resources.queries import read_booking
from lastlight.domains.venues import read_venue
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import Notice, NoticeKind, notify

BOOKINGS = NoticeKind(
    key="bookings", label="Bookings", description="A booking of yours was made, moved or cancelled by the venue."
)
MOVES = {"resource_id", "starts_at", "ends_at"}


@job("resources.push_made")
async def push_made(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell a guest of a booking that staff made for them."""
    if data["booked_by"] == "staff":
        await _tell(ctx, event_id, data, status="booked", title="Booked for you: {resource}")


@job("resources.push_moved")
async def push_moved(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell a guest that staff moved a booking of theirs, to another time or another table."""
    if MOVES & set(data["fields"]):
        await _tell(ctx, event_id, data, status="booked", title="Your booking has moved: {resource}")


@job("resources.push_cancelled")
async def push_cancelled(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell a guest that somebody else has cancelled a booking of theirs; what they do themselves they see done."""
    if data["status"] == "cancelled" and data["by"] != "guest":
        await _tell(ctx, event_id, data, status="cancelled", title="Your booking is cancelled: {resource}")


async def _tell(ctx: Ctx, event_id: UUID, data: dict[str, Any], *, status: str, title: str) -> None:
    booking = await read_booking(ctx, booking_id=UUID(data["booking_id"]))
    if booking.patron_id is None or booking.status != status or booking.starts_at <= ctx.now:
        return
    user_id = await account_of_guest(ctx, patron_id=booking.patron_id)
    if user_id is None:
        return
    venue = await read_venue(ctx, venue_id=booking.venue_id)
    notice = Notice(
        kind=BOOKINGS,
        title=title,
        body="{venue}, {starts}",
        words={"venue": venue.name, "resource": booking.resource},
        moments={"starts": booking.starts_at},
        zone=venue.time_zone,
        url="/patron/bookings",
        tag=f"booking/{booking.id}",
    )
    await notify(ctx, people=[user_id], notice=notice, key=str(event_id))


PUSH_JOBS = (push_made, push_moved, push_cancelled)
