"""What adjustments tell people on their phones: that one waits for somebody who may agree. A locked screen shows it, so nobody is named."""

from typing import Any
from uuid import UUID

from lastlight.domains.adjustments.permissions import ADJUSTMENTS_APPROVE
from lastlight.domains.adjustments.queries import read_adjustment
from lastlight.domains.identity import holders
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import Notice, NoticeKind, notify

APPROVALS = NoticeKind(
    key="adjustments",
    order=45,
    label="Adjustments",
    description="Something that was put right by hand waits for a second person.",
    permission=ADJUSTMENTS_APPROVE,
)
WHAT = {"credits": "Guests' credits are to be adjusted.", "ledger": "Money is to be moved between accounts."}


@job("adjustments.push_requested")
async def push_requested(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell those who may agree to an adjustment, but not whoever asked, as long as it waits."""
    adjustment = await read_adjustment(ctx, adjustment_id=UUID(data["adjustment_id"]))
    if adjustment.status != "waiting":
        return
    people = await holders(ctx, permission=ADJUSTMENTS_APPROVE)
    notice = Notice(
        kind=APPROVALS,
        title="{amount} waits for your approval",
        body=WHAT[adjustment.subject],
        amounts={"amount": Money(abs(adjustment.amount), adjustment.currency)},
        url=f"/owner/adjustments/{adjustment.id}",
        tag=f"adjustment/{adjustment.id}",
    )
    others = [person.id for person in people if person.id != adjustment.requested_by]
    await notify(ctx, people=others, notice=notice, key=str(event_id))
