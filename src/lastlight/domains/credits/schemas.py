"""What clients send and get about credits. Amounts are minor units of their currency."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from lastlight.domains.credits.receipts import MOST_LINES, SpendLine
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.kernel.money import MOST
from lastlight.runtime.http import Input

Amount = Annotated[int, msgspec.Meta(ge=1, le=MOST, description="Minor units.")]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$(?!\\n)", description="ISO 4217.")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class PurchaseIn(Input, frozen=True, kw_only=True):
    """How many credits a guest wants to buy; the currency is the venue's, or the business's own, unless another is given."""

    amount: Amount
    currency: Currency | None = None
    venue_id: VenueId | None = None


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase that has begun: the payment to be made by card."""

    payment_id: UUID
    status: str
    amount: int
    currency: str


class SpendIn(Input, frozen=True, kw_only=True):
    """What a guest pays for in credits: an amount, or the lines that come to one with the venue's taxes."""

    patron_id: PatronId
    amount: Amount | None = None
    """With lines, what they come to; left out, it is counted."""
    currency: Currency
    venue_id: VenueId
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    lines: Annotated[list[SpendLine], msgspec.Meta(max_length=MOST_LINES)] = msgspec.field(
        default_factory=list[SpendLine]
    )


class ReversalIn(Input, frozen=True, kw_only=True):
    """Why a spend is given back, and how much of it: all that is left unless an amount is given."""

    reason: Reason
    amount: Amount | None = None


class CreditRefundIn(Input, frozen=True, kw_only=True):
    """What goes back to the card: of one payment, or so much of a guest's purchases, the newest first."""

    reason: Reason
    payment_id: UUID | None = None
    patron_id: PatronId | None = None
    currency: Currency | None = None
    amount: Amount | None = None
    """All that is left of the payment, unless it is given; needed where no payment is named."""


class OwnCreditRefundIn(Input, frozen=True, kw_only=True):
    """What a guest sends back to their card: all that is unspent of the purchase unless an amount is given."""

    amount: Amount | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class RefundPart(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back to the card of one payment."""

    refund_id: UUID
    payment_id: UUID
    amount: int
    status: str


class CreditRefunds(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back, payment by payment."""

    items: list[RefundPart]
    stays: int
    """What else is unspent of these purchases and cannot go back to a card: it stays credits."""


class CreditSum(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's credits of one currency."""

    currency: str
    balance: int
    frozen: int
    """Of the balance: in dispute, not to be spent."""
    available: int
    """What can be spent now."""
    expires_at: datetime | None
    """When some of it expires next."""
    expiring: int
    """How much that is."""


class CreditOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be bought in one currency."""

    currency: str
    amounts: list[int]
    least: int
    most: int


class OwnCredits(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest has, and what they can buy."""

    balances: list[CreditSum]
    on_sale: bool
    offers: list[CreditOffer]
    guest_refund_days: int
    """For how many days guests send unspent purchases back themselves; 0: never."""


class GuestCredits(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's credits, currency by currency."""

    patron_id: PatronId
    guest: str
    balances: list[CreditSum]


class ReceiptRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What went back of a purchase."""

    id: UUID
    amount: int
    status: str
    created_at: datetime
    ended_at: datetime | None


class CreditReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a purchase."""

    payment_id: UUID
    number: str
    status: str
    business: str
    venue: str | None
    amount: int
    currency: str
    brand: str
    """Of the card; empty until it was paid."""
    last4: str
    created_at: datetime
    paid_at: datetime | None
    remaining: int
    """What is unspent of it."""
    frozen: int
    expires_at: datetime | None
    refundable: int
    """What of it can go back to the card."""
    refundable_until: datetime | None
    """Until when the guest can send back what is unspent; null: not by themselves."""
    refunds: list[ReceiptRefund]
