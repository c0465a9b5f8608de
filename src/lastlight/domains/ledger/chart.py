"""The chart of accounts: what a business's money is called, on which side it is read, and what keeps it from being overdrawn.

A *strict* account carries its balance and is locked by whoever moves it. A *deferred* one, through which everybody's money goes, is only
ever added to; its balance is summed up when it is asked for. The first byte of an id is the class, so that locks are taken from the
narrowest account to the widest.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["debit", "credit"]
Owner = Literal["business", "venue", "patron"]

CLASS_OF: dict[Owner, int] = {"patron": 0x10, "venue": 0x40, "business": 0x80}
DEFERRED = 0xF0


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A line of the chart."""

    code: str
    name: str
    side: Side
    owner: Owner = "business"
    deferred: bool = True
    floor: int | None = None
    """Least that may be available, in minor units; None: unbounded."""

    @property
    def account_class(self) -> int:
        """The first byte of its accounts' ids."""
        return DEFERRED if self.deferred else CLASS_OF[self.owner]


PROVIDER_PENDING = AccountKind("provider-pending", "Card payments on their way", "debit")
PROVIDER_AVAILABLE = AccountKind("provider-available", "Balance at the card provider", "debit")
PROVIDER_RESERVE = AccountKind("provider-reserve", "Held back by the card provider", "debit")
DISPUTES_HELD = AccountKind("disputes-held", "Held for disputes", "debit")
BANK = AccountKind("bank", "Bank", "debit")
CREDITS = AccountKind("credits", "Guests' credits", "credit", "patron", deferred=False, floor=0)
ORDER_CLEARING = AccountKind("order-clearing", "Orders being settled", "credit")
REFUNDS_PAYABLE = AccountKind("refunds-payable", "Refunds on their way", "credit")
TAX_PAYABLE = AccountKind("tax-payable", "Tax to hand on", "credit")
REVENUE = AccountKind("revenue", "Sales", "credit")
BREAKAGE = AccountKind("breakage", "Credits that expired", "credit")
PROCESSING_FEES = AccountKind("processing-fees", "Card fees", "debit")
DISPUTE_FEES = AccountKind("dispute-fees", "Fees of disputes", "debit")
LOSSES = AccountKind("losses", "Losses", "debit")
ADJUSTMENTS = AccountKind("adjustments", "Manual adjustments", "debit")
EXCHANGE = AccountKind("exchange", "Currency exchange", "credit")

CHART = (
    PROVIDER_PENDING,
    PROVIDER_AVAILABLE,
    PROVIDER_RESERVE,
    DISPUTES_HELD,
    BANK,
    CREDITS,
    ORDER_CLEARING,
    REFUNDS_PAYABLE,
    TAX_PAYABLE,
    REVENUE,
    BREAKAGE,
    PROCESSING_FEES,
    DISPUTE_FEES,
    LOSSES,
    ADJUSTMENTS,
    EXCHANGE,
)
BY_CODE = {kind.code: kind for kind in CHART}
