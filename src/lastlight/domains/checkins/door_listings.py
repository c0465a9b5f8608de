"""The lists of the door's log and of what looks like fraud."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.permissions import FLAGS_READ
from lastlight.kernel.ids import CheckinId, PatronId, VenueId, VisitId
from lastlight.runtime.http.listing import Column, Filter, Listing

RESULTS = (("admitted", "Let in"), ("refused", "Refused"), ("double", "Let in twice"), ("left", "Checked out"))
DIRECTIONS = (("in", "Arriving"), ("out", "Leaving"))
DECIDERS = (("server", "At once"), ("admitted", "Offline: let through"), ("refused", "Offline: refused"))
KINDS = (
    ("duplicate", "Twice in"),
    ("impossible_travel", "Impossible travel"),
    ("cloned_code", "Cloned code"),
    ("barred", "Barred guest let in"),
    ("override", "Let in by hand by an unknown person"),
)
STATUSES = (("open", "Open"), ("confirmed", "Confirmed"), ("dismissed", "Dismissed"))


class DoorScanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scan in the door's log."""

    id: UUID
    device_id: UUID
    device: str
    sequence: int
    venue_id: VenueId
    venue: str
    patron_id: PatronId | None
    patron: str
    direction: str
    decided: str
    result: str
    refusal: str
    reason: str
    claimed_at: datetime
    received_at: datetime
    drift_seconds: int
    checkin_id: CheckinId | None
    visit_id: VisitId | None


class FlagRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flag in a list."""

    id: UUID
    kind: str
    venue_id: VenueId
    venue: str
    patron_id: PatronId
    patron: str
    detail: str
    kilometres: float | None
    seconds_apart: int | None
    happened_at: datetime
    raised_at: datetime
    checkin_id: CheckinId | None
    scan_id: UUID | None
    status: str
    resolution: str
    version: int


DOOR_SCANS = Listing(
    name="door_scans",
    label="Door log",
    row=DoorScanRow,
    permission=FLAGS_READ,
    source="""door_scans s
join devices d on d.tenant_id = s.tenant_id and d.id = s.device_id
join venues w on w.tenant_id = s.tenant_id and w.id = s.venue_id
left join patrons p on p.tenant_id = s.tenant_id and p.id = s.patron_id""",
    tenant="s.tenant_id",
    venue="s.venue_id",
    key="s.id",
    columns=(
        Column(name="id", sql="s.id", label="Id", kind="uuid", shown=False),
        Column(name="claimed_at", sql="s.claimed_at", label="Scanned", kind="time", sort=True),
        Column(name="received_at", sql="s.received_at", label="Received", kind="time"),
        Column(
            name="drift_seconds",
            sql="greatest(0, floor(extract(epoch from s.received_at - s.claimed_at)))::bigint",
            label="Came after",
            kind="duration",
        ),
        Column(name="device", sql="d.name", label="Device", sort=True),
        Column(name="device_id", sql="s.device_id", label="Device id", kind="uuid", shown=False),
        Column(name="sequence", sql="s.sequence", label="Number", kind="number"),
        Column(name="patron", sql="coalesce(p.name, '')", label="Guest"),
        Column(name="patron_id", sql="s.patron_id", label="Guest id", kind="uuid", shown=False),
        Column(name="venue", sql="w.name", label="Venue", sort=True),
        Column(name="venue_id", sql="s.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="direction", sql="s.direction", label="Direction", kind="enum", choices=DIRECTIONS),
        Column(name="decided", sql="s.decided", label="Decided", kind="enum", choices=DECIDERS),
        Column(name="result", sql="s.result", label="Result", kind="enum", choices=RESULTS),
        Column(name="refusal", sql="s.refusal", label="Why"),
        Column(name="reason", sql="s.reason", label="By hand because", shown=False),
        Column(name="checkin_id", sql="s.checkin_id", label="Check-in id", kind="uuid", shown=False),
        Column(name="visit_id", sql="s.visit_id", label="Visit id", kind="uuid", shown=False),
    ),
    filters=(
        Filter(name="venue_id", sql="s.venue_id", label="Venue", kind="uuid"),
        Filter(name="device_id", sql="s.device_id", label="Device", kind="uuid"),
        Filter(name="patron_id", sql="s.patron_id", label="Guest", kind="uuid"),
        Filter(name="direction", sql="s.direction", label="Direction", kind="enum", choices=DIRECTIONS),
        Filter(name="result", sql="s.result", label="Result", kind="enum", choices=RESULTS),
        Filter(name="decided", sql="s.decided", label="Decided", kind="enum", choices=DECIDERS),
        Filter(name="late", sql="(s.received_at > s.claimed_at + interval '1 minute')", label="Came late", kind="bool"),
        Filter(name="claimed_at", sql="s.claimed_at", label="Scanned", kind="time"),
    ),
    search=("p.name", "d.name"),
    sort="-claimed_at",
)
FLAGS = Listing(
    name="checkin_flags",
    label="Door flags",
    row=FlagRow,
    permission=FLAGS_READ,
    source="""checkin_flags f
join venues w on w.tenant_id = f.tenant_id and w.id = f.venue_id
join patrons p on p.tenant_id = f.tenant_id and p.id = f.patron_id""",
    tenant="f.tenant_id",
    venue="f.venue_id",
    key="f.id",
    columns=(
        Column(name="id", sql="f.id", label="Id", kind="uuid", shown=False),
        Column(name="raised_at", sql="f.raised_at", label="Raised", kind="time", sort=True),
        Column(name="kind", sql="f.kind", label="What", kind="enum", choices=KINDS),
        Column(name="patron", sql="p.name", label="Guest", sort=True),
        Column(name="patron_id", sql="f.patron_id", label="Guest id", kind="uuid", shown=False),
        Column(name="venue", sql="w.name", label="Venue", sort=True),
        Column(name="venue_id", sql="f.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="detail", sql="f.detail", label="Detail"),
        Column(name="happened_at", sql="f.happened_at", label="Happened", kind="time"),
        Column(name="kilometres", sql="f.kilometres", label="Kilometres", kind="number", shown=False),
        Column(name="seconds_apart", sql="f.seconds_apart", label="Seconds apart", kind="number", shown=False),
        Column(name="checkin_id", sql="f.checkin_id", label="Check-in id", kind="uuid", shown=False),
        Column(name="scan_id", sql="f.scan_id", label="Scan id", kind="uuid", shown=False),
        Column(name="status", sql="f.status", label="Status", kind="enum", choices=STATUSES),
        Column(name="resolution", sql="f.resolution", label="Decision", shown=False),
        Column(name="version", sql="f.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="venue_id", sql="f.venue_id", label="Venue", kind="uuid"),
        Filter(name="patron_id", sql="f.patron_id", label="Guest", kind="uuid"),
        Filter(name="kind", sql="f.kind", label="What", kind="enum", choices=KINDS),
        Filter(name="status", sql="f.status", label="Status", kind="enum", choices=STATUSES),
        Filter(name="raised_at", sql="f.raised_at", label="Raised", kind="time"),
    ),
    search=("p.name",),
    sort="-raised_at",
)
DOOR_LISTINGS = (DOOR_SCANS, FLAGS)
