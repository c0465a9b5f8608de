"""Visits and check-ins on screens: lists that live, one visit with its story, and checking a guest out."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.checkins import cases, charges, queries, visits
from lastlight.domains.checkins.listings import CHECKINS, CREW_CHECKINS, VISITS
from lastlight.domains.checkins.permissions import (
    CHECKINS_READ,
    CHECKINS_REFUND,
    CHECKINS_REVOKE,
    VISITS_CHECKOUT,
    VISITS_CORRECT,
    VISITS_READ,
)
from lastlight.domains.checkins.schemas import CheckoutsOut, VisitCorrection
from lastlight.domains.venues import chosen_venue, listed, standing_venues
from lastlight.kernel.ids import CheckinId, VisitId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

VISIT_EVENTS = ["checkin.verified", "visit.opened", "visit.closed", "visit.timed_out", "visit.corrected"]
COUNT_EVENTS = ("visit.opened", "visit.closed", "visit.timed_out", "visit.corrected")


class ChosenForm(Input, frozen=True, kw_only=True):
    """The visits that were ticked."""

    ids: Annotated[list[VisitId], msgspec.Meta(min_length=1, max_length=200)]


class VoidForm(Input, frozen=True, kw_only=True):
    """Why a visit never was, and which version of it was read."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    version: int


def visit_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of visits inside one console, such as /manage."""
    home = f"{prefix}/visits"
    one = f"{home}/{{visit_id:uuid}}"

    @page(home, permission=VISITS_READ, listing=VISITS)
    async def visits_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List visits: who is in, who was."""
        return View(
            "checkins/visits.html",
            {
                **await listed(ctx, request=request, listing=VISITS, query=query, home=home),
                "events": VISIT_EVENTS,
                "may_check_out": ctx.allows(VISITS_CHECKOUT),
            },
        )

    @page(one, permission=VISITS_READ)
    async def visit_page(ctx: Ctx, visit_id: VisitId) -> View:
        """Show one visit."""
        return View("checkins/visit.html", await _visit(ctx, visit_id, home))

    @page_post(f"{one}/checkout", permission=VISITS_CHECKOUT)
    async def visit_checkout(ctx: Ctx, visit_id: VisitId, request: RequestInfo) -> Redirect:
        """Check a guest out, now."""
        visit = await visits.check_out_guest(ctx, visit_id=visit_id)
        back = home if request.headers.get("referer", "").split("?")[0].endswith(home) else f"{home}/{visit_id}"
        return Redirect(back, toast=f"{visit.patron} is checked out.")

    @page_post(f"{home}/checkout", permission=VISITS_CHECKOUT)
    async def visits_checkout(ctx: Ctx, form: Form[ChosenForm]) -> Redirect:
        """Check the chosen guests out, now."""
        done = await visits.check_out_guests(ctx, visit_ids=form.require().ids)
        return Redirect(f"{home}?status=open", toast=_checked_out(done))

    @page(f"{one}/void", permission=VISITS_CORRECT)
    async def void_dialog(ctx: Ctx, visit_id: VisitId) -> View:
        """Ask whether a visit is to be voided."""
        return View("checkins/void.html", await _visit(ctx, visit_id, home), block="dialog")

    async def again(ctx: Ctx, *, visit_id: UUID) -> dict[str, Any]:
        return await _visit(ctx, visit_id, home)

    @page_post(
        f"{one}/void",
        permission=VISITS_CORRECT,
        form_page="checkins/void.html",
        form_block="dialog",
        form_context=again,
    )
    async def void_submit(ctx: Ctx, visit_id: VisitId, form: Form[VoidForm]) -> Redirect:
        """Void a visit, with a reason; it stays on record."""
        data = form.require()
        correction = VisitCorrection(reason=data.reason, status="voided")
        await visits.correct_visit(ctx, visit_id=visit_id, data=correction, version=data.version)
        return Redirect(f"{home}/{visit_id}", toast="The visit is voided.")

    return (visits_page, visit_page, visit_checkout, visits_checkout, void_dialog, void_submit)


@page("/manage/checkins", permission=CHECKINS_READ, listing=CHECKINS)
async def checkins_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List check-ins as they come."""
    shown = await listed(ctx, request=request, listing=CHECKINS, query=query, home="/manage/checkins")
    return View("checkins/checkins.html", {**shown, "one": "/manage/checkins"})


@page("/manage/checkins/{checkin_id:uuid}", permission=CHECKINS_READ)
async def checkin_page(ctx: Ctx, checkin_id: CheckinId) -> View:
    """Show one check-in: how, from where, when it was claimed and received."""
    checkin = await queries.find_checkin(ctx, checkin_id=checkin_id)
    charge = await charges.find_charge(ctx, checkin_id=checkin_id)
    owed = charge is not None and charge.status == "unpaid"
    context: dict[str, Any] = {
        "checkin": checkin,
        "flags": await cases.flags_of_checkin(ctx, checkin_id=checkin_id),
        "charge": charge,
        "may_refund": charge is not None and charge.left > 0 and ctx.allows(CHECKINS_REFUND, checkin.venue_id),
        "may_settle": owed and ctx.allows(CHECKINS_REFUND, checkin.venue_id),
        "may_revoke": checkin.revoked_at is None and ctx.allows(CHECKINS_REVOKE, checkin.venue_id),
        "history": await entity_history(ctx, entity="checkin", entity_id=checkin_id),
    }
    return View("checkins/checkin.html", context)


@page("/platform/checkins", permission=CHECKINS_READ, db="platform", listing=CREW_CHECKINS)
async def crew_checkins_page(ctx: Ctx, query: Any) -> View:
    """List check-ins of all businesses."""
    view = await CREW_CHECKINS.view(ctx, query)
    context: dict[str, Any] = {
        "view": view,
        "home": "/platform/checkins",
        "paged": bool(query.after),
        "choices": {},
        "one": "",
    }
    return View("checkins/checkins.html", context)


async def count_shown(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many guests are in the venue that is picked in the switcher, or in all of the reader's."""
    mine = {venue.id for venue in await standing_venues(ctx, permission=VISITS_READ)}
    picked = chosen_venue(request)
    return await queries.count_inside(ctx, venue_id=picked if picked in mine else None)


def _checked_out(done: CheckoutsOut) -> str:
    guests = "1 guest is" if len(done.closed) == 1 else f"{len(done.closed)} guests are"
    return f"{guests} checked out." + (f" {len(done.not_open)} had left already." if done.not_open else "")


async def _visit(ctx: Ctx, visit_id: UUID, home: str) -> dict[str, Any]:
    visit = await queries.find_visit(ctx, visit_id=visit_id)
    return {
        "visit": visit,
        "home": home,
        "may_check_out": visit.status == "open" and ctx.allows(VISITS_CHECKOUT, visit.venue_id),
        "may_void": visit.status != "voided" and ctx.allows(VISITS_CORRECT, visit.venue_id),
        "history": await entity_history(ctx, entity="visit", entity_id=visit_id),
    }


PAGES = (*visit_pages("/manage"), *visit_pages("/staff"), checkins_page, checkin_page, crew_checkins_page)
