"""What clients send about safety."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from lastlight.domains.checkins import ClaimedAt, Proof
from lastlight.domains.safety.model import Answer, Contact, IncidentKind, InterventionKind, Severity, SosSeverity
from lastlight.kernel.ids import VenueId, VisitId
from lastlight.runtime.http import Input

Words = Annotated[str, msgspec.Meta(max_length=2000)]
SomeWords = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
MOST_SPEND = 1_000_000_000_000
"""In minor units."""


class ThresholdsIn(Input, frozen=True, kw_only=True):
    """A venue's thresholds, all of them; null: not watched."""

    minutes_inside: Annotated[int, msgspec.Meta(ge=1, le=2880)] | None = None
    spend_minor: Annotated[int, msgspec.Meta(ge=1, le=MOST_SPEND)] | None = None
    drinks_per_hour: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    least_age: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    interventions: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    full_percent: Annotated[int, msgspec.Meta(ge=10, le=100)] = 100
    alert_escalates_s: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 300
    sos_escalates_s: Annotated[int, msgspec.Meta(ge=15, le=3600)] = 60


class AlertIn(Input, frozen=True, kw_only=True):
    """A behaviour that staff saw."""

    venue_id: VenueId
    summary: Title
    severity: Severity = "medium"
    visit_id: VisitId | None = None


class ReasonIn(Input, frozen=True, kw_only=True):
    """Why it is over, or what came of it."""

    reason: SomeWords


class InterventionIn(Input, frozen=True, kw_only=True):
    """What staff did. A visit or an alert says whom it is about."""

    venue_id: VenueId
    kind: InterventionKind
    note: Words = ""
    visit_id: VisitId | None = None
    alert_id: UUID | None = None
    incident_id: UUID | None = None


class AssignmentIn(Input, frozen=True, kw_only=True):
    """Who is to see to it."""

    user_id: UUID


class SosIn(Input, frozen=True, kw_only=True):
    """A call for help; `pressed_at` is the phone's own clock. The Idempotency-Key is the call's id: sent twice, it is one call."""

    venue_id: VenueId
    place: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    severity: SosSeverity = "urgent"
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    silent: bool = False
    pressed_at: datetime | None = None


class IncidentIn(Input, frozen=True, kw_only=True):
    """Something that happened; the alerts named are linked to it."""

    venue_id: VenueId
    kind: IncidentKind
    title: Title
    severity: Severity = "medium"
    note: Words = ""
    alert_ids: Annotated[list[UUID], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list[UUID])


class EntryIn(Input, frozen=True, kw_only=True):
    """A line for the timeline; with an alert, the alert is linked."""

    text: Words = ""
    alert_id: UUID | None = None


class BroadcastIn(Input, frozen=True, kw_only=True):
    """A word to all staff of a venue."""

    venue_id: VenueId
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    urgent: bool = False


class CheckIn(Input, frozen=True, kw_only=True):
    """A question to a guest who is in."""

    visit_id: VisitId
    question: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "Are you all right?"
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5


class AnswerIn(Input, frozen=True, kw_only=True):
    """A guest's answer; a proof signs `safety-check/{id}/{answer}` in the code's place, for one that comes late."""

    answer: Answer
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    claimed_at: ClaimedAt | None = None
    proof: Proof | None = None


class ContactsIn(Input, frozen=True, kw_only=True):
    """Whom a venue calls, all of them, in the order of calling."""

    contacts: Annotated[list[Contact], msgspec.Meta(max_length=8)]


class FiguresQuery(Input, frozen=True, kw_only=True):
    """Of which venue (none named: all that one may see), over how many days back."""

    venue_id: VenueId | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 28
