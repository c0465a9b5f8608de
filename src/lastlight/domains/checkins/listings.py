"""The lists of check-ins and visits: for a tenant's people, for a guest, and across tenants for the platform's crew."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.permissions import CHECKINS_READ, VISITS_OWN, VISITS_READ
from lastlight.kernel.ids import CheckinId, PatronId, TenantId, VenueId, VisitId
from lastlight.kernel.money import Money
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, money_sql, ref
from lastlight.runtime.http.listing import Listing, of_all_businesses

METHODS = (("screen", "Screen"), ("poster", "Poster"), ("pass", "Pass"), ("override", "By hand"))
STATUSES = (("open", "In"), ("closed", "Left"), ("timed_out", "Timed out"), ("voided", "Voided"))
REVOKED = (("revoked", "Taken back"), ("false_positive", "False positive"))
ENTRANCES = (
    ("paid", "Paid"),
    ("part", "Given back in part"),
    ("refunded", "Given back"),
    ("unpaid", "Owed"),
    ("waived", "Let off"),
)
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
    entrance: str
    paid: Money | None
    refunded: Money | None
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
left join checkin_revocations r on r.tenant_id = c.tenant_id and r.checkin_id = c.id
left join lateral (
    select n.tenant_id, n.status, n.amount, n.currency, n.entry_id from entry_charges n
    where n.tenant_id = c.tenant_id and n.checkin_id = c.id limit 1
) e on true"""
BACK_SQL = """coalesce((select sum(b.amount)::bigint from credit_entries b
where b.tenant_id = e.tenant_id and b.reverses = e.entry_id), 0::bigint)"""
ENTRANCE_SQL = f"""case when e.status is null then '' when e.status <> 'paid' then e.status when {BACK_SQL} = 0 then 'paid'
when {BACK_SQL} < e.amount then 'part' else 'refunded' end"""
PAID_SQL = f"case when e.amount is not null then {money_sql('e.amount', 'e.currency')} end"
REFUNDED_SQL = f"case when {BACK_SQL} > 0 then {money_sql(BACK_SQL, 'e.currency')} end"
FLAGS_SQL = """(select count(*) from checkin_flags f where f.tenant_id = c.tenant_id and f.status <> 'dismissed'
and (f.checkin_id = c.id or f.other_checkin_id = c.id))"""
VISIT_SOURCE = """visits v
join venues w on w.tenant_id = v.tenant_id and w.id = v.venue_id
join patrons p on p.tenant_id = v.tenant_id and p.id = v.patron_id
join checkins c on c.tenant_id = v.tenant_id and c.id = v.checkin_id"""

CHECKIN_COLUMNS = (
    ID,
    Column("arrived_at", "Arrived", kind="time", sort=True),
    Column("patron", "Guest", sql="p.name", sort=True),
    ref("patron_id", "Guest id"),
    *VENUE,
    Column("method", "Method", kind="enum", choices=METHODS),
    Column("received_at", "Received", kind="time", sort=True, shown=False),
    Column("claimed_at", "Claimed", kind="time", shown=False),
    Column("proven", "Sent later", sql="c.proof_key_id is not null", kind="bool"),
    Column("device", "Scanner", sql="coalesce(d.name, '')"),
    ref("device_id", "Scanner id"),
    Column("device_state", "State of the device", sql="coalesce(c.device::text, '')", shown=False),
    Column("override_reason", "By hand because", shown=False),
    Column("position_result", "Position", sql="coalesce(c.position->>'result', '')"),
    Column("business_day", "Business day", kind="date", shown=False),
    ref("visit_id", "Visit id", sql="v.id"),
    Column("visit_status", "Visit", sql="coalesce(v.status, '')", kind="enum", choices=STATUSES),
    Column("revoked_at", "Taken back", sql="r.revoked_at", kind="time", shown=False),
    Column("revoked_as", "Counts", sql="coalesce(r.kind, '')", kind="enum", choices=REVOKED),
    Column("revoked_reason", "Taken back because", sql="coalesce(r.reason, '')", shown=False),
    Column("entrance", "Entrance", sql=ENTRANCE_SQL, kind="enum", choices=ENTRANCES),
    Column("paid", "Its price", sql=PAID_SQL, kind="money"),
    Column("refunded", "Given back", sql=REFUNDED_SQL, kind="money", shown=False),
    Column("flags", "Flags", sql=FLAGS_SQL, kind="number", shown=False),
)
VISIT_COLUMNS = (
    ID,
    Column("patron", "Guest", sql="p.name", sort=True),
    ref("patron_id", "Guest id"),
    *VENUE,
    Column("status", "Status", kind="enum", choices=STATUSES, sort=True),
    Column("status_reason", "Reason", shown=False),
    Column("opened_at", "Opened", kind="time", sort=True),
    Column("closed_at", "Closed", kind="time", sort=True, sort_sql="coalesce(v.closed_at, 'infinity'::timestamptz)"),
    Column("closed_by", "Closed by", kind="enum", choices=CLOSERS, shown=False),
    Column(
        "duration_seconds",
        "Stay",
        kind="duration",
        sort=True,
        sort_sql="coalesce(v.duration_seconds, 10000000000 - floor(extract(epoch from v.opened_at))::bigint)",
    ),
    Column("method", "Method", sql="c.method", kind="enum", choices=METHODS, shown=False),
    ref("checkin_id", "Check-in id"),
    Column("business_day", "Business day", kind="date", shown=False),
    VERSION,
)
CHECKIN_FILTERS = (
    AT_VENUE,
    Filter("patron_id", "Guest"),
    Filter("method"),
    Filter("device_id", "Scanner"),
    Filter("proven"),
    Filter("revoked", "Taken back", sql="(r.checkin_id is not null)", kind="bool"),
    Filter("entrance"),
    Filter("flagged", "Flagged", sql=f"({FLAGS_SQL} > 0)", kind="bool"),
    Filter("arrived_at"),
)
VISIT_FILTERS = (
    AT_VENUE,
    Filter("patron_id", "Guest"),
    Filter("status"),
    Filter("closed_by"),
    Filter("method"),
    Filter("opened_at"),
    Filter("closed_at"),
    Filter("duration_seconds", "Stay in seconds"),
)

CHECKINS = Listing(
    name="checkins",
    label="Check-ins",
    row=CheckinRow,
    permission=CHECKINS_READ,
    source=CHECKIN_SOURCE,
    of="c",
    venue="c.venue_id",
    columns=CHECKIN_COLUMNS,
    filters=CHECKIN_FILTERS,
    search=("p.name",),
    sort="-arrived_at",
)
CREW_CHECKINS = of_all_businesses(
    CHECKINS, row=CrewCheckinRow, name="crew_checkins", label="Check-ins of all businesses"
)
VISITS = Listing(
    name="visits",
    label="Visits",
    row=VisitRow,
    permission=VISITS_READ,
    source=VISIT_SOURCE,
    of="v",
    venue="v.venue_id",
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
    of="v",
    own="v.patron_id",
    own_user="p.user_id",
    columns=VISIT_COLUMNS,
    filters=VISIT_FILTERS,
    search=("w.name",),
    sort="-opened_at",
)
LISTINGS = (CHECKINS, CREW_CHECKINS, VISITS, OWN_VISITS)
