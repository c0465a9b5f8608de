"""Accounts: which one a kind, an owner and a currency name, and opening it."""

import hashlib
from datetime import datetime
from typing import NewType
from uuid import UUID

import msgspec

from lastlight.domains.ledger.chart import AccountKind, Side
from lastlight.domains.ledger.errors import AccountMissing
from lastlight.domains.ledger.events import AccountClosedEvent, AccountReopened
from lastlight.kernel.ids import PatronId, TenantId, VenueId
from lastlight.runtime.context import Ctx

AccountId = NewType("AccountId", UUID)

OPEN = "select ll.ledger_open($1::smallint, $2, $3, $4, $5, $6, $7, $8)"
CLOSE = "select ll.ledger_close($1, $2)"
KEEP = "select ll.ledger_keep_open($1)"
ACCOUNT = """
select id, code, currency, side, mode, floor, patron_id, venue_id, opened_at, closed_at, dr, cr, dr_pending, cr_pending, version
from ledger_accounts where tenant_id = $1 and id = $2
"""


class Account(msgspec.Struct, frozen=True):
    """An account as it stands; sums in minor units of its currency. A deferred one carries no sums."""

    id: AccountId
    code: str
    currency: str
    side: Side
    mode: str
    floor: int | None
    patron_id: PatronId | None
    venue_id: VenueId | None
    opened_at: datetime
    closed_at: datetime | None
    dr: int
    cr: int
    dr_pending: int
    cr_pending: int
    version: int

    @property
    def balance(self) -> int:
        """What was posted, on its own side."""
        return self.cr - self.dr if self.side == "credit" else self.dr - self.cr

    @property
    def available(self) -> int:
        """The balance without what holds set aside."""
        return self.balance - (self.dr_pending if self.side == "credit" else self.cr_pending)


def account_id(
    tenant_id: TenantId, kind: AccountKind, currency: str, *, owner: PatronId | VenueId | None = None
) -> AccountId:
    """The id of the account, as the database derives it: the class, then 120 bits of SHA-256."""
    named = "|".join((str(tenant_id), kind.code, currency, str(owner) if owner else ""))
    digest = bytearray(hashlib.sha256(named.encode()).digest()[:16])
    digest[0] = kind.account_class
    return AccountId(UUID(bytes=bytes(digest)))


async def open_account(
    ctx: Ctx, *, kind: AccountKind, currency: str, patron_id: PatronId | None = None, venue_id: VenueId | None = None
) -> AccountId:
    """Open the account unless it is open; its id either way."""
    if (kind.owner == "patron") != (patron_id is not None) or (kind.owner == "venue") != (venue_id is not None):
        raise ValueError(f"an account of {kind.code} belongs to a {kind.owner}")
    mode = "deferred" if kind.deferred else "strict"
    given = (kind.account_class, kind.code, currency, kind.side, mode, kind.floor, patron_id, venue_id)
    return AccountId(await ctx.db.fetchval(OPEN, *given))


async def close_account(ctx: Ctx, *, account: AccountId) -> None:
    """Close an empty account: it takes nothing until it is opened again. Raises AccountMissing, AccountNotEmpty."""
    await _set_closed(ctx, account, True)


async def reopen_account(ctx: Ctx, *, account: AccountId) -> None:
    """Let a closed account take postings again. Raises AccountMissing."""
    await _set_closed(ctx, account, False)


async def keep_account(ctx: Ctx, *, account: AccountId) -> bool:
    """Keep others from moving a strict account until the transaction ends. False: it was never opened.

    Where somebody closed it, it is opened again: whoever keeps an account needs it.
    """
    found: str = await ctx.db.fetchval(KEEP, account)
    if found == "reopened":
        _say_closed(ctx, await find_account(ctx, account=account), closed=False)
    return found != "missing"


async def find_account(ctx: Ctx, *, account: AccountId) -> Account:
    """The account as it stands. Raises AccountMissing."""
    found = await ctx.db.row(Account, ACCOUNT, ctx.tenant_id, account)
    if found is None:
        raise AccountMissing
    return found


async def _set_closed(ctx: Ctx, account: AccountId, closed: bool) -> None:
    """Close or open; it is said where it was not so before."""
    before = await find_account(ctx, account=account)
    await ctx.db.execute(CLOSE, account, closed)
    if (before.closed_at is not None) != closed:
        _say_closed(ctx, before, closed=closed)


def _say_closed(ctx: Ctx, account: Account, *, closed: bool) -> None:
    told = AccountClosedEvent if closed else AccountReopened
    ctx.emit(
        told(account_id=account.id, code=account.code),
        entity=("account", account.id),
        before={"closed": not closed},
        after={"closed": closed},
    )
