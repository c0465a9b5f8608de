"""The lists of clocked time (which export time sheets), corrections, shifts and swaps."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from lastlight.domains.staff.permissions import SHIFTS_PLAN, SHIFTS_READ, TIME_CLOCK, TIME_READ
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http.listing import Column, Filter, Listing

ENTRY_STATUSES = (("open", "On duty"), ("closed", "Done"), ("voided", "Voided"))
CORRECTION_STATUSES = (
    ("asked", "Waiting"),
    ("approved", "Approved"),
    ("refused", "Refused"),
    ("withdrawn", "Withdrawn"),
)
SHIFT_STATUSES = (("planned", "Planned"), ("published", "Published"), ("cancelled", "Cancelled"))
SWAP_STATUSES = (
    ("asked", "Asked"),
    ("accepted", "Accepted"),
    ("declined", "Declined"),
    ("approved", "Approved"),
    ("refused", "Refused"),
    ("withdrawn", "Withdrawn"),
)

CLOCK_PLACES = (("at_venue", "At the venue"), ("unchecked", "Not checked"), ("not_given", "No position"))


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """Clocked time in a list."""

    id: UUID
    user_id: UserId
    person: str
    venue_id: VenueId
    venue: str
    business_day: date
    status: str
    started_at: datetime
    ended_at: datetime | None
    break_seconds: int
    worked_seconds: int | None
    shift_id: UUID | None
    corrected_at: datetime | None
    forgotten: bool
    in_place: str
    version: int


class CorrectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A correction in a list."""

    id: UUID
    user_id: UserId
    person: str
    venue_id: VenueId
    venue: str
    entry_id: UUID | None
    started_at: datetime
    ended_at: datetime
    break_seconds: int
    reason: str
    status: str
    created_at: datetime
    version: int


class ShiftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A shift in a list."""

    id: UUID
    user_id: UserId | None
    person: str
    venue_id: VenueId
    venue: str
    duty: str
    note: str
    starts_at: datetime
    ends_at: datetime
    status: str
    version: int


class SwapRow(msgspec.Struct, frozen=True, kw_only=True):
    """A swap in a list."""

    id: UUID
    venue_id: VenueId
    venue: str
    shift_id: UUID
    starts_at: datetime
    from_user_id: UserId | None
    from_person: str
    to_user_id: UserId
    to_person: str
    for_shift_id: UUID | None
    status: str
    reason: str
    created_at: datetime
    version: int


def _place(table: str) -> tuple[Column, ...]:
    return (
        Column(name="id", sql=f"{table}.id", label="Id", kind="uuid", shown=False),
        Column(name="venue", sql="w.name", label="Venue", sort=True),
        Column(name="venue_id", sql=f"{table}.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="version", sql=f"{table}.version", label="Version", kind="number", shown=False),
    )


ENTRY_SOURCE = """time_entries e
join venues w on w.tenant_id = e.tenant_id and w.id = e.venue_id
join users u on u.id = e.user_id"""
IN_PLACE_SQL = """case when e.in_position is null then 'not_given' when e.in_position->>'outside_m' is null then 'unchecked'
else 'at_venue' end"""
ENTRY_COLUMNS = (
    Column(name="person", sql="u.name", label="Who", sort=True),
    Column(name="user_id", sql="e.user_id", label="User id", kind="uuid", shown=False),
    Column(name="business_day", sql="e.business_day", label="Business day", kind="date", sort=True),
    Column(name="started_at", sql="e.started_at", label="In", kind="time", sort=True),
    Column(name="ended_at", sql="e.ended_at", label="Out", kind="time"),
    Column(name="break_seconds", sql="e.break_seconds", label="Breaks", kind="duration"),
    Column(
        name="worked_seconds",
        sql="e.worked_seconds",
        label="Worked",
        kind="duration",
        sort=True,
        sort_sql="coalesce(e.worked_seconds, 2147483647)",
    ),
    Column(name="status", sql="e.status", label="Status", kind="enum", choices=ENTRY_STATUSES, sort=True),
    Column(name="shift_id", sql="e.shift_id", label="Shift id", kind="uuid", shown=False),
    Column(name="corrected_at", sql="e.corrected_at", label="Corrected", kind="time", shown=False),
    Column(
        name="forgotten",
        sql="(e.forgotten_at is not null and e.status = 'open')",
        label="Forgotten",
        kind="bool",
        shown=False,
    ),
    Column(name="in_place", sql=IN_PLACE_SQL, label="Clocked in where", kind="enum", choices=CLOCK_PLACES),
    *_place("e"),
)
ENTRY_FILTERS = (
    Filter(name="venue_id", sql="e.venue_id", label="Venue", kind="uuid"),
    Filter(name="user_id", sql="e.user_id", label="Who", kind="uuid"),
    Filter(name="status", sql="e.status", label="Status", kind="enum", choices=ENTRY_STATUSES),
    Filter(
        name="forgotten", sql="(e.forgotten_at is not null and e.status = 'open')", label="Not clocked out", kind="bool"
    ),
    Filter(name="in_place", sql=f"({IN_PLACE_SQL})", label="Clocked in where", kind="enum", choices=CLOCK_PLACES),
    Filter(name="started_at", sql="e.started_at", label="In", kind="time"),
)
CORRECTION_SOURCE = """time_corrections c
join venues w on w.tenant_id = c.tenant_id and w.id = c.venue_id
join users u on u.id = c.user_id"""
CORRECTION_COLUMNS = (
    Column(name="person", sql="u.name", label="Who", sort=True),
    Column(name="user_id", sql="c.user_id", label="User id", kind="uuid", shown=False),
    Column(name="entry_id", sql="c.entry_id", label="Entry id", kind="uuid", shown=False),
    Column(name="started_at", sql="c.started_at", label="In", kind="time", sort=True),
    Column(name="ended_at", sql="c.ended_at", label="Out", kind="time"),
    Column(name="break_seconds", sql="c.break_seconds", label="Breaks", kind="duration"),
    Column(name="reason", sql="c.reason", label="Reason"),
    Column(name="status", sql="c.status", label="Status", kind="enum", choices=CORRECTION_STATUSES, sort=True),
    Column(name="created_at", sql="c.created_at", label="Asked", kind="time", sort=True),
    *_place("c"),
)
CORRECTION_FILTERS = (
    Filter(name="venue_id", sql="c.venue_id", label="Venue", kind="uuid"),
    Filter(name="user_id", sql="c.user_id", label="Who", kind="uuid"),
    Filter(name="status", sql="c.status", label="Status", kind="enum", choices=CORRECTION_STATUSES),
)
SHIFT_SOURCE = """shifts s
join venues w on w.tenant_id = s.tenant_id and w.id = s.venue_id
left join users u on u.id = s.user_id"""
SHIFT_COLUMNS = (
    Column(name="starts_at", sql="s.starts_at", label="From", kind="time", sort=True),
    Column(name="ends_at", sql="s.ends_at", label="To", kind="time"),
    Column(name="person", sql="coalesce(u.name, '')", label="Who", sort=True),
    Column(name="user_id", sql="s.user_id", label="User id", kind="uuid", shown=False),
    Column(name="duty", sql="s.duty", label="Duty", sort=True),
    Column(name="note", sql="s.note", label="Note", shown=False),
    Column(name="status", sql="s.status", label="Status", kind="enum", choices=SHIFT_STATUSES, sort=True),
    *_place("s"),
)
SHIFT_FILTERS = (
    Filter(name="venue_id", sql="s.venue_id", label="Venue", kind="uuid"),
    Filter(name="user_id", sql="s.user_id", label="Who", kind="uuid"),
    Filter(name="status", sql="s.status", label="Status", kind="enum", choices=SHIFT_STATUSES),
    Filter(name="free", sql="(s.user_id is null)", label="Nobody's", kind="bool"),
    Filter(name="starts_at", sql="s.starts_at", label="From", kind="time"),
)

ENTRIES = Listing(
    name="time_entries",
    label="Time sheets",
    row=EntryRow,
    permission=TIME_READ,
    source=ENTRY_SOURCE,
    tenant="e.tenant_id",
    venue="e.venue_id",
    key="e.id",
    columns=ENTRY_COLUMNS,
    filters=ENTRY_FILTERS,
    search=("u.name",),
    sort="-started_at",
)
OWN_ENTRIES = Listing(
    name="own_time_entries",
    label="My time",
    row=EntryRow,
    permission=TIME_CLOCK,
    source=ENTRY_SOURCE,
    tenant="e.tenant_id",
    own_user="e.user_id",
    key="e.id",
    columns=ENTRY_COLUMNS,
    filters=ENTRY_FILTERS,
    sort="-started_at",
)
CORRECTIONS = Listing(
    name="time_corrections",
    label="Corrections of time",
    row=CorrectionRow,
    permission=TIME_READ,
    source=CORRECTION_SOURCE,
    tenant="c.tenant_id",
    venue="c.venue_id",
    key="c.id",
    columns=CORRECTION_COLUMNS,
    filters=CORRECTION_FILTERS,
    search=("u.name", "c.reason"),
    sort="-created_at",
)
OWN_CORRECTIONS = Listing(
    name="own_time_corrections",
    label="My corrections",
    row=CorrectionRow,
    permission=TIME_CLOCK,
    source=CORRECTION_SOURCE,
    tenant="c.tenant_id",
    own_user="c.user_id",
    key="c.id",
    columns=CORRECTION_COLUMNS,
    filters=CORRECTION_FILTERS,
    sort="-created_at",
)
PLANNED_SHIFTS = Listing(
    name="shift_plan",
    label="Shifts, planned ones too",
    row=ShiftRow,
    permission=SHIFTS_PLAN,
    source=SHIFT_SOURCE,
    tenant="s.tenant_id",
    venue="s.venue_id",
    key="s.id",
    columns=SHIFT_COLUMNS,
    filters=SHIFT_FILTERS,
    search=("u.name", "s.duty"),
    sort="-starts_at",
)
SHIFTS = Listing(
    name="shifts",
    label="Schedule",
    row=ShiftRow,
    permission=SHIFTS_READ,
    source=SHIFT_SOURCE,
    where="s.published_at is not null",
    tenant="s.tenant_id",
    venue="s.venue_id",
    key="s.id",
    columns=SHIFT_COLUMNS,
    filters=SHIFT_FILTERS,
    search=("u.name", "s.duty"),
    sort="-starts_at",
)
SWAPS = Listing(
    name="shift_swaps",
    label="Swaps of shifts",
    row=SwapRow,
    permission=SHIFTS_READ,
    source="""shift_swaps x
