"""A venue, and the rules that its fields must keep. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from lastlight.domains.venues.geofence import Circle, Geofence, Point, fence_problems
from lastlight.domains.venues.hours import OpeningHours, business_day, hours_problems, is_open
from lastlight.kernel.currencies import CURRENCIES
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId

VenueStatus = Literal["active", "paused", "archived"]
PositionPolicy = Literal["off", "when_given", "required"]

DEFAULT_RADIUS_METRES = 150.0
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?", re.ASCII)
TAG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?", re.ASCII)

Line = Annotated[str, msgspec.Meta(max_length=120)]


class Address(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the post finds a venue; `country` is an ISO 3166 code."""

    line1: Line = ""
    line2: Line = ""
    city: Line = ""
    region: Line = ""
    postal_code: Annotated[str, msgspec.Meta(max_length=20)] = ""
    country: Annotated[str, msgspec.Meta(pattern="^([A-Z]{2})?$(?!\\n)")] = ""

    def one_line(self) -> str:
        """The address on one line, without its empty parts."""
        return ", ".join(part for part in (self.line1, self.line2, self.city, self.region, self.postal_code) if part)


class TaxRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tax on what is sold; 1500 basis points are 15 %. Inclusive: prices already hold it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    rate_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    inclusive: bool = True


class VenueFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides about a venue."""

    slug: str
    name: str
    address: Address
    position: Point | None
    time_zone: str
    currency: str
    business_day_hour: int
    capacity: int | None
    opening_hours: OpeningHours | None
    tags: list[str]
    age_limit: int | None
    tax_rates: list[TaxRate]
    geofence: Geofence | None
    position_policy: PositionPolicy
    visit_timeout_minutes: int


class Venue(VenueFields, frozen=True, kw_only=True):
    """A venue as it is kept."""

    id: VenueId
    status: VenueStatus
    status_reason: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    version: int

    @property
    def zone(self) -> ZoneInfo:
        """The venue's clock."""
        return ZoneInfo(self.time_zone)

    def is_open(self, at: datetime) -> bool:
        """Whether its hours say that it is open at a moment; its status is another matter."""
        return is_open(self.opening_hours, self.zone, at)

    def business_day(self, at: datetime) -> date:
        """The business day of a moment."""
        return business_day(at, self.zone, self.business_day_hour)


FIELD_NAMES = tuple(field.name for field in msgspec.structs.fields(VenueFields))


def fields_of(venue: VenueFields) -> VenueFields:
    """Only what a person decides."""
    return VenueFields(**{name: getattr(venue, name) for name in FIELD_NAMES})


def differences(before: VenueFields, after: VenueFields) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that changed, as they were and as they are, in plain values."""
    old, new = msgspec.to_builtins(fields_of(before)), msgspec.to_builtins(fields_of(after))
    changed = [name for name in FIELD_NAMES if old[name] != new[name]]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def slug_of(name: str) -> str:
    """A short name for URLs, made of a venue's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "venue"


def default_geofence(position: Point | None) -> Geofence | None:
    """The fence of a venue that has a position and drew none."""
    return None if position is None else Circle(center=position, radius_m=DEFAULT_RADIUS_METRES)


def require_valid(venue: VenueFields) -> None:
    """Refuse fields that break a rule, all at once, each by its path; raises Invalid."""
    found: dict[str, str] = {}
    if not 1 <= len(venue.name.strip()) <= 120:
        found["name"] = "Give the venue a name of 1 to 120 characters."
    if not SLUG.fullmatch(venue.slug):
        found["slug"] = "Use 1 to 48 small letters, digits and hyphens, such as the-blue-door."
    if venue.time_zone not in known_time_zones():
        found["time_zone"] = "Give a time zone by its IANA name, such as Africa/Johannesburg."
    if venue.currency not in CURRENCIES:
        found["currency"] = "Give a currency by its ISO 4217 code, such as ZAR."
    found |= _range_problems(venue) | _tag_problems(venue.tags) | _tax_problems(venue.tax_rates)
    if venue.opening_hours is not None:
        found |= hours_problems(venue.opening_hours)
    if venue.geofence is not None:
        found |= fence_problems(venue.geofence)
    elif venue.position_policy == "required":
        found["geofence"] = "Positions are required, so draw the fence that they are checked against."
    if found:
        raise Invalid(fields=found)


@lru_cache(maxsize=1)
def known_time_zones() -> frozenset[str]:
    """The time zones of the IANA database, without its bookkeeping names."""
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")


def _range_problems(venue: VenueFields) -> dict[str, str]:
    found: dict[str, str] = {}
    if not 0 <= venue.business_day_hour <= 12:
        found["business_day_hour"] = "Give an hour between 0 and 12, at which the night is over."
    if venue.capacity is not None and not 1 <= venue.capacity <= 1_000_000:
        found["capacity"] = "Give the number of guests that the venue holds, or leave it empty."
    if venue.age_limit is not None and not 1 <= venue.age_limit <= 99:
        found["age_limit"] = "Give an age between 1 and 99, or leave it empty."
    if not 15 <= venue.visit_timeout_minutes <= 2880:
        found["visit_timeout_minutes"] = "Give between 15 minutes and 2,880 (two days)."
    return found


def _tag_problems(tags: Sequence[str]) -> dict[str, str]:
    if len(tags) > 20:
        return {"tags": "Give at most 20 tags."}
    found: dict[str, str] = {}
    for index, tag in enumerate(tags):
        if not TAG.fullmatch(tag):
            found[f"tags[{index}]"] = "Use up to 30 small letters, digits and hyphens."
        elif tag in tags[:index]:
            found[f"tags[{index}]"] = "This tag is there twice."
    return found


def _tax_problems(rates: Sequence[TaxRate]) -> dict[str, str]:
    if len(rates) > 10:
        return {"tax_rates": "Give at most 10 tax rates."}
    names = [rate.name.strip().lower() for rate in rates]
    return {
        f"tax_rates[{index}].name": "Another tax rate has this name."
        for index, name in enumerate(names)
        if name in names[:index]
    }
