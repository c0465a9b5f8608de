"""What happens to resources and bookings. Names of guests are not in it: pages refetch."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.resources.permissions import BOOKINGS_READ, RESOURCES_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class ResourceCreated(Event, frozen=True, kw_only=True):
    """A game, room or table was added to a venue."""

    event_name: ClassVar[str] = "resource.created"
    audience: ClassVar[Permission | None] = RESOURCES_READ
    webhook: ClassVar[bool] = True
    resource_id: UUID
    venue_id: UUID
    kind: str
    name: str


class ResourceUpdated(Event, frozen=True, kw_only=True):
    """Something about it was changed; `fields` names what."""

    event_name: ClassVar[str] = "resource.updated"
    audience: ClassVar[Permission | None] = RESOURCES_READ
    webhook: ClassVar[bool] = True
    resource_id: UUID
    venue_id: UUID
    version: int
    fields: list[str]


class ResourceStatusChanged(Event, frozen=True, kw_only=True):
    """It went out of order, into maintenance, was retired, or is available again."""

    event_name: ClassVar[str] = "resource.status_changed"
    audience: ClassVar[Permission | None] = RESOURCES_READ
    webhook: ClassVar[bool] = True
    resource_id: UUID
    venue_id: UUID
    version: int
    status: str


class BookingCreated(Event, frozen=True, kw_only=True):
    """A time was booked, by the guest or by staff for one."""

    event_name: ClassVar[str] = "booking.created"
    audience: ClassVar[Permission | None] = BOOKINGS_READ
    webhook: ClassVar[bool] = True
    booking_id: UUID
    resource_id: UUID
    venue_id: UUID
    patron_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    booked_by: str


class BookingChanged(Event, frozen=True, kw_only=True):
    """A booking was moved, or something about it changed; `fields` names what."""

    event_name: ClassVar[str] = "booking.changed"
    audience: ClassVar[Permission | None] = BOOKINGS_READ
    webhook: ClassVar[bool] = True
    booking_id: UUID
    resource_id: UUID
    venue_id: UUID
    version: int
    fields: list[str]


class BookingStatusChanged(Event, frozen=True, kw_only=True):
    """The guest arrived, or the booking ended, was cancelled or missed."""

    event_name: ClassVar[str] = "booking.status_changed"
    audience: ClassVar[Permission | None] = BOOKINGS_READ
    webhook: ClassVar[bool] = True
    booking_id: UUID
    resource_id: UUID
    venue_id: UUID
    patron_id: UUID | None
    version: int
    status: str
    by: str
    """`guest`, `staff` or `clock`: who did it."""


EVENTS = (
    ResourceCreated,
    ResourceUpdated,
    ResourceStatusChanged,
    BookingCreated,
    BookingChanged,
    BookingStatusChanged,
)
