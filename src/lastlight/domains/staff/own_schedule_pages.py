"""One's own schedule on the staff app: shifts, open ones to take, swaps, and the calendar's address."""

from typing import Any, Literal
from uuid import UUID

from lastlight.domains.identity import colleagues
from lastlight.domains.staff import calendars, clock, screens, shifts, swaps
from lastlight.domains.staff.forms import SwapForm
from lastlight.domains.staff.permissions import SHIFTS_READ
from lastlight.domains.staff.schemas import SwapIn
from lastlight.domains.staff.settings import OPEN_SHIFTS
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Redirect, RequestInfo, View, page, page_post
from lastlight.runtime.tenant_settings import setting

SCHEDULE = "/staff/schedule"
SCHEDULE_EVENTS = ("shift.published", "shift.swap_changed")


async def schedule_facts(ctx: Ctx) -> dict[str, Any]:
    """What one's schedule shows."""
    mine = clock.myself(ctx)
    return {
        "shifts": await clock.coming_shifts(ctx, user_id=mine, since=ctx.now),
        "open_shifts": await screens.open_shifts(ctx),
        "rule": await setting(ctx, OPEN_SHIFTS),
        "swaps": await screens.own_swaps(ctx),
        "me": mine,
        "feed": await calendars.feed_since(ctx),
        "address": "",
        "events": SCHEDULE_EVENTS,
        "home": SCHEDULE,
    }


@page(SCHEDULE, permission=SHIFTS_READ)
async def own_schedule_page(ctx: Ctx) -> View:
    """Show one's coming shifts, the open ones, and the swaps that wait."""
    return View("staff/schedule.html", await schedule_facts(ctx))


@page_post(f"{SCHEDULE}/calendar", permission=SHIFTS_READ, secret=True)
async def calendar_submit(ctx: Ctx) -> View:
    """Give oneself a new secret address of one's shifts; it is shown once."""
    made = await calendars.renew_calendar(ctx)
    return View("staff/schedule.html", await schedule_facts(ctx) | {"address": made.url})


@page_post(f"{SCHEDULE}/calendar/end", permission=SHIFTS_READ)
async def calendar_end_submit(ctx: Ctx) -> Redirect:
    """End the secret address of one's shifts."""
    await calendars.end_calendar(ctx)
    return Redirect(SCHEDULE, toast="Your calendar gets no more shifts from here.")


@page_post(f"{SCHEDULE}/{{shift_id:uuid}}/taking", permission=SHIFTS_READ)
async def shift_take_submit(ctx: Ctx, shift_id: UUID) -> Redirect:
    """Take a shift that is nobody's."""
    taken = await swaps.take_shift(ctx, shift_id=shift_id)
    return Redirect(SCHEDULE, toast="A planner is asked." if taken.swap else "The shift is yours.")


async def swap_facts(ctx: Ctx, *, shift_id: UUID) -> dict[str, Any]:
    """What the dialog of a swap needs: the shift, who works there, and what they could give for it."""
    shift = await shifts.find_shift(ctx, shift_id=shift_id)
    mine = clock.myself(ctx)
    people = [one for one in await colleagues(ctx, venue_ids=[shift.venue_id]) if one.id != mine]
    return {
        "shift": shift,
        "people": [(str(one.id), one.name) for one in people],
        "theirs": await screens.team_shifts(ctx),
        "home": SCHEDULE,
    }


@page(f"{SCHEDULE}/{{shift_id:uuid}}/swap", permission=SHIFTS_READ)
async def swap_dialog(ctx: Ctx, shift_id: UUID) -> View:
    """Ask to whom a shift is offered."""
    return View("staff/swap.html", await swap_facts(ctx, shift_id=shift_id), block="dialog")


@page_post(
    f"{SCHEDULE}/{{shift_id:uuid}}/swap",
    permission=SHIFTS_READ,
    form_page="staff/swap.html",
    form_block="dialog",
    form_context=swap_facts,
)
async def swap_submit(ctx: Ctx, shift_id: UUID, form: Form[SwapForm]) -> Redirect:
    """Offer a shift to a colleague."""
    data = form.require()
    wanted = SwapIn(to_user_id=data.to_user_id, for_shift_id=data.for_shift_id, reason=data.reason)
    await swaps.ask_swap(ctx, shift_id=shift_id, data=wanted)
    return Redirect(SCHEDULE, toast="Offered. It counts once they accept and a planner approves.")


ANSWERS = {"acceptance": "Accepted. A planner is asked.", "declination": "Declined.", "withdrawal": "Taken back."}


@page_post(f"{SCHEDULE}/swaps/{{swap_id:uuid}}/acceptance", permission=SHIFTS_READ)
async def swap_accept_submit(ctx: Ctx, swap_id: UUID) -> Redirect:
    """Accept what was offered to oneself."""
    return await _answered(ctx, swap_id, "acceptance")


@page_post(f"{SCHEDULE}/swaps/{{swap_id:uuid}}/declination", permission=SHIFTS_READ)
async def swap_decline_submit(ctx: Ctx, swap_id: UUID) -> Redirect:
    """Decline what was offered to oneself."""
    return await _answered(ctx, swap_id, "declination")


@page_post(f"{SCHEDULE}/swaps/{{swap_id:uuid}}/withdrawal", permission=SHIFTS_READ)
async def swap_withdraw_submit(ctx: Ctx, swap_id: UUID) -> Redirect:
    """Take one's offer back, or the open shift that one asked for."""
    return await _answered(ctx, swap_id, "withdrawal")


async def count_offers(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many swaps wait for the reader's answer."""
    return sum(swap.to_user_id == ctx.actor.user_id and swap.status == "asked" for swap in await screens.own_swaps(ctx))


async def _answered(ctx: Ctx, swap_id: UUID, answer: Literal["acceptance", "declination", "withdrawal"]) -> Redirect:
    if answer == "withdrawal":
        await swaps.withdraw_swap(ctx, swap_id=swap_id)
    else:
        await swaps.answer_swap(ctx, swap_id=swap_id, status="accepted" if answer == "acceptance" else "declined")
    return Redirect(SCHEDULE, toast=ANSWERS[answer])


OWN_SCHEDULE_PAGES = (
    own_schedule_page,
    calendar_submit,
    calendar_end_submit,
    shift_take_submit,
    swap_dialog,
    swap_submit,
    swap_accept_submit,
    swap_decline_submit,
    swap_withdraw_submit,
)
