"""The lists of devices and of their alerts: a venue's people see their own, the crew the whole fleet."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.devices.permissions import DEVICES_READ
from lastlight.kernel.ids import TenantId, VenueId
from lastlight.runtime.http.listing import Column, Filter, Listing

KINDS = (("scanner", "Scanner"), ("till", "Till"))
STATUSES = (("pending", "Not enrolled"), ("active", "Active"), ("revoked", "Revoked"))
HEALTH = (
    ("good", "Good"),
    ("offline", "Offline"),
    ("battery_low", "Battery low"),
    ("maintenance", "Maintenance"),
    ("pending", "Not enrolled"),
    ("revoked", "Revoked"),
)
ALERTS = (("offline", "Offline"), ("battery_low", "Battery low"))
HEALTH_SQL = """case when d.status <> 'active' then d.status when d.maintenance then 'maintenance'
when exists (select from device_alerts a where a.tenant_id = d.tenant_id and a.device_id = d.id and a.kind = 'offline'
             and a.cleared_at is null) then 'offline'
when exists (select from device_alerts a where a.tenant_id = d.tenant_id and a.device_id = d.id and a.cleared_at is null)
then 'battery_low' else 'good' end"""
SOURCE = """devices d
join venues w on w.tenant_id = d.tenant_id and w.id = d.venue_id
left join device_states s on s.tenant_id = d.tenant_id and s.device_id = d.id"""
ALERT_SOURCE = """device_alerts a
join devices d on d.tenant_id = a.tenant_id and d.id = a.device_id
join venues w on w.tenant_id = a.tenant_id and w.id = a.venue_id
left join users u on u.id = a.acknowledged_by"""


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device on the health board."""

    id: UUID
    name: str
    kind: str
    venue_id: VenueId
    venue: str
    status: str
    health: str
    last_seen_at: datetime | None
    battery: int | None
    firmware: str
    last_scan: int
    queued: int
    enrolled_at: datetime | None
    pinged_at: datetime | None
    answered_at: datetime | None
    maintenance_until: datetime | None
    version: int


class CrewDeviceRow(DeviceRow, frozen=True, kw_only=True):
    """A device as the crew sees it: with its tenant."""

    tenant_id: TenantId
    tenant: str


class DeviceAlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alert of a device."""

    id: UUID
    device_id: UUID
    device: str
    venue_id: VenueId
    venue: str
    kind: str
    detail: str
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


class HeartbeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a device said of itself at a moment: one in five minutes, and each that told something new."""

    id: UUID
    heard_at: datetime
    battery: int | None
    charging: bool
    firmware: str
    last_scan: int
    queued: int
    device_id: UUID
    device: str
    venue_id: VenueId
    venue: str


