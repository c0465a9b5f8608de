"""What the edges of the ledger take and give beside its lists."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.balances import Basis
from lastlight.domains.ledger.events import Amount
from lastlight.runtime.http import Input


class BalanceQuery(Input, frozen=True, kw_only=True):
    """Of which moment: none is now. `effective` counts each posting for the moment that it names."""

    at: datetime | None = None
    basis: Basis = "posted"


class StatementQuery(Input, frozen=True, kw_only=True):
    """From when up to, not with, when; the last thirty days where nothing is said. `effective`: what counts for that time."""

    since: datetime | None = None
    until: datetime | None = None
    basis: Basis = "posted"
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000, description="Most lines.")] = 1_000


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """What moved; `moved` and the balance after it on the account's own side."""

    transaction_id: UUID
    leg: int
    kind: str
    at: datetime
    effective_at: datetime
    other_id: AccountId
    other: str
    debit: Amount | None
    credit: Amount | None
    balance: Amount
    reverses: UUID | None
    meta: dict[str, str]


class StatementOut(msgspec.Struct, frozen=True, kw_only=True):
    """What moved on an account within a time, and what stood on it before and after."""

    account_id: AccountId
    code: str
    name: str
    currency: str
    since: datetime
    until: datetime
    basis: Basis
    opening: Amount
    closing: Amount
    lines: list[StatementLine]
    whole: bool
    """Whether all lines are here; where they are not, ask for a shorter time."""
