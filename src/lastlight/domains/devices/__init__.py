"""Devices: the scanners and tills of a venue.

A device is put on a venue's list, gives its own public key against a one-time code, and signs every request. It is revoked at
once. This is all that other domains may use.
"""

from lastlight.domains.devices.alerts import clear_log_alert, raise_log_alert
from lastlight.domains.devices.enrolment import add_device
from lastlight.domains.devices.errors import DEVICE_REFUSALS
from lastlight.domains.devices.model import Device, DeviceIn
from lastlight.domains.devices.permissions import DEVICES_MANAGE, DEVICES_READ
from lastlight.domains.devices.queries import FleetSums, find_device, read_fleet, sum_up
from lastlight.domains.devices.signing import (
    Speaker,
    spoken_for,
    stood_at,
)

__all__ = [
    "DEVICES_MANAGE",
    "DEVICES_READ",
    "DEVICE_REFUSALS",
    "Device",
    "DeviceIn",
    "FleetSums",
    "Speaker",
    "add_device",
    "clear_log_alert",
    "find_device",
    "raise_log_alert",
    "read_fleet",
    "spoken_for",
    "stood_at",
    "sum_up",
]
