"""What payments tell people on their phones: a dispute that waits for an answer, an event that failed, a provider that is silent.

A locked screen may show it, so no guest is named.
"""

from typing import Any
from uuid import UUID

from lastlight.domains.identity import holders
from lastlight.domains.payments.model import DisputeId
from lastlight.domains.payments.pages import HOME, TO_ANSWER
from lastlight.domains.payments.permissions import PAYMENTS_MANAGE, PAYMENTS_REFUND
from lastlight.domains.payments.queries import read_dispute
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.money import Money
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import Notice, NoticeKind, notify
from lastlight.runtime.zones import business_zone

DISPUTES = NoticeKind(
    key="disputes",
    order=40,
    label="Disputes",
    description="A bank asks money back and waits for an answer.",
    permission=PAYMENTS_REFUND,
)
TROUBLE = NoticeKind(
    key="payment_trouble",
    order=50,
    label="Trouble with card payments",
    description="Something that the card provider told could not be worked off, or nothing comes in from it, or a verdict changed.",
    permission=PAYMENTS_MANAGE,
)
NOTICES = (DISPUTES, TROUBLE)
SILENT = {
    "silent": ("Nothing comes in from the card provider", "Payments were captured, and no webhook told of them."),
    "lost": ("Webhooks of the card provider get lost", "The sweep found events that no webhook had brought."),
}


@job("payments.push_dispute")
async def push_dispute(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell those who answer disputes of one that is new, or that became one, as long as it waits for an answer.

    What it became meanwhile is told with the event that says so.
    """
    dispute = await read_dispute(ctx, dispute_id=DisputeId(UUID(data["dispute_id"])))
    if dispute.status not in TO_ANSWER or dispute.answered_at is not None or dispute.status != data["dispute_status"]:
        return
    zone = await business_zone(ctx)
    notice = Notice(
        kind=DISPUTES,
        title="A payment of {amount} is disputed",
        body="Answer by {due}, or it is lost." if dispute.due_by else "Open it to see what the bank asks.",
        amounts={"amount": Money(dispute.amount, dispute.currency)},
        moments={"due": dispute.due_by} if dispute.due_by else {},
        zone=zone.key,
        url=f"{HOME}/{dispute.payment_id}",
        tag=f"dispute/{dispute.id}",
        urgency="high",
    )
    await _tell(ctx, notice, event_id, PAYMENTS_REFUND)


@job("payments.push_overturned")
async def push_overturned(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell those who keep payments running of a dispute that is decided otherwise: money and credits moved anew."""
    notice = Notice(
        kind=TROUBLE,
        title="A decided dispute was decided otherwise",
        body="What the first verdict booked was taken back. Open the payment to see what changed.",
        url=f"{HOME}/{data['payment_id']}",
        tag=f"dispute-overturned/{data['dispute_id']}",
    )
    await _tell(ctx, notice, event_id, PAYMENTS_MANAGE)


@job("payments.push_failed_event")
async def push_failed_event(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell those who replay events of one that could not be worked off."""
    notice = Notice(
        kind=TROUBLE,
        title="An event of the card provider failed",
        body="Open it to see why, and replay it.",
        url=f"/owner/provider-events/{data['provider_event_id']}",
        tag="provider-events",
    )
    await _tell(ctx, notice, event_id, PAYMENTS_MANAGE)


@job("payments.push_trouble")
async def push_trouble(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell the crew who keep payments running that the provider is not heard."""
    assert ctx.tenant_id == PLATFORM, "it is the platform's endpoint that is silent"
    title, body = SILENT[data["trouble"]]
    notice = Notice(
        kind=TROUBLE,
        title=title,
        body=body,
        url="/platform/provider-events",
        tag="provider-trouble",
        urgency="high",
    )
    await _tell(ctx, notice, event_id, PAYMENTS_MANAGE)


async def _tell(ctx: Ctx, notice: Notice, event_id: UUID, permission: Permission) -> None:
    """Tell everybody who holds a permission, once for each event."""
    people = await holders(ctx, permission=permission)
    await notify(ctx, people=[person.id for person in people], notice=notice, key=str(event_id))


PUSH_JOBS = (push_dispute, push_overturned, push_failed_event, push_trouble)
