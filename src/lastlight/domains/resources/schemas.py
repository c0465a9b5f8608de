"""What clients send and get about resources and bookings."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from lastlight.domains.resources.model import (
    Money,
    Price,
    Resource,
    ResourceKind,
    ResourceStatus,
)
from lastlight.kernel.ids import PatronId, ResourceId, VenueId
from lastlight.runtime.http import Input

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Zone = Annotated[str, msgspec.Meta(max_length=60)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
Party = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class ResourceIn(Input, frozen=True, kw_only=True):
    """A game, room or table to be."""

    venue_id: VenueId
    kind: ResourceKind
    name: Name
    zone: Zone = ""
    capacity: int | None = None
    price: Price | None = None
    """In the minor unit of the venue's currency, by the play or the hour."""
    bookable: bool = True
    buffer_minutes: int = 0
    """Kept free after each booking."""
    shortest_minutes: int = 30
    longest_minutes: int = 240


class ResourceChange(Input, frozen=True, kw_only=True):
    """What is to change; what is left out stays. Standing bookings keep their time, buffer and price."""

    name: Name | UnsetType = UNSET
    zone: Zone | UnsetType = UNSET
    capacity: int | UnsetType | None = UNSET
    price: Price | UnsetType | None = UNSET
    bookable: bool | UnsetType = UNSET
    buffer_minutes: int | UnsetType = UNSET
    shortest_minutes: int | UnsetType = UNSET
    longest_minutes: int | UnsetType = UNSET


class ResourceStatusIn(Input, frozen=True, kw_only=True):
    """The status that it is to have, and why."""

    status: ResourceStatus
    reason: Reason = ""


class BookingIn(Input, frozen=True, kw_only=True):
    """A booking that staff make: for a guest of the business, or under a name."""

    resource_id: ResourceId
    starts_at: datetime
    ends_at: datetime
    party_size: Party = 1
    patron_id: PatronId | None = None
    guest_name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    note: Note = ""


class OwnBookingIn(Input, frozen=True, kw_only=True):
    """A booking that a guest makes for themselves."""

    resource_id: ResourceId
    starts_at: datetime
    ends_at: datetime
    party_size: Party = 1
    note: Note = ""


class BookingChange(Input, frozen=True, kw_only=True):
    """What is to change about a booking: another time, another table of the venue, the party, the note."""

    resource_id: ResourceId | UnsetType = UNSET
    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType = UNSET
    party_size: Party | UnsetType = UNSET
    note: Note | UnsetType = UNSET


class CancelIn(Input, frozen=True, kw_only=True):
    """Why a booking is cancelled."""

    reason: Reason = ""


class FreeQuery(Input, frozen=True, kw_only=True):
    """From when, and for how many hours; left out, from now for a day."""

    start: datetime | None = None
    hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 24


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A time that is taken, its buffer included."""

    starts_at: datetime
    free_at: datetime


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """When a resource is taken within a time; it tells nothing of whom by."""

    resource_id: ResourceId
    bookable: bool
    start: datetime
    end: datetime
    taken: list[Span]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A game, room or table as guests see it."""

    id: ResourceId
    kind: ResourceKind
    name: str
    zone: str
    capacity: int | None
    price: Price | None
    currency: str
    status: ResourceStatus
    bookable: bool
    """It can be booked now; what cannot is there for who comes."""
    buffer_minutes: int
    shortest_minutes: int
    longest_minutes: int


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue lends, and the limits of a guest's bookings."""

    items: list[Offer]
    furthest_ahead_days: int
    most_of_guest: int


class TimesQuery(Input, frozen=True, kw_only=True):
    """Which business day of the venue, and for how long."""

    day: date
    minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] = 60


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """The moments of a business day from which something can be booked for so long, and what that costs."""

    resource_id: ResourceId
    day: date
    minutes: int
    time_zone: str
    starts: list[datetime]
    price: Money | None


def offer_of(resource: Resource) -> Offer:
    """What guests see of a resource: not why it is out of order."""
    given = {name: getattr(resource, name) for name in Offer.__struct_fields__ if name != "bookable"}
    return Offer(**given, bookable=resource.bookable and resource.status == "available")
