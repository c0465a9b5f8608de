"""What happens to the standing of guests and accounts."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.identity.permissions import PATRONS_READ, USERS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class PatronStandingChanged(Event, frozen=True, kw_only=True):
    """A guest was suspended, banned, or let back in."""

    event_name: ClassVar[str] = "patron.standing_changed"
    audience: ClassVar[Permission | None] = PATRONS_READ
    patron_id: UUID
    status: str


class PatronVerified(Event, frozen=True, kw_only=True):
    """Somebody at the business saw who a guest is, or took that back."""

    event_name: ClassVar[str] = "patron.verification_changed"
    audience: ClassVar[Permission | None] = PATRONS_READ
    patron_id: UUID
    verified: bool


class UserStandingChanged(Event, frozen=True, kw_only=True):
    """An account was suspended, banned, or let back in by the platform."""

    event_name: ClassVar[str] = "user.standing_changed"
    audience: ClassVar[Permission | None] = USERS_READ
    user_id: UUID
    status: str


STANDING_EVENTS: tuple[type[Event], ...] = (PatronStandingChanged, PatronVerified, UserStandingChanged)
