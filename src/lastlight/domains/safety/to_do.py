"""Tasks for the floor, made of what happens for safety: one for each alert, SOS call and assigned intervention, ended when it is over.

Their words name no guest, since tasks are read by more people than the safety log and kept for longer: they say where to look.
"""

from typing import Any
from uuid import UUID

from lastlight.domains.safety.alerts import read_alert
from lastlight.domains.safety.interventions import read_intervention
from lastlight.domains.safety.sos import read_sos
from lastlight.domains.tasks import Priority, create_task, had_task, hasten_task, settle_task
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

ALERT, INTERVENTION, SOS = "safety.alert", "safety.intervention", "safety.sos"
"""What their tasks say that they are from; the id beside it is the alert's, the intervention's or the call's."""
PRIORITIES: dict[str, Priority] = {"low": "low", "medium": "normal", "high": "high", "critical": "urgent"}
ALERT_TITLES = {
    "time": "Check on a guest who has been in for long",
    "spend": "Check on a guest who has spent much",
    "drinks": "Check on a guest who drinks fast",
    "age": "Check a guest's age",
    "behaviour": "See to what a colleague has noticed",
    "check": "See to a guest who did not say that all is well",
    "capacity": "The venue is full: one in, one out",
}
INTERVENTION_TITLES = {
    "talk": "Talk to a guest",
    "water": "Bring a guest water",
    "pause_service": "Pause a guest's service",
    "escort": "See a guest out",
    "remove": "Remove a guest",
    "medical": "See to a guest who is unwell",
    "other": "See to an intervention",
}


@job("safety.task_of_alert")
async def task_of_alert(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> str:
    """Give the venue a task to see to an alert; one that escalates makes its task urgent."""
    alert = await read_alert(ctx, alert_id=UUID(data["alert_id"]))
    if alert.status == "cleared":
        return "over"
    if "escalation" in data and await hasten_task(ctx, source=ALERT, source_id=alert.id, priority="urgent"):
        return "hastened"
    if "escalation" not in data and await had_task(ctx, source=ALERT, source_id=alert.id):
        return "made before"
    await create_task(
        ctx,
        venue_id=alert.venue_id,
        title=ALERT_TITLES.get(alert.kind, "See to an alert"),
        details="The alert says what was seen. Acknowledge it there when you are on your way.",
        priority="urgent" if "escalation" in data else PRIORITIES.get(alert.severity, "normal"),
        source=ALERT,
        source_id=alert.id,
    )
    return "made"


@job("safety.task_of_intervention")
async def task_of_intervention(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> str:
    """Give whom an intervention was assigned to its task; one that was assigned anew gets another."""
    made = await read_intervention(ctx, intervention_id=UUID(data["intervention_id"]))
    if made.status != "open" or made.assigned_to is None or str(made.assigned_to) != data["assigned_to"]:
        return "over"
    await settle_task(ctx, source=INTERVENTION, source_id=made.id, reason="It was assigned to somebody else.")
    await create_task(
        ctx,
        venue_id=made.venue_id,
        title=INTERVENTION_TITLES.get(made.kind, "See to an intervention"),
        details="The intervention says what it is about. Resolve it there, with what came of it.",
        priority="high",
        assignee_id=UserId(made.assigned_to),
        source=INTERVENTION,
        source_id=made.id,
    )
    return "made"


@job("safety.task_of_sos")
async def task_of_sos(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> str:
    """Give the venue a task for a call for help."""
    call = await read_sos(ctx, sos_id=UUID(data["sos_id"]))
    if call.status == "resolved" or await had_task(ctx, source=SOS, source_id=call.id):
        return "over or made before"
    where = f": {call.place}" if call.place else ""
    await create_task(
        ctx,
        venue_id=call.venue_id,
        title=f"{'Help a guest who calls for it' if call.patron_id else 'Help a colleague who pressed SOS'}{where}"[
            :160
        ],
        details="Say on the SOS page that you are on your way.",
        priority="urgent",
        source=SOS,
        source_id=call.id,
    )
    return "made"


@job("safety.settle_task")
async def settle_safety_task(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> str:
    """End the task of an alert, an intervention or a call that is over, unless somebody works on it."""
    for source, name in ((ALERT, "alert_id"), (INTERVENTION, "intervention_id"), (SOS, "sos_id")):
        if name in data:
            task = await settle_task(ctx, source=source, source_id=UUID(data[name]), reason="It is over.")
            return "settled" if task else "nothing to settle"
    return "of nothing"


TO_DO_JOBS = (task_of_alert, task_of_intervention, task_of_sos, settle_safety_task)
