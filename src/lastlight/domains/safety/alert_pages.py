"""Alerts on screens: the list, one alert with what may be done about it, and raising one."""

from typing import Any
from uuid import UUID

from lastlight.domains.checkins import find_visit
from lastlight.domains.safety import alerts
from lastlight.domains.safety.listings import ALERTS, SEVERITIES
from lastlight.domains.safety.model import Severity
from lastlight.domains.safety.page_parts import ReasonForm, Short, listed, venue_choices, visits_of
from lastlight.domains.safety.permissions import SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import AlertIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId, VisitId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

EVENTS = ["safety.alert_raised", "safety.alert_acknowledged", "safety.alert_cleared", "safety.alert_escalated"]


class AlertForm(Input, frozen=True, kw_only=True):
    """A behaviour that somebody saw; of a visit, where it is known whose."""

    venue_id: UUID | None = None
    summary: Short = ""
    severity: Severity = "medium"
    visit_id: UUID | None = None


class AboutQuery(Input, frozen=True, kw_only=True):
    """The visit that it is about."""

    visit_id: VisitId | None = None


def alert_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of alerts inside one console, such as /staff."""
    home = f"{prefix}/safety"
    path = f"{home}/alerts"
    one = f"{path}/{{alert_id:uuid}}"

    @page(path, permission=SAFETY_READ, listing=ALERTS)
    async def alerts_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List alerts, what is open and what was."""
        shown = await listed(ctx, request=request, listing=ALERTS, query=query, path=path)
        return View(
            "safety/alerts.html",
            {**shown, "home": home, "prefix": prefix, "visits": visits_of(prefix), "events": EVENTS},
        )

    async def facts(ctx: Ctx, *, alert_id: UUID) -> dict[str, Any]:
        alert = await alerts.find_alert(ctx, alert_id=alert_id)
        return {
            "alert": alert,
            "home": home,
            "prefix": prefix,
            "visits": visits_of(prefix),
            "may_answer": ctx.allows(SAFETY_RESPOND, alert.venue_id),
            "history": await entity_history(ctx, entity="safety_alert", entity_id=alert_id),
            "people": await alerts.people_of(ctx, alert=alert),
        }

    @page(one, permission=SAFETY_READ)
    async def alert_page(ctx: Ctx, alert_id: UUID) -> View:
        """Show one alert and what was done about it."""
        return View("safety/alert.html", await facts(ctx, alert_id=alert_id))

    @page_post(f"{one}/acknowledgement", permission=SAFETY_RESPOND)
    async def alert_acknowledge(ctx: Ctx, alert_id: UUID) -> Redirect:
        """Say that one sees to an alert."""
        await alerts.acknowledge_alert(ctx, alert_id=alert_id)
        return Redirect(f"{path}/{alert_id}", toast="It is yours: nobody is told again.")

    @page(f"{one}/clearance", permission=SAFETY_RESPOND)
    async def clearance_dialog(ctx: Ctx, alert_id: UUID) -> View:
        """Ask why an alert is over."""
        return View("safety/clearance.html", await facts(ctx, alert_id=alert_id), block="dialog")

    @page_post(
        f"{one}/clearance",
        permission=SAFETY_RESPOND,
        form_page="safety/clearance.html",
        form_block="dialog",
        form_context=facts,
    )
    async def clearance_submit(ctx: Ctx, alert_id: UUID, form: Form[ReasonForm]) -> Redirect:
        """Clear an alert, with a reason."""
        await alerts.clear_alert(ctx, alert_id=alert_id, reason=form.require().reason)
        return Redirect(f"{path}/{alert_id}", toast="The alert is cleared.")

    return (
        alerts_page,
        *_raising(home, path),
        alert_page,
        alert_acknowledge,
        clearance_dialog,
        clearance_submit,
    )


def _raising(home: str, path: str) -> tuple[Operation, ...]:
    async def again(ctx: Ctx) -> dict[str, Any]:
        return {"home": home, "severities": SEVERITIES, "visit": None, **await venue_choices(ctx)}

    @page(f"{path}/new", permission=SAFETY_RESPOND)
    async def alert_new_page(ctx: Ctx, query: AboutQuery, request: RequestInfo) -> View:
        """Ask what somebody saw."""
        visit = await find_visit(ctx, visit_id=query.visit_id) if query.visit_id else None
        choices = await venue_choices(ctx, request=request)
        if visit is not None:
            choices["venue_id"] = str(visit.venue_id)
        return View("safety/alert_new.html", {"home": home, "severities": SEVERITIES, "visit": visit, **choices})

    @page_post(f"{path}/new", permission=SAFETY_RESPOND, form_page="safety/alert_new.html", form_context=again)
    async def alert_new_submit(ctx: Ctx, form: Form[AlertForm]) -> Redirect:
        """Raise an alert about a behaviour."""
        data = form.require()
        wrong: dict[str, str] = {}
        if data.venue_id is None:
            wrong["venue_id"] = "Choose the venue."
        if not data.summary.strip():
            wrong["summary"] = "Say in a few words what you saw."
        if wrong or data.venue_id is None:
            raise Invalid(fields=wrong)
        about = VisitId(data.visit_id) if data.visit_id else None
        wanted = AlertIn(venue_id=VenueId(data.venue_id), summary=data.summary, severity=data.severity, visit_id=about)
        alert = await alerts.report_behaviour(ctx, data=wanted)
        return Redirect(f"{path}/{alert.id}", toast="Everybody at the venue hears it.")

    return (alert_new_page, alert_new_submit)
