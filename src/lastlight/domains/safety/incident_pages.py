"""Incidents on screens: the list, one with its timeline, opening one, and its report."""

from typing import Any
from uuid import UUID

from lastlight.domains.safety import alerts, incidents
from lastlight.domains.safety.listings import INCIDENT_KINDS, INCIDENTS, SEVERITIES
from lastlight.domains.safety.model import IncidentKind, Severity
from lastlight.domains.safety.page_parts import Short, Texts, listed, venue_choices, visits_of
from lastlight.domains.safety.permissions import SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import EntryIn, IncidentIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

EVENTS = ["incident.opened", "incident.noted", "incident.resolved"]


class IncidentForm(Input, frozen=True, kw_only=True):
    """What happened; an alert that it is about is linked."""

    venue_id: UUID | None = None
    kind: IncidentKind = "other"
    title: Short = ""
    severity: Severity = "medium"
    note: Texts = ""
    alert_id: UUID | None = None


class AboutQuery(Input, frozen=True, kw_only=True):
    """The alert that it is about, or the venue."""

    alert_id: UUID | None = None
    venue_id: VenueId | None = None


class EntryForm(Input, frozen=True, kw_only=True):
    """A line for the timeline, or an alert to link."""

    text: Texts = ""
    alert_id: UUID | None = None


class ResolutionForm(Input, frozen=True, kw_only=True):
    """What came of it, and the version that was read."""

    reason: Texts = ""
    version: int


def incident_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of incidents inside one console."""
    home = f"{prefix}/safety"
    path = f"{home}/incidents"

    @page(path, permission=SAFETY_READ, listing=INCIDENTS)
    async def incidents_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List incidents."""
        shown = await listed(ctx, request=request, listing=INCIDENTS, query=query, path=path)
        return View("safety/incidents.html", {**shown, "home": home, "events": EVENTS})

    return (incidents_page, *_opening(home, path), *_one(prefix, home, path))


def _opening(home: str, path: str) -> tuple[Operation, ...]:
    async def blank(ctx: Ctx) -> dict[str, Any]:
        kinds = [choice for choice in INCIDENT_KINDS if choice[0] != "sos"]
        return {"home": home, "kinds": kinds, "severities": SEVERITIES, "alert": None, **await venue_choices(ctx)}

    @page(f"{path}/new", permission=SAFETY_RESPOND)
    async def incident_new_page(ctx: Ctx, query: AboutQuery, request: RequestInfo) -> View:
        """Ask what happened."""
        shown = await blank(ctx) | await venue_choices(ctx, request=request)
        if query.venue_id is not None:
            shown["venue_id"] = str(query.venue_id)
        if query.alert_id is not None:
            shown["alert"] = await alerts.find_alert(ctx, alert_id=query.alert_id)
            shown["venue_id"] = str(shown["alert"].venue_id)
        return View("safety/incident_new.html", shown)

    @page_post(f"{path}/new", permission=SAFETY_RESPOND, form_page="safety/incident_new.html", form_context=blank)
    async def incident_new_submit(ctx: Ctx, form: Form[IncidentForm]) -> Redirect:
        """Open an incident."""
        data = form.require()
        wrong: dict[str, str] = {}
        if data.venue_id is None:
            wrong["venue_id"] = "Choose the venue."
        if not data.title.strip():
            wrong["title"] = "Say in a few words what happened."
        if wrong or data.venue_id is None:
            raise Invalid(fields=wrong)
        wanted = IncidentIn(
            venue_id=VenueId(data.venue_id),
            kind=data.kind,
            title=data.title,
            severity=data.severity,
            note=data.note,
            alert_ids=[data.alert_id] if data.alert_id else [],
        )
        made = await incidents.open_incident(ctx, data=wanted)
        return Redirect(f"{path}/{made.id}", toast=f"Incident {made.number} is open.")

    return (incident_new_page, incident_new_submit)


def _one(prefix: str, home: str, path: str) -> tuple[Operation, ...]:
    one = f"{path}/{{incident_id:uuid}}"

    async def facts(ctx: Ctx, *, incident_id: UUID) -> dict[str, Any]:
        incident = await incidents.find_incident(ctx, incident_id=incident_id)
        return {
            "incident": incident,
            "linked": await incidents.linked_alerts(ctx, incident_id=incident_id),
            "linkable": await incidents.linkable_alerts(ctx, incident=incident),
            "home": home,
            "prefix": prefix,
            "visits": visits_of(prefix),
            "is_open": incident.status == "open",
            "may_note": ctx.allows(SAFETY_RESPOND, incident.venue_id),
            "may_resolve": ctx.allows(SAFETY_MANAGE, incident.venue_id),
            "history": await entity_history(ctx, entity="incident", entity_id=incident_id),
            "kinds": dict(INCIDENT_KINDS),
        }

    @page(one, permission=SAFETY_READ)
    async def incident_page(ctx: Ctx, incident_id: UUID) -> View:
        """Show one incident with its timeline."""
        return View("safety/incident.html", await facts(ctx, incident_id=incident_id))

    @page_post(
        f"{one}/entries",
        permission=SAFETY_RESPOND,
        form_page="safety/incident.html",
        form_block="noting",
        form_context=facts,
    )
    async def incident_note(ctx: Ctx, incident_id: UUID, form: Form[EntryForm]) -> Redirect:
        """Add a line to the timeline, or link an alert."""
        data = form.require()
        await incidents.note_incident(
            ctx, incident_id=incident_id, data=EntryIn(text=data.text, alert_id=data.alert_id)
        )
        return Redirect(f"{path}/{incident_id}", toast="It stands in the timeline.")

    @page(f"{one}/resolution", permission=SAFETY_MANAGE)
    async def incident_resolution_dialog(ctx: Ctx, incident_id: UUID) -> View:
        """Ask what came of an incident."""
        return View("safety/incident_resolution.html", await facts(ctx, incident_id=incident_id), block="dialog")

    @page_post(
        f"{one}/resolution",
        permission=SAFETY_MANAGE,
        form_page="safety/incident_resolution.html",
        form_block="dialog",
        form_context=facts,
    )
    async def incident_resolution_submit(ctx: Ctx, incident_id: UUID, form: Form[ResolutionForm]) -> Redirect:
        """Resolve an incident, unless somebody changed it in the meantime."""
        data = form.require()
        await incidents.resolve_incident(ctx, incident_id=incident_id, resolution=data.reason, version=data.version)
        return Redirect(f"{path}/{incident_id}", toast="The incident is resolved.")

    @page(f"{one}/report", permission=SAFETY_READ, sensitive="incident.printed")
    async def incident_report_page(ctx: Ctx, incident_id: UUID) -> View:
        """Show an incident's report, made for paper."""
        return View("safety/report.html", await facts(ctx, incident_id=incident_id))

    return (
        incident_page,
        incident_note,
        incident_resolution_dialog,
        incident_resolution_submit,
        incident_report_page,
    )
