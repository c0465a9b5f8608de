"""Safety as it is kept: thresholds, alerts, interventions, SOS calls, incidents, broadcasts, checks."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.ids import PatronId, VenueId, VisitId

Severity = Literal["low", "medium", "high", "critical"]
AlertKind = Literal["time", "spend", "drinks", "age", "behaviour", "check", "capacity"]
InterventionKind = Literal["talk", "water", "pause_service", "escort", "remove", "medical", "other"]
SosSeverity = Literal["assist", "urgent", "emergency"]
IncidentKind = Literal["sos", "injury", "fight", "theft", "fire", "harassment", "intoxication", "device", "other"]
EntryKind = Literal["opened", "note", "alert", "intervention", "sos", "resolved", "reopened"]
Answer = Literal["fine", "help"]

SEVERITY_OF_SOS: dict[str, Severity] = {"assist": "medium", "urgent": "high", "emergency": "critical"}
HIGHEST_ESCALATION = 3


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue watches; None: not watched. Version 0: nobody has set them, and these are the platform's."""

    venue_id: VenueId
    minutes_inside: int | None = None
    spend_minor: int | None = None
    drinks_per_hour: int | None = 4
    least_age: int | None = None
    interventions: int | None = 3
    full_percent: int = 100
    alert_escalates_s: int = 300
    sos_escalates_s: int = 60
    version: int = 0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that staff should look at."""

    id: UUID
    venue_id: VenueId
    venue: str
    kind: AlertKind
    severity: Severity
    status: Literal["raised", "acknowledged", "cleared"]
    visit_id: VisitId | None
    patron_id: PatronId | None
    patron: str
    incident_id: UUID | None
    summary: str
    facts: dict[str, Any]
    raised_at: datetime
    raised_by: UUID | None
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    cleared_at: datetime | None
    cleared_by: UUID | None
    clear_reason: str
    escalation: int
    escalates_at: datetime | None
    version: int


class Intervention(msgspec.Struct, frozen=True, kw_only=True):
    """What staff did about a guest or a situation."""

    id: UUID
    venue_id: VenueId
    venue: str
    kind: InterventionKind
    status: Literal["open", "resolved"]
    note: str
    visit_id: VisitId | None
    patron_id: PatronId | None
    patron: str
    alert_id: UUID | None
    incident_id: UUID | None
    assigned_to: UUID | None
    assignee: str
    assigned_at: datetime | None
    escalation: int
    escalated_at: datetime | None
    recorded_at: datetime
    recorded_by: UUID | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    outcome: str
    version: int


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """Who has heard an SOS call and how fast they said so; `coming_at` says that they are on the way."""

    user_id: UUID
    name: str
    at: datetime
    response_seconds: int
    coming_at: datetime | None


class SosCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call for help, by somebody of the staff or by a guest who is in."""

    id: UUID
    venue_id: VenueId
    venue: str
    severity: SosSeverity
    place: str
    note: str
    silent: bool
    status: Literal["raised", "acknowledged", "resolved"]
    incident_id: UUID
    pressed_by: UUID
    caller: str
    pressed_at: datetime
    received_at: datetime
    acknowledged_at: datetime | None
    response_seconds: int | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    escalation: int
    escalates_at: datetime | None
    version: int
    patron_id: PatronId | None = None
    """Of a guest's call: the guest, whose first name is the caller's."""
    visit_id: VisitId | None = None
    about: str | None = None
    withdrawn_at: datetime | None = None
    """Since when the guest says that they need no help any more."""
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    acknowledgements: list[Acknowledgement] = msgspec.field(default_factory=list[Acknowledgement])


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an incident's timeline."""

    id: UUID
    at: datetime
    user_id: UUID | None
    name: str
    kind: EntryKind
    text: str
    ref_id: UUID | None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened and is kept, with its timeline."""

    id: UUID
    number: int
    venue_id: VenueId
    venue: str
    kind: IncidentKind
    severity: Severity
    title: str
    status: Literal["open", "resolved"]
    opened_at: datetime
    opened_by: UUID | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    resolution: str
    version: int
    timeline: list[Entry] = msgspec.field(default_factory=list[Entry])


class Broadcast(msgspec.Struct, frozen=True, kw_only=True):
    """A word to all staff of a venue."""

    id: UUID
    venue_id: VenueId
    venue: str
    text: str
    urgent: bool
    sent_by: UUID | None
    name: str
    sent_at: datetime


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Who has seen a broadcast, and when."""

    user_id: UUID
    name: str
    seen_at: datetime


class BroadcastDetail(Broadcast, frozen=True, kw_only=True):
    """A broadcast with who has seen it, first to last, and who of the venue has not."""

    receipts: list[Receipt]
    unseen: list[str]


class Contact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to call in an emergency; with `told`, an e-mail reaches them when nobody has answered."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    phone: Annotated[str, msgspec.Meta(max_length=40, pattern=r"^(\+?[0-9][0-9 ()/-]{1,38})?$(?!\n)")] = ""
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    told: bool = False


class EmergencyContacts(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a venue calls, in the order of calling. Version 0: nobody has set any."""

    venue_id: VenueId
    contacts: list[Contact] = msgspec.field(default_factory=list[Contact])
    version: int = 0


class FloorGuest(msgspec.Struct, frozen=True, kw_only=True):
    """A guest who is in, and how near each threshold; a share of 1 is the threshold itself, None is not watched."""

    visit_id: VisitId
    patron_id: PatronId
    patron: str
    opened_at: datetime
    minutes: int
    drinks_last_hour: int
    spend_minor: int
    age: int | None
    under_age: bool
    open_alerts: int
    time_share: float | None
    drinks_share: float | None
    spend_share: float | None
    nearest: float


class ResponseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How fast SOS calls and alerts were answered within a span; seconds, None where there was none."""

    sos_calls: int
    sos_answered: int
    sos_escalated: int
    sos_median_s: int | None
    sos_slowest_s: int | None
    alerts: int
    alerts_answered: int
    alerts_escalated: int
    alerts_median_s: int | None
    alerts_slowest_s: int | None


class SafetyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A question whether all is well, and its answer."""

    id: UUID
    venue_id: VenueId
    venue: str
    visit_id: VisitId
    patron_id: PatronId
    question: str
    asked_at: datetime
    expires_at: datetime
    answer: Answer | None
    note: str
    answered_at: datetime | None
    missed_at: datetime | None


class FloorState(msgspec.Struct, frozen=True, kw_only=True):
    """How full a venue is, and whether the door lets one in for one out."""

    venue_id: VenueId
    inside: int
    capacity: int | None
    full_at: int | None
    one_in_one_out: bool
    room: int | None


def floor_state(*, venue_id: VenueId, inside: int, capacity: int | None, full_percent: int) -> FloorState:
    """Judge a venue's occupancy; without a capacity it is never full."""
    full_at = None if capacity is None else max(1, capacity * full_percent // 100)
    return FloorState(
        venue_id=venue_id,
        inside=inside,
        capacity=capacity,
        full_at=full_at,
        one_in_one_out=full_at is not None and inside >= full_at,
        room=None if full_at is None else max(0, full_at - inside),
    )
