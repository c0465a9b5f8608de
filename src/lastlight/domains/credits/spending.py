"""Taking credits, giving them, and giving back what was spent. This is what other domains charge with."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lastlight.domains import ledger
from lastlight.domains.credits.errors import CreditsShort, NotASpend, SpendReversed
from lastlight.domains.credits.expiry import expire_kept, expire_lots, expired_lately
from lastlight.domains.credits.lots import ENTRY, Writing, add_lot, keep, lots_left, new_entry, opened, write
from lastlight.domains.credits.model import (
    CreditEntry,
    Lot,
    Origin,
    SpentLine,
    Use,
    given_back,
    is_over,
    months_later,
    taken,
)
from lastlight.domains.credits.receipts import SpendLine, gross_of, left_of, part_of, receipt_of, tax_of
from lastlight.domains.credits.settings import read_rules
from lastlight.domains.ledger import AccountKind, Leg, Transaction, TransactionId
from lastlight.kernel.errors import Conflict, Invalid
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.kernel.money import MOST
from lastlight.runtime.context import Ctx

READ_ENTRY = f"select {ENTRY} from credit_entries where tenant_id = $1 and id = $2"  # noqa: S608 - our own names
OUTSTANDING = """
select u.lot_id, (-u.amount - coalesce((
    select sum(b.amount) from credit_uses b join credit_entries r on r.tenant_id = $1 and r.id = b.entry_id
    where b.tenant_id = $1 and b.lot_id = u.lot_id and r.reverses = $2), 0))::bigint as amount
