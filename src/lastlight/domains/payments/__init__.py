"""Card payments: from the wish to pay to the money at the provider, back to the card, and disputes.

What is sold belongs to other domains: each declares a `Purpose`, which says what a payment, a refund and a dispute change there. The
provider's word is what counts: its objects are fetched and looked at, whatever its events say. This is all that other domains may use.
"""

from lastlight.domains.payments.actions import begin_payment, begin_refund, void_payment
from lastlight.domains.payments.amounts import read_amount, require_usable
from lastlight.domains.payments.errors import AmountUnusable, RefundTooLarge, SpentAlready
from lastlight.domains.payments.failures import why_not_refunded
from lastlight.domains.payments.health import ProviderAnswer, provider_answer
from lastlight.domains.payments.model import (
    Dispute,
    DisputeId,
    Hint,
    Payment,
    PaymentId,
    PaymentStatus,
    Refund,
    RefundId,
)
from lastlight.domains.payments.permissions import PAYMENTS_OWN, PAYMENTS_READ, PAYMENTS_REFUND
from lastlight.domains.payments.purposes import PURPOSES, Purpose, Verdict
from lastlight.domains.payments.queries import find_payment, payments_under_way, read_payment, refunds_of
from lastlight.domains.payments.trying import can_try, try_payment

__all__ = [
    "PAYMENTS_OWN",
    "PAYMENTS_READ",
    "PAYMENTS_REFUND",
    "PURPOSES",
    "AmountUnusable",
    "Dispute",
    "DisputeId",
    "Hint",
    "Payment",
    "PaymentId",
    "PaymentStatus",
    "ProviderAnswer",
    "Purpose",
    "Refund",
    "RefundId",
    "RefundTooLarge",
    "SpentAlready",
    "Verdict",
    "begin_payment",
    "begin_refund",
    "can_try",
    "find_payment",
    "payments_under_way",
    "provider_answer",
    "read_amount",
    "read_payment",
    "refunds_of",
    "require_usable",
    "try_payment",
    "void_payment",
    "why_not_refunded",
]
