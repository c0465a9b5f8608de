"""What safety tells people on their phones. No guest's name and no words of staff: a locked screen may show it."""

from typing import Any
from uuid import UUID

from lastlight.domains.identity import account_of_guest, holders
from lastlight.domains.safety.checks import find_check
from lastlight.domains.safety.permissions import SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.venues import read_venue
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import Retry, job
from lastlight.runtime.push import Notice, NoticeKind, notify

SOS = NoticeKind(
    key="sos",
    order=10,
    label="SOS calls",
    description="A colleague or a guest calls for help at a venue of yours.",
    permission=SAFETY_READ,
)
ALERTS = NoticeKind(
    key="alerts",
    order=20,
    label="Critical alerts",
    description="A guest may be in danger, or nobody has answered an alert.",
    permission=SAFETY_RESPOND,
)
BROADCASTS = NoticeKind(
    key="broadcasts",
    order=30,
    label="Words to all staff",
    description="A message to everybody at a venue.",
    permission=SAFETY_READ,
)
CHECKS = NoticeKind(key="safety_checks", label="Safety checks", description="The venue asks whether you are all right.")
NOTICES = (SOS, ALERTS, BROADCASTS, CHECKS)

QUICK = Retry(attempts=8, backoff=0.5)
SOS_SECONDS = 30 * 60
CALLS = {
    "assist": "SOS, a colleague needs a hand: {venue}",
    "urgent": "SOS, urgent: {venue}",
    "emergency": "SOS, emergency: {venue}",
}
GUEST_CALLS = "A guest needs help: {venue}"
AGAIN = "Nobody has answered the SOS: {venue}"


@job("safety.push_sos", retry=QUICK)
async def push_sos(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell everybody of the venue of an SOS call, or that nobody has answered it; a silent one without a sound.

    Its caller is not told: nothing may ring or show near them.
    """
    venue_id = UUID(data["venue_id"])
    people = {person.id for person in await holders(ctx, permission=SAFETY_READ, venue_id=venue_id)}
    venue = await read_venue(ctx, venue_id=venue_id)
    notice = Notice(
        kind=SOS,
        title=AGAIN if "escalation" in data else GUEST_CALLS if data.get("guest") else CALLS[data["severity"]],
        body="{place}. Open it to answer.",
        words={"venue": venue.name, "place": data["place"]},
        url=f"/go/safety/sos/{data['sos_id']}",
        tag=f"sos/{data['sos_id']}",
        urgency="high",
        seconds=SOS_SECONDS,
        silent=data["silent"],
        stays=True,
    )
    await notify(ctx, people=people - {UUID(data["pressed_by"])}, notice=notice, key=str(event_id))


@job("safety.push_alert", retry=QUICK)
async def push_alert(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell those who respond of a critical alert, and of any alert that nobody answers."""
    if data["severity"] != "critical" and "escalation" not in data:
        return
    venue = await read_venue(ctx, venue_id=UUID(data["venue_id"]))
    notice = Notice(
        kind=ALERTS,
        title="Nobody has answered an alert: {venue}" if "escalation" in data else "Critical alert: {venue}",
        body="Open it to see what it is about.",
        words={"venue": venue.name},
        url=f"/go/safety/alerts/{data['alert_id']}",
        tag=f"alert/{data['alert_id']}",
        urgency="high",
        seconds=SOS_SECONDS,
    )
    people = await holders(ctx, permission=SAFETY_RESPOND, venue_id=venue.id)
    await notify(ctx, people=[person.id for person in people], notice=notice, key=str(event_id))


@job("safety.push_broadcast")
async def push_broadcast(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell everybody of a venue that there is a word to all staff."""
    venue = await read_venue(ctx, venue_id=UUID(data["venue_id"]))
    notice = Notice(
        kind=BROADCASTS,
        title="Urgent word to all staff: {venue}" if data["urgent"] else "A word to all staff: {venue}",
        body="Open it to read.",
        words={"venue": venue.name},
        url=f"/go/safety/broadcasts/{data['broadcast_id']}",
        tag=f"broadcast/{data['broadcast_id']}",
        urgency="high" if data["urgent"] else "normal",
        stays=data["urgent"],
    )
    people = await holders(ctx, permission=SAFETY_READ, venue_id=venue.id)
    await notify(ctx, people=[person.id for person in people], notice=notice, key=str(event_id))


@job("safety.push_check", retry=QUICK)
async def push_check(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Ask a guest on their phone whether all is well, as long as the answer is waited for."""
    check = await find_check(ctx, check_id=UUID(data["check_id"]))
    left = int((check.expires_at - ctx.now).total_seconds())
    user_id = await account_of_guest(ctx, patron_id=check.patron_id)
    if user_id is None or left <= 0 or check.answer is not None:
        return
    notice = Notice(
        kind=CHECKS,
        title="Are you all right?",
        body="{venue} asks. Tap to answer.",
        words={"venue": check.venue},
        url="/patron",
        tag=f"check/{check.id}",
        urgency="high",
        seconds=left,
        stays=True,
    )
    await notify(ctx, people=[user_id], notice=notice, key=str(event_id))


PUSH_JOBS = (push_sos, push_alert, push_broadcast, push_check)
