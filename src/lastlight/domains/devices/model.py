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
    enrolled_at: datetime | None
    revoked_at: datetime | None
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


class RevokeIn(Input, frozen=True, kw_only=True):
    """Why a device is revoked."""

    reason: Reason


class EnrolIn(Input, frozen=True, kw_only=True):
    """A device's one-time code and its own public key: ECDSA P-256, SPKI, as base64url."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    public_key: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class HeartbeatIn(Input, frozen=True, kw_only=True):
    """What a device says of itself; `sequence` grows with each heartbeat, and an older one changes nothing."""

    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    sent_at: datetime
    battery: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    charging: bool = False
    firmware: Annotated[str, msgspec.Meta(max_length=80)] = ""
    last_scan_id: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    """The sequence of its last scan."""
    queued: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    """How many scans wait to be sent."""
