"""The lists of clocked time (which export time sheets), corrections, shifts and swaps."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import msgspec

from lastlight.domains.staff.permissions import SHIFTS_PLAN, SHIFTS_READ, TIME_CLOCK, TIME_READ
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

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


ENTRY_SOURCE = """time_entries e
join venues w on w.tenant_id = e.tenant_id and w.id = e.venue_id
join users u on u.id = e.user_id"""
PLACE = (ID, *VENUE, VERSION)
IN_PLACE_SQL = """case when e.in_position is null then 'not_given' when e.in_position->>'outside_m' is null then 'unchecked'
else 'at_venue' end"""
ENTRY_COLUMNS = (
    Column("person", "Who", sql="u.name", sort=True),
    ref("user_id", "User id"),
    Column("business_day", "Business day", kind="date", sort=True),
    Column("started_at", "In", kind="time", sort=True),
    Column("ended_at", "Out", kind="time"),
    Column("break_seconds", "Breaks", kind="duration"),
    Column("worked_seconds", "Worked", kind="duration", sort=True, sort_sql="coalesce(e.worked_seconds, 2147483647)"),
    Column("status", "Status", kind="enum", choices=ENTRY_STATUSES, sort=True),
    ref("shift_id", "Shift id"),
    Column("corrected_at", "Corrected", kind="time", shown=False),
    Column(
        "forgotten", "Forgotten", sql="(e.forgotten_at is not null and e.status = 'open')", kind="bool", shown=False
    ),
    Column("in_place", "Clocked in where", sql=IN_PLACE_SQL, kind="enum", choices=CLOCK_PLACES),
    *PLACE,
)
ENTRY_FILTERS = (
    AT_VENUE,
    Filter("user_id", "Who"),
    Filter("status"),
    Filter("forgotten", "Not clocked out"),
    Filter("in_place"),
    Filter("started_at"),
)
CORRECTION_SOURCE = """time_corrections c
join venues w on w.tenant_id = c.tenant_id and w.id = c.venue_id
join users u on u.id = c.user_id"""
CORRECTION_COLUMNS = (
    Column("person", "Who", sql="u.name", sort=True),
    ref("user_id", "User id"),
    ref("entry_id", "Entry id"),
    Column("started_at", "In", kind="time", sort=True),
    Column("ended_at", "Out", kind="time"),
    Column("break_seconds", "Breaks", kind="duration"),
    Column("reason", "Reason"),
    Column("status", "Status", kind="enum", choices=CORRECTION_STATUSES, sort=True),
    Column("created_at", "Asked", kind="time", sort=True),
    *PLACE,
)
CORRECTION_FILTERS = (
    AT_VENUE,
    Filter("user_id", "Who"),
    Filter("status"),
)
SHIFT_SOURCE = """shifts s
join venues w on w.tenant_id = s.tenant_id and w.id = s.venue_id
left join users u on u.id = s.user_id"""
SHIFT_COLUMNS = (
    Column("starts_at", "From", kind="time", sort=True),
    Column("ends_at", "To", kind="time"),
    Column("person", "Who", sql="coalesce(u.name, '')", sort=True),
    ref("user_id", "User id"),
    Column("duty", "Duty", sort=True),
    Column("note", "Note", shown=False),
    Column("status", "Status", kind="enum", choices=SHIFT_STATUSES, sort=True),
    *PLACE,
)
SHIFT_FILTERS = (
    AT_VENUE,
    Filter("user_id", "Who"),
    Filter("status"),
    Filter("free", "Nobody's", sql="(s.user_id is null)", kind="bool"),
    Filter("starts_at"),
)


def _to_oneself(column: Column) -> Column:
    """A column of a list of one's own: who it is goes without saying."""
    return replace(column, shown=False) if column.name == "person" else column


ENTRIES = Listing(
    name="time_entries",
    label="Time sheets",
    row=EntryRow,
    permission=TIME_READ,
    source=ENTRY_SOURCE,
    of="e",
    venue="e.venue_id",
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
    of="e",
    own_user="e.user_id",
    columns=tuple(_to_oneself(column) for column in ENTRY_COLUMNS),
    filters=ENTRY_FILTERS,
    sort="-started_at",
)
CORRECTIONS = Listing(
    name="time_corrections",
    label="Corrections of time",
    row=CorrectionRow,
    permission=TIME_READ,
    source=CORRECTION_SOURCE,
    of="c",
    venue="c.venue_id",
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
    of="c",
    own_user="c.user_id",
    columns=tuple(_to_oneself(column) for column in CORRECTION_COLUMNS),
    filters=CORRECTION_FILTERS,
    sort="-created_at",
)
PLANNED_SHIFTS = Listing(
    name="shift_plan",
    label="Shifts, planned ones too",
    row=ShiftRow,
    permission=SHIFTS_PLAN,
    source=SHIFT_SOURCE,
    of="s",
    venue="s.venue_id",
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
    of="s",
    where="s.published_at is not null",
    venue="s.venue_id",
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
    of="x",
    venue="x.venue_id",
    columns=(
        Column("created_at", "Asked", kind="time", sort=True),
        Column("starts_at", "Shift", sql="s.starts_at", kind="time", sort=True),
        ref("shift_id", "Shift id"),
        Column("from_person", "From", sql="coalesce(f.name, '')", sort=True),
        ref("from_user_id", "From id"),
        Column("to_person", "To", sql="o.name", sort=True),
        ref("to_user_id", "To id"),
        ref("for_shift_id", "For shift id"),
        Column("status", "Status", kind="enum", choices=SWAP_STATUSES, sort=True),
        Column("reason", "Reason"),
        *PLACE,
    ),
    filters=(
        AT_VENUE,
        Filter("from_user_id", "From"),
        Filter("to_user_id", "To"),
        Filter("status"),
    ),
    search=("coalesce(f.name, '')", "o.name"),
    sort="-created_at",
)
LISTINGS = (ENTRIES, OWN_ENTRIES, CORRECTIONS, OWN_CORRECTIONS, PLANNED_SHIFTS, SHIFTS, SWAPS)
