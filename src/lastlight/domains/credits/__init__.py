"""Guests' credits: bought by card and kept as lots that remember what paid for them, in each currency.

`spend` takes them for something a guest gets, `reverse_spend` gives that back to the lots it came from; `take` and `give` move them
from and to an account of the business. Whoever calls has seen to the permission. This is all that other domains may use.
"""

from lastlight.domains.credits.errors import CreditsShort, NotASpend, SpendReversed
from lastlight.domains.credits.looking import entry_of_source, source_of_entry
from lastlight.domains.credits.lots import Writing
from lastlight.domains.credits.model import CreditEntry, EntryId, SpentLine
from lastlight.domains.credits.permissions import CREDITS_ADJUST, CREDITS_CHARGE, CREDITS_OWN, CREDITS_READ
from lastlight.domains.credits.queries import balances_of, own_credits, read_balances
from lastlight.domains.credits.receipts import SpendLine
from lastlight.domains.credits.schemas import OwnCredits
from lastlight.domains.credits.seeding import seed_credits
from lastlight.domains.credits.seeding_cards import seed_purchases
from lastlight.domains.credits.spending import find_spend, give, reverse_spend, spend, take

__all__ = [
    "CREDITS_ADJUST",
    "CREDITS_CHARGE",
    "CREDITS_OWN",
    "CREDITS_READ",
    "CreditEntry",
    "CreditsShort",
    "EntryId",
    "NotASpend",
    "OwnCredits",
    "SpendLine",
    "SpendReversed",
    "SpentLine",
    "Writing",
    "balances_of",
    "entry_of_source",
    "find_spend",
    "give",
    "own_credits",
    "read_balances",
    "reverse_spend",
    "seed_credits",
    "seed_purchases",
    "source_of_entry",
    "spend",
    "take",
]
