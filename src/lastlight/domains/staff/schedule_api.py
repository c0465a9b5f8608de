"""The schedule at the edge: shifts, swaps and the calendar of one's own; thin, the actions hold the rules."""

from uuid import UUID

from lastlight.domains.staff import calendars, shifts, swaps
from lastlight.domains.staff.errors import (
    FeedUnknown,
    OpenShiftsGiven,
    ShiftCancelled,
    ShiftNotOpen,
    ShiftNotSwappable,
    ShiftsOverlap,
    SwapNotWaiting,
    SwapThere,
)
from lastlight.domains.staff.listings import (
    PLANNED_SHIFTS,
    SHIFTS,
    SWAPS,
)
from lastlight.domains.staff.model import Shift, Swap
from lastlight.domains.staff.permissions import (
    SHIFTS_PLAN,
    SHIFTS_READ,
)
from lastlight.domains.staff.schemas import (
    CalendarOut,
    CancelShiftIn,
    DecisionIn,
    PublicationIn,
    PublicationOut,
    RefusalIn,
    ShiftChange,
    ShiftIn,
    SwapIn,
    TakenOut,
)
from lastlight.kernel.errors import NotFound, Stale
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Download, delete, get, patch, post
from lastlight.runtime.http.listing import listing_get

SCHEDULE = ("Schedule",)
list_shift_plan = listing_get("/api/shifts/plan", PLANNED_SHIFTS, tags=SCHEDULE)
list_shifts = listing_get("/api/shifts", SHIFTS, tags=SCHEDULE)
list_swaps = listing_get("/api/shift-swaps", SWAPS, tags=SCHEDULE)


@post("/api/shifts", permission=SHIFTS_PLAN, raises=[NotFound, ShiftsOverlap], status=201, tags=SCHEDULE)
async def plan_shift(ctx: Ctx, data: ShiftIn) -> Shift:
    """Plan a shift; nobody but planners sees it until it is published."""
    return await shifts.plan_shift(ctx, data=data)


@get("/api/shifts/{shift_id:uuid}", permission=SHIFTS_READ, raises=[NotFound], tags=SCHEDULE)
async def read_shift(ctx: Ctx, shift_id: UUID) -> Shift:
    """Read a shift."""
    return await shifts.find_shift(ctx, shift_id=shift_id)


@patch(
    "/api/shifts/{shift_id:uuid}",
    permission=SHIFTS_PLAN,
    raises=[NotFound, Stale, ShiftCancelled, ShiftsOverlap],
    tags=SCHEDULE,
)
async def change_shift(ctx: Ctx, shift_id: UUID, data: ShiftChange, if_match: int) -> Shift:
    """Change a shift; who sees it already hears of it."""
    return await shifts.change_shift(ctx, shift_id=shift_id, data=data, version=if_match)


@post("/api/shifts/publication", permission=SHIFTS_PLAN, raises=[NotFound], tags=SCHEDULE)
async def publish_shifts(ctx: Ctx, data: PublicationIn) -> PublicationOut:
    """Show a venue's planned shifts of a time to everybody there."""
    return PublicationOut(published=await shifts.publish_shifts(ctx, data=data))


@post(
    "/api/shifts/{shift_id:uuid}/cancellation", permission=SHIFTS_PLAN, raises=[NotFound, ShiftCancelled], tags=SCHEDULE
)
async def cancel_shift(ctx: Ctx, shift_id: UUID, data: CancelShiftIn) -> Shift:
    """Say that nobody has to come, and why."""
    return await shifts.cancel_shift(ctx, shift_id=shift_id, reason=data.reason)


@post(
    "/api/shifts/{shift_id:uuid}/swaps",
    permission=SHIFTS_READ,
    raises=[NotFound, ShiftNotSwappable, SwapThere],
    status=201,
    tags=SCHEDULE,
)
async def ask_swap(ctx: Ctx, shift_id: UUID, data: SwapIn) -> Swap:
    """Offer one's own published shift to a colleague, perhaps for one of theirs."""
    return await swaps.ask_swap(ctx, shift_id=shift_id, data=data)


@post(
    "/api/shifts/{shift_id:uuid}/taking",
    permission=SHIFTS_READ,
    raises=[NotFound, ShiftNotOpen, OpenShiftsGiven, ShiftsOverlap, SwapThere],
    tags=SCHEDULE,
)
async def take_shift(ctx: Ctx, shift_id: UUID) -> TakenOut:
    """Take a published shift that is nobody's: at once, or with a planner's approval, as the business decides."""
    return await swaps.take_shift(ctx, shift_id=shift_id)


