"""What payments are for: the domain that sells something says here what its payment changes, and payments call it.

Everything runs inside the transaction that books the provider's side, with the payment's row locked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from lastlight.domains.ledger import AccountId
from lastlight.domains.payments.model import Dispute, Payment, Refund
from lastlight.runtime.context import Ctx

Verdict = Literal["won", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One thing that is paid by card. Amounts are minor units of the payment's currency."""

    name: str
    label: str
    receives: Callable[[Ctx, Payment], Awaitable[AccountId]]
    """The account that is credited with the whole of what was captured; it is opened where it is not open."""
    paid: Callable[[Ctx, Payment], Awaitable[None]]
    """After what was captured was credited: give what was bought. Called once for each payment."""
    release: Callable[[Ctx, Payment, Refund, int], Awaitable[int]]
    """Take back what was bought for at most so much, post it to the account of refunds on their way (chart: refunds-payable), and say
    how much it was. Less than asked for is what was spent already: an ordinary refund is refused then, and all of it rolled back."""
    restore: Callable[[Ctx, Payment, Refund], Awaitable[None]]
    """The refund failed (its `failure` says why): post what was released back from refunds-payable, and give it again."""
    freeze: Callable[[Ctx, Payment, Dispute], Awaitable[None]]
    """The bank takes the money back: what is left of what was bought may not be spent until the verdict. May be called again."""
    verdict: Callable[[Ctx, Payment, Dispute, Verdict], Awaitable[int]]
    """The dispute has ended. won: let it be spent again, with what an earlier verdict of the same dispute took, and say 0. lost: take what is left, at most the dispute's amount, post it to
    the account of what disputes hold (chart: disputes-held), and say how much it was; the rest is booked as a loss."""


class Purposes:
    """The purposes by name, filled while the modules are imported."""

    def __init__(self) -> None:
        self._known: dict[str, Purpose] = {}

    def add(self, purpose: Purpose) -> Purpose:
        """Declare a purpose; a name stands for one."""
        if self._known.setdefault(purpose.name, purpose) is not purpose:
            raise ValueError(f"payments for {purpose.name} are declared twice")
        return purpose

    def of(self, payment: Payment) -> Purpose:
        """What a payment is for."""
        return self._known[payment.purpose]

    def labels(self) -> dict[str, str]:
        """Every purpose and what it is called."""
        return {name: purpose.label for name, purpose in sorted(self._known.items())}


PURPOSES = Purposes()
