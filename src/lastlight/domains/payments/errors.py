"""Refusals of payments."""

from lastlight.kernel.errors import Conflict, Problem


class AmountUnusable(Problem):
    """Cards take no such amount: it is too small or too large, or no multiple of what its currency is counted in."""

    status = 422
    type = "amount-unusable"
    title = "Cards do not take this amount"


class PaymentNotOpen(Conflict):
    """It was paid, or has ended."""

    type = "payment-not-open"
    title = "The payment is not open any more"
    default_detail = "Look at it again: it was paid, or it has ended."


class PaymentNotAuthorised(Conflict):
    """Only what a bank has authorised can be captured."""

    type = "payment-not-authorised"
    title = "The payment is not authorised"
    default_detail = "Only a payment that the bank has authorised, and that was not captured yet, can be captured."


class PaymentNotRetriable(Conflict):
    """There is nothing to try again."""

    type = "payment-not-retriable"
    title = "There is nothing to try again"
    default_detail = (
        "Only a payment that never reached the card provider is tried again; the payer starts a new one otherwise."
    )


class RefundTooLarge(Conflict):
    """Less is left of the payment."""

    type = "refund-too-large"
    title = "Less is left to refund"
    default_detail = "Refund at most what was captured and is neither refunded nor disputed."


class SpentAlready(Conflict):
    """What was bought with it has been used."""

    type = "spent-already"
    title = "It has been spent"
    default_detail = "Part of what was bought with this payment has been used. Refund at most what is left of it."


class DisputeEnded(Conflict):
    """There is nothing to answer any more."""

    type = "dispute-ended"
    title = "The dispute is decided or was answered"
    default_detail = "Evidence is taken once, before the bank decides."


class AnswerOnItsWay(Conflict):
    """The bank is being told."""

    type = "dispute-answer-on-its-way"
    title = "An answer to this dispute is on its way"
    default_detail = "Wait until the bank has it. If it cannot be delivered, you can send another one."


class EventHandled(Conflict):
    """It is on its way, or done."""

    type = "event-waiting"
    title = "The event is being worked on"
    default_detail = "Wait for what becomes of it, then replay it if need be."


class SignatureWrong(Problem):
    """A webhook that is not to be believed."""

    status = 400
    type = "webhook-signature-wrong"
    title = "This is not from our card provider"


ERRORS = (
    AmountUnusable,
    PaymentNotOpen,
    PaymentNotAuthorised,
    PaymentNotRetriable,
    RefundTooLarge,
    SpentAlready,
    DisputeEnded,
    AnswerOnItsWay,
    EventHandled,
    SignatureWrong,
)