from credit_uses u join credit_lots l on l.tenant_id = $1 and l.id = u.lot_id
where u.tenant_id = $1 and u.entry_id = $2
order by l.expires_at nulls last, l.created_at, l.id
"""
GIVEN_BACK = (
    "select lines from credit_entries where tenant_id = $1 and reverses = $2 and lines is not null order by number"
)


async def spend(
    ctx: Ctx,
    *,
    patron_id: PatronId,
    currency: str,
    venue_id: VenueId | None,
    description: str,
    amount: int | None = None,
    lines: Sequence[SpendLine] = (),
    source: tuple[str, UUID] | None = None,
) -> CreditEntry:
    """Take a guest's credits for something they get, onto the account of orders being settled. Raises CreditsShort.

    What is paid for is an amount, or lines, which come to an amount with the venue's taxes; those go onto the account of taxes.
    The caller has seen to the permission. `source` names what was paid for, such as ("checkin", its id).
    """
    receipt = await receipt_of(ctx, venue_id=venue_id, currency=currency, lines=lines)
    amount = _asked(amount, receipt)
    what = Writing("spent", description, venue_id, source=source, lines=receipt)
    return await take(ctx, patron_id=patron_id, amount=amount, currency=currency, into=ledger.ORDER_CLEARING, what=what)


async def take(
    ctx: Ctx, *, patron_id: PatronId, amount: int, currency: str, into: AccountKind, what: Writing
) -> CreditEntry:
    """Take credits, what expires first before the rest, and credit them to an account of the business; taxes to their own."""
    require_amount(amount)
    account = await keep(ctx, patron_id=patron_id, currency=currency)
    if account is None:
        raise CreditsShort(extra={"available": 0, "frozen": 0, "expired": 0})
    lots = await lots_left(ctx, patron_id=patron_id, currency=currency)
    await expire_lots(ctx, account=account, lots=lots, currency=currency)
    usable = [lot for lot in lots if not is_over(lot, now=ctx.now)]
    uses = taken(usable, amount=amount)
    if uses is None:
        frozen = sum(lot.frozen for lot in usable)
        expired = await expired_lately(ctx, patron_id=patron_id, currency=currency)
        raise CreditsShort(extra={"available": free_of(usable), "frozen": frozen, "expired": expired})
    entry_id = new_entry()
    shares = {into: amount - what.tax, ledger.TAX_PAYABLE: what.tax}
    legs = [
        Leg(account, await ledger.open_account(ctx, kind=kind, currency=currency), share)
        for kind, share in shares.items()
        if share
    ]
    await ledger.post(ctx, transaction=Transaction(TransactionId(entry_id), f"credits-{what.kind}", legs))
    return await write(ctx, account=account, entry_id=entry_id, what=what, uses=uses)


async def give(
    ctx: Ctx,
    *,
    patron_id: PatronId,
    amount: int,
    currency: str,
    out_of: AccountKind,
    origin: Origin,
    what: Writing,
) -> CreditEntry:
    """Give a guest credits that nobody paid for by card, as a lot of its own, debited to an account of the business."""
    require_amount(amount)
    rules = await read_rules(ctx)
    account = await opened(ctx, patron_id=patron_id, currency=currency)
    other = await ledger.open_account(ctx, kind=out_of, currency=currency)
    entry_id = new_entry()
    transaction = Transaction(TransactionId(entry_id), f"credits-{what.kind}", [Leg(other, account, amount)])
    await ledger.post(ctx, transaction=transaction)
    lot_id = await add_lot(
        ctx,
        patron_id=patron_id,
        currency=currency,
        amount=amount,
        origin=origin,
        expires_at=months_later(ctx.now, rules.expiry_months) if rules.expiry_months else None,
        venue_id=VenueId(what.venue_id) if what.venue_id else None,
    )
    return await write(ctx, account=account, entry_id=entry_id, what=what, uses=[Use(lot_id, amount)])


async def read_entry(ctx: Ctx, *, entry_id: UUID) -> CreditEntry:
    """An entry of the business, or of the guest who asks. Raises NotFound."""
    return await ctx.db.one(CreditEntry, READ_ENTRY, ctx.tenant_id, entry_id)


async def find_spend(ctx: Ctx, *, entry_id: UUID) -> CreditEntry:
    """An entry in which credits were spent. Raises NotFound and NotASpend."""
    entry = await read_entry(ctx, entry_id=entry_id)
    if entry.kind != "spent":
        raise NotASpend
    return entry


async def reverse_spend(
    ctx: Ctx, *, entry_id: UUID, amount: int | None = None, reason: str, seen: int | None = None
) -> CreditEntry:
    """Give back a spend, wholly (what is left of it) or in part, to the lots that it came from. Raises SpendReversed.

    A lot whose time was over meanwhile can be spent for the days of grace that the business gives. The caller has seen to the permission.
    `seen`: what was left of it when somebody decided; another sum now raises Conflict.
    """
    spent = await find_spend(ctx, entry_id=entry_id)
    rules = await read_rules(ctx)
    account = await opened(ctx, patron_id=spent.patron_id, currency=spent.currency)
    await expire_kept(ctx, account=account, patron_id=spent.patron_id, currency=spent.currency)
    rows = await ctx.db.fetch(OUTSTANDING, ctx.tenant_id, entry_id)
    outstanding = [Use(row["lot_id"], row["amount"]) for row in rows]
    left = sum(use.amount for use in outstanding)
    if seen is not None and left != seen:
        raise Conflict("Some of it was given back in the meantime. Look at the entry again. Nothing was moved.")
    amount = left if amount is None else amount
    if amount > left or left == 0:
        raise SpendReversed(extra={"left": left})
    require_amount(amount)
    lines = await _lines_back(ctx, spent=spent, amount=amount)
    taxes = tax_of(lines)
    shares = ((-spent.amount + spent.tax, amount - taxes), (-spent.tax, taxes))
    new_id = new_entry()
    await ledger.reverse(
        ctx,
        posted_as=TransactionId(new_id),
        of=TransactionId(entry_id),
        kind="credits-spend-reversed",
        amounts=[back for posted, back in shares if posted],
    )
    source = _source_of(spent)
    what = Writing("spend-reversed", reason, spent.venue_id, reverses=entry_id, source=source, lines=lines)
    uses = given_back(outstanding, amount=amount)
    return await write(ctx, account=account, entry_id=new_id, what=what, uses=uses, grace_days=rules.grace_days)


def require_amount(amount: int) -> None:
    """An amount that can be moved: above zero, and within what every reader of JSON keeps exactly."""
    if not 0 < amount <= MOST:
        raise Invalid(fields={"amount": "Give an amount above zero, in minor units."})


def free_of(lots: list[Lot]) -> int:
    """What of them can be spent."""
    return sum(lot.free for lot in lots)


def _asked(amount: int | None, receipt: Sequence[SpentLine]) -> int:
    """What is to be taken: what the lines come to, where there are any."""
    gross = gross_of(receipt)
    if amount is None and not receipt:
        raise Invalid(fields={"amount": "Give the amount, or the lines of what is paid for."})
    if amount is not None and receipt and amount != gross:
        raise Invalid(fields={"amount": f"The lines come to {gross} with their taxes; give that, or leave it out."})
    return gross if amount is None else amount


async def _lines_back(ctx: Ctx, *, spent: CreditEntry, amount: int) -> list[SpentLine]:
    """What of a spend's lines an amount gives back; the guest's account is held."""
    if not spent.lines:
        return []
    rows = await ctx.db.fetch(GIVEN_BACK, ctx.tenant_id, spent.id)
    back = [msgspec.convert(row["lines"], list[SpentLine]) for row in rows]
    return part_of(left_of(spent.lines, back=back), amount=amount)


def _source_of(entry: CreditEntry) -> tuple[str, UUID] | None:
    return (entry.source_kind, entry.source_id) if entry.source_kind and entry.source_id else None
