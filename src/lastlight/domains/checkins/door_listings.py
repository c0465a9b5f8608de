"""The lists of the door's log and of what looks like fraud."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.permissions import FLAGS_READ
from lastlight.kernel.ids import CheckinId, PatronId, VenueId, VisitId
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

RESULTS = (("admitted", "Let in"), ("refused", "Refused"), ("double", "Let in twice"), ("left", "Checked out"))
DIRECTIONS = (("in", "Arriving"), ("out", "Leaving"))
DECIDERS = (("server", "At once"), ("admitted", "On the device: let in"), ("refused", "On the device: refused"))
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
    of="s",
    venue="s.venue_id",
    columns=(
        ID,
        Column("claimed_at", "Scanned", kind="time", sort=True),
        Column("received_at", "Received", kind="time"),
        Column(
            "drift_seconds",
            "Came after",
            sql="greatest(0, floor(extract(epoch from s.received_at - s.claimed_at)))::bigint",
            kind="duration",
        ),
        Column("device", "Device", sql="d.name", sort=True),
        ref("device_id", "Device id"),
        Column("sequence", "Number", kind="number"),
        Column("patron", "Guest", sql="coalesce(p.name, '')"),
        ref("patron_id", "Guest id"),
        *VENUE,
        Column("direction", "Direction", kind="enum", choices=DIRECTIONS),
        Column("decided", "Decided", kind="enum", choices=DECIDERS),
        Column("result", "Result", kind="enum", choices=RESULTS),
        Column("refusal", "Why"),
        Column("reason", "By hand because", shown=False),
        ref("checkin_id", "Check-in id"),
        ref("visit_id", "Visit id"),
    ),
    filters=(
        AT_VENUE,
        Filter("device_id", "Device"),
        Filter("patron_id", "Guest"),
        Filter("direction"),
        Filter("result"),
        Filter("decided"),
        Filter("late", "Came late", sql="(s.received_at > s.claimed_at + interval '1 minute')", kind="bool"),
        Filter("claimed_at"),
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
    of="f",
    venue="f.venue_id",
    columns=(
        ID,
        Column("kind", "What", kind="enum", choices=KINDS),
        Column("patron", "Guest", sql="p.name", sort=True),
        Column("raised_at", "Raised", kind="time", sort=True),
        ref("patron_id", "Guest id"),
        *VENUE,
        Column("detail", "Detail"),
        Column("happened_at", "Happened", kind="time"),
        Column("kilometres", "Kilometres", kind="number", shown=False),
        Column("seconds_apart", "Seconds apart", kind="number", shown=False),
        ref("checkin_id", "Check-in id"),
        ref("scan_id", "Scan id"),
        Column("status", "Status", kind="enum", choices=STATUSES),
        Column("resolution", "Decision", shown=False),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("patron_id", "Guest"),
        Filter("kind"),
        Filter("status"),
        Filter("raised_at"),
    ),
    search=("p.name",),
    sort="-raised_at",
)
DOOR_LISTINGS = (DOOR_SCANS, FLAGS)
