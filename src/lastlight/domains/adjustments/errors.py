"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict


class AdjustmentDecided(Conflict):
    """It does not wait any more."""

    type = "adjustment-decided"
    title = "This was decided already"
    default_detail = "Look at it again: it was booked, declined or withdrawn. Nothing was moved."


class OwnAdjustment(Conflict):
    """Whoever asks for an adjustment does not decide it."""

    type = "adjustment-own"
    title = "Another person has to decide this"
    default_detail = "Ask a colleague who may agree to adjustments. Nothing was moved."


class OwnCredits(Conflict):
    """Nobody adjusts their own credits, nor agrees to it."""

    type = "adjustment-for-oneself"
    title = "These credits are your own"
    default_detail = "Ask a colleague to do it. Nothing was moved."


class NotYourRequest(Conflict):
    """A request is withdrawn by whoever made it."""

    type = "adjustment-of-another"
    title = "Somebody else asked for this"
    default_detail = "Only whoever asked for an adjustment withdraws it. Decline it instead."


ERRORS = (AdjustmentDecided, OwnAdjustment, OwnCredits, NotYourRequest)
CONSTRAINTS = {"adjustments_two_people": OwnAdjustment}
