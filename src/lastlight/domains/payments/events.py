"""What happens to payments, refunds and disputes. The payer hears of their own payment on their socket."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.payments.permissions import PAYMENTS_MANAGE, PAYMENTS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class PaymentEvent(Event, frozen=True, kw_only=True):
    """What every event of a payment says; amounts in minor units."""

    audience: ClassVar[Permission | None] = PAYMENTS_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    payment_id: UUID
    purpose: str
    patron_id: UUID | None
    venue_id: UUID | None
    amount: int
    currency: str
    status: str
    version: int


class PaymentCreated(PaymentEvent, frozen=True, kw_only=True):
    """Somebody wants to pay by card."""

    event_name: ClassVar[str] = "payment.created"


class PaymentChanged(PaymentEvent, frozen=True, kw_only=True):
    """It waits for a card, for the cardholder's bank, or is being processed."""

    event_name: ClassVar[str] = "payment.changed"


class PaymentDeclined(PaymentEvent, frozen=True, kw_only=True):
    """The bank declined a card; another one may be tried."""

    event_name: ClassVar[str] = "payment.declined"
    code: str


class PaymentCaptured(PaymentEvent, frozen=True, kw_only=True):
    """It is paid."""

    event_name: ClassVar[str] = "payment.captured"
    captured: int


class PaymentSettled(PaymentEvent, frozen=True, kw_only=True):
    """Its money is available at the card provider."""

    event_name: ClassVar[str] = "payment.settled"


class PaymentAsked(PaymentEvent, frozen=True, kw_only=True):
    """Somebody asked the card provider for something: a capture, a void, a look, an answer to a dispute; what comes of it follows."""

    event_name: ClassVar[str] = "payment.asked"
    asked: str


class PaymentEnded(PaymentEvent, frozen=True, kw_only=True):
    """It was voided, or never reached the card provider: nothing was paid."""

    event_name: ClassVar[str] = "payment.ended"


class RefundEvent(PaymentEvent, frozen=True, kw_only=True):
    """What every event of a refund says; `amount` and `status` are the payment's."""

    refund_id: UUID
    refund: int
    refund_status: str


class RefundBegun(RefundEvent, frozen=True, kw_only=True):
    """Money is on its way back to the card."""

    event_name: ClassVar[str] = "payment.refund_begun"


class RefundSucceeded(RefundEvent, frozen=True, kw_only=True):
    """Money went back to the card."""

    event_name: ClassVar[str] = "payment.refunded"


class RefundFailed(RefundEvent, frozen=True, kw_only=True):
    """It did not reach the card, and was taken back."""

    event_name: ClassVar[str] = "payment.refund_failed"


class DisputeEvent(PaymentEvent, frozen=True, kw_only=True):
    """What every event of a dispute says; `amount` and `status` are the payment's."""

    dispute_id: UUID
    disputed: int
    dispute_status: str


class DisputeOpened(DisputeEvent, frozen=True, kw_only=True):
    """The cardholder's bank asks the money back, or asks about it."""

    event_name: ClassVar[str] = "dispute.opened"


class DisputeChanged(DisputeEvent, frozen=True, kw_only=True):
    """A dispute was answered, or stands otherwise."""

    event_name: ClassVar[str] = "dispute.changed"


class DisputeClosed(DisputeEvent, frozen=True, kw_only=True):
    """A dispute is decided."""

    event_name: ClassVar[str] = "dispute.closed"


class DisputeOverturned(DisputeEvent, frozen=True, kw_only=True):
    """A dispute that was decided is decided otherwise; what the first verdict booked was taken back."""

    event_name: ClassVar[str] = "dispute.overturned"


class ProviderEventFailed(Event, frozen=True, kw_only=True):
    """An event of the card provider could not be worked off; it waits in the inbox for somebody to look."""

    event_name: ClassVar[str] = "payment.webhook_failed"
    audience: ClassVar[Permission | None] = PAYMENTS_MANAGE
    provider_event_id: UUID
    kind: str
    attempts: int


class ProviderEventReplayed(Event, frozen=True, kw_only=True):
    """Somebody had an event of the card provider worked off again."""

    event_name: ClassVar[str] = "payment.webhook_replayed"
    audience: ClassVar[Permission | None] = PAYMENTS_MANAGE
    provider_event_id: UUID
    kind: str


class ProviderTrouble(Event, frozen=True, kw_only=True):
    """Nothing comes in from the card provider though payments are captured (silent), or webhooks get lost again and again (lost)."""

    event_name: ClassVar[str] = "payment.provider_trouble"
    audience: ClassVar[Permission | None] = PAYMENTS_MANAGE
    trouble: str


EVENTS = (
    PaymentCreated,
    PaymentChanged,
    PaymentDeclined,
    PaymentCaptured,
    PaymentSettled,
    PaymentAsked,
    PaymentEnded,
    RefundBegun,
    RefundSucceeded,
    RefundFailed,
    DisputeOpened,
    DisputeChanged,
    DisputeClosed,
    DisputeOverturned,
    ProviderEventFailed,
    ProviderEventReplayed,
    ProviderTrouble,
)
