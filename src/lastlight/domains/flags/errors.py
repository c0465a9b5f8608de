"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict


class FlagKeyTaken(Conflict):
    """Code asks for a flag by its key, so there is one of each."""

    type = "flag-key-taken"
    title = "There is a flag with this key"
    default_detail = "Change the flag that is there, or choose another key."


class FlagKilled(Conflict):
    """It is off for everybody already."""

    type = "flag-killed"
    title = "This flag is killed already"
    default_detail = "Nobody has the feature. Let it live again first."


class FlagAlive(Conflict):
    """Only what was killed is revived."""

    type = "flag-alive"
    title = "This flag is not killed"
    default_detail = "It counts as it stands."


class FlagAsked(Conflict):
    """The code asks for it: without it, nobody could switch the feature."""

    type = "flag-asked"
    title = "The code asks for this flag"
    default_detail = "Switch it off or kill it; it is removed together with the code that asks for it."


ERRORS = (FlagKeyTaken, FlagKilled, FlagAlive, FlagAsked)
