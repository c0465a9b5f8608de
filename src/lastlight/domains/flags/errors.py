"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict


class FlagKeyTaken(Conflict):
    """Code asks for a flag by its key, so there is one of each."""

    type = "flag-key-taken"
    title = "There is a flag with this key"
    default_detail = "Change the flag that is there, or choose another key."


ERRORS = (FlagKeyTaken,)
