"""What happens for safety. Words of staff and names of guests are not in it: pages refetch, so that erasure finds no copy."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.safety.permissions import SAFETY_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class SafetyEvent(Event, frozen=True, kw_only=True):
    """Something at a venue that its staff, managers and owners hear."""

    audience: ClassVar[Permission | None] = SAFETY_READ
    venue_id: UUID


class ThresholdsChanged(SafetyEvent, frozen=True, kw_only=True):
    """A venue watches something else."""

    event_name: ClassVar[str] = "safety.thresholds_changed"
    version: int


class ContactsChanged(SafetyEvent, frozen=True, kw_only=True):
    """A venue calls other people in an emergency."""

    event_name: ClassVar[str] = "safety.contacts_changed"
    version: int


class AlertEvent(SafetyEvent, frozen=True, kw_only=True):
    """An alert, and what it is about."""

    alert_id: UUID
    kind: str
    severity: str
    visit_id: UUID | None
    patron_id: UUID | None


class AlertRaised(AlertEvent, frozen=True, kw_only=True):
    """A threshold was crossed, a pattern seen, or somebody asks for an eye on something."""

    event_name: ClassVar[str] = "safety.alert_raised"
    webhook: ClassVar[bool] = True


class AlertAcknowledged(AlertEvent, frozen=True, kw_only=True):
    """Somebody sees to an alert."""

    event_name: ClassVar[str] = "safety.alert_acknowledged"


class AlertCleared(AlertEvent, frozen=True, kw_only=True):
    """An alert is over."""

    event_name: ClassVar[str] = "safety.alert_cleared"


class AlertEscalated(AlertEvent, frozen=True, kw_only=True):
    """Nobody answered an alert in time."""

    event_name: ClassVar[str] = "safety.alert_escalated"
    webhook: ClassVar[bool] = True
    escalation: int


class InterventionEvent(SafetyEvent, frozen=True, kw_only=True):
    """An intervention, and whom it is about."""

    intervention_id: UUID
    kind: str
    visit_id: UUID | None
    patron_id: UUID | None
    assigned_to: UUID | None


class InterventionRecorded(InterventionEvent, frozen=True, kw_only=True):
    """Staff did something about a guest or a situation."""

    event_name: ClassVar[str] = "safety.intervention_recorded"


class InterventionAssigned(InterventionEvent, frozen=True, kw_only=True):
    """Somebody is to see to it."""

    event_name: ClassVar[str] = "safety.intervention_assigned"


class InterventionEscalated(InterventionEvent, frozen=True, kw_only=True):
    """It needs somebody above."""

    event_name: ClassVar[str] = "safety.intervention_escalated"
    escalation: int


class InterventionResolvedEvent(InterventionEvent, frozen=True, kw_only=True):
    """It is done."""

    event_name: ClassVar[str] = "safety.intervention_resolved"


class SosEvent(SafetyEvent, frozen=True, kw_only=True):
    """An SOS call: how bad, where, by whom. A silent one makes no sound near its caller."""

    sos_id: UUID
    incident_id: UUID
    severity: str
    place: str
    silent: bool
    pressed_by: UUID
    guest: bool = False


class SosRaised(SosEvent, frozen=True, kw_only=True):
    """Somebody of the staff needs help now."""

    event_name: ClassVar[str] = "sos.raised"
    webhook: ClassVar[bool] = True
    pressed_at: datetime
    received_at: datetime


class SosAcknowledged(SosEvent, frozen=True, kw_only=True):
    """Somebody has heard it."""

    event_name: ClassVar[str] = "sos.acknowledged"
    user_id: UUID
    name: str
    response_seconds: int


class SosComing(SosEvent, frozen=True, kw_only=True):
    """Somebody is on the way."""

    event_name: ClassVar[str] = "sos.coming"
    user_id: UUID
    name: str


class SosEscalated(SosEvent, frozen=True, kw_only=True):
    """Nobody answered in time: it is told again, louder."""

    event_name: ClassVar[str] = "sos.escalated"
    webhook: ClassVar[bool] = True
    escalation: int


class SosChanged(SosEvent, frozen=True, kw_only=True):
    """The guest who called said more, or took the call back."""

    event_name: ClassVar[str] = "sos.changed"


class SosResolvedEvent(SosEvent, frozen=True, kw_only=True):
    """The call is over."""

    event_name: ClassVar[str] = "sos.resolved"


class HelpEvent(Event, frozen=True, kw_only=True):
    """A guest's call for help; the guest alone hears it, staff hear the SOS call of the same id."""

    help_id: UUID
    venue_id: UUID


