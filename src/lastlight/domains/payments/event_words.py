"""The card provider's events in plain words; one that has none is shown as the provider calls it."""

from typing import NamedTuple


class EventKind(NamedTuple):
    """What the provider calls an event, and what we say."""

    name: str
    words: str


EVENT_KINDS = (
    EventKind("payment_intent.created", words="Payment begun"),
    EventKind("payment_intent.requires_action", words="Payment waits for the bank"),
    EventKind("payment_intent.processing", words="Payment being processed"),
    EventKind("payment_intent.amount_capturable_updated", words="Payment authorised"),
    EventKind("payment_intent.succeeded", words="Payment captured"),
    EventKind("payment_intent.payment_failed", words="Payment declined"),
    EventKind("payment_intent.canceled", words="Payment canceled"),
    EventKind("charge.succeeded", words="Card charged"),
    EventKind("charge.captured", words="Card charged with what was authorised"),
    EventKind("charge.pending", words="Charge of the card on its way"),
    EventKind("charge.failed", words="Charge of the card failed"),
    EventKind("charge.expired", words="Authorisation of the card expired"),
    EventKind("charge.updated", words="Charge of the card changed"),
    EventKind("charge.refunded", words="Charge refunded"),
    EventKind("charge.refund.updated", words="Refund of a charge changed"),
    EventKind("refund.created", words="Refund begun"),
    EventKind("refund.updated", words="Refund changed"),
    EventKind("refund.failed", words="Refund failed"),
    EventKind("charge.dispute.created", words="Dispute opened"),
    EventKind("charge.dispute.updated", words="Dispute changed"),
    EventKind("charge.dispute.closed", words="Dispute decided"),
    EventKind("charge.dispute.funds_withdrawn", words="Disputed money taken"),
    EventKind("charge.dispute.funds_reinstated", words="Disputed money returned"),
    EventKind("balance.available", words="Balance changed"),
    EventKind("topup.created", words="Top-up begun"),
    EventKind("topup.succeeded", words="Top-up arrived"),
    EventKind("topup.canceled", words="Top-up canceled"),
    EventKind("customer.created", words="Customer added"),
    EventKind("customer.updated", words="Customer changed"),
    EventKind("customer.deleted", words="Customer removed"),
    EventKind("payment_method.attached", words="Card kept"),
    EventKind("payment_method.updated", words="Kept card changed"),
    EventKind("payment_method.detached", words="Kept card removed"),
    EventKind("setup_intent.created", words="Keeping of a card begun"),
    EventKind("setup_intent.requires_action", words="Keeping of a card waits for the bank"),
    EventKind("setup_intent.succeeded", words="Keeping of a card allowed"),
    EventKind("setup_intent.setup_failed", words="Keeping of a card declined"),
    EventKind("setup_intent.canceled", words="Keeping of a card canceled"),
)
"""Each in words of its own."""
EVENT_STATES = (
    ("waiting", "Waiting"),
    ("done", "Done"),
    ("ignored", "Ignored"),
    ("held", "Held: another version"),
    ("failed", "Failed"),
)
KIND_WORDS = {kind.name: kind.words for kind in EVENT_KINDS}


def searched_words(column: str) -> str:
    """The SQL of the words for the kind in a column, so that a search finds an event by what the screen calls it."""
    cases = " ".join(f"when '{kind.name}' then '{kind.words}'" for kind in EVENT_KINDS)
    return f"case {column} {cases} else '' end"
