"""Interventions on screens: the list, one with who sees to it, and recording one."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from lastlight.domains.checkins import find_visit
from lastlight.domains.identity import colleagues
from lastlight.domains.safety import alerts, interventions
from lastlight.domains.safety.listings import INTERVENTION_KINDS, INTERVENTIONS
from lastlight.domains.safety.model import InterventionKind
from lastlight.domains.safety.page_parts import ReasonForm, Texts, listed, venue_choices, visits_of
from lastlight.domains.safety.permissions import SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import InterventionIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId, VisitId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

Facts = Callable[..., Awaitable[dict[str, Any]]]
EVENTS = [
    "safety.intervention_recorded",
    "safety.intervention_assigned",
    "safety.intervention_escalated",
    "safety.intervention_resolved",
]


class InterventionForm(Input, frozen=True, kw_only=True):
    """What was done, and whom it is about."""

    venue_id: UUID | None = None
    kind: InterventionKind = "talk"
    note: Texts = ""
    visit_id: UUID | None = None
    alert_id: UUID | None = None


class AboutQuery(Input, frozen=True, kw_only=True):
    """The visit or the alert that it is about."""

    visit_id: VisitId | None = None
    alert_id: UUID | None = None


class AssignmentForm(Input, frozen=True, kw_only=True):
    """Who is to see to it."""

    user_id: UUID | None = None


def intervention_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of interventions inside one console."""
    home = f"{prefix}/safety"
    path = f"{home}/interventions"

    @page(path, permission=SAFETY_READ, listing=INTERVENTIONS)
    async def interventions_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List interventions."""
        shown = await listed(ctx, request=request, listing=INTERVENTIONS, query=query, path=path)
        return View("safety/interventions.html", {**shown, "home": home, "events": EVENTS})

    return (interventions_page, *_recording(home, path), *_one(prefix, home, path))


def _recording(home: str, path: str) -> tuple[Operation, ...]:
    async def blank(ctx: Ctx) -> dict[str, Any]:
        return {"home": home, "kinds": INTERVENTION_KINDS, "visit": None, "alert": None, **await venue_choices(ctx)}

    @page(f"{path}/new", permission=SAFETY_RESPOND)
    async def intervention_new_page(ctx: Ctx, query: AboutQuery, request: RequestInfo) -> View:
        """Ask what was done."""
        shown = await blank(ctx) | await venue_choices(ctx, request=request)
        if query.alert_id is not None:
            shown["alert"] = await alerts.find_alert(ctx, alert_id=query.alert_id)
        if query.visit_id is not None:
            shown["visit"] = await find_visit(ctx, visit_id=query.visit_id)
        about = shown["visit"] or shown["alert"]
        if about is not None:
            shown["venue_id"] = str(about.venue_id)
        return View("safety/intervention_new.html", shown)

    @page_post(f"{path}/new", permission=SAFETY_RESPOND, form_page="safety/intervention_new.html", form_context=blank)
    async def intervention_new_submit(ctx: Ctx, form: Form[InterventionForm]) -> Redirect:
        """Record an intervention."""
        data = form.require()
        if data.venue_id is None:
            raise Invalid(fields={"venue_id": "Choose the venue."})
        wanted = InterventionIn(
            venue_id=VenueId(data.venue_id),
            kind=data.kind,
            note=data.note,
            visit_id=VisitId(data.visit_id) if data.visit_id else None,
            alert_id=data.alert_id,
        )
        made = await interventions.record_intervention(ctx, data=wanted)
        return Redirect(f"{path}/{made.id}", toast="Recorded.")

    return (intervention_new_page, intervention_new_submit)


def _one(prefix: str, home: str, path: str) -> tuple[Operation, ...]:
    one = f"{path}/{{intervention_id:uuid}}"
    facts = _facts_of(prefix, home)

    @page(one, permission=SAFETY_READ)
    async def intervention_page(ctx: Ctx, intervention_id: UUID) -> View:
        """Show one intervention."""
        return View("safety/intervention.html", await facts(ctx, intervention_id=intervention_id))

    @page(f"{one}/escalation", permission=SAFETY_RESPOND)
    async def escalation_dialog(ctx: Ctx, intervention_id: UUID) -> View:
        """Ask why somebody above is needed."""
        return View("safety/escalation.html", await facts(ctx, intervention_id=intervention_id), block="dialog")

    @page_post(
        f"{one}/escalation",
        permission=SAFETY_RESPOND,
        form_page="safety/escalation.html",
        form_block="dialog",
        form_context=facts,
    )
    async def escalation_submit(ctx: Ctx, intervention_id: UUID, form: Form[ReasonForm]) -> Redirect:
        """Escalate an intervention, with a reason."""
        reason = form.require().reason
        await interventions.escalate_intervention(ctx, intervention_id=intervention_id, reason=reason)
        return Redirect(f"{path}/{intervention_id}", toast="Those in charge are told.")

    @page(f"{one}/resolution", permission=SAFETY_RESPOND)
    async def intervention_resolution_dialog(ctx: Ctx, intervention_id: UUID) -> View:
        """Ask what came of it."""
        shown = await facts(ctx, intervention_id=intervention_id)
        return View("safety/intervention_resolution.html", shown, block="dialog")

    @page_post(
        f"{one}/resolution",
        permission=SAFETY_RESPOND,
        form_page="safety/intervention_resolution.html",
        form_block="dialog",
        form_context=facts,
    )
    async def intervention_resolution_submit(ctx: Ctx, intervention_id: UUID, form: Form[ReasonForm]) -> Redirect:
        """Resolve an intervention, with what came of it."""
        outcome = form.require().reason
        await interventions.resolve_intervention(ctx, intervention_id=intervention_id, outcome=outcome)
        return Redirect(f"{path}/{intervention_id}", toast="Resolved.")

    return (
        intervention_page,
        *_assigning(one, path, facts),
        escalation_dialog,
        escalation_submit,
        intervention_resolution_dialog,
        intervention_resolution_submit,
    )


def _assigning(one: str, path: str, facts: Facts) -> tuple[Operation, ...]:
    async def with_people(ctx: Ctx, *, intervention_id: UUID) -> dict[str, Any]:
        shown = await facts(ctx, intervention_id=intervention_id)
        here = await colleagues(ctx, venue_ids=[shown["intervention"].venue_id])
        return shown | {"people": [(str(person.id), person.name) for person in here]}

    @page(f"{one}/assignment", permission=SAFETY_MANAGE)
    async def assignment_dialog(ctx: Ctx, intervention_id: UUID) -> View:
        """Ask who is to see to it."""
        return View("safety/assignment.html", await with_people(ctx, intervention_id=intervention_id), block="dialog")

    @page_post(
        f"{one}/assignment",
        permission=SAFETY_MANAGE,
        form_page="safety/assignment.html",
        form_block="dialog",
        form_context=with_people,
    )
    async def assignment_submit(ctx: Ctx, intervention_id: UUID, form: Form[AssignmentForm]) -> Redirect:
        """Assign an intervention."""
        data = form.require()
        if data.user_id is None:
            raise Invalid(fields={"user_id": "Choose who is to see to it."})
        done = await interventions.assign_intervention(ctx, intervention_id=intervention_id, user_id=data.user_id)
        return Redirect(f"{path}/{intervention_id}", toast=f"{done.assignee} sees to it.")

    return (assignment_dialog, assignment_submit)


def _facts_of(prefix: str, home: str) -> Facts:
    async def facts(ctx: Ctx, *, intervention_id: UUID) -> dict[str, Any]:
        found = await interventions.find_intervention(ctx, intervention_id=intervention_id)
        return {
            "intervention": found,
            "home": home,
            "prefix": prefix,
            "visits": visits_of(prefix),
            "is_open": found.status == "open",
            "may_answer": ctx.allows(SAFETY_RESPOND, found.venue_id),
            "may_assign": ctx.allows(SAFETY_MANAGE, found.venue_id),
            "history": await entity_history(ctx, entity="safety_intervention", entity_id=intervention_id),
        }

    return facts