COLUMNS = (
    Column(name="id", sql="d.id", label="Id", kind="uuid", shown=False),
    Column(name="name", sql="d.name", label="Device", sort=True),
    Column(name="kind", sql="d.kind", label="Kind", kind="enum", choices=KINDS, sort=True),
    Column(name="venue_id", sql="d.venue_id", label="Venue id", kind="uuid", shown=False),
    Column(name="venue", sql="w.name", label="Venue", sort=True),
    Column(name="status", sql="d.status", label="Status", kind="enum", choices=STATUSES, shown=False),
    Column(name="health", sql=HEALTH_SQL, label="Health", kind="enum", choices=HEALTH),
    Column(name="last_seen_at", sql="s.last_seen_at", label="Last heard", kind="time"),
    Column(name="battery", sql="s.battery", label="Battery", kind="number"),
    Column(name="firmware", sql="coalesce(s.firmware, '')", label="Firmware"),
    Column(name="last_scan", sql="coalesce(s.last_scan, 0)", label="Last scan", kind="number", shown=False),
    Column(name="queued", sql="coalesce(s.queued, 0)", label="Waiting scans", kind="number"),
    Column(name="enrolled_at", sql="d.enrolled_at", label="Enrolled", kind="time", shown=False),
    Column(name="pinged_at", sql="s.pinged_at", label="Pinged", kind="time", shown=False),
    Column(name="answered_at", sql="s.answered_at", label="Answered", kind="time", shown=False),
    Column(name="maintenance_until", sql="d.maintenance_until", label="Maintenance until", kind="time", shown=False),
    Column(name="version", sql="d.version", label="Version", kind="number", shown=False),
)
CREW_COLUMNS = (
    Column(name="tenant", sql="t.name", label="Business", sort=True),
    Column(name="tenant_id", sql="d.tenant_id", label="Business id", kind="uuid", shown=False),
    *COLUMNS,
)
FILTERS = (
    Filter(name="venue_id", sql="d.venue_id", label="Venue", kind="uuid"),
    Filter(name="kind", sql="d.kind", label="Kind", kind="enum", choices=KINDS),
    Filter(name="status", sql="d.status", label="Status", kind="enum", choices=STATUSES),
    Filter(name="firmware", sql="coalesce(s.firmware, '')", label="Firmware"),
    Filter(name="health", sql=f"({HEALTH_SQL})", label="Health", kind="enum", choices=HEALTH),
)
DEVICES = Listing(
    name="devices",
    label="Devices",
    row=DeviceRow,
    permission=DEVICES_READ,
    source=SOURCE,
    tenant="d.tenant_id",
    venue="d.venue_id",
    key="d.id",
    columns=COLUMNS,
    filters=FILTERS,
    search=("d.name", "w.name"),
    sort="name",
)
CREW_DEVICES = Listing(
    name="crew_devices",
    label="Devices of all businesses",
    row=CrewDeviceRow,
    permission=DEVICES_READ,
    source=SOURCE + " join tenants t on t.id = d.tenant_id",
    tenant="d.tenant_id",
    venue="d.venue_id",
    key="d.id",
    columns=CREW_COLUMNS,
    filters=(*FILTERS, Filter(name="tenant_id", sql="d.tenant_id", label="Business", kind="uuid")),
    search=("d.name", "w.name", "t.name"),
    sort="name",
    cross_tenant=True,
)
DEVICE_ALERTS = Listing(
    name="device_alerts",
    label="Device alerts",
    row=DeviceAlertRow,
    permission=DEVICES_READ,
    source=ALERT_SOURCE,
    tenant="a.tenant_id",
    venue="a.venue_id",
    key="a.id",
    columns=(
        Column(name="id", sql="a.id", label="Id", kind="uuid", shown=False),
        Column(name="raised_at", sql="a.raised_at", label="Raised", kind="time", sort=True),
        Column(name="device", sql="d.name", label="Device", sort=True),
        Column(name="device_id", sql="a.device_id", label="Device id", kind="uuid", shown=False),
        Column(name="venue", sql="w.name", label="Venue", sort=True),
        Column(name="venue_id", sql="a.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="kind", sql="a.kind", label="Alert", kind="enum", choices=ALERTS),
        Column(name="detail", sql="a.detail", label="Detail"),
        Column(name="cleared_at", sql="a.cleared_at", label="Cleared", kind="time"),
        Column(name="acknowledged_at", sql="a.acknowledged_at", label="Acknowledged", kind="time"),
        Column(name="acknowledged_by", sql="coalesce(u.name, '')", label="By", shown=False),
    ),
    filters=(
        Filter(name="venue_id", sql="a.venue_id", label="Venue", kind="uuid"),
        Filter(name="device_id", sql="a.device_id", label="Device", kind="uuid"),
        Filter(name="kind", sql="a.kind", label="Alert", kind="enum", choices=ALERTS),
        Filter(name="open", sql="(a.cleared_at is null)", label="Open", kind="bool"),
        Filter(name="acknowledged", sql="(a.acknowledged_at is not null)", label="Acknowledged", kind="bool"),
        Filter(name="raised_at", sql="a.raised_at", label="Raised", kind="time"),
    ),
    search=("d.name",),
    sort="-raised_at",
)
HEARTBEATS = Listing(
    name="device_heartbeats",
    label="Heartbeats",
    row=HeartbeatRow,
    permission=DEVICES_READ,
    source="""device_heartbeats h
join devices d on d.tenant_id = h.tenant_id and d.id = h.device_id
join venues w on w.tenant_id = h.tenant_id and w.id = d.venue_id""",
    tenant="h.tenant_id",
    venue="d.venue_id",
    key="h.id",
    columns=(
        Column(name="id", sql="h.id", label="Id", kind="uuid", shown=False),
        Column(name="heard_at", sql="h.heard_at", label="Heard", kind="time", sort=True),
        Column(name="device", sql="d.name", label="Device"),
        Column(name="device_id", sql="h.device_id", label="Device id", kind="uuid", shown=False),
        Column(name="venue", sql="w.name", label="Venue"),
        Column(name="venue_id", sql="d.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="battery", sql="h.battery", label="Battery", kind="number"),
        Column(name="charging", sql="h.charging", label="Charging", kind="bool", shown=False),
        Column(name="firmware", sql="h.firmware", label="Firmware"),
        Column(name="last_scan", sql="h.last_scan", label="Last scan", kind="number"),
        Column(name="queued", sql="h.queued", label="Waiting scans", kind="number"),
    ),
    filters=(
        Filter(name="venue_id", sql="d.venue_id", label="Venue", kind="uuid"),
        Filter(name="device_id", sql="h.device_id", label="Device", kind="uuid"),
        Filter(name="heard_at", sql="h.heard_at", label="Heard", kind="time"),
        Filter(name="battery", sql="h.battery", label="Battery", kind="number"),
        Filter(name="queued", sql="h.queued", label="Waiting scans", kind="number"),
    ),
    search=("d.name", "h.firmware"),
    sort="-heard_at",
)
LISTINGS = (DEVICES, CREW_DEVICES, DEVICE_ALERTS, HEARTBEATS)
