"""Why a device, or somebody who manages one, is refused."""

from lastlight.kernel.errors import Conflict, Problem
from lastlight.runtime.auth.errors import TenantClosed, TenantSuspended


class EnrolmentRefused(Problem):
    """The one-time code is wrong, used or too old: one answer for all, so that nobody learns which."""

    type = "enrolment-refused"
    status = 403
    title = "This code enrols no device"
    default_detail = "Ask a manager for a new code; each is good once, for fifteen minutes."


class DeviceUnknown(Problem):
    """The request's signature is not one of an allowed device."""

    type = "device-unknown"
    status = 401
    title = "This device is not known here"
    default_detail = "It was revoked, never enrolled, or its signature does not fit the request. Enrol it again."


class DeviceClockWrong(Problem):
    """The time that the device signed is too far from ours."""

    type = "device-clock-wrong"
    status = 401
    title = "The device's clock is wrong"
    default_detail = "Take the time from `now` in this answer, sign again, and send again."


class DeviceSetAside(Problem):
    """The device is under maintenance: it may report its health and nothing else."""

    type = "device-maintenance"
    status = 409
    title = "This device is under maintenance"
    default_detail = "A manager ends the maintenance on the device's page; use another scanner until then."


class DeviceNameTaken(Conflict):
    """Two devices of a venue cannot be told apart by one name."""

    type = "device-name-taken"
    title = "This venue has a device of that name"
    default_detail = "Give it a name that tells it from the other, such as the door where it stands."


class DeviceRevoked(Conflict):
    """A revoked device stays revoked."""

    type = "device-revoked"
    title = "This device is revoked"
    default_detail = "Add it as a new device and enrol it with a new code."


class DeviceNotActive(Conflict):
    """Only an enrolled device can be pinged."""

    type = "device-not-active"
    title = "This device is not enrolled"
    default_detail = "Enrol it first with its one-time code."


class DeviceAlertOver(Conflict):
    """Only an alert that is open can be acknowledged."""

    type = "device-alert-over"
    title = "This alert is over"
    default_detail = "The device is back, or charged; nothing is to do."


class NoScannerYet(Conflict):
    """A door that only scanners open needs one."""

    type = "no-scanner-yet"
    title = "This venue has no scanner at work"
    default_detail = "Enrol a scanner for this venue first, or nobody could come in."


ERRORS = (
    EnrolmentRefused,
    DeviceUnknown,
    DeviceClockWrong,
    DeviceSetAside,
    DeviceNameTaken,
    DeviceRevoked,
    DeviceNotActive,
    DeviceAlertOver,
    NoScannerYet,
)
DEVICE_REFUSALS = (DeviceUnknown, DeviceClockWrong, DeviceSetAside, TenantSuspended, TenantClosed)