join shifts s on s.tenant_id = x.tenant_id and s.id = x.shift_id
join venues w on w.tenant_id = x.tenant_id and w.id = x.venue_id
left join users f on f.id = x.from_user_id
join users o on o.id = x.to_user_id""",
    tenant="x.tenant_id",
    venue="x.venue_id",
    key="x.id",
    columns=(
        Column(name="created_at", sql="x.created_at", label="Asked", kind="time", sort=True),
        Column(name="starts_at", sql="s.starts_at", label="Shift", kind="time", sort=True),
        Column(name="shift_id", sql="x.shift_id", label="Shift id", kind="uuid", shown=False),
        Column(name="from_person", sql="coalesce(f.name, '')", label="From", sort=True),
        Column(name="from_user_id", sql="x.from_user_id", label="From id", kind="uuid", shown=False),
        Column(name="to_person", sql="o.name", label="To", sort=True),
        Column(name="to_user_id", sql="x.to_user_id", label="To id", kind="uuid", shown=False),
        Column(name="for_shift_id", sql="x.for_shift_id", label="For shift id", kind="uuid", shown=False),
        Column(name="status", sql="x.status", label="Status", kind="enum", choices=SWAP_STATUSES, sort=True),
        Column(name="reason", sql="x.reason", label="Reason"),
        *_place("x"),
    ),
    filters=(
        Filter(name="venue_id", sql="x.venue_id", label="Venue", kind="uuid"),
        Filter(name="from_user_id", sql="x.from_user_id", label="From", kind="uuid"),
        Filter(name="to_user_id", sql="x.to_user_id", label="To", kind="uuid"),
        Filter(name="status", sql="x.status", label="Status", kind="enum", choices=SWAP_STATUSES),
    ),
    search=("coalesce(f.name, '')", "o.name"),
    sort="-created_at",
)
LISTINGS = (ENTRIES, OWN_ENTRIES, CORRECTIONS, OWN_CORRECTIONS, PLANNED_SHIFTS, SHIFTS, SWAPS)
