"""What devices bring to the platform."""

from lastlight.domains.devices.api import ROUTES
from lastlight.domains.devices.device_pages import device_pages
from lastlight.domains.devices.drills import scanner_fleet_offline
from lastlight.domains.devices.errors import ERRORS, DeviceNameTaken
from lastlight.domains.devices.events import EVENTS
from lastlight.domains.devices.jobs import drop_old_heartbeats, watch_devices
from lastlight.domains.devices.listings import LISTINGS
from lastlight.domains.devices.pages import COUNT_EVENTS, crew_devices_page, fleet_pages
from lastlight.domains.devices.permissions import DEVICES_READ, PERMISSIONS
from lastlight.domains.devices.queries import count_open_alerts
from lastlight.domains.devices.settings import SETTINGS
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.module import Module, Nav


async def count_trouble(ctx: Ctx, *, request: RequestInfo) -> int | None:
    """How many alerts of devices are open; nothing where all is well."""
    return await count_open_alerts(ctx)


MODULE = Module(
    name="devices",
    summary="A venue's scanners and tills: their keys, their health, their alerts.",
    routes=ROUTES,
    pages=(
        *fleet_pages("/manage"),
        *device_pages("/manage"),
        *fleet_pages("/owner"),
        *device_pages("/owner"),
        crew_devices_page,
    ),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"devices_name_once": DeviceNameTaken},
    jobs=(watch_devices, drop_old_heartbeats),
    listings=LISTINGS,
    settings=SETTINGS,
    drills=(scanner_fleet_offline,),
    nav=(
        Nav(
            app="management",
            label="Devices",
            href="/manage/devices",
            icon="scan-line",
            permission=DEVICES_READ,
            group="Door",
            order=36,
            count=count_trouble,
            count_events=COUNT_EVENTS,
            hot=True,
        ),
        Nav(
            app="owner",
            label="Devices",
            href="/owner/devices",
            icon="scan-line",
            permission=DEVICES_READ,
            order=24,
            count=count_trouble,
            count_events=COUNT_EVENTS,
            hot=True,
        ),
        Nav(
            app="platform",
            label="Hardware",
            href="/platform/devices",
            icon="router",
            permission=DEVICES_READ,
            order=44,
        ),
    ),
)
