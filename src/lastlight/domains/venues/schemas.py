"""What clients send and get about venues."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from lastlight.domains.venues.geofence import Geofence, Point
from lastlight.domains.venues.hours import OpeningHours
from lastlight.domains.venues.model import Address, PositionPolicy, TaxRate, VenueStatus
from lastlight.kernel.ids import BannerId, ImageId, TenantId, VenueId
from lastlight.runtime.http import Input

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Slug = Annotated[str, msgspec.Meta(min_length=1, max_length=48)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class VenueIn(Input, frozen=True, kw_only=True):
    """A venue to be. What is left out takes the tenant's or the platform's default."""

    name: Name
    slug: Slug | None = None
    """Short name for addresses; made of the name when left out."""
    address: Address = Address()
    position: Point | None = None
    time_zone: str | None = None
    currency: str | None = None
    business_day_hour: int = 6
    """The hour, on the venue's clock, at which one business day ends and the next begins."""
    capacity: int | None = None
    opening_hours: OpeningHours | None = None
    """None: always open."""
    tags: list[str] = msgspec.field(default_factory=list[str])
    age_limit: int | None = None
    tax_rates: list[TaxRate] = msgspec.field(default_factory=list[TaxRate])
    geofence: Geofence | UnsetType | None = UNSET
    """Left out: a circle of 150 m around the position. None: no fence."""
    position_policy: PositionPolicy = "when_given"
    """Whether a screen's code asks for the guest's position; a poster's always does."""
    visit_timeout_minutes: int = 480


class VenueChange(Input, frozen=True, kw_only=True):
    """What is to change about a venue; what is left out stays."""

    name: Name | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    position: Point | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    business_day_hour: int | UnsetType = UNSET
    capacity: int | UnsetType | None = UNSET
    opening_hours: OpeningHours | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    age_limit: int | UnsetType | None = UNSET
    tax_rates: list[TaxRate] | UnsetType = UNSET
    geofence: Geofence | UnsetType | None = UNSET
    position_policy: PositionPolicy | UnsetType = UNSET
    visit_timeout_minutes: int | UnsetType = UNSET


class StatusIn(Input, frozen=True, kw_only=True):
    """The status that a venue is to have, and why."""

    status: VenueStatus
    reason: Reason = ""


class RegenerateIn(Input, frozen=True, kw_only=True):
    """How long the older codes still work: not given or 0, they die at once."""

    grace_minutes: Annotated[int, msgspec.Meta(ge=0, le=43_200)] = 0


class PosterQuery(Input, frozen=True, kw_only=True):
    """The size of the paper."""

    size: Literal["A4", "A5"] = "A4"


class PublicationIn(Input, frozen=True, kw_only=True):
    """How a venue is to be shown; a time until which it is featured, and why."""

    state: Literal["draft", "published", "degraded", "unpublished"]
    reason: Reason = ""
    featured_until: datetime | None = None


class BannerIn(Input, frozen=True, kw_only=True):
    """A banner to be."""

    title: Name
    body: Reason = ""
    link: Annotated[str, msgspec.Meta(max_length=500)] = ""
    image_id: ImageId | None = None
    """An image of the venue that is ready."""
    starts_at: datetime
    ends_at: datetime


class BannerChange(Input, frozen=True, kw_only=True):
    """What is to change about a banner; what is left out stays."""

    title: Name | UnsetType = UNSET
    body: Reason | UnsetType = UNSET
    link: Annotated[str, msgspec.Meta(max_length=500)] | UnsetType = UNSET
    image_id: ImageId | UnsetType | None = UNSET
    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType = UNSET


class BannerOrderIn(Input, frozen=True, kw_only=True):
    """The banners that come first, in this order."""

    banner_ids: Annotated[list[BannerId], msgspec.Meta(max_length=50)]


class ScreenCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a display at the door shows until `refresh_at`; the code itself works until `expires_at`."""

    venue_id: VenueId
    venue_name: str
    status: VenueStatus
    is_open: bool
    key_number: int
    code: str
    url: str
    svg: str
    now: datetime
    refresh_at: datetime
    expires_at: datetime


class CodeVenue(msgspec.Struct, frozen=True, kw_only=True):
    """The venue of a code."""

    id: VenueId
    name: str


class CodeTenant(msgspec.Struct, frozen=True, kw_only=True):
    """The business of a code."""

    id: TenantId
    slug: str
    name: str


class CodePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a genuine code is: what a guest who is not yet of the business needs to join it."""

    venue: CodeVenue
    tenant: CodeTenant
