"""What can be put right by hand, and what booking it moves: one entry for each subject."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lastlight.domains import ledger
from lastlight.domains.adjustments.schemas import Adjustment, Subject
from lastlight.domains.adjustments.settings import CREDITS_LIMIT, LEDGER_LIMIT
from lastlight.domains.credits import Writing, give, take
from lastlight.domains.ledger import AccountKind, Leg, Transaction, TransactionId
from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import TenantSetting

BUSINESS = {kind.code: kind for kind in ledger.CHART if kind.owner == "business"}
"""The lines of the chart of which a business has one account in each currency."""
ACCOUNTS = {code: kind.name for code, kind in BUSINESS.items()}
"""What they are called."""


@dataclass(frozen=True, slots=True)
class Adjustable:
    """A subject: up to what one person decides alone, in whole units, and how it is booked."""

    limit: TenantSetting[int]
    book: Callable[[Ctx, Adjustment], Awaitable[None]]


def account_kind(code: str, *, field: str) -> AccountKind:
    """A line of the chart of which the business has one account. Raises Invalid at the field."""
    if code not in BUSINESS:
        raise Invalid(fields={field: f"Choose one of {', '.join(sorted(BUSINESS))}."})
    return BUSINESS[code]


async def _book_credits(ctx: Ctx, adjustment: Adjustment) -> None:
    """More credits come from the account of adjustments, fewer go there."""
    assert adjustment.patron_id is not None  # adjustments_subject_whole
    what = Writing("adjusted", adjustment.reason, adjustment.venue_id, source=("adjustment", adjustment.id))
    patron_id, currency = adjustment.patron_id, adjustment.currency
    if adjustment.amount > 0:
        await give(
            ctx,
            patron_id=patron_id,
            amount=adjustment.amount,
            currency=currency,
            out_of=ledger.ADJUSTMENTS,
            origin="adjustment",
            what=what,
        )
        return
    into = ledger.ADJUSTMENTS
    await take(ctx, patron_id=patron_id, amount=-adjustment.amount, currency=currency, into=into, what=what)


async def _book_ledger(ctx: Ctx, adjustment: Adjustment) -> None:
    """The amount moves from one account to the other under the adjustment's own id, for the moment that was asked for."""
    source = account_kind(adjustment.source or "", field="source")
    destination = account_kind(adjustment.destination or "", field="destination")
    src = await ledger.open_account(ctx, kind=source, currency=adjustment.currency)
    dst = await ledger.open_account(ctx, kind=destination, currency=adjustment.currency)
    meta = {"adjustment_id": str(adjustment.id)}
    if adjustment.venue_id:
        meta["venue_id"] = str(adjustment.venue_id)
    leg = Leg(src, dst, adjustment.amount)
    transaction = Transaction(TransactionId(adjustment.id), "adjustment", [leg], meta, adjustment.effective_at)
    await ledger.post(ctx, transaction=transaction)


SUBJECTS: Mapping[Subject, Adjustable] = {
    "credits": Adjustable(CREDITS_LIMIT, _book_credits),
    "ledger": Adjustable(LEDGER_LIMIT, _book_ledger),
}
