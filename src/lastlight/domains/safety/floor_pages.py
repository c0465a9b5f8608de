"""The floor on screens: how full, who is near a threshold, what is open, and the part of it that other pages show."""

from typing import Any
from uuid import UUID

from lastlight.domains.checkins import find_visit
from lastlight.domains.safety import checks, floor, sos
from lastlight.domains.safety.alert_pages import EVENTS as ALERT_EVENTS
from lastlight.domains.safety.alerts import open_alerts
from lastlight.domains.safety.contacts import read_contacts
from lastlight.domains.safety.emergency_listings import CHECKS
from lastlight.domains.safety.page_parts import Short, listed, visits_of
from lastlight.domains.safety.permissions import SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import CheckIn
from lastlight.domains.safety.sos_pages import SOS_EVENTS
from lastlight.domains.safety.thresholds import read_thresholds
from lastlight.domains.safety.watch import read_floor
from lastlight.domains.venues import chosen_venue, find_venue, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId, VisitId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

VISIT_EVENTS = ["visit.opened", "visit.closed", "visit.timed_out", "visit.corrected"]
FLOOR_EVENTS = [*VISIT_EVENTS, *ALERT_EVENTS, *SOS_EVENTS, "safety.thresholds_changed", "venue.updated"]
OPEN_EVENTS = (*ALERT_EVENTS, *SOS_EVENTS)


class CheckForm(Input, frozen=True, kw_only=True):
    """What a guest is asked, and for how long the answer is waited for."""

    question: Short = "Are you all right?"
    minutes: int = 5


async def open_count(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many alerts and SOS calls are open at the venue that is picked, or at all of the reader's."""
    only = await _shown(ctx, request)
    alerts = await open_alerts(ctx, venue_ids=only)
    return len(alerts) + sum(call.venue_id in only for call in await sos.open_calls(ctx))


async def _shown(ctx: Ctx, request: RequestInfo) -> list[VenueId]:
    mine = [venue.id for venue in await standing_venues(ctx, permission=SAFETY_READ)]
    picked = chosen_venue(request)
    return [venue_id for venue_id in mine if venue_id == picked] or mine


def floor_pages(prefix: str) -> tuple[Operation, ...]:
    """The floor inside one console: the overview, and each venue by itself."""
    home = f"{prefix}/safety"

    async def overview(ctx: Ctx, *, request: RequestInfo) -> dict[str, Any]:
        only = await _shown(ctx, request)
        venues = [venue for venue in await standing_venues(ctx, permission=SAFETY_READ) if venue.id in only]
        return {
            "places": [(venue, await read_floor(ctx, venue_id=venue.id)) for venue in venues],
            "alerts": await open_alerts(ctx, venue_ids=only),
            "calls": [call for call in await sos.open_calls(ctx) if call.venue_id in only],
            "home": home,
            "prefix": prefix,
            "visits": visits_of(prefix),
            "may_answer": ctx.allows(SAFETY_RESPOND),
            "events": FLOOR_EVENTS,
            "several": len(venues) > 1,
        }

    @page(home, permission=SAFETY_READ)
    async def safety_page(ctx: Ctx, request: RequestInfo) -> View:
        """Show how full the venues are, and what is open."""
        return View("safety/overview.html", await overview(ctx, request=request))

    @page(f"{home}/tonight", permission=SAFETY_READ)
    async def safety_tonight(ctx: Ctx, request: RequestInfo) -> View:
        """Show the part of a console's first page that says what is open."""
        return View("safety/tonight.html", await overview(ctx, request=request), block="tonight")

    @page(f"{home}/floor/{{venue_id:uuid}}", permission=SAFETY_READ)
    async def floor_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Show one venue's floor: occupancy, and how near each guest is to a threshold."""
        venue = await find_venue(ctx, venue_id=venue_id, permission=SAFETY_READ)
        shown = {
            "venue": venue,
            "state": await read_floor(ctx, venue_id=venue_id),
            "limits": await read_thresholds(ctx, venue_id=venue_id),
            "guests": await floor.floor_guests(ctx, venue_id=venue_id),
            "alerts": await open_alerts(ctx, venue_ids=[venue_id]),
            "home": home,
            "prefix": prefix,
            "visits": visits_of(prefix),
            "may_answer": ctx.allows(SAFETY_RESPOND, venue_id),
            "events": FLOOR_EVENTS,
        }
        return View("safety/floor.html", shown)

    return (safety_page, safety_tonight, floor_page, *_check_pages(prefix))


def _check_pages(prefix: str) -> tuple[Operation, ...]:
    home = f"{prefix}/safety"

    @page(f"{home}/checks", permission=SAFETY_READ, listing=CHECKS)
    async def checks_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List what guests were asked, and what they said."""
        shown = await listed(ctx, request=request, listing=CHECKS, query=query, path=f"{home}/checks")
        events = ["safety_check.answered"]
        return View(
            "safety/checks.html",
            {**shown, "home": home, "prefix": prefix, "visits": visits_of(prefix), "events": events},
        )

    return (checks_page,)


def asking_pages(prefix: str) -> tuple[Operation, ...]:
    """Asking a guest whether all is well, from the visit, in a console that has visits."""
    home = f"{prefix}/safety"
    asking = f"{prefix}/visits/{{visit_id:uuid}}/safety-check"

    async def facts(ctx: Ctx, *, visit_id: UUID) -> dict[str, Any]:
        return {"visit": await find_visit(ctx, visit_id=visit_id), "prefix": prefix, "visits": visits_of(prefix)}

    @page(asking, permission=SAFETY_RESPOND)
    async def check_dialog(ctx: Ctx, visit_id: VisitId) -> View:
        """Ask what a guest is to be asked."""
        return View("safety/check_new.html", await facts(ctx, visit_id=visit_id), block="dialog")

    @page_post(
        asking,
        permission=SAFETY_RESPOND,
        form_page="safety/check_new.html",
        form_block="dialog",
        form_context=facts,
    )
    async def check_submit(ctx: Ctx, visit_id: VisitId, form: Form[CheckForm]) -> Redirect:
        """Ask a guest whether all is well."""
        data = form.require()
        if not data.question.strip():
            raise Invalid(fields={"question": "Write what the guest is asked."})
        wanted = CheckIn(visit_id=visit_id, question=data.question, minutes=min(60, max(1, data.minutes)))
        await checks.ask_guest(ctx, data=wanted)
        return Redirect(f"{home}/checks", toast="The guest's phone asks now. Silence raises an alert.")

    return (check_dialog, check_submit)


def venue_actions(prefix: str) -> tuple[Operation, ...]:
    """What an operator does from a venue's page: whom to call, the alerts to answer, an incident to open."""

    @page(f"{prefix}/venues/{{venue_id:uuid}}/actions", permission=SAFETY_READ)
    async def venue_actions_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Show a venue's contacts and open alerts."""
        shown = {
            "venue": await find_venue(ctx, venue_id=venue_id, permission=SAFETY_READ),
            "contacts": (await read_contacts(ctx, venue_id=venue_id)).contacts,
            "alerts": await open_alerts(ctx, venue_ids=[venue_id]),
            "home": f"{prefix}/safety",
            "prefix": prefix,
            "visits": visits_of(prefix),
            "may_answer": ctx.allows(SAFETY_RESPOND, venue_id),
            "events": [*ALERT_EVENTS, "safety.contacts_changed"],
        }
        return View("safety/venue_actions.html", shown, block="venue_actions")

    return (venue_actions_page,)
