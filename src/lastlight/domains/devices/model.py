"""Devices as they are kept, and what is sent about them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.ids import TenantId, VenueId
from lastlight.runtime.http import Input

DeviceKind = Literal["scanner", "till"]
DeviceStatus = Literal["pending", "active", "revoked"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A scanner or a till, with what it last said of itself."""

    id: UUID
    venue_id: VenueId
    venue: str
    name: str
    kind: DeviceKind
    status: DeviceStatus
    maintenance: bool
    maintenance_reason: str
    maintenance_until: datetime | None
    enrolled_at: datetime | None
    code_expires_at: datetime | None
    """Until when the one-time code that was made last may be used; None when it was."""
    revoked_at: datetime | None
    revoked_reason: str
    last_seen_at: datetime | None
    battery: int | None
    charging: bool
    firmware: str
    last_scan: int
    queued: int
    pinged_at: datetime | None
    answered_at: datetime | None
    offline: bool
    battery_low: bool
    version: int


class DeviceAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert of a device."""

    id: UUID
    device_id: UUID
    venue_id: VenueId
    kind: str
    detail: str
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


class DoorRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue asks at its door."""

    venue_id: VenueId
    devices_only: bool
    """Only the venue's own scanners let guests in; codes on screens and posters do not."""
    scanners: int
    """How many enrolled scanners it has."""


class DoorRulesIn(Input, frozen=True, kw_only=True):
    """What a venue is to ask at its door."""

    devices_only: bool


class EnrolmentCode(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, shown this once; the device sends it back with its own public key."""

    device: Device
    code: str
    expires_at: datetime


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What a device needs to speak: it signs with its key and names itself by tenant and id."""

    tenant_id: TenantId
    device_id: UUID
    venue_id: VenueId
    venue: str
    name: str
    kind: DeviceKind
    heartbeat_seconds: int
    now: datetime


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a heartbeat: what the device should know now."""

    now: datetime
    venue_id: VenueId
    maintenance: bool
    pinged: bool
    heartbeat_seconds: int


class DeviceIn(Input, frozen=True, kw_only=True):
    """A device to put on a venue's list."""

    venue_id: VenueId
    name: Name
    kind: DeviceKind = "scanner"


class DeviceChange(Input, frozen=True, kw_only=True):
    """What changes about a device; what is left out stays."""

    name: Name | None = None
    venue_id: VenueId | None = None
    maintenance: bool | None = None
    maintenance_reason: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    maintenance_until: datetime | None = None
    """When the maintenance that this change begins ends by itself; without it, somebody ends it."""


class RevokeIn(Input, frozen=True, kw_only=True):
    """Why a device is revoked."""

    reason: Reason


class EnrolIn(Input, frozen=True, kw_only=True):
    """A device's one-time code and its own public key: ECDSA P-256, SPKI, as base64url."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    """As text, or the address that its QR holds."""
    public_key: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class HeartbeatIn(Input, frozen=True, kw_only=True):
    """What a device says of itself; `sequence` grows with each heartbeat, and an older one changes nothing."""

    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)]
    battery: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    charging: bool = False
    firmware: Annotated[str, msgspec.Meta(max_length=80)] = ""
    last_scan_id: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    """The sequence of its last scan."""
    queued: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    """How many scans wait to be sent."""
