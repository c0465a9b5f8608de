"""Credits at the edge: thin; the actions hold the rules."""

from uuid import UUID

from lastlight.domains.credits import purchases, queries, spending
from lastlight.domains.credits.errors import (
    CreditsFull,
    CreditsNotSold,
    CreditsShort,
    NotASpend,
    NotRefundable,
    RefundTooLate,
    SpendReversed,
)
from lastlight.domains.credits.listings import BALANCES, ENTRIES, LOTS, OWN_ENTRIES
from lastlight.domains.credits.model import CreditEntry, EntryId
from lastlight.domains.credits.permissions import CREDITS_CHARGE, CREDITS_OWN, CREDITS_READ
from lastlight.domains.credits.schemas import (
    CreditReceipt,
    CreditRefundIn,
    CreditRefunds,
    GuestCredits,
    OwnCreditRefundIn,
    OwnCredits,
    Purchase,
    PurchaseIn,
    ReversalIn,
    SpendIn,
)
from lastlight.domains.payments import PAYMENTS_REFUND, AmountUnusable, RefundTooLarge, SpentAlready
from lastlight.domains.taxes import TaxNotSetUp
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post
from lastlight.runtime.http.listing import listing_get

TAGS = ("Credits",)
GUEST = ("Patron app",)

list_credit_balances = listing_get("/api/credits/guests", BALANCES, tags=TAGS)
list_credit_entries = listing_get("/api/credits/entries", ENTRIES, tags=TAGS)
list_credit_lots = listing_get("/api/credits/lots", LOTS, tags=TAGS)
list_own_credit_entries = listing_get("/api/patron/credits/entries", OWN_ENTRIES, tags=GUEST)


@get("/api/credits/guests/{patron_id:uuid}", permission=CREDITS_CHARGE, raises=[NotFound], tags=TAGS)
async def read_guest_credits(ctx: Ctx, patron_id: PatronId) -> GuestCredits:
    """Read what a guest has, currency by currency, and what of it expires next: for whoever takes payment in credits."""
    return await queries.read_balances(ctx, patron_id=patron_id)


@post(
    "/api/credits/spends",
    permission=CREDITS_CHARGE,
    idempotent=True,
    raises=[Invalid, NotFound, CreditsShort, TaxNotSetUp],
    status=201,
    tags=TAGS,
)
async def spend_credits(ctx: Ctx, data: SpendIn) -> CreditEntry:
    """Take a guest's credits for something they get at a venue; what expires first is spent first. Lines bear the venue's taxes."""
    await find_venue(ctx, venue_id=data.venue_id, permission=CREDITS_CHARGE)
    return await spending.spend(
        ctx,
        patron_id=data.patron_id,
        amount=data.amount,
        currency=data.currency,
        venue_id=data.venue_id,
        description=data.description,
        lines=data.lines,
    )


@post(
    "/api/credits/spends/{spend_id:uuid}/reversal",
    permission=CREDITS_CHARGE,
    idempotent=True,
    raises=[Invalid, NotFound, NotASpend, SpendReversed],
    status=201,
    tags=TAGS,
)
async def reverse_credit_spend(ctx: Ctx, spend_id: EntryId, data: ReversalIn) -> CreditEntry:
    """Give back a spend, wholly or in part, with a reason; it returns to the lots that it came from."""
    entry = await spending.find_spend(ctx, entry_id=spend_id)
    ctx.require(CREDITS_CHARGE, entry.venue_id)
    return await spending.reverse_spend(ctx, entry_id=spend_id, amount=data.amount, reason=data.reason)


@get("/api/credits/entries/{credit_entry_id:uuid}", permission=CREDITS_READ, raises=[NotFound], tags=TAGS)
async def read_credit_entry(ctx: Ctx, credit_entry_id: EntryId) -> CreditEntry:
    """Read an entry of a guest's credits with what it was for, line by line, and its taxes."""
    return await spending.read_entry(ctx, entry_id=credit_entry_id)


@get("/api/patron/credits/entries/{credit_entry_id:uuid}", permission=CREDITS_OWN, raises=[NotFound], tags=GUEST)
async def read_own_credit_entry(ctx: Ctx, credit_entry_id: EntryId) -> CreditEntry:
    """Read an entry of one's own credits with what it was for, line by line, and its taxes."""
    return await queries.own_entry(ctx, entry_id=credit_entry_id)


@post(
    "/api/credits/refunds",
    permission=PAYMENTS_REFUND,
    idempotent=True,
    raises=[Invalid, NotFound, NotRefundable, AmountUnusable, RefundTooLarge, SpentAlready],
    status=201,
    tags=TAGS,
)
async def refund_credits(ctx: Ctx, data: CreditRefundIn) -> CreditRefunds:
    """Send a guest's unspent credits back to the cards that paid: of one payment, or an amount of the newest purchases."""
    return await purchases.refund(ctx, data=data)


@get("/api/patron/credits", permission=CREDITS_OWN, tags=GUEST)
async def read_own_credits(ctx: Ctx) -> OwnCredits:
    """Read one's own credits, what of them expires next, and what can be bought."""
    return await queries.own_credits(ctx)


@post(
    "/api/patron/credits/purchases",
    permission=CREDITS_OWN,
    idempotent=True,
    raises=[Invalid, NotFound, CreditsNotSold, CreditsFull, AmountUnusable],
    status=201,
    tags=GUEST,
)
async def buy_credits(ctx: Ctx, data: PurchaseIn) -> Purchase:
    """Begin to buy credits: the answer names the payment to be made by card."""
    return await purchases.buy(ctx, data=data)


@get("/api/patron/credits/purchases/{payment_id:uuid}", permission=CREDITS_OWN, raises=[NotFound], tags=GUEST)
async def read_credit_receipt(ctx: Ctx, payment_id: UUID) -> CreditReceipt:
    """Read the receipt of one's own purchase, and what went back of it."""
    return await queries.read_receipt(ctx, payment_id=payment_id)


@post(
    "/api/patron/credits/purchases/{payment_id:uuid}/refund",
    permission=CREDITS_OWN,
    idempotent=True,
    raises=[Invalid, NotFound, NotRefundable, RefundTooLate, AmountUnusable, RefundTooLarge, SpentAlready],
    status=201,
    tags=GUEST,
)
async def refund_own_credits(ctx: Ctx, payment_id: UUID, data: OwnCreditRefundIn) -> CreditRefunds:
    """Send what is unspent of one's own purchase back to the card, within the days that the business gives."""
    return await purchases.refund_own(ctx, payment_id=payment_id, data=data)


ROUTES = (
    list_credit_balances,
    read_guest_credits,
    list_credit_entries,
    read_credit_entry,
    list_credit_lots,
    spend_credits,
    reverse_credit_spend,
    refund_credits,
    read_own_credits,
    list_own_credit_entries,
    read_own_credit_entry,
    buy_credits,
    read_credit_receipt,
    refund_own_credits,
)
