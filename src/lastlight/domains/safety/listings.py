"""The lists of safety: alerts, interventions, incidents, SOS calls, broadcasts, checks, and the log."""

from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import msgspec

from lastlight.domains.safety import model
from lastlight.domains.safety.permissions import SAFETY_LOG, SAFETY_READ
from lastlight.kernel.ids import PatronId, TenantId, VenueId, VisitId
from lastlight.runtime.http.listing import Column, Filter, Listing


def _choices(kind: Any) -> tuple[tuple[str, str], ...]:
    words = ((value, value.replace("_", " ").capitalize()) for value in get_args(kind))
    return tuple((value, "SOS" if word == "Sos" else word) for value, word in words)


SEVERITIES = _choices(model.Severity)
ALERT_KINDS = _choices(model.AlertKind)
ALERT_STATUSES = (("raised", "Raised"), ("acknowledged", "Acknowledged"), ("cleared", "Cleared"))
INTERVENTION_KINDS = _choices(model.InterventionKind)
INCIDENT_KINDS = _choices(model.IncidentKind)
SOS_SEVERITIES = _choices(model.SosSeverity)
SOS_STATUSES = (("raised", "Raised"), ("acknowledged", "Acknowledged"), ("resolved", "Resolved"))
OPEN_STATUSES = (("open", "Open"), ("resolved", "Resolved"))
ANSWERS = (("fine", "Fine"), ("help", "Needs help"))


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


class SosRow(msgspec.Struct, frozen=True, kw_only=True):
    """An SOS call in a list."""

    id: UUID
    received_at: datetime
    pressed_at: datetime
    venue_id: VenueId
    venue: str
    severity: str
    place: str
    status: str
    silent: bool
    incident_id: UUID
    pressed_by: UUID
    caller: str
    guest: bool
    response_seconds: int | None
    escalation: int
    version: int


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


def _id(sql: str, name: str = "id", label: str = "Id") -> Column:
    return Column(name=name, sql=sql, label=label, kind="uuid", shown=False)


def _time(name: str, sql: str, label: str, *, sort: bool = False, shown: bool = True) -> Column:
    return Column(name=name, sql=sql, label=label, kind="time", sort=sort, shown=shown)


def _enum(name: str, sql: str, label: str, choices: tuple[tuple[str, str], ...]) -> Column:
    return Column(name=name, sql=sql, label=label, kind="enum", choices=choices, sort=True)


def _number(name: str, sql: str, label: str, *, sort: bool = False, shown: bool = True) -> Column:
    return Column(name=name, sql=sql, label=label, kind="number", sort=sort, shown=shown)


def _by(name: str, sql: str, label: str, choices: tuple[tuple[str, str], ...]) -> Filter:
    return Filter(name=name, sql=sql, label=label, kind="enum", choices=choices)


def _place(of: str) -> tuple[Column, ...]:
    return (_id(f"{of}.venue_id", "venue_id", "Venue id"), Column(name="venue", sql="w.name", label="Venue", sort=True))


def _business(of: str) -> tuple[Column, ...]:
    return (
        _id(f"{of}.tenant_id", "tenant_id", "Business id"),
        Column(name="tenant", sql="t.name", label="Business", sort=True),
    )


def _at_venue(of: str) -> Filter:
    return Filter(name="venue_id", sql=f"{of}.venue_id", label="Venue", kind="uuid")


