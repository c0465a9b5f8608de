"""What devices bring to the platform."""

from lastlight.domains.devices.api import ROUTES
from lastlight.domains.devices.errors import ERRORS, DeviceNameTaken
from lastlight.domains.devices.events import EVENTS
from lastlight.domains.devices.jobs import drop_old_heartbeats, watch_devices
from lastlight.domains.devices.listings import LISTINGS
from lastlight.domains.devices.permissions import PERMISSIONS
from lastlight.domains.devices.settings import SETTINGS
from lastlight.runtime.module import Module

MODULE = Module(
    name="devices",
    summary="A venue's scanners and tills: their keys, their health, their alerts.",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"devices_name_once": DeviceNameTaken},
    jobs=(watch_devices, drop_old_heartbeats),
    listings=LISTINGS,
    settings=SETTINGS,
)
