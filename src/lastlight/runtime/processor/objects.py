"""What the platform reads of the processor's objects.

Amounts are minor units as `kernel/money` counts them, whatever the processor counts; currencies are upper case; times are seconds since 1970, in UTC.
"""

from typing import Any

import msgspec


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of the balance that the processor keeps for us; `net` is `amount` less `fee`, all of them signed."""

    id: str
    type: str
    """`charge`, `refund`, `adjustment`, `payout`, `stripe_fee`, …"""
    reporting_category: str
    amount: int
    fee: int
    net: int
    currency: str
    status: str
    """`pending` or `available`."""
    available_on: int
    created: int
    source: str
    """The id of the charge, refund, dispute or payout behind it; empty where there is none."""
    description: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a card."""

    brand: str
    last4: str


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment intent made of a card."""

    id: str
    status: str
    """`pending`, `succeeded` or `failed`."""
    paid: bool
    captured: bool
    amount: int
    amount_captured: int
    amount_refunded: int
    currency: str
    refunded: bool
    """Whether all of it was refunded."""
    disputed: bool
    failure_code: str
    failure_message: str
    payment_intent: str
    card: Card | None
    balance_transaction: BalanceTransaction | None
    """None until it is captured."""
    created: int


class PaymentError(msgspec.Struct, frozen=True, kw_only=True):
    """Why the last try to pay failed; `message` is meant for the payer."""

    code: str
    decline_code: str
    message: str


class PaymentIntent(msgspec.Struct, frozen=True, kw_only=True):
    """The wish to be paid once, and what became of it."""

    id: str
    status: str
    """`requires_payment_method`, `requires_confirmation`, `requires_action`, `processing`, `requires_capture`, `succeeded` or `canceled`."""
    amount: int
    amount_capturable: int
    amount_received: int
    currency: str
    client_secret: str = msgspec.field(default="")
    """For the payer's page alone: whoever has it may pay, and look at, this intent."""
    capture_method: str
    description: str
    customer: str
    next_action_url: str
    """Where the payer confirms, while the status is `requires_action`; else empty."""
    latest_charge: Charge | None
    last_payment_error: PaymentError | None
    metadata: dict[str, str]
    created: int
    canceled_at: int | None
    cancellation_reason: str

    def __repr__(self) -> str:
        return (
            f"PaymentIntent(id={self.id!r}, status={self.status!r}, amount={self.amount}, currency={self.currency!r})"
        )


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way back to a payer. A refund that succeeded may still fail days later."""

    id: str
    status: str
    """`pending`, `requires_action`, `succeeded`, `failed` or `canceled`."""
    amount: int
    currency: str
    charge: str
    payment_intent: str
    reason: str
    balance_transaction: BalanceTransaction | None
    failure_reason: str
    failure_balance_transaction: BalanceTransaction | None
    metadata: dict[str, str]
    created: int


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A payer's bank that takes a charge back, or asks about it (`warning_…`)."""

    id: str
    status: str
    """`warning_needs_response`, `warning_under_review`, `warning_closed`, `needs_response`, `under_review`, `won`, `lost` or `prevented`."""
    amount: int
    currency: str
    charge: str
    payment_intent: str
    reason: str
    balance_transactions: tuple[BalanceTransaction, ...]
    due_by: int | None
    """Until when evidence is taken."""
    has_evidence: bool
    submission_count: int
    is_charge_refundable: bool
    metadata: dict[str, str]
    created: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, as a hint: fetch the object before acting on it."""

    id: str
    type: str
    created: int
    account: str
    """The connected account that it happened in; empty for our own."""
    api_version: str
    livemode: bool
    object_id: str
    """Empty for what has no id, such as a balance."""
    object_type: str
    data: dict[str, Any]
    """The object as it was then, in the processor's own words and amounts."""


class BalanceOf(msgspec.Struct, frozen=True, kw_only=True):
    """The balance in one currency."""

    currency: str
    pending: int
    available: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What the processor keeps for us, by currency."""

    amounts: tuple[BalanceOf, ...]
    livemode: bool
