"""The venue that a person at a console has picked in the switcher; pages are about it until they pick another, or all."""

from uuid import UUID

from lastlight.kernel.ids import uuid_of
from lastlight.runtime.http import RequestInfo

VENUE_COOKIE = "ll_venue"


def chosen_venue(request: RequestInfo) -> UUID | None:
    """The venue that the reader has picked; None for all of theirs."""
    return uuid_of(request.cookies.get(VENUE_COOKIE, ""))
