"""A payment, what went back of it, and what is disputed. Pure."""

from datetime import datetime
from typing import Any, Literal, NewType
from uuid import UUID

import msgspec

from lastlight.kernel.ids import PatronId, UserId, VenueId
from lastlight.kernel.money import Money
from lastlight.runtime.processor import usable_part

PaymentId = NewType("PaymentId", UUID)
RefundId = NewType("RefundId", UUID)
DisputeId = NewType("DisputeId", UUID)

PaymentStatus = Literal[
    "created", "open", "action", "processing", "authorised", "captured", "settled", "canceled", "failed"
]
RefundStatus = Literal["created", "pending", "succeeded", "failed", "canceled"]
DisputeStatus = Literal[
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
]
Source = Literal["request", "answer", "webhook", "poll", "sweep", "retry", "console"]


class Hint(msgspec.Struct, frozen=True):
    """What said that something has happened: how it became known, and the provider's event or the person behind it."""

    source: Source
    cause: str = ""


PAID: frozenset[PaymentStatus] = frozenset({"captured", "settled"})
ENDED: frozenset[PaymentStatus] = frozenset({"canceled", "failed"})
REFUND_ENDED: frozenset[RefundStatus] = frozenset({"succeeded", "failed", "canceled"})
DISPUTE_ENDED: frozenset[DisputeStatus] = frozenset({"warning_closed", "won", "lost", "prevented"})
INQUIRIES: frozenset[DisputeStatus] = frozenset({"warning_needs_response", "warning_under_review", "warning_closed"})
"""The bank asks, and no money is held."""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it stands; amounts in minor units of its currency."""

    id: PaymentId
    purpose: str
    patron_id: PatronId | None
    venue_id: VenueId | None
    amount: int
    currency: str
    status: PaymentStatus
    captured: int
    refunding: int
    refunded: int
    disputed: int
    intent_id: str | None
    charge_id: str | None
    brand: str
    last4: str
    failure_code: str
    failure: str
    details: dict[str, Any]
    created_by: UserId | None
    created_at: datetime
    authorised_at: datetime | None
    captured_at: datetime | None
    settled_at: datetime | None
    ended_at: datetime | None
    checked_at: datetime | None
    version: int

    @property
    def refundable(self) -> int:
        """What may still be sent back to the card, in whole steps of what cards take."""
        left = self.captured - self.refunding - self.refunded - self.disputed
        return usable_part(Money(left, self.currency))


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it stands."""

    id: RefundId
    payment_id: PaymentId
    patron_id: PatronId | None
    amount: int
    released: int
    status: RefundStatus
    reason: str
    provider_id: str | None
    failure: str
    requested_by: UserId | None
    outside: bool
    created_at: datetime
    ended_at: datetime | None
    version: int


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute as it stands."""

    id: DisputeId
    payment_id: PaymentId
    provider_id: str
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    lost: int
    due_by: datetime | None
    answered_at: datetime | None
    opened_at: datetime
    ended_at: datetime | None
    version: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a payment's life."""

    id: UUID
    step: str
    source: Source
    cause: str
    details: dict[str, Any]
    at: datetime
