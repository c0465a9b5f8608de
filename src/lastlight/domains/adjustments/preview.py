"""What booking an adjustment would write: its two entries, and how both accounts stand before and after."""

from typing import NamedTuple

from lastlight.domains import ledger
from lastlight.domains.adjustments.schemas import Adjustment
from lastlight.domains.adjustments.subjects import account_kind
from lastlight.domains.ledger import LEDGER_READ, AccountId, AccountKind
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx


class Entry(NamedTuple):
    """One half of what is moved. Balances are on the account's own side, None for who does not read the ledger."""

    name: str
    account_id: AccountId
    guest: str
    debit: int | None
    credit: int | None
    before: int | None
    after: int | None


async def entries_of(ctx: Ctx, *, adjustment: Adjustment) -> list[Entry]:
    """The debit and the credit of an adjustment as it was asked for; with balances as long as it waits."""
    entries = await _asked(ctx, adjustment)
    return entries if adjustment.status == "waiting" else [one._replace(before=None, after=None) for one in entries]


async def _asked(ctx: Ctx, adjustment: Adjustment) -> list[Entry]:
    amount, currency = adjustment.amount, adjustment.currency
    if adjustment.patron_id is None:
        source = account_kind(adjustment.source or "", field="source")
        destination = account_kind(adjustment.destination or "", field="destination")
        return await moved(ctx, source=source, destination=destination, amount=amount, currency=currency)
    ends = (ledger.ADJUSTMENTS, ledger.CREDITS) if amount > 0 else (ledger.CREDITS, ledger.ADJUSTMENTS)
    whose = (adjustment.patron_id, adjustment.guest or "")
    return await moved(ctx, source=ends[0], destination=ends[1], amount=abs(amount), currency=currency, whose=whose)


async def moved(
    ctx: Ctx,
    *,
    source: AccountKind,
    destination: AccountKind,
    amount: int,
    currency: str,
    whose: tuple[PatronId, str] | None = None,
) -> list[Entry]:
    """The debit of one account and the credit of another; a guest's account is that of `whose`, an id and a name."""
    return [
        await _entry(ctx, source, currency, amount, debited=True, whose=whose),
        await _entry(ctx, destination, currency, amount, debited=False, whose=whose),
    ]


async def _entry(
    ctx: Ctx,
    kind: AccountKind,
    currency: str,
    amount: int,
    *,
    debited: bool,
    whose: tuple[PatronId, str] | None,
) -> Entry:
    owner, guest = whose if whose and kind.owner == "patron" else (None, "")
    account = ledger.account_id(ctx.tenant_id, kind, currency, owner=owner)
    before = await _stands(ctx, account) if ctx.allows(LEDGER_READ) else None
    grows = debited == (kind.side == "debit")
    after = None if before is None else before + (amount if grows else -amount)
    debit, credit = (amount, None) if debited else (None, amount)
    return Entry(kind.name, account, guest, debit, credit, before, after)


async def _stands(ctx: Ctx, account: AccountId) -> int:
    """What stands on an account; nothing where booking would open it."""
    try:
        return await ledger.balance(ctx, account=account)
    except NotFound:
        return 0
