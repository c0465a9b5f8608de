"""A guest's bank asks the money back: what is left of what it bought waits for the verdict."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from lastlight.domains import ledger
from lastlight.domains.credits.expiry import expire_of_payer
from lastlight.domains.credits.lots import Writing, lot_of, new_entry, write
from lastlight.domains.credits.model import EntryKind, LotId, Use
from lastlight.domains.credits.settings import read_rules
from lastlight.domains.ledger import AccountId, HoldId, Leg, Transaction, TransactionId
from lastlight.domains.payments import Dispute, Payment, Verdict
from lastlight.runtime.context import Ctx

UNTIL_THE_VERDICT = datetime(9999, 1, 1, tzinfo=UTC)
"""Holds of disputes end with the verdict, however long the banks take."""
OF_DISPUTE = """
select coalesce(sum(froze), 0)::bigint as frozen, coalesce(-sum(amount), 0)::bigint as taken,
       (array_agg(id order by number desc) filter (where kind = 'frozen'))[1] as hold
from credit_entries where tenant_id = $1 and dispute_id = $2
"""


class Disputed(NamedTuple):
    """What a dispute has done so far: what it holds frozen, under which hold, and what it took."""

    frozen: int
    taken: int
    hold: UUID | None


async def freeze(ctx: Ctx, *, payment: Payment, dispute: Dispute) -> None:
    """Set aside what is left of the lot, at most what is disputed. One hold at a time: a later one is put in its place.

    Where less is disputed than is frozen, all is let go first.
    """
    account = await expire_of_payer(ctx, payment=payment)
    lot = await lot_of(ctx, payment_id=payment.id)
    before = await _of_dispute(ctx, dispute)
    if lot is not None and before.frozen > dispute.amount - before.taken:
        await _let_go(ctx, account, lot.id, before, _about("released", payment, dispute))
        lot, before = await lot_of(ctx, payment_id=payment.id), before._replace(frozen=0)
    more = min(dispute.amount - before.frozen - before.taken, lot.free) if lot else 0
    if lot is None or more <= 0:
        return
    entry_id = new_entry()
    held = await ledger.open_account(ctx, kind=ledger.DISPUTES_HELD, currency=payment.currency)
    if before.frozen and before.hold:
        await ledger.void(ctx, hold=HoldId(before.hold))
    await ledger.hold(
        ctx,
        hold_id=HoldId(entry_id),
        leg=Leg(account, held, before.frozen + more),
        expires_at=UNTIL_THE_VERDICT,
        kind="credits-disputed",
    )
    what = _about("frozen", payment, dispute)
    await write(ctx, account=account, entry_id=entry_id, what=what, uses=[Use(lot.id, 0, more)])


async def verdict(ctx: Ctx, *, payment: Payment, dispute: Dispute, said: Verdict) -> int:
    """Won: what was frozen can be spent again, and what an earlier verdict took is there again.

    Lost: what is left is taken, frozen or not, at most what was disputed; what of it this dispute took is said.
    """
    account = await expire_of_payer(ctx, payment=payment)
    lot = await lot_of(ctx, payment_id=payment.id)
    if lot is None:
        return 0
    before = await _of_dispute(ctx, dispute)
    if said == "won":
        await _let_go(ctx, account, lot.id, before, _about("released", payment, dispute))
        await _give_again(ctx, account, Use(lot.id, before.taken), payment, dispute)
        return 0
    what = _about("disputed", payment, dispute)
    await _take_frozen(ctx, account, lot.id, before, what)
    total = before.taken + before.frozen
    rest = min(dispute.amount - total, lot.free)
    if rest <= 0:
        return total
    await _take_rest(ctx, account, Use(lot.id, -rest), payment.currency, what)
    return total + rest


async def _let_go(ctx: Ctx, account: AccountId, lot_id: LotId, before: Disputed, what: Writing) -> None:
    if not before.frozen or before.hold is None:
        return
    rules = await read_rules(ctx)
    await ledger.void(ctx, hold=HoldId(before.hold))
    use = Use(lot_id, 0, -before.frozen)
    await write(ctx, account=account, entry_id=new_entry(), what=what, uses=[use], grace_days=rules.grace_days)


async def _give_again(ctx: Ctx, account: AccountId, use: Use, payment: Payment, dispute: Dispute) -> None:
    """What a verdict took that does not hold any more returns to its lot."""
    if use.amount <= 0:
        return
    rules = await read_rules(ctx)
    entry_id = new_entry()
    held = await ledger.open_account(ctx, kind=ledger.DISPUTES_HELD, currency=payment.currency)
    leg = Leg(held, account, use.amount)
    await ledger.post(ctx, transaction=Transaction(TransactionId(entry_id), "credits-dispute-overturned", [leg]))
    what = _about("dispute-reversed", payment, dispute)
    await write(ctx, account=account, entry_id=entry_id, what=what, uses=[use], grace_days=rules.grace_days)


async def _take_frozen(ctx: Ctx, account: AccountId, lot_id: LotId, before: Disputed, what: Writing) -> None:
    if not before.frozen or before.hold is None:
        return
    entry_id = new_entry()
    posted_as, of = TransactionId(entry_id), HoldId(before.hold)
    await ledger.capture(ctx, posted_as=posted_as, of=of, amount=before.frozen, kind="credits-disputed")
    use = Use(lot_id, -before.frozen, -before.frozen)
    await write(ctx, account=account, entry_id=entry_id, what=what, uses=[use])


async def _take_rest(ctx: Ctx, account: AccountId, use: Use, currency: str, what: Writing) -> None:
    entry_id = new_entry()
    held = await ledger.open_account(ctx, kind=ledger.DISPUTES_HELD, currency=currency)
    leg = Leg(account, held, -use.amount)
    await ledger.post(ctx, transaction=Transaction(TransactionId(entry_id), "credits-disputed", [leg]))
    await write(ctx, account=account, entry_id=entry_id, what=what, uses=[use])


def _about(kind: EntryKind, payment: Payment, dispute: Dispute) -> Writing:
    return Writing(kind, "", payment.venue_id, payment.id, dispute_id=dispute.id)


async def _of_dispute(ctx: Ctx, dispute: Dispute) -> Disputed:
    row = await ctx.db.fetchrow(OF_DISPUTE, ctx.tenant_id, dispute.id)
    return Disputed(row["frozen"], row["taken"], row["hold"]) if row else Disputed(0, 0, None)
