"""What happens to devices."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.devices.permissions import DEVICES_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class _OfDevice(Event, frozen=True, kw_only=True):
    """A device of a venue."""

    audience: ClassVar[Permission | None] = DEVICES_READ
    webhook: ClassVar[bool] = True
    device_id: UUID
    venue_id: UUID


class DeviceAdded(_OfDevice, frozen=True, kw_only=True):
    """A device was put on a venue's list; it may do nothing before it is enrolled."""

    event_name: ClassVar[str] = "device.added"
    kind: str


class DeviceCodeIssued(_OfDevice, frozen=True, kw_only=True):
    """A one-time code was made for a device; an older one of it is dead."""

    event_name: ClassVar[str] = "device.code_issued"
    expires_at: datetime


class DeviceEnrolled(_OfDevice, frozen=True, kw_only=True):
    """A device gave its public key against its one-time code."""

    event_name: ClassVar[str] = "device.enrolled"


class DeviceUpdated(_OfDevice, frozen=True, kw_only=True):
    """A device was renamed, moved to another venue, set aside for maintenance or put back to work."""

    event_name: ClassVar[str] = "device.updated"
    maintenance: bool
    version: int


class DeviceRevokedNow(_OfDevice, frozen=True, kw_only=True):
    """A device was taken off the list: nothing that it signs counts any more."""

    event_name: ClassVar[str] = "device.revoked"


class DevicePinged(_OfDevice, frozen=True, kw_only=True):
    """Somebody asks whether a device hears: its next heartbeat answers."""

    event_name: ClassVar[str] = "device.pinged"


class DeviceAnswered(_OfDevice, frozen=True, kw_only=True):
    """A device answered a ping."""

    event_name: ClassVar[str] = "device.answered"
    seconds: float


class DeviceAlertRaised(_OfDevice, frozen=True, kw_only=True):
    """A device is silent, its battery runs low, scans are missing in its log, or its log came after it was revoked."""

    event_name: ClassVar[str] = "device.alert_raised"
    kind: str


class DeviceAlertCleared(_OfDevice, frozen=True, kw_only=True):
    """A device is back or charged, or what was missing has come."""

    event_name: ClassVar[str] = "device.alert_cleared"
    kind: str


class DeviceAlertAcknowledged(_OfDevice, frozen=True, kw_only=True):
    """Somebody has taken note of a device's alert and sees to it."""

    event_name: ClassVar[str] = "device.alert_acknowledged"
    kind: str


class DoorRulesChanged(Event, frozen=True, kw_only=True):
    """A venue asks something else at its door."""

    event_name: ClassVar[str] = "door.rules_changed"
    audience: ClassVar[Permission | None] = DEVICES_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    devices_only: bool


EVENTS = (
    DeviceAdded,
    DeviceCodeIssued,
    DeviceEnrolled,
    DeviceUpdated,
    DeviceRevokedNow,
    DevicePinged,
    DeviceAnswered,
    DeviceAlertRaised,
    DeviceAlertCleared,
    DeviceAlertAcknowledged,
    DoorRulesChanged,
)
