"""The rows of credits: reading lots under the account's lock, and writing down what became of them.

Every change begins with `keep` (or `opened`), which holds the guest's account in the ledger until the transaction ends, and opens it again where it was closed. Whoever also holds
a payment holds that one first. So nobody waits for each other in a circle, and what is read here does not change before it is written.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from lastlight.domains import ledger
from lastlight.domains.credits.events import CreditBalance
from lastlight.domains.credits.model import CreditEntry, EntryId, EntryKind, Lot, LotId, Origin, SpentLine, Use
from lastlight.domains.credits.receipts import tax_of
from lastlight.domains.ledger import AccountId
from lastlight.domains.payments import Payment
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PatronId, VenueId, uuid7
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx

LOT = (
    "id, patron_id, currency, venue_id, origin, payment_id, amount, remaining, frozen, expires_at, created_at, version"
)
ENTRY = """id, patron_id, currency, number, kind, amount, tax, balance, froze, frozen, venue_id, payment_id, reverses, source_kind,
source_id, description, lines, actor_id, at"""
OPEN = """
insert into credit_accounts (tenant_id, id, patron_id, currency) values ($1, $2, $3, $4) on conflict (tenant_id, id) do nothing
"""
LEFT = f"""
select {LOT} from credit_lots where tenant_id = $1 and patron_id = $2 and currency = $3 and remaining > 0 order by id for no key update
"""  # noqa: S608 - our own names
OF_PAYMENT = f"select {LOT} from credit_lots where tenant_id = $1 and payment_id = $2 for no key update"  # noqa: S608 - our own names
ADD_LOT = """
insert into credit_lots (tenant_id, id, patron_id, currency, venue_id, origin, payment_id, amount, remaining, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
"""
USE_LOTS = """
update credit_lots l
set remaining = l.remaining + u.amount, frozen = l.frozen + u.froze,
    warned_at = case when l.expires_at < $5 then null else l.warned_at end,
    expires_at = case when l.expires_at < $5 then $5 else l.expires_at end
from unnest($2::uuid[], $3::bigint[], $4::bigint[]) u (lot_id, amount, froze)
where l.tenant_id = $1 and l.id = u.lot_id
"""
WRITE = f"""
with moved as (
    update credit_accounts set balance = balance + $4, frozen = frozen + $5, entries = entries + 1, moved_at = clock_timestamp()
    where tenant_id = $1 and id = $2 returning patron_id, currency, entries, balance, frozen, moved_at
)
insert into credit_entries (tenant_id, id, patron_id, currency, number, kind, amount, balance, froze, frozen, venue_id, payment_id,
                            refund_id, dispute_id, reverses, source_kind, source_id, description, actor_id, at, tax, lines)
select $1, $3, patron_id, currency, entries, $6, $4, balance, $5, frozen, $7, $8, $9, $10, $11, $12, $13, $14, $15, moved_at, $16, $17 from moved
returning {ENTRY}
"""  # noqa: S608 - our own names
WRITE_USES = """
insert into credit_uses (tenant_id, entry_id, lot_id, patron_id, amount, froze)
select $1, $2, u.lot_id, $3, u.amount, u.froze from unnest($4::uuid[], $5::bigint[], $6::bigint[]) u (lot_id, amount, froze)
"""


class Writing(NamedTuple):
    """What an entry says beside its amounts."""

    kind: EntryKind
    description: str = ""
    venue_id: UUID | None = None
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    reverses: UUID | None = None
    source: tuple[str, UUID] | None = None
    lines: Sequence[SpentLine] = ()

    @property
    def tax(self) -> int:
        """What its lines hold of taxes, without a sign."""
        return tax_of(self.lines)


def new_entry() -> EntryId:
    """An id for an entry; its transaction in the ledger has the same."""
    return EntryId(uuid7())


async def opened(ctx: Ctx, *, patron_id: PatronId, currency: str) -> AccountId:
    """A guest's account of a currency, opened where it was not, and held until the transaction ends."""
    account = await ledger.open_account(ctx, kind=ledger.CREDITS, currency=currency, patron_id=patron_id)
    await ledger.keep_account(ctx, account=account)
    await ctx.db.execute(OPEN, ctx.tenant_id, account, patron_id, currency)
    return account


async def receives(ctx: Ctx, *, payment: Payment) -> AccountId:
    """The same for whoever a payment buys credits for. Raises Invalid for a payment of nobody."""
    return await opened(ctx, patron_id=guest_of(payment), currency=payment.currency)


def guest_of(payment: Payment) -> PatronId:
    """Who gets the credits that a payment buys."""
    if payment.patron_id is None:
        raise Invalid(fields={"patron_id": "Credits are bought by a guest of the business."})
    return payment.patron_id


async def keep(ctx: Ctx, *, patron_id: PatronId, currency: str) -> AccountId | None:
    """A guest's account of a currency, held until the transaction ends; None where they never had any."""
    account = ledger.account_id(ctx.tenant_id, ledger.CREDITS, currency, owner=patron_id)
    return account if await ledger.keep_account(ctx, account=account) else None


async def lots_left(ctx: Ctx, *, patron_id: PatronId, currency: str) -> list[Lot]:
    """The lots of a guest, whose account is held, of which anything is left."""
    return await ctx.db.rows(Lot, LEFT, ctx.tenant_id, patron_id, currency)


async def lot_of(ctx: Ctx, *, payment_id: UUID) -> Lot | None:
    """The lot that a payment funded, of a guest whose account is held."""
    return await ctx.db.row(Lot, OF_PAYMENT, ctx.tenant_id, payment_id)


async def add_lot(
    ctx: Ctx,
    *,
    patron_id: PatronId,
    currency: str,
    amount: int,
    origin: Origin,
    expires_at: datetime | None,
    venue_id: VenueId | None = None,
    payment_id: UUID | None = None,
) -> LotId:
    """A new lot with nothing on it yet: the entry that brings it in puts it there."""
    lot_id = LotId(uuid7())
    row = (patron_id, currency, venue_id, origin, payment_id, amount, expires_at)
    await ctx.db.execute(ADD_LOT, ctx.tenant_id, lot_id, *row)
    return lot_id


async def write(
    ctx: Ctx,
    *,
    account: AccountId,
    entry_id: EntryId,
    what: Writing,
    uses: Sequence[Use],
    grace_days: int | None = None,
) -> CreditEntry:
    """Write an entry with what it does to each lot, and tell of it. With `grace_days` the lots can be spent for so long at least."""
    amount, froze = sum(use.amount for use in uses), sum(use.froze for use in uses)
    lots, amounts, frozen = (list(column) for column in zip(*uses, strict=True))
    until = None if grace_days is None else ctx.now + timedelta(days=grace_days)
    await ctx.db.execute(USE_LOTS, ctx.tenant_id, lots, amounts, frozen, until)
    source = what.source or (None, None)
    entry = await ctx.db.one(
        CreditEntry,
        WRITE,
        ctx.tenant_id,
        account,
        entry_id,
        amount,
        froze,
        what.kind,
        what.venue_id,
        what.payment_id,
        what.refund_id,
        what.dispute_id,
        what.reverses,
        *source,
        what.description.strip(),
        ctx.actor.user_id,
        what.tax if amount > 0 else -what.tax,
        list(what.lines) or None,
    )
    await ctx.db.execute(WRITE_USES, ctx.tenant_id, entry_id, entry.patron_id, lots, amounts, frozen)
    _tell(ctx, entry, what)
    return entry


def _tell(ctx: Ctx, entry: CreditEntry, what: Writing) -> None:
    was = _facts(entry, balance=entry.balance - entry.amount, frozen=entry.frozen - entry.froze)
    ctx.emit(
        CreditBalance(
            patron_id=entry.patron_id,
            entry_id=entry.id,
            kind=entry.kind,
            currency=entry.currency,
            amount=entry.amount,
            balance=entry.balance,
            frozen=entry.frozen,
            available=entry.balance - entry.frozen,
            venue_id=entry.venue_id,
            payment_id=entry.payment_id,
        ),
        entity=("credit_entry", entry.id),
        venue_id=entry.venue_id,
        patron_id=entry.patron_id,
        before=was,
        after=_facts(entry, balance=entry.balance, frozen=entry.frozen),
        reason=what.description.strip(),
    )


def _facts(entry: CreditEntry, **amounts: int) -> dict[str, str]:
    """What the audit keeps of a guest's credits, as people read them: 12.34 ZAR."""
    return {name: str(Money(amount, entry.currency)) for name, amount in amounts.items()}
