"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict


class CreditsShort(Conflict):
    """More was to be taken than can be spent."""

    type = "credits-short"
    title = "There are not enough credits"
    default_detail = "Take less, or let the guest buy credits first. Nothing was taken."


class CreditsNotSold(Conflict):
    """The business does not sell credits now."""

    type = "credits-not-sold"
    title = "Credits cannot be bought here now"
    default_detail = "Ask the staff how to pay."


class CreditsFull(Conflict):
    """A guest has at most so many credits."""

    type = "credits-full"
    title = "That would be more credits than a guest may have"
    default_detail = "Buy less, or spend some first."


class SpendReversed(Conflict):
    """No more of a spend is given back than was taken."""

    type = "spend-reversed"
    title = "Less of it is left to give back"
    default_detail = "Give back at most what was not given back before. Nothing was moved."


class NotASpend(Conflict):
    """Only what was spent is given back in this way."""

    type = "not-a-spend"
    title = "This was not paid with credits"
    default_detail = "Choose an entry in which credits were spent."


class NotRefundable(Conflict):
    """What was bought was spent, has expired, is in dispute, or is on its way back."""

    type = "credits-not-refundable"
    title = "Less than this can go back to the card"
    default_detail = "Only credits that were bought by card and are unspent can go back to it. Nothing was moved."


class RefundTooLate(Conflict):
    """The days are over in which guests may ask for themselves."""

    type = "credits-refund-too-late"
    title = "It is too late to refund this yourself"
    default_detail = "Ask the staff."


ERRORS = (CreditsShort, CreditsNotSold, CreditsFull, SpendReversed, NotASpend, NotRefundable, RefundTooLate)
CONSTRAINTS = {
    "credit_accounts_frozen_within": CreditsShort,
    "credit_lots_remaining_within": CreditsShort,
    "credit_lots_frozen_within": CreditsShort,
    "credit_entries_within": CreditsShort,
}
