"""Buying credits by card, and sending what is unspent of them back to it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from lastlight.domains import payments
from lastlight.domains.credits.errors import CreditsFull, CreditsNotSold, NotRefundable, RefundTooLate
from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.lots import keep
from lastlight.domains.credits.queries import balances_of, own_id, read_balances, read_receipt
from lastlight.domains.credits.refundable import FundedLot, funded_lots
from lastlight.domains.credits.schemas import (
    CreditRefundIn,
    CreditRefunds,
    OwnCreditRefundIn,
    Purchase,
    PurchaseIn,
    RefundPart,
)
from lastlight.domains.credits.settings import Rules, offered, read_rules
from lastlight.domains.venues import require_shown
from lastlight.kernel.errors import Conflict, Invalid, NotFound
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.turns import take_turn
from lastlight.ui import formats

WITH_THE_BANK = frozenset[payments.PaymentStatus]({"processing", "authorised"})
VENUE_CURRENCY = "select currency from venues where tenant_id = $1 and id = $2"
HOLD_PAYMENTS = "select id from payments where tenant_id = $1 and id = any ($2) order by id for update"


async def buy(ctx: Ctx, *, data: PurchaseIn) -> Purchase:
    """Begin a purchase: a payment that the guest makes by card; the credits come with its success."""
    patron_id = own_id(ctx)
    rules = await read_rules(ctx)
    if not rules.on_sale:
        raise CreditsNotSold
    currency = await _currency(ctx, data, await offered(ctx, rules=rules))
    _require_within(rules, data.amount, currency)
    await _make_room(
        ctx, patron_id=patron_id, amount=data.amount, currency=currency, most=rules.minor(rules.most_balance, currency)
    )
    payment = await payments.begin_payment(
        ctx,
        purpose=FUNDING,
        amount=data.amount,
        currency=currency,
        patron_id=patron_id,
        venue_id=data.venue_id,
        description="Credits",
    )
    return Purchase(payment_id=payment.id, status=payment.status, amount=payment.amount, currency=payment.currency)


async def _make_room(ctx: Ctx, *, patron_id: PatronId, amount: int, currency: str, most: int) -> None:
    """See that a guest does not come to have more than they may, all that they are paying for counted. Raises CreditsFull.

    What the bank has in hand counts. What still waits for a card gives way to the newer wish, the oldest first: a page that was
    closed keeps nobody from buying. Paid in the same moment it is theirs all the same.
    """
    await take_turn(ctx, of="credits.buy", whose=f"{patron_id}/{currency}")
    begun = await payments.payments_under_way(ctx, purpose=FUNDING.name, patron_id=patron_id, currency=currency)
    held = sum(one.balance for one in await balances_of(ctx, patron_id=patron_id) if one.currency == currency)
    held += sum(one.amount for one in begun if one.status in WITH_THE_BANK)
    if held + amount > most:
        raise CreditsFull(extra={"balance": held, "most": most})
    waiting = [one for one in begun if one.status not in WITH_THE_BANK]
    over = held + amount + sum(one.amount for one in waiting) - most
    for one in waiting:
        if over <= 0:
            break
        await payments.void_payment(
            ctx, payment_id=one.id, hint=payments.Hint("request", "gave way to a newer purchase")
        )
        over -= one.amount


async def refund(
    ctx: Ctx, *, data: CreditRefundIn, of: PatronId | None = None, seen: int | None = None
) -> CreditRefunds:
    """Send unspent credits back to the cards that paid: of one payment, or of a guest's newest purchases first.

    `of`: the guest whose purchases they must be. `seen`: what could go back when somebody decided; another sum now raises Conflict.
    """
    if (data.payment_id is None) == (data.patron_id is None):
        raise Invalid(fields={"payment_id": "Give the payment, or the guest with an amount; not both."})
    if data.patron_id is not None and (data.amount is None or data.currency is None):
        raise Invalid(fields={"amount": "Give the amount and its currency where no payment is named."})
    if data.payment_id is not None:
        await payments.read_payment(ctx, payment_id=data.payment_id)
    if data.patron_id is not None:
        await read_balances(ctx, patron_id=data.patron_id)
    lots = await _kept_lots(ctx, data)
    if of is not None and any(lot.patron_id != of for lot in lots):
        raise NotFound
    if seen is not None and sum(lot.refundable for lot in lots) != seen:
        raise Conflict(
            "What can go back changed in the meantime. Look at the guest's credits again. Nothing was moved."
        )
    return await _refund(ctx, lots=lots, amount=data.amount, reason=data.reason.strip())


async def refund_own(ctx: Ctx, *, payment_id: UUID, data: OwnCreditRefundIn) -> CreditRefunds:
    """Send what is unspent of one's own purchase back, within the days that the business gives. Raises RefundTooLate."""
    receipt = await read_receipt(ctx, payment_id=payment_id)
    rules = await read_rules(ctx)
    if receipt.paid_at is None:
        raise NotRefundable
    if ctx.now >= receipt.paid_at + timedelta(days=rules.guest_refund_days):
        raise RefundTooLate
    wanted = CreditRefundIn(payment_id=payment_id, amount=data.amount, reason=data.reason)
    reason = data.reason.strip() or "Asked for by the guest"
    return await _refund(ctx, lots=await _kept_lots(ctx, wanted), amount=data.amount, reason=reason)


