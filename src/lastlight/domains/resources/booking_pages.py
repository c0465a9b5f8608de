"""Bookings on screens: the day as a board, the list, one booking with its story, and what becomes of it."""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.resources import bookings, queries
from lastlight.domains.resources.dayboard import board_of
from lastlight.domains.resources.forms import (
    BookingForm,
    form_errors,
    lengths,
    next_quarter,
    of_booking,
    to_booking,
    to_booking_change,
    to_moment,
)
from lastlight.domains.resources.listings import BOOKINGS
from lastlight.domains.resources.model import MINUTE, Resource
from lastlight.domains.resources.permissions import BOOKINGS_MANAGE, BOOKINGS_READ
from lastlight.domains.venues import Venue, business_day_span, chosen_venue, find_venue, open_spans, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import BookingId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

BOOKING_EVENTS = ["booking.created", "booking.changed", "booking.status_changed"]
BOARD_EVENTS = [*BOOKING_EVENTS, "resource.created", "resource.updated", "resource.status_changed"]
LOOK_BACK = timedelta(hours=1)


class DayQuery(Input, frozen=True, kw_only=True):
    """Which business day, at which venue; `whole`: with what of today is over."""

    day: date | None = None
    venue_id: UUID | None = None
    whole: bool = False


class NewQuery(Input, frozen=True, kw_only=True):
    """What is to be booked, and from when."""

    venue_id: UUID | None = None
    resource_id: UUID | None = None
    at: Annotated[str, msgspec.Meta(max_length=40)] = ""


