"""What goes in and out of payments at the edge."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.payments.model import Dispute, Payment, PaymentId, PaymentStatus, Refund, Step
from lastlight.kernel.money import MOST
from lastlight.runtime.http import Input

Minor = Annotated[int, msgspec.Meta(gt=0, le=MOST)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class RefundIn(Input, frozen=True, kw_only=True):
    """How much goes back to the card, in minor units of the payment's currency, and why."""

    amount: Minor
    reason: Reason


class CaptureIn(Input, frozen=True, kw_only=True):
    """How much of what was authorised is taken; null: all of it."""

    amount: Minor | None = None


class EvidenceIn(Input, frozen=True, kw_only=True):
    """What speaks for the payment, for the cardholder's bank."""

    evidence: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment moved in the balance at the card provider; minor units."""

    id: str
    kind: str
    amount: int
    fee: int
    net: int
    currency: str
    created_at: datetime
    available_on: datetime
    available: bool


class PaymentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A payment with all that became of it, its steps newest first."""

    payment: Payment
    refundable: int
    steps: list[Step]
    refunds: list[Refund]
    disputes: list[Dispute]
    movements: list[Movement]


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What the payer's page needs: the provider's script, and while the payment is open the secret to pay it with."""

    payment_id: PaymentId
    status: PaymentStatus
    amount: int
    currency: str
    failure: str
    publishable_key: str
    script: str
    client_secret: str | None


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the card provider, with what it said."""

    id: UUID
    event_id: str
    kind: str
    api_version: str
    object_id: str
    payment_id: UUID | None
    source: str
    state: str
    attempts: int
    error: str
    happened_at: datetime
    received_at: datetime
    handled_at: datetime | None
    said: dict[str, Any]
    version: int


class Received(msgspec.Struct, frozen=True):
    """An event is kept; it is worked off later."""

    received: bool = True