@get("/api/shift-swaps/{swap_id:uuid}", permission=SHIFTS_READ, raises=[NotFound], tags=SCHEDULE)
async def read_swap(ctx: Ctx, swap_id: UUID) -> Swap:
    """Read a swap that one takes part in, or of those whom one plans."""
    return await swaps.find_swap(ctx, swap_id=swap_id)


@post(
    "/api/shift-swaps/{swap_id:uuid}/acceptance",
    permission=SHIFTS_READ,
    raises=[NotFound, SwapNotWaiting],
    tags=SCHEDULE,
)
async def accept_swap(ctx: Ctx, swap_id: UUID) -> Swap:
    """Accept what was offered to oneself; a planner then approves it."""
    return await swaps.answer_swap(ctx, swap_id=swap_id, status="accepted")


@post(
    "/api/shift-swaps/{swap_id:uuid}/declination",
    permission=SHIFTS_READ,
    raises=[NotFound, SwapNotWaiting],
    tags=SCHEDULE,
)
async def decline_swap(ctx: Ctx, swap_id: UUID) -> Swap:
    """Decline what was offered to oneself."""
    return await swaps.answer_swap(ctx, swap_id=swap_id, status="declined")


@post(
    "/api/shift-swaps/{swap_id:uuid}/withdrawal",
    permission=SHIFTS_READ,
    raises=[NotFound, SwapNotWaiting],
    tags=SCHEDULE,
)
async def withdraw_swap(ctx: Ctx, swap_id: UUID) -> Swap:
    """Take one's offer back, before it is approved."""
    return await swaps.withdraw_swap(ctx, swap_id=swap_id)


@post(
    "/api/shift-swaps/{swap_id:uuid}/approval",
    permission=SHIFTS_PLAN,
    raises=[NotFound, SwapNotWaiting, ShiftNotSwappable, ShiftsOverlap],
    tags=SCHEDULE,
)
async def approve_swap(ctx: Ctx, swap_id: UUID, data: DecisionIn) -> Swap:
    """Give the shifts to their new people."""
    return await swaps.approve_swap(ctx, swap_id=swap_id, note=data.note)


@post(
    "/api/shift-swaps/{swap_id:uuid}/refusal", permission=SHIFTS_PLAN, raises=[NotFound, SwapNotWaiting], tags=SCHEDULE
)
async def refuse_swap(ctx: Ctx, swap_id: UUID, data: RefusalIn) -> Swap:
    """Leave the shifts as they are, and say why."""
    return await swaps.refuse_swap(ctx, swap_id=swap_id, note=data.note)


@post("/api/staff/calendar", permission=SHIFTS_READ, status=201, secret=True, tags=SCHEDULE)
async def renew_calendar(ctx: Ctx) -> CalendarOut:
    """Give oneself a new secret address of one's shifts for a calendar; the one before dies."""
    return await calendars.renew_calendar(ctx)


@delete("/api/staff/calendar", permission=SHIFTS_READ, tags=SCHEDULE)
async def end_calendar(ctx: Ctx) -> None:
    """End the secret address of one's shifts."""
    await calendars.end_calendar(ctx)


@get(
    "/api/calendars/{token:str}",
    public="A calendar cannot sign in; the address is the secret, and shows one person's shifts.",
    raises=[FeedUnknown],
    db="system",
    tags=SCHEDULE,
)
async def read_calendar(ctx: Ctx, token: str) -> Download:
    """Read somebody's shifts as iCalendar, at their secret address."""
    body = await calendars.read_calendar(ctx, token=token)
    return Download(body=body, media_type="text/calendar; charset=utf-8", filename="shifts.ics", inline=True)


SCHEDULE_ROUTES = (
    list_shift_plan,
    list_shifts,
    plan_shift,
    read_shift,
    change_shift,
    publish_shifts,
    cancel_shift,
    list_swaps,
    ask_swap,
    take_shift,
    read_swap,
    accept_swap,
    decline_swap,
    withdraw_swap,
    approve_swap,
    refuse_swap,
    renew_calendar,
    end_calendar,
)
PUBLIC_ROUTES = (read_calendar,)
"""Outside the module's toggle, since no tenant is known before the address is read; it looks at the toggle itself."""
