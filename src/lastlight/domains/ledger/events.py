"""What happens in the books. Guests hear of their own money from the domains that move it, never from here."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from lastlight.domains.ledger.permissions import LEDGER_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class Amount(msgspec.Struct, frozen=True):
    """So much of a currency, in minor units."""

    amount: int
    currency: str


class TransactionPosted(Event, frozen=True, kw_only=True):
    """A transaction was posted; `amounts` are the sums of its legs, one for each currency. The books are the business's, so that
    all of these are heard by who reads them, whatever venue they are of."""

    event_name: ClassVar[str] = "transaction.posted"
    audience: ClassVar[Permission | None] = LEDGER_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    transaction_id: UUID
    kind: str
    amounts: list[Amount]
    account_ids: list[UUID]
    patron_id: UUID | None = None
    of_venue_id: UUID | None = None
    reverses: UUID | None = None
    """The transaction that this one takes back, wholly or in part."""
    hold_id: UUID | None = None
    """The hold of which it captures."""


class TransactionHeld(Event, frozen=True, kw_only=True):
    """An amount was set aside; nothing has moved yet."""

    event_name: ClassVar[str] = "transaction.held"
    audience: ClassVar[Permission | None] = LEDGER_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    hold_id: UUID
    kind: str
    amount: Amount
    account_ids: list[UUID]
    expires_at: datetime
    patron_id: UUID | None = None
    of_venue_id: UUID | None = None


class TransactionReleased(Event, frozen=True, kw_only=True):
    """What a hold still set aside was let go, by hand or because its time was over."""

    event_name: ClassVar[str] = "transaction.released"
    audience: ClassVar[Permission | None] = LEDGER_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    hold_id: UUID
    kind: str
    amount: Amount
    account_ids: list[UUID]
    how: Literal["void", "expired"]
    patron_id: UUID | None = None
    of_venue_id: UUID | None = None


class AccountClosedEvent(Event, frozen=True, kw_only=True):
    """An account was closed: it takes nothing any more."""

    event_name: ClassVar[str] = "ledger_account.closed"
    audience: ClassVar[Permission | None] = LEDGER_READ
    account_id: UUID
    code: str


class AccountReopened(Event, frozen=True, kw_only=True):
    """A closed account takes postings again."""

    event_name: ClassVar[str] = "ledger_account.reopened"
    audience: ClassVar[Permission | None] = LEDGER_READ
    account_id: UUID
    code: str


EVENTS: tuple[type[Event], ...] = (
    TransactionPosted,
    TransactionHeld,
    TransactionReleased,
    AccountClosedEvent,
    AccountReopened,
)