async def _refund(ctx: Ctx, *, lots: list[FundedLot], amount: int | None, reason: str) -> CreditRefunds:
    """Send so much back, of the first lots first; what a lot cannot give, the next one does."""
    left = sum(lot.refundable for lot in lots)
    amount = left if amount is None else amount
    if amount > left or left == 0:
        raise NotRefundable(extra={"refundable": left})
    payments.require_usable(Money(amount, lots[0].currency))
    parts: list[RefundPart] = []
    for lot in lots:
        part = min(amount, lot.refundable)
        if part == 0:
            continue
        made = await payments.begin_refund(ctx, payment_id=lot.payment_id, amount=part, reason=reason)
        parts.append(RefundPart(refund_id=made.id, payment_id=made.payment_id, amount=made.amount, status=made.status))
        amount -= part
    return CreditRefunds(items=parts, stays=sum(lot.free - lot.refundable for lot in lots))


async def _kept_lots(ctx: Ctx, data: CreditRefundIn) -> list[FundedLot]:
    """What is unspent, with the payments held in one order and then the account, as everybody does who holds both.

    So what is read stays so until it is sent back, whoever spends at the same time.
    """
    known = {lot.id: lot for lot in await _funded(ctx, data)}
    await ctx.db.execute(HOLD_PAYMENTS, ctx.tenant_id, [lot.payment_id for lot in known.values()])
    for patron_id, currency in {(lot.patron_id, lot.currency) for lot in known.values()}:
        await keep(ctx, patron_id=patron_id, currency=currency)
    return [lot for lot in await _funded(ctx, data) if lot.id in known]


async def _funded(ctx: Ctx, data: CreditRefundIn) -> Sequence[FundedLot]:
    return await funded_lots(ctx, payment_id=data.payment_id, patron_id=data.patron_id, currency=data.currency)


async def _currency(ctx: Ctx, data: PurchaseIn, sold: dict[str, list[int]]) -> str:
    """The currency of a purchase. Raises Invalid for one in which credits are not sold."""
    currency = data.currency
    if data.venue_id is not None:
        await require_shown(ctx, venue_id=data.venue_id)
        currency = currency or await ctx.db.fetchval(VENUE_CURRENCY, ctx.tenant_id, data.venue_id)
    currency = currency or next(iter(sold), "")
    if currency not in sold:
        raise Invalid(fields={"currency": f"Credits are sold in {', '.join(sold)}."})
    return currency


def _require_within(rules: Rules, amount: int, currency: str) -> None:
    least, most = rules.minor(rules.least, currency), rules.minor(rules.most, currency)
    if not least <= amount <= most:
        between = f"{formats.money(least, currency)} and {formats.money(most, currency)}"
        raise Invalid(fields={"amount": f"Buy between {between} at once."})
