"""The demonstration's adjustments: some that wait for another person, and what became of earlier ones."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from lastlight.domains import identity
from lastlight.domains.adjustments.queries import read_adjustment
from lastlight.domains.adjustments.schemas import AdjustmentId, Status
from lastlight.domains.adjustments.subjects import SUBJECTS
from lastlight.kernel.ids import PatronId, UserId
from lastlight.runtime.context import Ctx

INSERT = """
insert into adjustments (tenant_id, id, subject, patron_id, source, destination, amount, currency, reason, status, needs_approval, requested_by,
                         requested_at, decided_by, decided_at, decision, booked_at)
values ($1, $2, case when $3::uuid is null then 'ledger' else 'credits' end, $3, $4, $5, $6, $7, $8, $9::text, $10, $11, $12::timestamptz, $13, $14::timestamptz, $15,
        case when $9::text = 'booked' then coalesce($14, $12) end)
on conflict (tenant_id, id) do nothing
"""


class Story(NamedTuple):
    """What was asked for, in hundredths: of a guest by their place among those given, or of two accounts; how many hours ago, and what came of it."""

    reason: str
    amount: int
    hours: int
    guest: int | None = None
    accounts: tuple[str, str] | None = None
    status: Status = "waiting"
    decision: str = ""
    above: bool = True


STORIES = (
    Story("The karaoke room lost its sound for the whole of their party.", 60_000, 3, guest=0),
    Story("A birthday for twenty was charged twice before we saw it.", 82_500, 26, guest=1),
    Story("Cash of Saturday was counted short, as the note of the till says.", 14_500, 5, accounts=("losses", "bank")),
    Story("The air hockey table swallowed two games.", 4_000, 49, guest=2, status="booked", above=False),
    Story("A brewery paid for the opening night, into our bank.", 350_000, 122, accounts=("bank", "revenue"), status="booked",
          decision="The statement says the same."),
    Story("They say that the pinball machine was slow.", 90_000, 98, guest=4, status="declined",
          decision="It was looked at and is in order."),
    Story("Asked for the wrong guest.", 70_000, 170, guest=3, status="withdrawn"),
)  # fmt: skip


async def seed_adjustments(
    ctx: Ctx, *, seed: str, patron_ids: Sequence[PatronId], by: UserId, decider: UserId, currency: str
) -> int:
    """What waits and what was decided; how many were new. `by` asked for all of them, `decider` decided."""
    new = 0
    for number, story in enumerate(STORIES):
        if story.guest is not None and story.guest >= len(patron_ids):
            continue
        made = AdjustmentId(identity.seeded_id(seed, "adjustment", f"{ctx.tenant_id}/{number}"))
        patron_id = patron_ids[story.guest] if story.guest is not None else None
        asked = ctx.now - timedelta(hours=story.hours)
        who = by if story.status == "withdrawn" else decider
        decided = (who, asked + timedelta(hours=1)) if story.above and story.status != "waiting" else (None, None)
        row = (patron_id, *(story.accounts or (None, None)), story.amount, currency, story.reason, story.status)
        rest = (story.above, by, asked, *decided, story.decision)
        if await ctx.db.execute(INSERT, ctx.tenant_id, made, *row, *rest):
            new += 1
            if story.status == "booked":
                adjustment = await read_adjustment(ctx, adjustment_id=made)
                await SUBJECTS[adjustment.subject].book(ctx, adjustment)
    return new
