"""Clocked time, corrections, shifts and swaps as they are kept, and the rule of the fence. Pure."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.domains.staff.errors import ClockOutsideGeofence, ClockPositionNeeded
from lastlight.domains.venues import Geofence, Point, distance_outside
from lastlight.kernel.ids import UserId, VenueId

EntryStatus = Literal["open", "closed", "voided"]
ShiftStatus = Literal["planned", "published", "cancelled"]
ClockPlace = Literal["at_venue", "unchecked", "not_given"]
"""Where somebody clocked: inside the fence, somewhere that was not measured, or nobody knows."""
SwapStatus = Literal["asked", "accepted", "declined", "approved", "refused", "withdrawn"]
CorrectionStatus = Literal["asked", "approved", "refused", "withdrawn"]
UNTOLD_ACCURACY_METRES = 50.0
MOST_TOLERANCE_METRES = 100.0
"""However vague a position says it is, it may lie this far outside the fence and no farther."""


class ClockPosition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the phone says it is; `accuracy_m` is the radius that it is sure of."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)] | None = None


class CheckedClock(msgspec.Struct, frozen=True, kw_only=True):
    """A position as it is kept: what was reported, and how far outside the fence it lay (None: not measured)."""

    lat: float
    lon: float
    accuracy_m: float | None
    outside_m: float | None


class TimeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Time that somebody was clocked in."""

    id: UUID
    venue_id: VenueId
    venue: str
    user_id: UserId
    person: str
    shift_id: UUID | None
    status: EntryStatus
    started_at: datetime
    ended_at: datetime | None
    break_seconds: int
    worked_seconds: int | None
    break_since: datetime | None
    business_day: date
    corrected_at: datetime | None
    forgotten_at: datetime | None
    """When it was noticed that nobody clocked out."""
    in_place: ClockPlace
    out_place: ClockPlace | None
    version: int


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """How clocked time should read, says somebody."""

    id: UUID
    venue_id: VenueId
    venue: str
    user_id: UserId
    person: str
    entry_id: UUID | None
    started_at: datetime
    ended_at: datetime
    break_seconds: int
    reason: str
    status: CorrectionStatus
    asked_by: UserId
    decided_by: UserId | None
    decided_at: datetime | None
    decision_note: str
    created_at: datetime
    version: int


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody is to work where; without a person it is open."""

    id: UUID
    venue_id: VenueId
    venue: str
    user_id: UserId | None
    person: str
    duty: str
    note: str
    starts_at: datetime
    ends_at: datetime
    status: ShiftStatus
    published_at: datetime | None
    version: int


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A shift that one hands to another, perhaps for one of theirs."""

    id: UUID
    venue_id: VenueId
    shift_id: UUID
    from_user_id: UserId | None
    """None: the shift is nobody's, and its taker asks for it."""
    to_user_id: UserId
    for_shift_id: UUID | None
    status: SwapStatus
    reason: str
    decided_by: UserId | None
    decision_note: str
    created_at: datetime
    version: int


def check_clock(position: ClockPosition | None, *, fence: Geofence | None, rule: str) -> CheckedClock | None:
    """Judge where somebody clocks by the business's rule. Raises ClockPositionNeeded or ClockOutsideGeofence."""
    if position is None:
        if rule == "required" and fence is not None:
            raise ClockPositionNeeded(fields={"position": "Send the phone's position."})
        return None
    outside = None
    if fence is not None and rule != "off":
        outside = round(distance_outside(fence, Point(lat=position.lat, lon=position.lon)), 1)
        accuracy = UNTOLD_ACCURACY_METRES if position.accuracy_m is None else position.accuracy_m
        if outside > min(accuracy, MOST_TOLERANCE_METRES):
            raise ClockOutsideGeofence
    return CheckedClock(lat=position.lat, lon=position.lon, accuracy_m=position.accuracy_m, outside_m=outside)
