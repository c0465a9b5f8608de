"""The lists of safety: alerts, interventions, incidents, and the log."""

from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import msgspec

from lastlight.domains.safety import model
from lastlight.domains.safety.permissions import SAFETY_LOG, SAFETY_READ
from lastlight.kernel.ids import PatronId, TenantId, VenueId, VisitId
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing, of_all_businesses


def choices_of(kind: Any) -> tuple[tuple[str, str], ...]:
    """The values of a literal type with the words for them."""
    words = ((value, value.replace("_", " ").capitalize()) for value in get_args(kind))
    return tuple((value, "SOS" if word == "Sos" else word) for value, word in words)


SEVERITIES = choices_of(model.Severity)
ALERT_KINDS = choices_of(model.AlertKind)
ALERT_STATUSES = (("raised", "Raised"), ("acknowledged", "Acknowledged"), ("cleared", "Cleared"))
INTERVENTION_KINDS = choices_of(model.InterventionKind)
INCIDENT_KINDS = choices_of(model.IncidentKind)
OPEN_STATUSES = (("open", "Open"), ("resolved", "Resolved"))


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alert in a list."""

    id: UUID
    raised_at: datetime
    venue_id: VenueId
    venue: str
    kind: str
    severity: str
    status: str
    summary: str
    visit_id: VisitId | None
    patron_id: PatronId | None
    patron: str
    incident_id: UUID | None
    acknowledged_at: datetime | None
    cleared_at: datetime | None
    escalation: int
    version: int


class CrewAlertRow(AlertRow, frozen=True, kw_only=True):
    """An alert in the crew's list, with whose it is."""

    tenant_id: TenantId
    tenant: str


class InterventionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An intervention in a list."""

    id: UUID
    recorded_at: datetime
    venue_id: VenueId
    venue: str
    kind: str
    status: str
    patron_id: PatronId | None
    patron: str
    visit_id: VisitId | None
    alert_id: UUID | None
    incident_id: UUID | None
    assigned_to: UUID | None
    assignee: str
    escalation: int
    resolved_at: datetime | None
    version: int


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An incident in a list."""

    id: UUID
    number: int
    opened_at: datetime
    venue_id: VenueId
    venue: str
    kind: str
    severity: str
    title: str
    status: str
    resolved_at: datetime | None
    version: int


class CrewIncidentRow(IncidentRow, frozen=True, kw_only=True):
    """An incident in the crew's list, with whose it is."""

    tenant_id: TenantId
    tenant: str


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the safety log."""

    id: UUID
    at: datetime
    venue_id: VenueId
    venue: str
    name: str
    user_id: UUID | None
    what: str
    entity: str
    entity_id: UUID
    patron_id: PatronId | None
    text: str


ALERTS = Listing(
    name="safety_alerts",
    label="Alerts",
    row=AlertRow,
    permission=SAFETY_READ,
    source="""safety_alerts a
join venues w on w.tenant_id = a.tenant_id and w.id = a.venue_id
left join patrons p on p.tenant_id = a.tenant_id and p.id = a.patron_id""",
    of="a",
    venue="a.venue_id",
    columns=(
        ID,
        Column("raised_at", "Raised", kind="time", sort=True),
        *VENUE,
        Column("kind", "Kind", kind="enum", choices=ALERT_KINDS, sort=True),
        Column("severity", "Severity", kind="enum", choices=SEVERITIES, sort=True),
        Column("status", "Status", kind="enum", choices=ALERT_STATUSES, sort=True),
        Column("summary", "What"),
        ref("visit_id", "Visit id"),
        ref("patron_id", "Guest id"),
        Column("patron", "Guest", sql="coalesce(p.name, '')"),
        ref("incident_id", "Incident id"),
        Column("acknowledged_at", "Acknowledged", kind="time", shown=False),
        Column("cleared_at", "Cleared", kind="time", shown=False),
        Column("escalation", "Escalated", kind="number"),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("visit_id", "Visit"),
        Filter("patron_id", "Guest"),
        Filter("kind"),
        Filter("severity"),
        Filter("status"),
        Filter("raised_at"),
    ),
    search=("a.summary", "p.name"),
    sort="-raised_at",
)
CREW_ALERTS = of_all_businesses(ALERTS, row=CrewAlertRow, name="crew_alerts", label="Alerts of all businesses")
INTERVENTIONS = Listing(
    name="safety_interventions",
    label="Interventions",
    row=InterventionRow,
    permission=SAFETY_READ,
    source="""safety_interventions i
