"""The kinds of event that the source documents name, each with the events of ours that it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedEvents:
    """A document's word for something that happens live, and our events for it."""

    document: str
    word: str
    events: tuple[str, ...]


NAMED_EVENTS: tuple[NamedEvents, ...] = (
    NamedEvents("L", "session updates: check-in", ("checkin.verified", "visit.opened")),
    NamedEvents("L", "session updates: check-out", ("visit.closed", "visit.timed_out")),
    NamedEvents("L", "session updates: status changes", ("visit.corrected", "checkin.revoked", "checkin.flagged")),
    NamedEvents("L", "staff tasks: assignments", ("task.created", "task.assigned", "task.reminded", "task.changed")),
    NamedEvents("L", "staff tasks: completions", ("task.started", "task.finished", "task.cancelled", "task.commented")),
    NamedEvents(
        "L", "emergency alerts: SOS", ("sos.raised", "sos.acknowledged", "sos.coming", "sos.escalated", "sos.resolved")
    ),
    NamedEvents("L", "emergency alerts: broadcasts", ("broadcast.sent", "broadcast.seen")),
    NamedEvents(
        "L",
        "safety system: alerts (alert.*)",
        ("safety.alert_raised", "safety.alert_acknowledged", "safety.alert_escalated", "safety.alert_cleared"),
    ),
    NamedEvents(
        "L",
        "safety system: interventions (safety.*)",
        (
            "safety.intervention_recorded",
            "safety.intervention_assigned",
            "safety.intervention_escalated",
            "safety.intervention_resolved",
            "safety_check.asked",
            "safety_check.answered",
            "incident.opened",
            "incident.noted",
            "incident.resolved",
        ),
    ),
    NamedEvents("L", "system notifications (system.*)", ("system.hello", "system.gap", "system.goodbye")),
    NamedEvents("N", "stream of new check-ins", ("checkin.verified",)),
    NamedEvents(
        "N",
        "hardware health (device.*, alert.*)",
        (
            "device.updated",
            "device.alert_raised",
            "device.alert_acknowledged",
            "device.alert_cleared",
            "device.revoked",
        ),
    ),
    NamedEvents(
        "R",
        "business updates (tenant.*)",
        (
            "tenant.registered",
            "tenant.approved",
            "tenant.rejected",
            "tenant.suspended",
            "tenant.reactivated",
            "tenant.changed",
            "tenant.module_changed",
        ),
    ),
    NamedEvents(
        "R", "transactions (transaction.*)", ("transaction.posted", "transaction.held", "transaction.released")
    ),
    NamedEvents("R", "system events (system.*)", ("platform.tenant_changed", "drill.ran", "system.hello")),
)
SYSTEM_MESSAGES = ("system.hello", "system.gap", "system.goodbye")
"""What the socket itself says; no stream keeps it."""
