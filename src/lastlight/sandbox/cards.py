"""Stripe's test cards, and what each of them makes happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RefundCourse = Literal["now", "later", "fails"]


@dataclass(frozen=True, slots=True)
class Card:
    """One test card: its names after `pm_card_` and `tok_`, its number, and its behaviour."""

    names: tuple[str, ...]
    number: str
    brand: str = "visa"
    funding: str = "credit"
    decline: str = ""
    """The error code of each charge, or the decline code of `card_declined`."""
    authenticate: bool = False
    dispute: str = ""
    """The reason of the dispute that follows a charge."""
    inquiry: bool = False
    bypass: bool = False
    """Whether the money is available at once."""
    refund: RefundCourse = "now"

    @property
    def last4(self) -> str:
        """The end of the number."""
        return self.number[-4:]


CARDS: tuple[Card, ...] = (
    Card(("visa",), "4242424242424242"),
    Card(("visa_debit",), "4000056655665556", funding="debit"),
    Card(("mastercard",), "5555555555554444", "mastercard"),
    Card(("mastercard_debit",), "5200828282828210", "mastercard", "debit"),
    Card(("mastercard_prepaid",), "5105105105105100", "mastercard", "prepaid"),
    Card(("amex",), "378282246310005", "amex"),
    Card(("discover",), "6011111111111117", "discover"),
    Card(("diners",), "3056930009020004", "diners"),
    Card(("jcb",), "3566002020360505", "jcb"),
    Card(("unionpay",), "6200000000000005", "unionpay"),
    Card(("chargeDeclined", "visa_chargeDeclined"), "4000000000000002", decline="generic_decline"),
    Card(
        ("chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"),
        "4000000000009995",
        decline="insufficient_funds",
    ),
    Card(("chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"), "4000000000009987", decline="lost_card"),
    Card(("chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"), "4000000000009979", decline="stolen_card"),
    Card(("chargeDeclinedFraudulent",), "4100000000000019", decline="fraudulent"),
    Card(("chargeDeclinedExpiredCard",), "4000000000000069", decline="expired_card"),
    Card(("chargeDeclinedIncorrectCvc",), "4000000000000127", decline="incorrect_cvc"),
    Card(("chargeDeclinedProcessingError",), "4000000000000119", decline="processing_error"),
    Card(("createDispute",), "4000000000000259", dispute="fraudulent"),
    Card(("createDisputeProductNotReceived",), "4000000000002685", dispute="product_not_received"),
    Card(("createDisputeInquiry",), "4000000000001976", dispute="product_not_received", inquiry=True),
    Card(("bypassPending",), "4000000000000077", bypass=True),
    Card(("threeDSecure2Required",), "4000000000003220", authenticate=True),
    Card(("threeDSecureRequired",), "4000000000003063", authenticate=True),
    Card(("authenticationRequired",), "4000002760003184", authenticate=True),
    Card(("threeDSecureRequiredChargeDeclined",), "4000008400001629", authenticate=True, decline="generic_decline"),
    Card(("pendingRefund",), "4000000000007726", refund="later"),
    Card(("refundFail",), "4000000000005126", refund="fails"),
)
BY_NAME: Mapping[str, Card] = {name: card for card in CARDS for name in card.names}
BY_NUMBER: Mapping[str, Card] = {card.number: card for card in CARDS}
PLAIN = CARDS[0]

DECLINES: Mapping[str, tuple[str, str]] = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "fraudulent": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}
"""For each decline code the error's code and the sentence."""


def by_token(given: str) -> Card | None:
    """The card that `pm_card_…` or `tok_…` stands for."""
    for prefix in ("pm_card_", "tok_"):
        if given.startswith(prefix):
            return BY_NAME.get(given.removeprefix(prefix))
    return None
