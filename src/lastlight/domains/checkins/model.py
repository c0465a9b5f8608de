"""Check-ins and visits as they are kept, and the pure rules of the door: positions and ages."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins.errors import OutsideGeofence, PositionImprecise, PositionRequired
from lastlight.domains.venues import Geofence, Point, PositionPolicy, distance_outside
from lastlight.kernel.ids import CheckinId, PatronId, VenueId, VisitId

Method = Literal["screen", "poster", "pass", "override"]
VisitStatus = Literal["open", "closed", "timed_out", "voided"]
ClosedBy = Literal["guest", "staff", "door", "time_out"]

UNTOLD_ACCURACY_METRES = 50.0
MOST_TOLERANCE_METRES = 100.0
"""However vague a position says it is, it may lie this far outside the fence and no farther."""


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the phone says it is; `accuracy_m` is the radius that it is sure of."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)] | None = None


class CheckedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position as it is kept: what was reported, and what became of it."""

    lat: float
    lon: float
    accuracy_m: float | None
    result: Literal["inside", "not_checked", "too_vague"]
    outside_m: float | None = None


class Checkin(msgspec.Struct, frozen=True, kw_only=True):
    """One verified arrival."""

    id: CheckinId
    venue_id: VenueId
    venue: str
    patron_id: PatronId
    patron: str
    method: Method
    arrived_at: datetime
    received_at: datetime
    claimed_at: datetime | None
    proven: bool
    business_day: date
    position: CheckedPosition | None
    device: dict[str, str | int | float | bool | None] | None
    device_id: UUID | None = None
    override_reason: str = ""
    revoked_at: datetime | None = None
    revoked_reason: str = ""
    revoked_as: str = ""
    device_name: str = ""
    override_by: str = ""
    visit_id: VisitId | None = None
    visit_status: str = ""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The time from a check-in to a check-out."""

    id: VisitId
    venue_id: VenueId
    venue: str
    patron_id: PatronId
    patron: str
    checkin_id: CheckinId
    status: VisitStatus
    status_reason: str
    opened_at: datetime
    times_out_at: datetime
    closed_at: datetime | None
    closed_by: ClosedBy | None
    close_claimed_at: datetime | None
    close_received_at: datetime | None
    duration_seconds: int | None
    business_day: date
    version: int


def check_position(
    position: Position | None, *, fence: Geofence | None, policy: PositionPolicy, vaguest_m: float
) -> CheckedPosition | None:
    """Judge a position by a venue's policy. Raises PositionRequired, PositionImprecise or OutsideGeofence."""
    if policy == "off" or fence is None:
        if policy == "required":
            raise OutsideGeofence(
                "This venue has drawn no geofence, so its poster cannot be used. Scan the code on its screen."
            )
        return None if position is None else _kept(position, "not_checked", None)
    if position is None:
        if policy == "required":
            raise PositionRequired(fields={"position": "Send the phone's position."})
        return None
    accuracy = UNTOLD_ACCURACY_METRES if position.accuracy_m is None else position.accuracy_m
    outside = distance_outside(fence, Point(lat=position.lat, lon=position.lon))
    if accuracy > vaguest_m:
        if policy == "required":
            raise PositionImprecise(fields={"position.accuracy_m": f"It must be known to {vaguest_m:g} metres."})
        return _kept(position, "too_vague", outside)
    if outside > min(accuracy, MOST_TOLERANCE_METRES):
        raise OutsideGeofence(f"You seem to be {_far(outside)} away. Scan the code when you are there.")
    return _kept(position, "inside", outside)


def age_on(birth_date: date, day: date) -> int:
    """Full years of age on a day; who is born on 29 February has a birthday on 1 March in other years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def _kept(
    position: Position, result: Literal["inside", "not_checked", "too_vague"], outside: float | None
) -> CheckedPosition:
    return CheckedPosition(
        lat=position.lat,
        lon=position.lon,
        accuracy_m=position.accuracy_m,
        result=result,
        outside_m=None if outside is None else round(outside, 1),
    )


def _far(metres: float) -> str:
    return f"about {metres / 1000:.1f} km" if metres >= 1000 else f"about {max(10, round(metres, -1)):.0f} m"
