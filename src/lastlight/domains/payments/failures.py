"""Why a refund never reached its card, in words: guests and staff read them in histories."""

REFUND_FAILURES = {
    "expired_or_canceled_card": "The card has expired or was canceled.",
    "lost_or_stolen_card": "The card was reported lost or stolen.",
    "insufficient_funds": "The refund could not be funded.",
    "declined": "The bank declined it.",
    "charge_for_pending_refund_disputed": "The bank disputes the payment.",
    "merchant_request": "It was called off.",
    "unknown": "The bank did not say why.",
}
"""The card provider's codes."""


def why_not_refunded(failure: str) -> str:
    """The words for the card provider's code; what is no code of theirs stands as it is."""
    return REFUND_FAILURES.get(failure, failure)
