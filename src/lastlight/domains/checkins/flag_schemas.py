"""What people read and decide about a flag."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins.scan_schemas import Reason
from lastlight.kernel.ids import CheckinId, PatronId, VenueId, VisitId
from lastlight.runtime.http import Input

Step = Literal["renew_codes", "revoke_checkins", "tell_finance", "bar_guest"]
STEPS: tuple[Step, ...] = ("renew_codes", "revoke_checkins", "tell_finance", "bar_guest")


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """Something that looks like fraud."""

    id: UUID
    venue_id: VenueId
    patron_id: PatronId
    kind: str
    detail: str
    checkin_id: CheckinId | None
    other_checkin_id: CheckinId | None
    scan_id: UUID | None
    other_scan_id: UUID | None
    kilometres: float | None
    seconds_apart: int | None
    happened_at: datetime
    raised_at: datetime
    status: str
    resolution: str
    resolved_at: datetime | None
    resolved_by: str
    version: int


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a finding: where the guest's code was seen, when, by what, and what it led to."""

    checkin_id: CheckinId | None
    scan_id: UUID | None
    venue_id: VenueId
    venue: str
    at: datetime
    received_at: datetime
    method: str
    """How it came about: a check-in's method, or `pass` for a scan."""
    device: str
    decided: str
    """For scans: who decided, as in the door's log."""
    result: str
    """For scans: what the door's log says of it."""
    visit_id: VisitId | None
    visit_status: str
    revoked_at: datetime | None


class StepDone(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the playbook that was taken."""

    step: Step
    reason: str
    found: str
    done_by: str
    done_at: datetime


class FlagCase(msgspec.Struct, frozen=True, kw_only=True):
    """A flag with its evidence side by side, the guest, and what was done about it."""

    flag: Flag
    venue: str
    patron: str
    patron_status: str
    sightings: list[Sighting]
    """The earlier one first."""
    kmh: float | None
    """How fast the guest would have travelled; None where there is no distance, or no time at all between the two."""
    steps: list[StepDone]


class StepIn(Input, frozen=True, kw_only=True):
    """A step of the playbook to take now."""

    step: Step
    reason: Reason
    checkin_ids: Annotated[list[CheckinId], msgspec.Meta(max_length=2)] = msgspec.field(default_factory=list[CheckinId])
    """revoke_checkins: which of the two; all that still count when empty."""
    standing: Literal["suspended", "soft_banned", "banned"] = "suspended"
    """bar_guest: what becomes of the guest."""
    until: datetime | None = None
    """bar_guest: when that ends; a suspension needs an end."""