join venues w on w.tenant_id = i.tenant_id and w.id = i.venue_id
left join patrons p on p.tenant_id = i.tenant_id and p.id = i.patron_id
left join users u on u.id = i.assigned_to""",
    of="i",
    venue="i.venue_id",
    columns=(
        ID,
        Column("recorded_at", "Recorded", kind="time", sort=True),
        *VENUE,
        Column("kind", "Kind", kind="enum", choices=INTERVENTION_KINDS, sort=True),
        Column("status", "Status", kind="enum", choices=OPEN_STATUSES, sort=True),
        ref("patron_id", "Guest id"),
        Column("patron", "Guest", sql="coalesce(p.name, '')"),
        ref("visit_id", "Visit id"),
        ref("alert_id", "Alert id"),
        ref("incident_id", "Incident id"),
        ref("assigned_to", "Assigned to (id)"),
        Column("assignee", "Assigned to", sql="coalesce(u.name, '')"),
        Column("escalation", "Escalated", kind="number"),
        Column("resolved_at", "Resolved", kind="time"),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("patron_id", "Guest"),
        Filter("assigned_to", "Assigned to"),
        Filter("kind"),
        Filter("status"),
        Filter("recorded_at"),
    ),
    search=("p.name",),
    sort="-recorded_at",
)
INCIDENTS = Listing(
    name="incidents",
    label="Incidents",
    row=IncidentRow,
    permission=SAFETY_READ,
    source="incidents i join venues w on w.tenant_id = i.tenant_id and w.id = i.venue_id",
    of="i",
    venue="i.venue_id",
    columns=(
        ID,
        Column("number", "No.", kind="number", sort=True),
        Column("opened_at", "Opened", kind="time", sort=True),
        *VENUE,
        Column("kind", "Kind", kind="enum", choices=INCIDENT_KINDS, sort=True),
        Column("severity", "Severity", kind="enum", choices=SEVERITIES, sort=True),
        Column("title", "What"),
        Column("status", "Status", kind="enum", choices=OPEN_STATUSES, sort=True),
        Column("resolved_at", "Resolved", kind="time"),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("kind"),
        Filter("severity"),
        Filter("status"),
        Filter("opened_at"),
    ),
    search=("i.title",),
    sort="-opened_at",
)
CREW_INCIDENTS = of_all_businesses(
    INCIDENTS, row=CrewIncidentRow, name="crew_incidents", label="Incidents of all businesses"
)
LOG = Listing(
    name="safety_log",
    label="Safety log",
    row=LogRow,
    permission=SAFETY_LOG,
    source="safety_log l join venues w on w.tenant_id = l.tenant_id and w.id = l.venue_id",
    of="l",
    venue="l.venue_id",
    columns=(
        ID,
        Column("at", "When", kind="time", sort=True),
        *VENUE,
        Column("name", "Who"),
        ref("user_id", "User id"),
        Column("what", "What"),
        Column("entity", "Of", shown=False),
        ref("entity_id", "Of id"),
        ref("patron_id", "Guest id"),
        Column("text", "Words"),
    ),
    filters=(
        AT_VENUE,
        Filter("entity_id", "Of"),
        Filter("patron_id", "Guest"),
        Filter("at"),
    ),
    search=("l.what", "l.text", "l.name"),
    sort="-at",
)
