"""Time and shifts at the edge: thin; the actions hold the rules."""

from uuid import UUID

from lastlight.domains.staff import clock, corrections, figures
from lastlight.domains.staff.errors import (
    AlreadyClockedIn,
    ClockOutsideGeofence,
    ClockPositionNeeded,
    CorrectionDecided,
    CorrectionThere,
    EntriesOverlap,
    NotClockedIn,
    NotOnBreak,
    OnBreak,
    OwnCorrection,
)
from lastlight.domains.staff.listings import (
    CORRECTIONS,
    ENTRIES,
    OWN_CORRECTIONS,
    OWN_ENTRIES,
)
from lastlight.domains.staff.model import Correction, TimeEntry
from lastlight.domains.staff.permissions import (
    STAFF_PERFORMANCE,
    TIME_APPROVE,
    TIME_CLOCK,
    TIME_READ,
)
from lastlight.domains.staff.schemas import (
    ClockInIn,
    ClockOut,
    ClockOutIn,
    CorrectionIn,
    DaysQuery,
    DecisionIn,
    PerformanceOut,
    RefusalIn,
    SheetsOut,
)
from lastlight.kernel.errors import NotFound
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post
from lastlight.runtime.http.listing import listing_get

TIME = ("Time",)

list_time_entries = listing_get("/api/staff/time-entries", ENTRIES, tags=TIME)
list_own_time_entries = listing_get("/api/staff/time-entries/mine", OWN_ENTRIES, tags=TIME)
list_corrections = listing_get("/api/staff/corrections", CORRECTIONS, tags=TIME)
list_own_corrections = listing_get("/api/staff/corrections/mine", OWN_CORRECTIONS, tags=TIME)


@get("/api/staff/clock", permission=TIME_CLOCK, tags=TIME)
async def read_clock(ctx: Ctx) -> ClockOut:
    """Read where one stands: one's open time, and the shifts that come."""
    return await clock.where_i_stand(ctx)


@post(
    "/api/staff/clock-in",
    permission=TIME_CLOCK,
    idempotent=True,
    raises=[NotFound, AlreadyClockedIn, EntriesOverlap, ClockPositionNeeded, ClockOutsideGeofence],
    status=201,
    tags=TIME,
)
async def clock_in(ctx: Ctx, data: ClockInIn) -> TimeEntry:
    """Begin to work at a venue, now."""
    return await clock.clock_in(ctx, venue_id=data.venue_id, position=data.position)


@post(
    "/api/staff/clock-out",
    permission=TIME_CLOCK,
    idempotent=True,
    raises=[NotClockedIn, ClockPositionNeeded, ClockOutsideGeofence],
    tags=TIME,
)
async def clock_out(ctx: Ctx, data: ClockOutIn) -> TimeEntry:
    """End one's work, now, and the break that one is on."""
    return await clock.clock_out(ctx, position=data.position)


@post("/api/staff/break", permission=TIME_CLOCK, idempotent=True, raises=[NotClockedIn, OnBreak], tags=TIME)
async def start_break(ctx: Ctx) -> TimeEntry:
    """Take a break, from now on."""
    return await clock.start_break(ctx)


@post("/api/staff/break/end", permission=TIME_CLOCK, idempotent=True, raises=[NotClockedIn, NotOnBreak], tags=TIME)
async def end_break(ctx: Ctx) -> TimeEntry:
    """Be back from a break, now."""
    return await clock.end_break(ctx)


@get("/api/staff/time-entries/{entry_id:uuid}", permission=TIME_CLOCK, raises=[NotFound], tags=TIME)
async def read_time_entry(ctx: Ctx, entry_id: UUID) -> TimeEntry:
    """Read clocked time, one's own or of those whose time sheets one sees."""
    return await clock.find_entry(ctx, entry_id=entry_id)


@post(
    "/api/staff/corrections",
    permission=TIME_CLOCK,
    raises=[NotFound, NotClockedIn, CorrectionThere],
    status=201,
    tags=TIME,
)
async def ask_correction(ctx: Ctx, data: CorrectionIn) -> Correction:
    """Ask that time reads otherwise; somebody else approves it."""
    return await corrections.ask_correction(ctx, data=data)


@get("/api/staff/corrections/{correction_id:uuid}", permission=TIME_CLOCK, raises=[NotFound], tags=TIME)
async def read_correction(ctx: Ctx, correction_id: UUID) -> Correction:
    """Read a correction, one's own or of those whose time sheets one sees."""
    return await corrections.find_correction(ctx, correction_id=correction_id)


@post(
    "/api/staff/corrections/{correction_id:uuid}/approval",
    permission=TIME_APPROVE,
    raises=[NotFound, CorrectionDecided, OwnCorrection, EntriesOverlap],
    tags=TIME,
)
async def approve_correction(ctx: Ctx, correction_id: UUID, data: DecisionIn) -> Correction:
    """Let a correction count."""
    return await corrections.approve_correction(ctx, correction_id=correction_id, note=data.note)


@post(
    "/api/staff/corrections/{correction_id:uuid}/refusal",
    permission=TIME_APPROVE,
    raises=[NotFound, CorrectionDecided, OwnCorrection],
    tags=TIME,
)
async def refuse_correction(ctx: Ctx, correction_id: UUID, data: RefusalIn) -> Correction:
    """Leave the time as it is, and say why."""
    return await corrections.refuse_correction(ctx, correction_id=correction_id, note=data.note)


@post(
    "/api/staff/corrections/{correction_id:uuid}/withdrawal",
    permission=TIME_CLOCK,
    raises=[NotFound, CorrectionDecided],
    tags=TIME,
)
async def withdraw_correction(ctx: Ctx, correction_id: UUID) -> Correction:
    """Take back a correction that one asked for."""
    return await corrections.withdraw_correction(ctx, correction_id=correction_id)


@get("/api/staff/timesheets", permission=TIME_READ, raises=[NotFound], tags=TIME)
async def read_time_sheets(ctx: Ctx, query: DaysQuery) -> SheetsOut:
    """Read everybody's time, day by day; the list of time entries exports it."""
    return await figures.time_sheets(ctx, query=query)


@get("/api/staff/performance", permission=STAFF_PERFORMANCE, raises=[NotFound], tags=TIME)
async def read_performance(ctx: Ctx, query: DaysQuery) -> PerformanceOut:
    """Read everybody's tasks, response times and attendance."""
    return await figures.performance(ctx, query=query)


TIME_ROUTES = (
    read_clock,
    clock_in,
    clock_out,
    start_break,
    end_break,
    list_time_entries,
    list_own_time_entries,
    read_time_entry,
    list_corrections,
    list_own_corrections,
    ask_correction,
    read_correction,
    approve_correction,
    refuse_correction,
    withdraw_correction,
    read_time_sheets,
    read_performance,
)
