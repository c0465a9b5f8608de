"""Devices over HTTP: people manage them with their permissions, devices speak with their own signatures."""

from typing import Any
from uuid import UUID

from lastlight.domains.devices import actions, alerts, door_rules, enrolment, heartbeats, queries
from lastlight.domains.devices.errors import (
    DeviceAlertOver,
    DeviceClockWrong,
    DeviceNameTaken,
    DeviceNotActive,
    DeviceRevoked,
    DeviceUnknown,
    EnrolmentRefused,
    NoScannerYet,
)
from lastlight.domains.devices.listings import CREW_DEVICES, DEVICE_ALERTS, DEVICES, HEARTBEATS, HeartbeatRow
from lastlight.domains.devices.model import (
    Device,
    DeviceAlert,
    DeviceChange,
    DeviceIn,
    DoorRules,
    DoorRulesIn,
    EnrolIn,
    Enrolled,
    EnrolmentCode,
    Heard,
    HeartbeatIn,
    RevokeIn,
)
from lastlight.domains.devices.permissions import DEVICES_MANAGE, DEVICES_READ
from lastlight.domains.devices.signing import spoken_for
from lastlight.kernel.errors import NotFound, Stale
from lastlight.kernel.ids import VenueId
from lastlight.kernel.paging import Page
from lastlight.runtime.auth.errors import TenantClosed, TenantSuspended
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Devices",)
SIGNED = "the device's own signature is the credential"

list_devices = listing_get("/api/devices", DEVICES, tags=TAGS)
list_crew_devices = listing_get("/api/admin/devices", CREW_DEVICES, tags=TAGS)
list_device_alerts = listing_get("/api/devices/alerts", DEVICE_ALERTS, tags=TAGS)


@post(
    "/api/devices",
    permission=DEVICES_MANAGE,
    raises=[NotFound, DeviceNameTaken],
    status=201,
    secret=True,
    tags=TAGS,
)
async def add_device(ctx: Ctx, data: DeviceIn) -> EnrolmentCode:
    """Put a device on a venue's list and get its one-time code, which is shown this once."""
    return await enrolment.add_device(ctx, data=data)


@post(
    "/api/devices/{device_id:uuid}/enrolment",
    permission=DEVICES_MANAGE,
    raises=[NotFound, DeviceRevoked],
    status=201,
    secret=True,
    tags=TAGS,
)
async def issue_device_code(ctx: Ctx, device_id: UUID) -> EnrolmentCode:
    """Make a new one-time code for a device; its present key holds until the code is used."""
    return await enrolment.issue_code(ctx, device_id=device_id)


@post(
    "/api/devices/enrolment",
    public="the one-time code is the credential",
    db="system",
    limit="auth",
    raises=[EnrolmentRefused],
    status=201,
    secret=True,
    tags=TAGS,
)
async def enrol_device(ctx: Ctx, data: EnrolIn) -> Enrolled:
    """Enrol a device: its one-time code and its own public key."""
    return await enrolment.enrol(ctx, data=data)


@get("/api/devices/{device_id:uuid}", permission=DEVICES_READ, raises=[NotFound], tags=TAGS)
async def read_device(ctx: Ctx, device_id: UUID) -> Device:
    """Read a device and what it last said of itself."""
    return await queries.find_device(ctx, device_id=device_id)


@patch(
    "/api/devices/{device_id:uuid}",
    permission=DEVICES_MANAGE,
    raises=[NotFound, Stale, DeviceRevoked, DeviceNameTaken],
    tags=TAGS,
)
async def change_device(ctx: Ctx, device_id: UUID, data: DeviceChange, if_match: int) -> Device:
    """Rename a device, move it to another venue, or begin and end its maintenance."""
    return await actions.change_device(ctx, device_id=device_id, data=data, version=if_match)


@post("/api/devices/{device_id:uuid}/revocation", permission=DEVICES_MANAGE, raises=[NotFound], tags=TAGS)
async def revoke_device(ctx: Ctx, device_id: UUID, data: RevokeIn) -> Device:
    """Revoke a device: nothing that it signs counts from now on."""
    return await actions.revoke_device(ctx, device_id=device_id, data=data)


@post("/api/devices/{device_id:uuid}/ping", permission=DEVICES_MANAGE, raises=[NotFound, DeviceNotActive], tags=TAGS)
async def ping_device(ctx: Ctx, device_id: UUID) -> Device:
    """Ask whether a device hears; its next heartbeat answers."""
    return await actions.ping_device(ctx, device_id=device_id)


@get(
    "/api/devices/{device_id:uuid}/heartbeats",
    permission=DEVICES_READ,
    listing=HEARTBEATS,
    raises=[NotFound],
    tags=TAGS,
)
async def read_device_heartbeats(ctx: Ctx, device_id: UUID, query: Any) -> Page[HeartbeatRow]:
    """List a device's heartbeats of the last month, the newest first: one in five minutes, and each that told something new."""
    return await queries.read_heartbeats(ctx, device_id=device_id, query=query)


@post(
    "/api/devices/alerts/{device_alert_id:uuid}/acknowledgement",
    permission=DEVICES_MANAGE,
    raises=[NotFound, DeviceAlertOver],
    tags=TAGS,
)
async def acknowledge_device_alert(ctx: Ctx, device_alert_id: UUID) -> DeviceAlert:
    """Take note of a device's open alert; the first who does is kept."""
    return await alerts.acknowledge_alert(ctx, alert_id=device_alert_id)


@get("/api/venues/{venue_id:uuid}/door-rules", permission=DEVICES_READ, raises=[NotFound], tags=TAGS)
async def read_door_rules(ctx: Ctx, venue_id: VenueId) -> DoorRules:
    """Read what a venue asks at its door."""
    return await door_rules.read_door_rules(ctx, venue_id=venue_id)


@put("/api/venues/{venue_id:uuid}/door-rules", permission=DEVICES_MANAGE, raises=[NotFound, NoScannerYet], tags=TAGS)
async def set_door_rules(ctx: Ctx, venue_id: VenueId, data: DoorRulesIn) -> DoorRules:
    """Let guests in by the venue's own scanners only, or by the codes on its screens and posters too."""
    return await door_rules.set_door_rules(ctx, venue_id=venue_id, data=data)


@post(
    "/webhooks/hardware",
    public=SIGNED,
    db="system",
    raises=[DeviceUnknown, DeviceClockWrong, TenantSuspended, TenantClosed],
    status=200,
    tags=TAGS,
)
async def hear_device(ctx: Ctx, data: HeartbeatIn, body: bytes, request: RequestInfo) -> Heard:
    """A device's heartbeat: battery, firmware, last scan; signed with the device's own key."""
    async with spoken_for(ctx, request, body, working=False) as (inside, speaker):
        return await heartbeats.hear(inside, speaker=speaker, data=data)


ROUTES = (
    list_devices,
    list_crew_devices,
    list_device_alerts,
    add_device,
    issue_device_code,
    enrol_device,
    read_device,
    change_device,
    revoke_device,
    ping_device,
    hear_device,
    read_device_heartbeats,
    acknowledge_device_alert,
    read_door_rules,
    set_door_rules,
)
