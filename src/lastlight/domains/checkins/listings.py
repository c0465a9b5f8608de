"""The lists of check-ins and visits: for a tenant's people, for a guest, and across tenants for the platform's crew."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.permissions import CHECKINS_READ, VISITS_OWN, VISITS_READ
from lastlight.kernel.ids import CheckinId, PatronId, TenantId, VenueId, VisitId
from lastlight.runtime.http.listing import Column, Filter, Listing

METHODS = (("screen", "Screen"), ("poster", "Poster"), ("pass", "Pass"), ("override", "By hand"))
STATUSES = (("open", "In"), ("closed", "Left"), ("timed_out", "Timed out"), ("voided", "Voided"))
REVOKED = (("revoked", "Taken back"), ("false_positive", "False positive"))
CLOSERS = (("guest", "Guest"), ("staff", "Staff"), ("door", "Scan at the door"), ("time_out", "Time-out"))


class CheckinRow(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in in a list."""

    id: CheckinId
    venue_id: VenueId
    venue: str
    patron_id: PatronId
    patron: str
    method: str
    arrived_at: datetime
    received_at: datetime
    claimed_at: datetime | None
    proven: bool
    position_result: str
    device_id: UUID | None
    device: str
    device_state: str
    override_reason: str
    revoked_at: datetime | None
    revoked_as: str
    revoked_reason: str
    flags: int
    business_day: date
    visit_id: VisitId | None
    visit_status: str


class CrewCheckinRow(CheckinRow, frozen=True, kw_only=True):
    """A check-in as the crew sees it: with its tenant."""

    tenant_id: TenantId
    tenant: str


class VisitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A visit in a list."""

    id: VisitId
    venue_id: VenueId
    venue: str
    patron_id: PatronId
    patron: str
    checkin_id: CheckinId
    method: str
    status: str
    status_reason: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    duration_seconds: int | None
    business_day: date
    version: int


CHECKIN_SOURCE = """checkins c
join venues w on w.tenant_id = c.tenant_id and w.id = c.venue_id
join patrons p on p.tenant_id = c.tenant_id and p.id = c.patron_id
left join visits v on v.tenant_id = c.tenant_id and v.checkin_id = c.id
left join devices d on d.tenant_id = c.tenant_id and d.id = c.device_id
left join checkin_revocations r on r.tenant_id = c.tenant_id and r.checkin_id = c.id"""
FLAGS_SQL = """(select count(*) from checkin_flags f where f.tenant_id = c.tenant_id and f.status <> 'dismissed'
and (f.checkin_id = c.id or f.other_checkin_id = c.id))"""
VISIT_SOURCE = """visits v
join venues w on w.tenant_id = v.tenant_id and w.id = v.venue_id
join patrons p on p.tenant_id = v.tenant_id and p.id = v.patron_id
join checkins c on c.tenant_id = v.tenant_id and c.id = v.checkin_id"""

CHECKIN_COLUMNS = (
    Column(name="id", sql="c.id", label="Id", kind="uuid", shown=False),
    Column(name="arrived_at", sql="c.arrived_at", label="Arrived", kind="time", sort=True),
    Column(name="patron", sql="p.name", label="Guest", sort=True),
    Column(name="patron_id", sql="c.patron_id", label="Guest id", kind="uuid", shown=False),
    Column(name="venue", sql="w.name", label="Venue", sort=True),
    Column(name="venue_id", sql="c.venue_id", label="Venue id", kind="uuid", shown=False),
    Column(name="method", sql="c.method", label="Method", kind="enum", choices=METHODS),
    Column(name="received_at", sql="c.received_at", label="Received", kind="time", sort=True, shown=False),
    Column(name="claimed_at", sql="c.claimed_at", label="Claimed", kind="time", shown=False),
    Column(name="proven", sql="c.proof_key_id is not null", label="Sent later", kind="bool"),
    Column(name="device", sql="coalesce(d.name, '')", label="Scanner"),
    Column(name="device_id", sql="c.device_id", label="Scanner id", kind="uuid", shown=False),
    Column(name="device_state", sql="coalesce(c.device::text, '')", label="State of the device", shown=False),
    Column(name="override_reason", sql="c.override_reason", label="By hand because", shown=False),
    Column(name="position_result", sql="coalesce(c.position->>'result', '')", label="Position"),
    Column(name="business_day", sql="c.business_day", label="Business day", kind="date", shown=False),
    Column(name="visit_id", sql="v.id", label="Visit id", kind="uuid", shown=False),
    Column(name="visit_status", sql="coalesce(v.status, '')", label="Visit", kind="enum", choices=STATUSES),
    Column(name="revoked_at", sql="r.revoked_at", label="Taken back", kind="time", shown=False),
    Column(name="revoked_as", sql="coalesce(r.kind, '')", label="Counts", kind="enum", choices=REVOKED),
    Column(name="revoked_reason", sql="coalesce(r.reason, '')", label="Taken back because", shown=False),
    Column(name="flags", sql=FLAGS_SQL, label="Flags", kind="number", shown=False),
)
CREW_CHECKIN_COLUMNS = (
    Column(name="tenant", sql="t.name", label="Business", sort=True),
    Column(name="tenant_id", sql="c.tenant_id", label="Business id", kind="uuid", shown=False),
    *CHECKIN_COLUMNS,
)
VISIT_COLUMNS = (
    Column(name="id", sql="v.id", label="Id", kind="uuid", shown=False),
    Column(name="patron", sql="p.name", label="Guest", sort=True),
    Column(name="patron_id", sql="v.patron_id", label="Guest id", kind="uuid", shown=False),
    Column(name="venue", sql="w.name", label="Venue", sort=True),
    Column(name="venue_id", sql="v.venue_id", label="Venue id", kind="uuid", shown=False),
    Column(name="status", sql="v.status", label="Status", kind="enum", choices=STATUSES, sort=True),
    Column(name="status_reason", sql="v.status_reason", label="Reason", shown=False),
    Column(name="opened_at", sql="v.opened_at", label="Opened", kind="time", sort=True),
    Column(
        name="closed_at",
        sql="v.closed_at",
        label="Closed",
        kind="time",
        sort=True,
        sort_sql="coalesce(v.closed_at, 'infinity'::timestamptz)",
    ),
    Column(name="closed_by", sql="v.closed_by", label="Closed by", kind="enum", choices=CLOSERS, shown=False),
    Column(
        name="duration_seconds",
        sql="v.duration_seconds",
        label="Stay",
        kind="duration",
        sort=True,
        # who is in comes after every ended stay, the earlier opened the later; it does not change as time goes by
        sort_sql="coalesce(v.duration_seconds, 10000000000 - floor(extract(epoch from v.opened_at))::bigint)",
    ),
    Column(name="method", sql="c.method", label="Method", kind="enum", choices=METHODS, shown=False),
    Column(name="checkin_id", sql="v.checkin_id", label="Check-in id", kind="uuid", shown=False),
    Column(name="business_day", sql="v.business_day", label="Business day", kind="date", shown=False),
    Column(name="version", sql="v.version", label="Version", kind="number", shown=False),
)
CHECKIN_FILTERS = (
    Filter(name="venue_id", sql="c.venue_id", label="Venue", kind="uuid"),
    Filter(name="patron_id", sql="c.patron_id", label="Guest", kind="uuid"),
    Filter(name="method", sql="c.method", label="Method", kind="enum", choices=METHODS),
    Filter(name="device_id", sql="c.device_id", label="Scanner", kind="uuid"),
    Filter(name="proven", sql="(c.proof_key_id is not null)", label="Sent later", kind="bool"),
    Filter(name="revoked", sql="(r.checkin_id is not null)", label="Taken back", kind="bool"),
    Filter(name="flagged", sql=f"({FLAGS_SQL} > 0)", label="Flagged", kind="bool"),
    Filter(name="arrived_at", sql="c.arrived_at", label="Arrived", kind="time"),
)
VISIT_FILTERS = (
    Filter(name="venue_id", sql="v.venue_id", label="Venue", kind="uuid"),
    Filter(name="patron_id", sql="v.patron_id", label="Guest", kind="uuid"),
    Filter(name="status", sql="v.status", label="Status", kind="enum", choices=STATUSES),
    Filter(name="closed_by", sql="v.closed_by", label="Closed by", kind="enum", choices=CLOSERS),
    Filter(name="method", sql="c.method", label="Method", kind="enum", choices=METHODS),
    Filter(name="opened_at", sql="v.opened_at", label="Opened", kind="time"),
    Filter(name="closed_at", sql="v.closed_at", label="Closed", kind="time"),
    Filter(name="duration_seconds", sql="v.duration_seconds", label="Stay in seconds", kind="number"),
)

CHECKINS = Listing(
    name="checkins",
    label="Check-ins",
    row=CheckinRow,
    permission=CHECKINS_READ,
    source=CHECKIN_SOURCE,
    tenant="c.tenant_id",
    venue="c.venue_id",
    key="c.id",
    columns=CHECKIN_COLUMNS,
    filters=CHECKIN_FILTERS,
    search=("p.name",),
    sort="-arrived_at",
)
CREW_CHECKINS = Listing(
    name="crew_checkins",
    label="Check-ins of all businesses",
    row=CrewCheckinRow,
    permission=CHECKINS_READ,
    source=CHECKIN_SOURCE + " join tenants t on t.id = c.tenant_id",
    tenant="c.tenant_id",
    venue="c.venue_id",
    key="c.id",
    columns=CREW_CHECKIN_COLUMNS,
    filters=(*CHECKIN_FILTERS, Filter(name="tenant_id", sql="c.tenant_id", label="Business", kind="uuid")),
    search=("p.name", "t.name", "w.name"),
    sort="-arrived_at",
    cross_tenant=True,
)
VISITS = Listing(
    name="visits",
    label="Visits",
    row=VisitRow,
    permission=VISITS_READ,
    source=VISIT_SOURCE,
    tenant="v.tenant_id",
    venue="v.venue_id",
    key="v.id",
    columns=VISIT_COLUMNS,
    filters=VISIT_FILTERS,
    search=("p.name",),
    sort="-opened_at",
)
OWN_VISITS = Listing(
    name="own_visits",
    label="My visits",
    row=VisitRow,
    permission=VISITS_OWN,
    source=VISIT_SOURCE,
    tenant="v.tenant_id",
    own="v.patron_id",
    own_user="p.user_id",
    key="v.id",
    columns=VISIT_COLUMNS,
    filters=VISIT_FILTERS,
    search=("w.name",),
    sort="-opened_at",
)
LISTINGS = (CHECKINS, CREW_CHECKINS, VISITS, OWN_VISITS)
