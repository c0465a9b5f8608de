"""The lists of devices and of their alerts: a venue's people see their own, the crew the whole fleet."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.devices.permissions import DEVICES_READ
from lastlight.kernel.ids import TenantId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing, of_all_businesses

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
ALERTS = (("offline", "Offline"), ("battery_low", "Battery low"), ("gap", "Scans missing"), ("late_log", "Late log"))
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
    ID,
    Column("name", "Device", sort=True),
    Column("kind", "Kind", kind="enum", choices=KINDS, sort=True),
    *VENUE,
    Column("status", "Status", kind="enum", choices=STATUSES, shown=False),
    Column("health", "Health", sql=HEALTH_SQL, kind="enum", choices=HEALTH),
    Column("last_seen_at", "Last heard", sql="s.last_seen_at", kind="time"),
    Column("battery", "Battery", sql="s.battery", kind="number"),
    Column("firmware", "Firmware", sql="coalesce(s.firmware, '')"),
    Column("last_scan", "Last scan", sql="coalesce(s.last_scan, 0)", kind="number", shown=False),
    Column("queued", "Waiting scans", sql="coalesce(s.queued, 0)", kind="number"),
    Column("enrolled_at", "Enrolled", kind="time", shown=False),
    Column("pinged_at", "Pinged", sql="s.pinged_at", kind="time", shown=False),
    Column("answered_at", "Answered", sql="s.answered_at", kind="time", shown=False),
    Column("maintenance_until", "Maintenance until", kind="time", shown=False),
    VERSION,
)
FILTERS = (
    AT_VENUE,
    Filter("kind"),
    Filter("status"),
    Filter("firmware"),
    Filter("health"),
)
DEVICES = Listing(
    name="devices",
    label="Devices",
    row=DeviceRow,
    permission=DEVICES_READ,
    source=SOURCE,
    of="d",
    venue="d.venue_id",
    columns=COLUMNS,
    filters=FILTERS,
    search=("d.name", "w.name"),
    sort="name",
)
CREW_DEVICES = of_all_businesses(DEVICES, row=CrewDeviceRow, name="crew_devices", label="Devices of all businesses")
DEVICE_ALERTS = Listing(
    name="device_alerts",
    label="Device alerts",
    row=DeviceAlertRow,
    permission=DEVICES_READ,
    source=ALERT_SOURCE,
    of="a",
    venue="a.venue_id",
    columns=(
        ID,
        Column("raised_at", "Raised", kind="time", sort=True),
        Column("device", "Device", sql="d.name", sort=True),
        ref("device_id", "Device id"),
        *VENUE,
        Column("kind", "Alert", kind="enum", choices=ALERTS),
        Column("detail", "Detail"),
        Column("cleared_at", "Cleared", kind="time"),
        Column("acknowledged_at", "Acknowledged", kind="time"),
        Column("acknowledged_by", "By", sql="coalesce(u.name, '')", shown=False),
    ),
    filters=(
        AT_VENUE,
        Filter("device_id", "Device"),
        Filter("kind"),
        Filter("open", "Open", sql="(a.cleared_at is null)", kind="bool"),
        Filter("acknowledged", "Acknowledged", sql="(a.acknowledged_at is not null)", kind="bool"),
        Filter("raised_at"),
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
    of="h",
    venue="d.venue_id",
    columns=(
        ID,
        Column("heard_at", "Heard", kind="time", sort=True),
        Column("device", "Device", sql="d.name"),
        ref("device_id", "Device id"),
        Column("venue", "Venue", sql="w.name"),
        ref("venue_id", "Venue id", sql="d.venue_id"),
        Column("battery", "Battery", kind="number"),
        Column("charging", "Charging", kind="bool", shown=False),
        Column("firmware", "Firmware"),
        Column("last_scan", "Last scan", kind="number"),
        Column("queued", "Waiting scans", kind="number"),
    ),
    filters=(
        AT_VENUE,
        Filter("device_id", "Device"),
        Filter("heard_at"),
        Filter("battery"),
        Filter("queued"),
    ),
    search=("d.name", "h.firmware"),
    sort="-heard_at",
)
LISTINGS = (DEVICES, CREW_DEVICES, DEVICE_ALERTS, HEARTBEATS)
