"""Credits whose time is over become income: breakage. What is in dispute waits for its verdict.

Whatever changes a guest's credits books first what is over. So nothing depends on whether the job has come by, and what comes back to a
lot with days of grace takes along nothing that had expired.
"""

from datetime import timedelta

from lastlight.domains import ledger
from lastlight.domains.credits.lots import Writing, guest_of, keep, lots_left, new_entry, receives, write
from lastlight.domains.credits.model import CreditEntry, Lot, Use, is_over
from lastlight.domains.ledger import AccountId, Leg, Transaction, TransactionId
from lastlight.domains.payments import Payment
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx

LATELY = timedelta(days=60)
"""So long a guest who is short of credits is told that some have expired."""
EXPIRED = """
select coalesce(-sum(amount), 0)::bigint from credit_entries
where tenant_id = $1 and patron_id = $2 and at > $3 and kind = 'expired' and currency = $4
"""


async def expire(ctx: Ctx, *, patron_id: PatronId, currency: str) -> CreditEntry | None:
    """Expire what a guest has of a currency whose time is over; None where there is nothing."""
    account = await keep(ctx, patron_id=patron_id, currency=currency)
    if account is None:
        return None
    return await expire_kept(ctx, account=account, patron_id=patron_id, currency=currency)


async def expire_of_payer(ctx: Ctx, *, payment: Payment) -> AccountId:
    """The account of whoever a payment buys credits for, held until the transaction ends, without what is over."""
    account = await receives(ctx, payment=payment)
    await expire_kept(ctx, account=account, patron_id=guest_of(payment), currency=payment.currency)
    return account


async def expire_kept(ctx: Ctx, *, account: AccountId, patron_id: PatronId, currency: str) -> CreditEntry | None:
    """The same for a guest whose account is held."""
    lots = await lots_left(ctx, patron_id=patron_id, currency=currency)
    return await expire_lots(ctx, account=account, lots=lots, currency=currency)


async def expire_lots(ctx: Ctx, *, account: AccountId, lots: list[Lot], currency: str) -> CreditEntry | None:
    """The same for lots that were read under the account's lock."""
    uses = [Use(lot.id, -lot.free) for lot in lots if is_over(lot, now=ctx.now) and lot.free > 0]
    if not uses:
        return None
    entry_id = new_entry()
    breakage = await ledger.open_account(ctx, kind=ledger.BREAKAGE, currency=currency)
    leg = Leg(account, breakage, -sum(use.amount for use in uses))
    await ledger.post(ctx, transaction=Transaction(TransactionId(entry_id), "credits-expired", [leg]))
    return await write(ctx, account=account, entry_id=entry_id, what=Writing("expired"), uses=uses)


async def expired_lately(ctx: Ctx, *, patron_id: PatronId, currency: str) -> int:
    """What a guest has lost to its time in the last weeks."""
    return await ctx.db.fetchval(EXPIRED, ctx.tenant_id, patron_id, ctx.now - LATELY, currency)
