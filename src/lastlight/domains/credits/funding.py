"""What card payments change in credits: the purpose that `payments` calls, with the payment's row held."""

from lastlight.domains import ledger
from lastlight.domains.credits.disputes import freeze, verdict
from lastlight.domains.credits.expiry import expire_of_payer
from lastlight.domains.credits.lots import Writing, add_lot, guest_of, lot_of, new_entry, receives, write
from lastlight.domains.credits.model import Use, months_later
from lastlight.domains.credits.notices import tell_late
from lastlight.domains.credits.settings import read_rules
from lastlight.domains.ledger import AccountId, Leg, Transaction, TransactionId
from lastlight.domains.payments import PURPOSES, Dispute, Payment, Purpose, Refund, Verdict, why_not_refunded
from lastlight.runtime.context import Ctx


async def _paid(ctx: Ctx, payment: Payment) -> None:
    """What was bought is a lot that remembers its payment."""
    rules = await read_rules(ctx)
    account = await receives(ctx, payment=payment)
    lot_id = await add_lot(
        ctx,
        patron_id=guest_of(payment),
        currency=payment.currency,
        amount=payment.captured,
        origin="purchase",
        expires_at=months_later(ctx.now, rules.expiry_months) if rules.expiry_months else None,
        venue_id=payment.venue_id,
        payment_id=payment.id,
    )
    what = Writing("bought", venue_id=payment.venue_id, payment_id=payment.id)
    await write(ctx, account=account, entry_id=new_entry(), what=what, uses=[Use(lot_id, payment.captured)])
    await tell_late(ctx, payment=payment)


async def _release(ctx: Ctx, payment: Payment, refund: Refund, amount: int) -> int:
    """Take back what is unspent of the lot, at most so much, for it to go back to the card."""
    account = await expire_of_payer(ctx, payment=payment)
    lot = await lot_of(ctx, payment_id=payment.id)
    part = min(amount, lot.free) if lot else 0
    if lot is None or part <= 0:
        return 0
    entry_id = new_entry()
    payable = await ledger.open_account(ctx, kind=ledger.REFUNDS_PAYABLE, currency=payment.currency)
    transaction = Transaction(TransactionId(entry_id), "credits-refunded", [Leg(account, payable, part)])
    await ledger.post(ctx, transaction=transaction)
    what = Writing("refunded", refund.reason, payment.venue_id, payment.id, refund.id)
    await write(ctx, account=account, entry_id=entry_id, what=what, uses=[Use(lot.id, -part)])
    return part


async def _restore(ctx: Ctx, payment: Payment, refund: Refund) -> None:
    """The refund failed: what was released is on its lot again, with days of grace where its time was over."""
    if refund.released == 0:
        return
    rules = await read_rules(ctx)
    account = await expire_of_payer(ctx, payment=payment)
    lot = await lot_of(ctx, payment_id=payment.id)
    if lot is None:
        return
    entry_id = new_entry()
    payable = await ledger.open_account(ctx, kind=ledger.REFUNDS_PAYABLE, currency=payment.currency)
    leg = Leg(payable, account, refund.released)
    await ledger.post(ctx, transaction=Transaction(TransactionId(entry_id), "credits-refund-failed", [leg]))
    what = Writing("refund-failed", why_not_refunded(refund.failure), payment.venue_id, payment.id, refund.id)
    uses = [Use(lot.id, refund.released)]
    await write(ctx, account=account, entry_id=entry_id, what=what, uses=uses, grace_days=rules.grace_days)


async def _receives(ctx: Ctx, payment: Payment) -> AccountId:
    return await receives(ctx, payment=payment)


async def _freeze(ctx: Ctx, payment: Payment, dispute: Dispute) -> None:
    await freeze(ctx, payment=payment, dispute=dispute)


async def _verdict(ctx: Ctx, payment: Payment, dispute: Dispute, said: Verdict) -> int:
    return await verdict(ctx, payment=payment, dispute=dispute, said=said)


FUNDING = PURPOSES.add(
    Purpose(
        name="credits",
        label="Credits",
        receives=_receives,
        paid=_paid,
        release=_release,
        restore=_restore,
        freeze=_freeze,
        verdict=_verdict,
    )
)
