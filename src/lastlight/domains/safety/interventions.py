"""Interventions: what staff did, who sees to it, and what came of it."""

from typing import Any
from uuid import UUID

from lastlight.domains.checkins import find_visit
from lastlight.domains.safety import log
from lastlight.domains.safety.alerts import find_alert
from lastlight.domains.safety.errors import AssigneeUnfit, IncidentResolved, InterventionResolved
from lastlight.domains.safety.events import (
    InterventionAssigned,
    InterventionEscalated,
    InterventionRecorded,
    InterventionResolvedEvent,
)
from lastlight.domains.safety.incidents import add_entry, hold_incident
from lastlight.domains.safety.model import HIGHEST_ESCALATION, Intervention
from lastlight.domains.safety.permissions import SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import InterventionIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PLATFORM, PatronId, VisitId, uuid7
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

ONE = """
select i.id, i.venue_id, w.name as venue, i.kind, i.status, i.note, i.visit_id, i.patron_id, coalesce(p.name, '') as patron, i.alert_id,
       i.incident_id, i.assigned_to, coalesce(u.name, '') as assignee, i.assigned_at, i.escalation, i.escalated_at, i.recorded_at, i.recorded_by, i.resolved_at,
       i.resolved_by, i.outcome, i.version
from safety_interventions i
join venues w on w.tenant_id = $1 and w.id = i.venue_id
left join patrons p on p.tenant_id = $1 and p.id = i.patron_id
left join users u on u.id = i.assigned_to
where i.tenant_id = $1 and i.id = $2
"""
ADD = """
insert into safety_interventions (tenant_id, id, venue_id, kind, note, visit_id, patron_id, alert_id, incident_id, recorded_at, recorded_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
LOCK = "select venue_id, status, escalation from safety_interventions where tenant_id = $1 and id = $2 for update"
ASSIGN = "update safety_interventions set assigned_to = $3, assigned_at = $4 where tenant_id = $1 and id = $2"
ESCALATE = "update safety_interventions set escalation = $3, escalated_at = $4 where tenant_id = $1 and id = $2"
RESOLVE = """
update safety_interventions set status = 'resolved', resolved_at = $3, resolved_by = $4, outcome = $5
where tenant_id = $1 and id = $2
"""
WORKS_THERE = """
select exists (select from memberships
               where tenant_id = $1 and user_id = $2 and status = 'active' and (venue_ids is null or $3 = any(venue_ids)))
