"""The payment processor: Stripe, or the sandbox that speaks its protocol, through the official SDK.

Functions take the services of the process. Those that change something take a `key`: repeated with the same key and parameters they do it once.
They raise ProcessorError in one of its kinds, see errors.py, and nothing else.
"""

from lastlight.runtime.processor.amounts import CHARGEABLE, check_chargeable, from_processor, to_processor, usable_part
from lastlight.runtime.processor.client import configuration_of
from lastlight.runtime.processor.disputes import close_dispute, list_disputes, retrieve_dispute, update_dispute
from lastlight.runtime.processor.errors import (
    Declined,
    Missing,
    ProcessorBusy,
    ProcessorError,
    ProcessorMisconfigured,
    ProcessorRefused,
    ProcessorUnreadable,
    SignatureRefused,
    UnusableAmount,
)
from lastlight.runtime.processor.intents import (
    cancel_intent,
    capture_intent,
    confirm_intent,
    create_intent,
    retrieve_charge,
    retrieve_intent,
)
from lastlight.runtime.processor.lists import (
    Created,
    list_balance_transactions,
    list_events,
    retrieve_balance,
    retrieve_balance_transaction,
)
from lastlight.runtime.processor.objects import (
    Balance,
    BalanceOf,
    BalanceTransaction,
    Card,
    Charge,
    Dispute,
    Event,
    PaymentError,
    PaymentIntent,
    Refund,
)
from lastlight.runtime.processor.refunds import create_refund, list_refunds, retrieve_refund
from lastlight.runtime.processor.webhooks import verified_event
from lastlight.runtime.stripe_account import (
    API_VERSION,
    WEBHOOK_EVENTS,
    WEBHOOK_PATH,
    Configuration,
    FieldsSources,
    configured,
    fields_origin,
)

__all__ = [
    "API_VERSION",
    "CHARGEABLE",
    "WEBHOOK_EVENTS",
    "WEBHOOK_PATH",
    "Balance",
    "BalanceOf",
    "BalanceTransaction",
    "Card",
    "Charge",
    "Configuration",
    "Created",
    "Declined",
    "Dispute",
    "Event",
    "FieldsSources",
    "Missing",
    "PaymentError",
    "PaymentIntent",
    "ProcessorBusy",
    "ProcessorError",
    "ProcessorMisconfigured",
    "ProcessorRefused",
    "ProcessorUnreadable",
    "Refund",
    "SignatureRefused",
    "UnusableAmount",
    "cancel_intent",
    "capture_intent",
    "check_chargeable",
    "close_dispute",
    "configuration_of",
    "configured",
    "confirm_intent",
    "create_intent",
    "create_refund",
    "fields_origin",
    "from_processor",
    "list_balance_transactions",
    "list_disputes",
    "list_events",
    "list_refunds",
    "retrieve_balance",
    "retrieve_balance_transaction",
    "retrieve_charge",
    "retrieve_dispute",
    "retrieve_intent",
    "retrieve_refund",
    "to_processor",
    "update_dispute",
    "usable_part",
    "verified_event",
]
