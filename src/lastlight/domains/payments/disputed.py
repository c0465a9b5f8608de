"""What of a payment is disputed: what its bank has taken and not given back, whatever the order and the parts.

Each balance transaction of a dispute is presented in the payment's currency. Where the provider settles in another one, it exchanges at the
rate of the day, so that what comes back seldom is what was taken: the first withdrawal is what the dispute is about, more that is taken is
reckoned by it, a dispute that was won has brought all back, and of one that was lost came back as much as it is a part of the first.
What was booked stays as it was booked.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lastlight.domains.ledger import DISPUTES_HELD, moved_among, open_account, transaction_id
from lastlight.domains.payments.journal import DisagreementError
from lastlight.domains.payments.model import Payment
from lastlight.runtime.context import Ctx
from lastlight.runtime.processor import BalanceTransaction, Dispute

NOTED = "select id from provider_movements where tenant_id = $1 and id = any ($2::text[])"
WON = frozenset({"won", "prevented"})


class Moved(NamedTuple):
    """A balance transaction, and what it means in minor units of the payment's currency: below zero where it was taken."""

    movement: BalanceTransaction
    presented: int


async def moved_of(ctx: Ctx, *, payment: Payment, seen: Dispute) -> list[Moved]:
    """What a dispute has moved: what is booked already, and the rest in the order in which it happened.

    Raises DisagreementError where more came back than was taken, and where it is not said yet what came back in another currency.
    """
    booked = await _booked(ctx, payment, seen)
    found: list[Moved] = []
    for one in sorted(seen.balance_transactions, key=lambda one: (one.id not in booked, one.created, one.amount)):
        if one.currency == payment.currency:
            presented = one.amount
        else:
            presented = booked[one.id] if one.id in booked else _exchanged(seen, one, found)
        found.append(Moved(one, presented))
    if left_of(found) < 0:
        raise DisagreementError(f"{seen.id}: more came back than was taken")
    return found


def left_of(moved: Sequence[Moved]) -> int:
    """What was taken and did not come back."""
    return -sum(one.presented for one in moved)


def disputed_of(seen: Dispute, *, moved: Sequence[Moved], known: int | None) -> int:
    """What is disputed, or was at last where it is decided otherwise; `known` is what it was before, None where it was only asked about.

    Lost is what was taken and did not come back, be it nothing. Before a verdict it is disputed until all of it is back.
    """
    left, said = left_of(moved), seen.amount if known is None else known
    if moved and seen.status == "lost":
        return left
    return said if seen.status in WON and known is not None else left or said


async def _booked(ctx: Ctx, payment: Payment, seen: Dispute) -> dict[str, int]:
    """What those that were exchanged and are booked were presented as."""
    abroad = [one.id for one in seen.balance_transactions if one.currency != payment.currency]
    if not abroad:
        return {}
    rows = await ctx.db.fetch(NOTED, ctx.tenant_id, abroad)
    named = {row["id"]: transaction_id(ctx.tenant_id, f"provider:{row['id']}") for row in rows}
    held = await open_account(ctx, kind=DISPUTES_HELD, currency=payment.currency)
    moved = await moved_among(ctx, transactions=list(named.values()), account=held)
    return {one: moved.get(posted, 0) for one, posted in named.items()}


def _exchanged(seen: Dispute, one: BalanceTransaction, before: Sequence[Moved]) -> int:
    left = left_of(before)
    if one.amount == 0 or (one.amount > 0 and left <= 0):
        return 0
    if left <= 0:
        return -seen.amount
    if one.amount < 0:
        return -_share(one, before)
    if seen.status in WON or one.amount == -sum(each.movement.amount for each in before):
        return left
    if seen.status != "lost":
        raise DisagreementError(f"{seen.id}: {one.currency} {one.amount} came back before a verdict, of {left}")
    return min(left, _share(one, before))


def _share(one: BalanceTransaction, before: Sequence[Moved]) -> int:
    """By the first withdrawal, rounded half up."""
    first = next(each for each in before if each.presented < 0)
    whole, of = -first.presented, -first.movement.amount
    return (2 * whole * abs(one.amount) + of) // (2 * of)
