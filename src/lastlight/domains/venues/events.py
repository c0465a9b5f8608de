"""What happens to venues."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.venues.permissions import VENUES_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class VenueCreated(Event, frozen=True, kw_only=True):
    """A venue was created."""

    event_name: ClassVar[str] = "venue.created"
    audience: ClassVar[Permission | None] = VENUES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    slug: str
    name: str


class VenueUpdated(Event, frozen=True, kw_only=True):
    """Something about a venue was changed; `fields` names what."""

    event_name: ClassVar[str] = "venue.updated"
    audience: ClassVar[Permission | None] = VENUES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    version: int
    fields: list[str]


class VenueStatusChanged(Event, frozen=True, kw_only=True):
    """A venue was paused, or made active again."""

    event_name: ClassVar[str] = "venue.status_changed"
    audience: ClassVar[Permission | None] = VENUES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    version: int
    status: str


class VenueArchivedEvent(Event, frozen=True, kw_only=True):
    """A venue was archived: it takes no more guests, and its history stays."""

    event_name: ClassVar[str] = "venue.archived"
    audience: ClassVar[Permission | None] = VENUES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    version: int


class VenueKeyRegenerated(Event, frozen=True, kw_only=True):
    """A venue signs with a new key; the codes of older ones die at `older_die_at`."""

    event_name: ClassVar[str] = "venue.key_regenerated"
    audience: ClassVar[Permission | None] = VENUES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    key_number: int
    older_die_at: datetime


EVENTS = (VenueCreated, VenueUpdated, VenueStatusChanged, VenueArchivedEvent, VenueKeyRegenerated)
