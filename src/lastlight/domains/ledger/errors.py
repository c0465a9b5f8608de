"""Refusals of the ledger; each carries out a rule that the database holds under the same name."""

from lastlight.kernel.errors import Conflict, NotFound
from lastlight.runtime.db.uow import LostRace


class NotEnough(Conflict):
    """An account would fall below its floor."""

    type = "not-enough"
    title = "There is not enough on the account"
    default_detail = "Less is available than this takes. Nothing was moved."


class AccountMissing(NotFound):
    """A posting names an account that was never opened."""

    type = "account-missing"
    title = "There is no such account"
    default_detail = "Open the account before anything is posted to it. Nothing was moved."


class TransactionMissing(NotFound):
    """Nothing was posted under this id."""

    type = "transaction-missing"
    title = "There is no such transaction"
    default_detail = "Nothing was posted under this id."


class AccountClosed(Conflict):
    """A closed account takes nothing."""

    type = "account-closed"
    title = "The account is closed"
    default_detail = "Open it again, or post to another account. Nothing was moved."


class AccountNotEmpty(Conflict):
    """Only an empty account is closed."""

    type = "account-not-empty"
    title = "The account is not empty"
    default_detail = "Move its balance and let go of its holds first."


class CurrenciesMixed(Conflict):
    """A posting stays within one currency."""

    type = "currencies-mixed"
    title = "The accounts are in different currencies"
    default_detail = "Exchange goes through the exchange accounts of both currencies. Nothing was moved."


class IdReused(Conflict):
    """One id stands for one request, for good."""

    type = "ledger-id-reused"
    title = "This id stands for another transaction"
    default_detail = "Repeat a transaction exactly as it was, or give a new one a new id. Nothing was moved."


class PostedMeanwhile(Conflict, LostRace):
    """A batch wrote this id between the look for it and the posting; run again, the transaction finds it."""

    type = "posted-meanwhile"
    title = "This id was posted by somebody else at the same moment"
    default_detail = "Send it again as it is: what was posted is done only once. Nothing was moved."


class AccountMoved(Conflict):
    """The account is not in the version that was looked at."""

    type = "account-moved"
    title = "The account has moved since it was looked at"
    default_detail = "Look at it again, then repeat."


class LegsBroken(Conflict):
    """A transaction without legs, a leg without an amount, or one from an account to itself."""

    type = "legs-broken"
    title = "This is no transaction"
    default_detail = "Each leg moves more than nothing from one account to another. Nothing was moved."


class AmountTooLarge(Conflict):
    """An amount is larger than a posting holds, or an account would sum up to more than it holds."""

    type = "ledger-amount-too-large"
    title = "The books hold no such amount"
    default_detail = "Move less at once. Nothing was moved."


class ReversedAlready(Conflict):
    """No more is taken back than was moved."""

    type = "reversed-already"
    title = "Less of it is left to take back"
    default_detail = "Take back at most what was not taken back before. Nothing was moved."


class HoldMissing(NotFound):
    """There is no such hold."""

    type = "hold-missing"
    title = "There is no such hold"


class HoldEnded(Conflict):
    """It was captured, voided, or has expired."""

    type = "hold-ended"
    title = "The hold has ended"
    default_detail = "Nothing is set aside by it any more. Nothing was moved."


class HoldTooSmall(Conflict):
    """More was to be captured than is held."""

    type = "hold-too-small"
    title = "Less is held than this"
    default_detail = "Capture at most what the hold still sets aside. Nothing was moved."


ERRORS = (
    NotEnough,
    AccountMissing,
    TransactionMissing,
    AccountClosed,
    AccountNotEmpty,
    CurrenciesMixed,
    IdReused,
    PostedMeanwhile,
    AccountMoved,
    LegsBroken,
    AmountTooLarge,
    ReversedAlready,
    HoldMissing,
    HoldEnded,
    HoldTooSmall,
)
CONSTRAINTS = {
    "ledger_accounts_floor": NotEnough,
    "ledger_account_missing": AccountMissing,
    "ledger_account_closed": AccountClosed,
    "ledger_account_not_empty": AccountNotEmpty,
    "ledger_currency_mixed": CurrenciesMixed,
    "ledger_id_reused": IdReused,
    "ledger_postings_pkey": PostedMeanwhile,
    "ledger_version_changed": AccountMoved,
    "ledger_legs_whole": LegsBroken,
    "ledger_postings_amount_positive": LegsBroken,
    "ledger_postings_amount_within": AmountTooLarge,
    "ledger_postings_two_accounts": LegsBroken,
    "ledger_reversal_within": ReversedAlready,
    "ledger_hold_missing": HoldMissing,
    "ledger_hold_ended": HoldEnded,
    "ledger_holds_captured_within": HoldTooSmall,
    "ledger_holds_amount_positive": LegsBroken,
    "ledger_holds_two_accounts": LegsBroken,
}
