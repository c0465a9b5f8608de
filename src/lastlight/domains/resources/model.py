"""A resource and a booking, and the rules that their fields must keep. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import BookingId, PatronId, ResourceId, VenueId

ResourceKind = Literal["game", "room", "table"]
ResourceStatus = Literal["available", "maintenance", "out_of_order", "retired"]
PriceUnit = Literal["play", "hour"]
BookingStatus = Literal["booked", "arrived", "done", "cancelled", "no_show"]
BookedBy = Literal["guest", "staff"]

MINUTE = timedelta(minutes=1)
MOST_PRICE = 100_000_000_000
"""In minor units."""
STAFF_LATE = timedelta(hours=1)
"""Staff may write down a booking that began this long ago; a guest cannot."""


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one play or one hour costs, in the minor unit of the venue's currency."""

    amount: int
    unit: PriceUnit


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in the minor unit of its currency."""

    amount: int
    currency: str


class ResourceFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides about a resource."""

    name: str
    zone: str
    capacity: int | None
    price: Price | None
    bookable: bool
    buffer_minutes: int
    shortest_minutes: int
    longest_minutes: int


class Resource(ResourceFields, frozen=True, kw_only=True):
    """A game, room or table as it is kept."""

    id: ResourceId
    venue_id: VenueId
    venue: str
    currency: str
    kind: ResourceKind
    status: ResourceStatus
    status_reason: str
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None
    version: int


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking as it is kept; `guest` is the patron's name, or the one that staff wrote down."""

    id: BookingId
    venue_id: VenueId
    venue: str
    resource_id: ResourceId
    resource: str
    kind: ResourceKind
    patron_id: PatronId | None
    guest: str
    party_size: int
    starts_at: datetime
    ends_at: datetime
    free_at: datetime
    status: BookingStatus
    status_reason: str
    booked_by: BookedBy
    price: Money | None
    note: str
    arrived_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    version: int


FIELD_NAMES = tuple(field.name for field in msgspec.structs.fields(ResourceFields))


def fields_of(resource: ResourceFields) -> ResourceFields:
    """Only what a person decides."""
    return ResourceFields(**{name: getattr(resource, name) for name in FIELD_NAMES})


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """The names of what differs, sorted."""
    return sorted(name for name in after if before.get(name) != after[name])


def require_valid(resource: ResourceFields) -> None:
    """Refuse fields that break a rule, all at once, each by its path; raises Invalid."""
    found: dict[str, str] = {}
    if not 1 <= len(resource.name.strip()) <= 120:
        found["name"] = "Give it a name of 1 to 120 characters, such as Table 12."
    if len(resource.zone) > 60:
        found["zone"] = "Give the zone in at most 60 characters."
    if resource.capacity is not None and not 1 <= resource.capacity <= 10_000:
        found["capacity"] = "Give the number of people that it takes, or leave it empty."
    if resource.price is not None and not 0 <= resource.price.amount <= MOST_PRICE:
        found["price.amount"] = "Give the price in the currency's minor unit, such as 2500 for 25.00."
    if not 0 <= resource.buffer_minutes <= 240:
        found["buffer_minutes"] = "Give between 0 and 240 minutes."
    if not 5 <= resource.shortest_minutes <= 1440:
        found["shortest_minutes"] = "Give between 5 minutes and 1,440 (a day)."
    elif not resource.shortest_minutes <= resource.longest_minutes <= 1440:
        found["longest_minutes"] = "Give at least the shortest time, and at most 1,440 minutes (a day)."
    if found:
        raise Invalid(fields=found)


def require_time(resource: Resource, *, starts_at: datetime, ends_at: datetime, earliest: datetime) -> None:
    """Refuse a time that cannot be booked, whoever asks; raises Invalid."""
    found: dict[str, str] = {}
    for name, value in (("starts_at", starts_at), ("ends_at", ends_at)):
        if value.tzinfo is None:
            found[name] = "Give a time with its offset, such as 2026-11-21T20:00:00+02:00."
    if found:
        raise Invalid(fields=found)
    if starts_at < earliest:
        found["starts_at"] = "Choose a time that is still to come."
    minutes = (ends_at - starts_at) / MINUTE
    if minutes <= 0:
        found["ends_at"] = "A booking ends after it begins."
    elif not resource.shortest_minutes <= minutes <= resource.longest_minutes:
        found["ends_at"] = f"Book between {resource.shortest_minutes} and {resource.longest_minutes} minutes."
    if found:
        raise Invalid(fields=found)


def require_room(resource: Resource, party_size: int) -> None:
    """Refuse more people than it takes; raises Invalid."""
    if resource.capacity is not None and party_size > resource.capacity:
        raise Invalid(fields={"party_size": f"{resource.name} takes {resource.capacity} people at most."})


def price_of(resource: Resource, *, starts_at: datetime, ends_at: datetime) -> Money | None:
    """What the time costs, rounded half up; None where it is paid by the play, or not at all."""
    if resource.price is None or resource.price.unit != "hour":
        return None
    minutes = -((starts_at - ends_at) // MINUTE)
    return Money(amount=(resource.price.amount * minutes + 30) // 60, currency=resource.currency)
