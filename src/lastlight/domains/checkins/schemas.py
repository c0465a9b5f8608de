"""What clients send and get at the door."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from lastlight.domains.checkins.claims import Proof
from lastlight.domains.checkins.entrance import EntryCharge
from lastlight.domains.checkins.model import Checkin, Position, Visit
from lastlight.domains.venues import Point, PositionPolicy, VenueStatus
from lastlight.kernel.ids import PatronId, TenantId, VenueId, VisitId
from lastlight.kernel.money import Money
from lastlight.runtime.http import Input

ClaimedAt = Annotated[
    str,
    msgspec.Meta(
        max_length=40,
        description="When the phone did it, by its own clock, where it could not send at once (RFC 3339, with offset).",
        extra_json_schema={"format": "date-time"},
    ),
]
DeviceName = Annotated[str, msgspec.Meta(max_length=40)]
DeviceValue = Annotated[str, msgspec.Meta(max_length=200)] | int | float | bool | None
Device = Annotated[dict[DeviceName, DeviceValue], msgspec.Meta(max_length=20)]


class VerifyIn(Input, frozen=True, kw_only=True):
    """A scan."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    """The text of the code, or the address that the QR holds."""
    position: Position | None = None
    claimed_at: ClaimedAt | None = None
    proof: Proof | None = None
    """Needed when `claimed_at` is more than a minute ago."""
    device: Device | None = None
    """The phone's state, kept with the check-in."""


class CheckoutIn(Input, frozen=True, kw_only=True):
    """A guest's leaving; a proof signs the word `checkout` in the code's place."""

    visit_id: VisitId | None = None
    """Which visit, where the phone knows it; else the one that is open."""
    claimed_at: ClaimedAt | None = None
    proof: Proof | None = None


class CheckoutsIn(Input, frozen=True, kw_only=True):
    """Visits to close together."""

    visit_ids: Annotated[list[VisitId], msgspec.Meta(min_length=1, max_length=200)]


class CheckoutsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of them: closed now, or not open any more."""

    closed: list[VisitId]
    not_open: list[VisitId]


class CheckinOut(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded arrival and the visit that it opened."""

    checkin: Checkin
    visit: Visit
    charge: EntryCharge | None = None
    """What it cost; null where the entrance is free, or was paid before on this business day."""


class VisitCorrection(Input, frozen=True, kw_only=True):
    """What was wrong about a visit, and why it is changed."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    status: Literal["open", "closed", "voided"] | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None


class VoidQuery(Input, frozen=True, kw_only=True):
    """Why the visit never was."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class KeyIn(Input, frozen=True, kw_only=True):
    """A phone's public key: ECDSA P-256, SPKI, as base64url."""

    public_key: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    label: Annotated[str, msgspec.Meta(max_length=80)] = ""


class BirthDateIn(Input, frozen=True, kw_only=True):
    """When the guest was born."""

    birth_date: date


class PatronRef(msgspec.Struct, frozen=True, kw_only=True):
    """The guest."""

    id: PatronId
    name: str
    birth_date: date | None


class TenantRef(msgspec.Struct, frozen=True, kw_only=True):
    """The business whose guest it is."""

    id: TenantId
    slug: str
    name: str


class HomeVenue(msgspec.Struct, frozen=True, kw_only=True):
    """A venue as a guest sees it."""

    id: VenueId
    slug: str
    name: str
    address: str
    status: VenueStatus
    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    position: Point | None
    time_zone: str
    age_limit: int | None
    position_policy: PositionPolicy
    visit_timeout_minutes: int
    entrance: Money | None
    """What the entrance costs in credits."""
    featured: bool
    """It stands first among the business's venues."""
    degraded_reason: str
    """Why something is not as usual there; empty where all is."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what a guest did."""

    kind: Literal["checked_in", "checked_out", "timed_out"]
    at: datetime
    venue_id: VenueId
    venue: str
    visit_id: VisitId
    duration_seconds: int | None


class ActivityQuery(Input, frozen=True, kw_only=True):
    """How much, and from when back."""

    before: datetime | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30


class ActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines from the newest back; `next` is the `before` of the page after it."""

    items: list[Activity]
    next: datetime | None


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the patron app shows first."""

    patron: PatronRef
    tenant: TenantRef
    visit: Visit | None
    activity: list[Activity]
    venues: list[HomeVenue]
    now: datetime
