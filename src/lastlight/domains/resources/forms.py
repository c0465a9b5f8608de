"""The forms of resources and bookings: flat texts become fields, and back."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.resources.model import MINUTE, MOST_PRICE, Booking, Price, PriceUnit, Resource, ResourceKind
from lastlight.domains.resources.schemas import BookingChange, BookingIn, ResourceChange, ResourceIn
from lastlight.domains.venues import Venue, moment_of
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PatronId, ResourceId, VenueId
from lastlight.runtime.http import Input
from lastlight.ui import amounts
from lastlight.ui.formats import money

Short = Annotated[str, msgspec.Meta(max_length=120)]
Long = Annotated[str, msgspec.Meta(max_length=500)]


class ResourceForm(Input, frozen=True, kw_only=True):
    """What the form of a game, room or table sends; the price is in whole units of the currency, such as 25.00."""

    venue_id: Short = ""
    kind: ResourceKind = "table"
    name: Short = ""
    zone: Short = ""
    capacity: int | None = None
    price: Short = ""
    price_unit: PriceUnit = "hour"
    bookable: bool = False
    buffer_minutes: int = 0
    shortest_minutes: int = 30
    longest_minutes: int = 240
    version: int = 0


class BookingForm(Input, frozen=True, kw_only=True):
    """What the form of a booking sends; day and time are on the venue's clock."""

    resource_id: Short = ""
    day: Short = ""
    starts: Short = ""
    minutes: int = 60
    party_size: int = 1
    patron_id: Short = ""
    guest_name: Short = ""
    note: Long = ""
    take: Short = ""
    """One of the free times that were offered instead, as a moment."""
    version: int = 0


def to_resource(form: ResourceForm, venue: Venue) -> ResourceIn:
    """The fields of a new resource."""
    return ResourceIn(venue_id=VenueId(venue.id), kind=form.kind, **_resource_fields(form, venue.currency))


def to_resource_change(form: ResourceForm, currency: str) -> ResourceChange:
    """The same as a change."""
    return ResourceChange(**_resource_fields(form, currency))


def of_resource(resource: Resource) -> dict[str, str]:
    """A resource as the form's texts."""
    price = resource.price
    return {
        "name": resource.name,
        "zone": resource.zone,
        "capacity": "" if resource.capacity is None else str(resource.capacity),
        "price": "" if price is None else amounts.in_field(price.amount, resource.currency),
        "price_unit": "hour" if price is None else price.unit,
        "bookable": "true" if resource.bookable else "",
        "buffer_minutes": str(resource.buffer_minutes),
        "shortest_minutes": str(resource.shortest_minutes),
        "longest_minutes": str(resource.longest_minutes),
        "version": str(resource.version),
    }


def to_booking(form: BookingForm, venue: Venue) -> BookingIn:
    """A booking for a guest who is here, or under a name."""
    patron_id = _id(form.patron_id, "patron_id")
    return BookingIn(
        **_booking_fields(form, venue),
        patron_id=PatronId(patron_id) if patron_id else None,
        guest_name="" if patron_id else form.guest_name,
    )


def to_booking_change(form: BookingForm, venue: Venue, before: Booking) -> BookingChange:
    """What the form changes; a time that stands to the minute stays to the second."""
    given = _booking_fields(form, venue)
    if abs(given["starts_at"] - before.starts_at) < MINUTE:
        given["starts_at"] = before.starts_at
        if form.minutes == (before.ends_at - before.starts_at) // MINUTE:
            given["ends_at"] = before.ends_at
    return BookingChange(**given)


def of_booking(booking: Booking, venue: Venue) -> dict[str, str]:
    """A booking as the form's texts."""
    local = booking.starts_at.astimezone(venue.zone)
    return {
        "resource_id": str(booking.resource_id),
        "day": local.date().isoformat(),
        "starts": f"{local:%H:%M}",
        "minutes": str((booking.ends_at - booking.starts_at) // MINUTE),
        "party_size": str(booking.party_size),
        "note": booking.note,
        "version": str(booking.version),
    }


@contextmanager
def form_errors() -> Generator[None]:
    """Give an Invalid of a resource or booking the names of the form's own fields."""
    names = {"price.amount": "price", "starts_at": "starts", "ends_at": "minutes"}
    try:
        yield
    except Invalid as problem:
        raise Invalid(
            problem.detail, fields={names.get(name, name): said for name, said in problem.fields.items()}
        ) from None


def lengths(resource: Resource | None, *, chosen: int) -> list[tuple[str, str]]:
    """The lengths that a form offers, and the one that stands."""
    shortest, longest = (resource.shortest_minutes, resource.longest_minutes) if resource else (15, 360)
    usual = [
        minutes for minutes in (15, 30, 45, 60, 90, 120, 150, 180, 240, 300, 360, 480) if shortest <= minutes <= longest
    ]
    return [(str(minutes), _length(minutes)) for minutes in sorted({*usual, shortest, longest, chosen})]


def to_moment(text: str) -> datetime:
    """The moment that a link or a button names."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 2000 <= moment.year <= 2200:
        raise Invalid(fields={"starts": "Choose one of the free times, or type another."})
    return moment


def next_quarter(now: datetime) -> datetime:
    """The next full quarter of an hour."""
    step = timedelta(minutes=15)
    over = timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    return now + (step - over) if over else now


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def _booking_fields(form: BookingForm, venue: Venue) -> dict[str, Any]:
    resource_id = _id(form.resource_id, "resource_id")
    if resource_id is None:
        raise Invalid(fields={"resource_id": "Choose what is to be booked."})
    if not 1 <= form.minutes <= 1440:
        raise Invalid(fields={"minutes": "Choose how long."})
    if not 1 <= form.party_size <= 10_000:
        raise Invalid(fields={"party_size": "Give the number of people."})
    start = _start(form, venue)
    return {
        "resource_id": ResourceId(resource_id),
        "starts_at": start,
        "ends_at": start + form.minutes * MINUTE,
        "party_size": form.party_size,
        "note": form.note,
    }


def _start(form: BookingForm, venue: Venue) -> datetime:
    if form.take:
        return to_moment(form.take)
    return moment_of(_day(form.day), _minutes(form.starts), venue.zone)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(fields={"day": "Give a day, such as 2026-11-21."}) from error
    if not 2000 <= day.year <= 2200:
        raise Invalid(fields={"day": "Choose a day that is nearer."})
    return day


def _minutes(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isdigit() and minutes[:2].isdigit() and int(hours) < 24 and int(minutes[:2]) < 60):
        raise Invalid(fields={"starts": "Give a time, such as 20:00."})
    return int(hours) * 60 + int(minutes[:2])


def _id(text: str, field: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid(fields={field: "Choose one of the list."}) from error


def _resource_fields(form: ResourceForm, currency: str) -> dict[str, Any]:
    return {
        "name": form.name,
        "zone": form.zone,
        "capacity": form.capacity,
        "price": _price(form.price, form.price_unit, currency),
        "bookable": form.bookable,
        "buffer_minutes": form.buffer_minutes,
        "shortest_minutes": form.shortest_minutes,
        "longest_minutes": form.longest_minutes,
    }


def _price(text: str, unit: Literal["play", "hour"], currency: str) -> Price | None:
    if not text.strip():
        return None
    try:
        minor = amounts.of_field(text, currency)
    except ValueError as error:
        raise Invalid(fields={"price": f"{error} Leave it empty for no price."}) from error
    if not 0 <= minor <= MOST_PRICE:
        raise Invalid(fields={"price": f"Give at most {money(MOST_PRICE, currency)}, or leave it empty for no price."})
    return Price(amount=minor, unit=unit)