"""


async def find_intervention(ctx: Ctx, *, intervention_id: UUID) -> Intervention:
    """An intervention at a venue that the actor may see."""
    ctx.require(SAFETY_READ)
    found = await read_intervention(ctx, intervention_id=intervention_id)
    ctx.require(SAFETY_READ, found.venue_id)
    return found


async def read_intervention(ctx: Ctx, *, intervention_id: UUID) -> Intervention:
    """An intervention, for a caller that has seen to the permission."""
    return await ctx.db.one(Intervention, ONE, ctx.tenant_id, intervention_id)


async def record_intervention(ctx: Ctx, *, data: InterventionIn) -> Intervention:
    """Record what was done at a venue; the visit or the alert says whom it is about."""
    await find_venue(ctx, venue_id=data.venue_id, permission=SAFETY_RESPOND)
    visit_id, patron_id = await _about(ctx, data)
    intervention_id = uuid7()
    if data.incident_id is not None:
        incident = await hold_incident(ctx, incident_id=data.incident_id, permission=SAFETY_RESPOND)
        _same_venue(data, incident["venue_id"], "incident_id")
        if incident["status"] != "open":
            raise IncidentResolved
    about = (visit_id, patron_id, data.alert_id, data.incident_id)
    head = (ctx.tenant_id, intervention_id, data.venue_id, data.kind, data.note.strip())
    await ctx.db.execute(ADD, *head, *about, ctx.now, ctx.actor.user_id)
    if data.incident_id is not None:
        await add_entry(ctx, incident_id=data.incident_id, kind="intervention", text=data.kind, ref_id=intervention_id)
    made = await read_intervention(ctx, intervention_id=intervention_id)
    told = InterventionRecorded(**_facts(made))
    await _tell(ctx, made, told, what=f"intervention recorded: {data.kind}", text=made.note)
    return made


async def assign_intervention(ctx: Ctx, *, intervention_id: UUID, user_id: UUID) -> Intervention:
    """Say who is to see to it: an active member who works at the venue."""
    row = await _hold_open(ctx, intervention_id, SAFETY_MANAGE)
    if not await ctx.db.fetchval(WORKS_THERE, ctx.tenant_id, user_id, row["venue_id"]):
        raise AssigneeUnfit(fields={"user_id": "Choose an active member who works at the venue."})
    await ctx.db.execute(ASSIGN, ctx.tenant_id, intervention_id, user_id, ctx.now)
    done = await read_intervention(ctx, intervention_id=intervention_id)
    await _tell(ctx, done, InterventionAssigned(**_facts(done)), what="intervention assigned")
    return done


async def escalate_intervention(ctx: Ctx, *, intervention_id: UUID, reason: str) -> Intervention:
    """Ask for somebody above, with a reason."""
    row = await _hold_open(ctx, intervention_id, SAFETY_RESPOND)
    level = min(HIGHEST_ESCALATION, row["escalation"] + 1)
    words = _said(reason)
    await ctx.db.execute(ESCALATE, ctx.tenant_id, intervention_id, level, ctx.now)
    done = await read_intervention(ctx, intervention_id=intervention_id)
    told = InterventionEscalated(**_facts(done), escalation=level)
    await _tell(ctx, done, told, what=f"intervention escalated to {level}", text=words)
    return done


async def resolve_intervention(ctx: Ctx, *, intervention_id: UUID, outcome: str) -> Intervention:
    """Say what came of it."""
    await _hold_open(ctx, intervention_id, SAFETY_RESPOND)
    words = _said(outcome)
    await ctx.db.execute(RESOLVE, ctx.tenant_id, intervention_id, ctx.now, ctx.actor.user_id, words)
    done = await read_intervention(ctx, intervention_id=intervention_id)
    told = InterventionResolvedEvent(**_facts(done))
    await _tell(ctx, done, told, what="intervention resolved", text=words)
    return done


async def _about(ctx: Ctx, data: InterventionIn) -> tuple[VisitId | None, PatronId | None]:
    """Whom it is about; refuses a visit or an alert of another venue."""
    alert = await find_alert(ctx, alert_id=data.alert_id) if data.alert_id else None
    if alert is not None:
        _same_venue(data, alert.venue_id, "alert_id")
    if data.visit_id is not None:
        visit = await find_visit(ctx, visit_id=data.visit_id)
        _same_venue(data, visit.venue_id, "visit_id")
        return visit.id, visit.patron_id
    return (alert.visit_id, alert.patron_id) if alert else (None, None)


def _same_venue(data: InterventionIn, venue_id: UUID, field: str) -> None:
    if venue_id != data.venue_id:
        raise Invalid(fields={field: "This is of another venue."})


def _said(words: str) -> str:
    if not words.strip():
        raise Invalid(fields={"reason": "Say why; it stands in the safety log."})
    return words.strip()


async def _hold_open(ctx: Ctx, intervention_id: UUID, permission: Permission) -> Any:
    ctx.require(permission)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, intervention_id)
    if row is None:
        raise NotFound
    ctx.require(permission, row["venue_id"])
    if row["status"] != "open":
        raise InterventionResolved
    return row


async def _tell(ctx: Ctx, made: Intervention, event: Any, *, what: str, text: str = "") -> None:
    entity = ("intervention", made.id)
    await log.write(ctx, venue_id=made.venue_id, what=what, entity=entity, patron_id=made.patron_id, text=text)
    ctx.emit(
        event,
        entity=("safety_intervention", made.id),
        venue_id=made.venue_id,
        after={"status": made.status, "escalation": made.escalation, "assigned_to": made.assigned_to},
    )


def _facts(made: Intervention) -> dict[str, Any]:
    names = ("venue_id", "kind", "visit_id", "patron_id", "assigned_to")
    return {"intervention_id": made.id} | {name: getattr(made, name) for name in names}