class CancelForm(Input, frozen=True, kw_only=True):
    """Why a booking is cancelled."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


def booking_pages(console: str) -> tuple[Operation, ...]:
    """The pages of bookings inside one console, such as /manage."""
    home = f"{console}/bookings"
    return (
        *_day_pages(console, home),
        *_new_pages(console, home),
        *_one_pages(console, home),
        *_end_pages(console, home),
    )


def _day_pages(console: str, home: str) -> tuple[Operation, ...]:
    @page(home, permission=BOOKINGS_READ)
    async def bookings_page(ctx: Ctx, query: DayQuery, request: RequestInfo) -> View:
        """Show a day of a venue's bookings, by what is booked."""
        mine = await standing_venues(ctx, permission=BOOKINGS_READ)
        venue = _picked(mine, query.venue_id or chosen_venue(request))
        choices = [(str(one.id), one.name) for one in mine]
        shared = {"home": home, "console": console, "choices": choices, "venue": venue, "events": BOARD_EVENTS}
        if venue is None:
            return View("resources/day.html", shared)
        return View("resources/day.html", shared | await _day(ctx, venue, query))

    @page(f"{home}/list", permission=BOOKINGS_READ, listing=BOOKINGS)
    async def bookings_list_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List bookings of every day."""
        mine = await standing_venues(ctx, permission=BOOKINGS_READ)
        picked = chosen_venue(request)
        if picked in {venue.id for venue in mine}:
            query = msgspec.structs.replace(query, venue_id=[picked])
        context = {
            "view": await BOOKINGS.view(ctx, query),
            "home": home,
            "paged": bool(query.after),
            "choices": {"venue_id": [(str(venue.id), venue.name) for venue in mine]},
            "events": BOOKING_EVENTS,
        }
        return View("resources/bookings.html", context)

    return (bookings_page, bookings_list_page)


def _new_pages(console: str, home: str) -> tuple[Operation, ...]:
    @page(f"{home}/new", permission=BOOKINGS_MANAGE)
    async def booking_new_page(ctx: Ctx, query: NewQuery, request: RequestInfo) -> View:
        """Ask for a booking for a guest."""
        mine = await standing_venues(ctx, permission=BOOKINGS_MANAGE)
        venue_id = query.venue_id or chosen_venue(request)
        if query.resource_id is not None:
            venue_id = (await queries.find_resource(ctx, resource_id=query.resource_id)).venue_id
        venue = _picked(mine, venue_id)
        if venue is None:
            return View("resources/booking_new.html", {"venue": None, "home": home, "resources": []})
        start = next_quarter(ctx.now).astimezone(venue.zone)
        if query.at:
            with form_errors():
                start = to_moment(query.at).astimezone(venue.zone)
        values = {
            "resource_id": str(query.resource_id or ""),
            "day": start.date().isoformat(),
            "starts": f"{start:%H:%M}",
            "minutes": "60",
            "party_size": "2",
        }
        return View("resources/booking_new.html", await _form(ctx, venue, console) | {"values": values})

    async def again(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        venue = await find_venue(ctx, venue_id=venue_id, permission=BOOKINGS_MANAGE)
        return await _form(ctx, venue, console) | {"values": {}}

    @page_post(
        f"{console}/venues/{{venue_id:uuid}}/bookings",
        permission=BOOKINGS_MANAGE,
        form_page="resources/booking_new.html",
        form_context=again,
    )
    async def booking_new_submit(ctx: Ctx, venue_id: UUID, form: Form[BookingForm]) -> Redirect:
        """Book for a guest; a time that is taken is told with the next free ones."""
        venue = await find_venue(ctx, venue_id=venue_id, permission=BOOKINGS_MANAGE)
        with form_errors():
            made = await bookings.book(ctx, data=to_booking(form.require(), venue))
        return Redirect(f"{home}/{made.id}", toast=f"{made.resource} is booked for {made.guest}.")

    return (booking_new_page, booking_new_submit)


def _one_pages(console: str, home: str) -> tuple[Operation, ...]:
    path = f"{home}/{{booking_id:uuid}}"

    async def facts(ctx: Ctx, *, booking_id: UUID) -> dict[str, Any]:
        booking = await queries.find_booking(ctx, booking_id=booking_id)
        venue = await find_venue(ctx, venue_id=booking.venue_id, permission=BOOKINGS_READ)
        return await _form(ctx, venue, console) | {
            "booking": booking,
            "values": of_booking(booking, venue),
            "lengths": lengths(None, chosen=(booking.ends_at - booking.starts_at) // MINUTE),
            "standing": booking.status in {"booked", "arrived"},
            "due": booking.starts_at <= ctx.now,
            "may_manage": ctx.allows(BOOKINGS_MANAGE, venue.id),
            "action": f"{home}/{booking_id}",
            "events": BOOKING_EVENTS,
            "history": await entity_history(ctx, entity="booking", entity_id=booking_id),
        }

    @page(path, permission=BOOKINGS_READ)
    async def booking_page(ctx: Ctx, booking_id: BookingId) -> View:
        """Show a booking."""
        return View("resources/booking.html", await facts(ctx, booking_id=booking_id))

    @page_post(path, permission=BOOKINGS_MANAGE, form_page="resources/booking.html", form_context=facts)
    async def booking_submit(ctx: Ctx, booking_id: BookingId, form: Form[BookingForm]) -> Redirect:
        """Move a booking, or change its party or note; refused when somebody else changed it in the meantime."""
        data = form.require()
        before = await queries.find_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
        venue = await find_venue(ctx, venue_id=before.venue_id, permission=BOOKINGS_MANAGE)
        with form_errors():
            change = to_booking_change(data, venue, before)
            await bookings.change_booking(ctx, booking_id=booking_id, data=change, version=data.version)
        return Redirect(f"{home}/{booking_id}", toast="Saved.")

    return (booking_page, booking_submit)


def _end_pages(console: str, home: str) -> tuple[Operation, ...]:
    path = f"{home}/{{booking_id:uuid}}"

    @page_post(f"{path}/arrival", permission=BOOKINGS_MANAGE)
    async def booking_arrival(ctx: Ctx, booking_id: BookingId) -> Redirect:
        """Say that the guest of a booking is here."""
        done = await bookings.arrive(ctx, booking_id=booking_id)
        return Redirect(f"{home}/{booking_id}", toast=f"{done.guest} is here.")

    @page_post(f"{path}/end", permission=BOOKINGS_MANAGE)
    async def booking_end(ctx: Ctx, booking_id: BookingId) -> Redirect:
        """Say that the guest is done; the rest of the time is free again."""
        done = await bookings.end(ctx, booking_id=booking_id)
        return Redirect(f"{home}/{booking_id}", toast=f"{done.resource} is free again.")

    @page_post(f"{path}/no-show", permission=BOOKINGS_MANAGE)
    async def booking_no_show(ctx: Ctx, booking_id: BookingId) -> Redirect:
        """Say that the guest did not come; the time is free again."""
        done = await bookings.miss(ctx, booking_id=booking_id)
        return Redirect(f"{home}/{booking_id}", toast=f"{done.guest} did not come. {done.resource} is free again.")

    async def same(ctx: Ctx, *, booking_id: UUID) -> dict[str, Any]:
        booking = await queries.find_booking(ctx, booking_id=booking_id, permission=BOOKINGS_MANAGE)
        venue = await find_venue(ctx, venue_id=booking.venue_id, permission=BOOKINGS_MANAGE)
        return {"booking": booking, "venue": venue, "action": f"{home}/{booking_id}"}

    @page(f"{path}/cancellation", permission=BOOKINGS_MANAGE)
    async def cancellation_dialog(ctx: Ctx, booking_id: BookingId) -> View:
        """Ask whether a booking is to be cancelled."""
        return View("resources/cancel.html", await same(ctx, booking_id=booking_id), block="dialog")

    @page_post(
        f"{path}/cancellation",
        permission=BOOKINGS_MANAGE,
        form_page="resources/cancel.html",
        form_block="dialog",
        form_context=same,
    )
    async def cancellation_submit(ctx: Ctx, booking_id: BookingId, form: Form[CancelForm]) -> Redirect:
        """Cancel a booking, with the reason that its guest reads."""
        await bookings.cancel(ctx, booking_id=booking_id, reason=form.require().reason)
        return Redirect(f"{home}/{booking_id}", toast="The booking is cancelled.")

    return (booking_arrival, booking_end, booking_no_show, cancellation_dialog, cancellation_submit)


def _picked(mine: list[Venue], wanted: UUID | None) -> Venue | None:
    return next((venue for venue in mine if venue.id == wanted), mine[0] if mine else None)


async def _day(ctx: Ctx, venue: Venue, query: DayQuery) -> dict[str, Any]:
    today = venue.business_day(ctx.now)
    day = query.day or today
    if abs(day - today) > timedelta(days=3660):
        raise Invalid(fields={"day": "Choose a day that is nearer."})
    start, end = business_day_span(day, venue.zone, venue.business_day_hour)
    found = await queries.bookings_between(ctx, venue_id=venue.id, start=start, end=end)
    resources = await queries.list_resources(ctx, venue_id=venue.id)
    booked = {one.resource_id for one in found}
    board = board_of(
        [one for one in resources if one.bookable or one.id in booked],
        found,
        day=(start, end),
        open_spans=open_spans(venue.opening_hours, venue.zone, start, end),
        zone=venue.zone,
        since=ctx.now - LOOK_BACK if day == today and not query.whole else None,
    )
    return {
        "day": day,
        "today": today,
        "board": board,
        "bookings": found,
        "earlier": day == today and not query.whole,
        "closed": not open_spans(venue.opening_hours, venue.zone, start, end),
        "may_manage": ctx.allows(BOOKINGS_MANAGE, venue.id),
        "day_before": day - timedelta(days=1),
        "day_after": day + timedelta(days=1),
    }


async def _form(ctx: Ctx, venue: Venue, console: str) -> dict[str, Any]:
    resources = await queries.list_resources(ctx, venue_id=venue.id)
    return {
        "venue": venue,
        "console": console,
        "home": f"{console}/bookings",
        "resources": [(str(one.id), _name(one)) for one in resources if one.bookable],
        "guests": [(str(guest), name) for guest, name in await queries.guests_inside(ctx, venue_id=venue.id)],
        "lengths": lengths(None, chosen=60),
    }


def _name(resource: Resource) -> str:
    parts = [resource.name]
    if resource.capacity:
        parts.append(f"{resource.capacity} people")
    if resource.buffer_minutes:
        parts.append(f"{resource.buffer_minutes} min between")
    if resource.status != "available":
        parts.append(resource.status.replace("_", " "))
    return " · ".join(parts)
