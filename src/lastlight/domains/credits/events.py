"""What happens to guests' credits."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.credits.permissions import CREDITS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class CreditBalance(Event, frozen=True, kw_only=True):
    """A guest's credits changed: bought, spent, given back, refunded, adjusted, expired, frozen or released. Minor units."""

    event_name: ClassVar[str] = "credit.balance"
    audience: ClassVar[Permission | None] = CREDITS_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    patron_id: UUID
    entry_id: UUID
    kind: str
    currency: str
    amount: int
    """What the balance changed by."""
    balance: int
    frozen: int
    """Of the balance: in dispute."""
    available: int
    venue_id: UUID | None
    payment_id: UUID | None


EVENTS = (CreditBalance,)
