"""What devices send and get at the door."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.ids import CheckinId, PatronId, VenueId
from lastlight.runtime.http import Input

Decided = Literal["server", "admitted", "refused"]
ScanResult = Literal["admitted", "refused", "double"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ScanIn(Input, frozen=True, kw_only=True):
    """One scan of a guest's pass."""

    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """The device counts its scans; one that is sent again gets the answer that it got."""
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    claimed_at: datetime
    """By the device's own clock."""
    decided: Decided = "server"
    """`server` to ask now; else what the device decided without a network."""
    refusal: Annotated[str, msgspec.Meta(max_length=80)] = ""
    """Why the device refused."""
    override_reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Why the door's staff let the guest in against its rules; a ban stands all the same."""


class ScansIn(Input, frozen=True, kw_only=True):
    """A device's scans: one when it asks, its log when it has a network again."""

    scans: Annotated[list[ScanIn], msgspec.Meta(min_length=1, max_length=200)]


class ScanOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a scan."""

    sequence: int
    result: ScanResult
    refusal: str = ""
    detail: str = ""
    patron: str = ""
    patron_id: PatronId | None = None
    checkin_id: CheckinId | None = None
    claimed_at: datetime
    received_at: datetime


class ScansOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each scan, in the order of their sequence."""

    results: list[ScanOut]


class PassKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that passes are checked with: Ed25519, raw, as base64url."""

    id: str
    public_key: str


class PassIn(Input, frozen=True, kw_only=True):
    """Which of the guest's phones the pass is for."""

    key_id: UUID


class PassOut(msgspec.Struct, frozen=True, kw_only=True):
    """A pass for the night; the phone signs each time step with its key."""

    text: str
    starts_at: datetime
    expires_at: datetime
    step_seconds: int
    now: datetime


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a door needs to decide without a network, as of `at`."""

    at: datetime
    venue_id: VenueId
    venue: str
    tenant_id: UUID
    status: str
    is_open: bool
    closes_at: datetime | None
    age_limit: int | None
    birth_date_required: bool
    step_seconds: int
    keys: list[PassKey]
    barred: list[UUID]
    inside: list[UUID]
    """Guests with an open visit anywhere in the business."""
    revoked_keys: list[UUID]
    """Phones that were revoked in the last day: their passes do not count."""
    last_sequence: int


class OverrideIn(Input, frozen=True, kw_only=True):
    """A guest whom staff let in by hand, and why."""

    venue_id: VenueId
    patron_id: PatronId
    reason: Reason


class RevocationIn(Input, frozen=True, kw_only=True):
    """Why a check-in does not count."""

    kind: Literal["revoked", "false_positive"]
    reason: Reason


class ResolutionIn(Input, frozen=True, kw_only=True):
    """What a flag turned out to be."""

    status: Literal["confirmed", "dismissed"]
    reason: Reason


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """Something that looks like fraud."""

    id: UUID
    venue_id: VenueId
    patron_id: PatronId
    kind: str
    detail: str
    checkin_id: CheckinId | None
    scan_id: UUID | None
    happened_at: datetime
    status: str
    resolution: str
    version: int