ALERTS = Listing(
    name="safety_alerts",
    label="Alerts",
    row=AlertRow,
    permission=SAFETY_READ,
    source="""safety_alerts a
join venues w on w.tenant_id = a.tenant_id and w.id = a.venue_id
left join patrons p on p.tenant_id = a.tenant_id and p.id = a.patron_id""",
    tenant="a.tenant_id",
    venue="a.venue_id",
    key="a.id",
    columns=(
        _id("a.id"),
        _time("raised_at", "a.raised_at", "Raised", sort=True),
        *_place("a"),
        _enum("kind", "a.kind", "Kind", ALERT_KINDS),
        _enum("severity", "a.severity", "Severity", SEVERITIES),
        _enum("status", "a.status", "Status", ALERT_STATUSES),
        Column(name="summary", sql="a.summary", label="What"),
        _id("a.visit_id", "visit_id", "Visit id"),
        _id("a.patron_id", "patron_id", "Guest id"),
        Column(name="patron", sql="coalesce(p.name, '')", label="Guest"),
        _id("a.incident_id", "incident_id", "Incident id"),
        _time("acknowledged_at", "a.acknowledged_at", "Acknowledged", shown=False),
        _time("cleared_at", "a.cleared_at", "Cleared", shown=False),
        _number("escalation", "a.escalation", "Escalated"),
        _number("version", "a.version", "Version", shown=False),
    ),
    filters=(
        _at_venue("a"),
        Filter(name="visit_id", sql="a.visit_id", label="Visit", kind="uuid"),
        Filter(name="patron_id", sql="a.patron_id", label="Guest", kind="uuid"),
        _by("kind", "a.kind", "Kind", ALERT_KINDS),
        _by("severity", "a.severity", "Severity", SEVERITIES),
        _by("status", "a.status", "Status", ALERT_STATUSES),
        Filter(name="raised_at", sql="a.raised_at", label="Raised", kind="time"),
    ),
    search=("a.summary", "p.name"),
    sort="-raised_at",
)
CREW_ALERTS = Listing(
    name="crew_alerts",
    label="Alerts of all businesses",
    row=CrewAlertRow,
    permission=SAFETY_READ,
    source=ALERTS.source + " join tenants t on t.id = a.tenant_id",
    tenant="a.tenant_id",
    venue="a.venue_id",
    key="a.id",
    columns=(ALERTS.columns[0], *_business("a"), *ALERTS.columns[1:]),
    filters=(*ALERTS.filters, Filter(name="tenant_id", sql="a.tenant_id", label="Business", kind="uuid")),
    search=(*ALERTS.search, "t.name", "w.name"),
    sort=ALERTS.sort,
    cross_tenant=True,
)
INTERVENTIONS = Listing(
    name="safety_interventions",
    label="Interventions",
    row=InterventionRow,
    permission=SAFETY_READ,
    source="""safety_interventions i
join venues w on w.tenant_id = i.tenant_id and w.id = i.venue_id
left join patrons p on p.tenant_id = i.tenant_id and p.id = i.patron_id
left join users u on u.id = i.assigned_to""",
    tenant="i.tenant_id",
    venue="i.venue_id",
    key="i.id",
    columns=(
        _id("i.id"),
        _time("recorded_at", "i.recorded_at", "Recorded", sort=True),
        *_place("i"),
        _enum("kind", "i.kind", "Kind", INTERVENTION_KINDS),
        _enum("status", "i.status", "Status", OPEN_STATUSES),
        _id("i.patron_id", "patron_id", "Guest id"),
        Column(name="patron", sql="coalesce(p.name, '')", label="Guest"),
        _id("i.visit_id", "visit_id", "Visit id"),
        _id("i.alert_id", "alert_id", "Alert id"),
        _id("i.incident_id", "incident_id", "Incident id"),
        _id("i.assigned_to", "assigned_to", "Assigned to (id)"),
        Column(name="assignee", sql="coalesce(u.name, '')", label="Assigned to"),
        _number("escalation", "i.escalation", "Escalated"),
        _time("resolved_at", "i.resolved_at", "Resolved"),
        _number("version", "i.version", "Version", shown=False),
    ),
    filters=(
        _at_venue("i"),
        Filter(name="patron_id", sql="i.patron_id", label="Guest", kind="uuid"),
        Filter(name="assigned_to", sql="i.assigned_to", label="Assigned to", kind="uuid"),
        _by("kind", "i.kind", "Kind", INTERVENTION_KINDS),
        _by("status", "i.status", "Status", OPEN_STATUSES),
        Filter(name="recorded_at", sql="i.recorded_at", label="Recorded", kind="time"),
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
    tenant="i.tenant_id",
    venue="i.venue_id",
    key="i.id",
    columns=(
        _id("i.id"),
        _number("number", "i.number", "No.", sort=True),
        _time("opened_at", "i.opened_at", "Opened", sort=True),
        *_place("i"),
        _enum("kind", "i.kind", "Kind", INCIDENT_KINDS),
        _enum("severity", "i.severity", "Severity", SEVERITIES),
        Column(name="title", sql="i.title", label="What"),
        _enum("status", "i.status", "Status", OPEN_STATUSES),
        _time("resolved_at", "i.resolved_at", "Resolved"),
        _number("version", "i.version", "Version", shown=False),
    ),
    filters=(
        _at_venue("i"),
        _by("kind", "i.kind", "Kind", INCIDENT_KINDS),
        _by("severity", "i.severity", "Severity", SEVERITIES),
        _by("status", "i.status", "Status", OPEN_STATUSES),
        Filter(name="opened_at", sql="i.opened_at", label="Opened", kind="time"),
    ),
    search=("i.title",),
    sort="-opened_at",
)
CREW_INCIDENTS = Listing(
    name="crew_incidents",
    label="Incidents of all businesses",
    row=CrewIncidentRow,
    permission=SAFETY_READ,
    source=INCIDENTS.source + " join tenants t on t.id = i.tenant_id",
    tenant="i.tenant_id",
    venue="i.venue_id",
    key="i.id",
    columns=(INCIDENTS.columns[0], *_business("i"), *INCIDENTS.columns[1:]),
    filters=(*INCIDENTS.filters, Filter(name="tenant_id", sql="i.tenant_id", label="Business", kind="uuid")),
    search=(*INCIDENTS.search, "t.name", "w.name"),
    sort=INCIDENTS.sort,
    cross_tenant=True,
)
SOS_CALLS = Listing(
    name="sos_calls",
    label="SOS calls",
    row=SosRow,
    permission=SAFETY_READ,
    source="""sos_calls s
join venues w on w.tenant_id = s.tenant_id and w.id = s.venue_id
left join users u on u.id = s.pressed_by
left join help_calls h on h.tenant_id = s.tenant_id and h.id = s.id
left join patrons p on p.tenant_id = s.tenant_id and p.id = h.patron_id""",
    tenant="s.tenant_id",
    venue="s.venue_id",
    key="s.id",
    columns=(
        _id("s.id"),
        _time("received_at", "s.received_at", "Received", sort=True),
        _time("pressed_at", "s.pressed_at", "Pressed", shown=False),
        *_place("s"),
        _enum("severity", "s.severity", "Severity", SOS_SEVERITIES),
        Column(name="place", sql="s.place", label="Where"),
        _enum("status", "s.status", "Status", SOS_STATUSES),
        Column(name="silent", sql="s.silent", label="Silent", kind="bool"),
        _id("s.incident_id", "incident_id", "Incident id"),
        _id("s.pressed_by", "pressed_by", "Pressed by (id)"),
        Column(name="caller", sql="coalesce(split_part(p.name, ' ', 1), u.name, '')", label="By"),
        Column(name="guest", sql="h.id is not null", label="By a guest", kind="bool"),
        Column(name="response_seconds", sql="s.response_seconds", label="Answered after", kind="duration"),
        _number("escalation", "s.escalation", "Escalated"),
        _number("version", "s.version", "Version", shown=False),
    ),
    filters=(
        _at_venue("s"),
        _by("severity", "s.severity", "Severity", SOS_SEVERITIES),
        _by("status", "s.status", "Status", SOS_STATUSES),
        Filter(name="guest", sql="h.id is not null", label="By a guest", kind="bool"),
        Filter(name="received_at", sql="s.received_at", label="Received", kind="time"),
    ),
    search=("s.place",),
    sort="-received_at",
)
BROADCASTS = Listing(
    name="broadcasts",
    label="Broadcasts",
    row=model.Broadcast,
    permission=SAFETY_READ,
    source="broadcasts b join venues w on w.tenant_id = b.tenant_id and w.id = b.venue_id",
    tenant="b.tenant_id",
    venue="b.venue_id",
    key="b.id",
    columns=(
        _id("b.id"),
        _time("sent_at", "b.sent_at", "Sent", sort=True),
        *_place("b"),
        Column(name="text", sql="b.text", label="Text"),
        Column(name="urgent", sql="b.urgent", label="Urgent", kind="bool"),
        _id("b.sent_by", "sent_by", "Sender's id"),
        Column(name="name", sql="b.name", label="By"),
    ),
    filters=(_at_venue("b"), Filter(name="sent_at", sql="b.sent_at", label="Sent", kind="time")),
    search=("b.text",),
    sort="-sent_at",
)
CHECKS = Listing(
    name="safety_checks",
    label="Safety checks",
    row=model.SafetyCheck,
    permission=SAFETY_READ,
    source="safety_checks c join venues w on w.tenant_id = c.tenant_id and w.id = c.venue_id",
    tenant="c.tenant_id",
    venue="c.venue_id",
    key="c.id",
    columns=(
        _id("c.id"),
        _time("asked_at", "c.asked_at", "Asked", sort=True),
        *_place("c"),
        _id("c.visit_id", "visit_id", "Visit id"),
        _id("c.patron_id", "patron_id", "Guest id"),
        Column(name="question", sql="c.question", label="Question"),
        _time("expires_at", "c.expires_at", "Until", shown=False),
        Column(name="answer", sql="c.answer", label="Answer", kind="enum", choices=ANSWERS),
        Column(name="note", sql="c.note", label="Note"),
        _time("answered_at", "c.answered_at", "Answered"),
        _time("missed_at", "c.missed_at", "Missed"),
    ),
    filters=(
        _at_venue("c"),
        Filter(name="visit_id", sql="c.visit_id", label="Visit", kind="uuid"),
        _by("answer", "c.answer", "Answer", ANSWERS),
        Filter(name="asked_at", sql="c.asked_at", label="Asked", kind="time"),
    ),
    search=("c.question",),
    sort="-asked_at",
)
LOG = Listing(
    name="safety_log",
    label="Safety log",
    row=LogRow,
    permission=SAFETY_LOG,
    source="safety_log l join venues w on w.tenant_id = l.tenant_id and w.id = l.venue_id",
    tenant="l.tenant_id",
    venue="l.venue_id",
    key="l.id",
    columns=(
        _id("l.id"),
        _time("at", "l.at", "When", sort=True),
        *_place("l"),
        Column(name="name", sql="l.name", label="Who"),
        _id("l.user_id", "user_id", "User id"),
        Column(name="what", sql="l.what", label="What"),
        Column(name="entity", sql="l.entity", label="Of", shown=False),
        _id("l.entity_id", "entity_id", "Of id"),
        _id("l.patron_id", "patron_id", "Guest id"),
        Column(name="text", sql="l.text", label="Words"),
    ),
    filters=(
        _at_venue("l"),
        Filter(name="entity_id", sql="l.entity_id", label="Of", kind="uuid"),
        Filter(name="patron_id", sql="l.patron_id", label="Guest", kind="uuid"),
        Filter(name="at", sql="l.at", label="When", kind="time"),
    ),
    search=("l.what", "l.text", "l.name"),
    sort="-at",
)
LISTINGS = (ALERTS, INTERVENTIONS, INCIDENTS, SOS_CALLS, BROADCASTS, CHECKS, LOG)
