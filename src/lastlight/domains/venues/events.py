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


class VenuePublicationChanged(Event, frozen=True, kw_only=True):
    """A venue was published, degraded, taken from view, featured or not."""

    event_name: ClassVar[str] = "venue.publication_changed"
    audience: ClassVar[Permission | None] = VENUES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    version: int
    state: str
    featured: bool


class VenueBannerChanged(Event, frozen=True, kw_only=True):
    """A banner was created, changed or removed."""

    event_name: ClassVar[str] = "venue.banner_changed"
    audience: ClassVar[Permission | None] = VENUES_READ
    venue_id: UUID
    banner_id: UUID
    change: str


class VenueImageChanged(Event, frozen=True, kw_only=True):
    """An image was uploaded, made ready, refused, moved, moderated or removed; `change` says which."""

    event_name: ClassVar[str] = "venue.image_changed"
    audience: ClassVar[Permission | None] = VENUES_READ
    venue_id: UUID
    image_id: UUID
    change: str


EVENTS = (
    VenueCreated,
    VenueUpdated,
    VenueStatusChanged,
    VenueArchivedEvent,
    VenueKeyRegenerated,
    VenuePublicationChanged,
    VenueBannerChanged,
    VenueImageChanged,
)