class HelpCalled(HelpEvent, frozen=True, kw_only=True):
    """A guest who is in calls for help."""

    event_name: ClassVar[str] = "help.called"


class HelpSaidMore(HelpEvent, frozen=True, kw_only=True):
    """The guest said more about it."""

    event_name: ClassVar[str] = "help.said_more"


class HelpWithdrawn(HelpEvent, frozen=True, kw_only=True):
    """The guest needs no help any more."""

    event_name: ClassVar[str] = "help.withdrawn"


class HelpAnswered(HelpEvent, frozen=True, kw_only=True):
    """Somebody has heard it or comes, nobody has and it was told again, or it is over."""

    event_name: ClassVar[str] = "help.answered"
    status: str


class IncidentEvent(SafetyEvent, frozen=True, kw_only=True):
    """An incident and its number."""

    incident_id: UUID
    number: int
    kind: str
    severity: str


class IncidentOpened(IncidentEvent, frozen=True, kw_only=True):
    """Something happened that is kept."""

    event_name: ClassVar[str] = "incident.opened"
    webhook: ClassVar[bool] = True


class IncidentNoted(IncidentEvent, frozen=True, kw_only=True):
    """A line was added to its timeline."""

    event_name: ClassVar[str] = "incident.noted"
    entry_id: UUID


class IncidentResolvedEvent(IncidentEvent, frozen=True, kw_only=True):
    """It is closed, with what came of it."""

    event_name: ClassVar[str] = "incident.resolved"
    webhook: ClassVar[bool] = True


class BroadcastSent(SafetyEvent, frozen=True, kw_only=True):
    """A word to all staff of a venue."""

    event_name: ClassVar[str] = "broadcast.sent"
    broadcast_id: UUID
    urgent: bool


class BroadcastSeen(SafetyEvent, frozen=True, kw_only=True):
    """Somebody has seen a broadcast."""

    event_name: ClassVar[str] = "broadcast.seen"
    broadcast_id: UUID
    user_id: UUID


class CheckAsked(Event, frozen=True, kw_only=True):
    """A guest is asked whether all is well; the guest alone hears it."""

    event_name: ClassVar[str] = "safety_check.asked"
    check_id: UUID
    visit_id: UUID
    venue_id: UUID
    expires_at: datetime


class CheckAnswered(SafetyEvent, frozen=True, kw_only=True):
    """A guest answered, or did not in time (`missed`)."""

    event_name: ClassVar[str] = "safety_check.answered"
    check_id: UUID
    visit_id: UUID
    patron_id: UUID
    answer: str


EVENTS = (
    ThresholdsChanged,
    ContactsChanged,
    AlertRaised,
    AlertAcknowledged,
    AlertCleared,
    AlertEscalated,
    InterventionRecorded,
    InterventionAssigned,
    InterventionEscalated,
    InterventionResolvedEvent,
    SosRaised,
    SosAcknowledged,
    SosComing,
    SosEscalated,
    SosChanged,
    SosResolvedEvent,
    HelpCalled,
    HelpSaidMore,
    HelpWithdrawn,
    HelpAnswered,
    IncidentOpened,
    IncidentNoted,
    IncidentResolvedEvent,
    BroadcastSent,
    BroadcastSeen,
    CheckAsked,
    CheckAnswered,
)
