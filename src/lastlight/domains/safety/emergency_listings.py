"""The lists of emergencies: SOS calls, broadcasts, and the safety checks that guests answer."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.safety import model
from lastlight.domains.safety.listings import choices_of
from lastlight.domains.safety.permissions import SAFETY_READ
from lastlight.kernel.ids import VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

SOS_SEVERITIES = choices_of(model.SosSeverity)
SOS_STATUSES = (("raised", "Raised"), ("acknowledged", "Acknowledged"), ("resolved", "Resolved"))
ANSWERS = (("fine", "Fine"), ("help", "Needs help"))


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
    of="s",
    venue="s.venue_id",
    columns=(
        ID,
        Column("received_at", "Received", kind="time", sort=True),
        Column("pressed_at", "Pressed", kind="time", shown=False),
        *VENUE,
        Column("severity", "Severity", kind="enum", choices=SOS_SEVERITIES, sort=True),
        Column("place", "Where"),
        Column("status", "Status", kind="enum", choices=SOS_STATUSES, sort=True),
        Column("silent", "Silent", kind="bool"),
        ref("incident_id", "Incident id"),
        ref("pressed_by", "Pressed by (id)"),
        Column("caller", "By", sql="coalesce(split_part(p.name, ' ', 1), u.name, '')"),
        Column("guest", "By a guest", sql="h.id is not null", kind="bool"),
        Column("response_seconds", "Answered after", kind="duration"),
        Column("escalation", "Escalated", kind="number"),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("severity"),
        Filter("status"),
        Filter("guest"),
        Filter("received_at"),
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
    of="b",
    venue="b.venue_id",
    columns=(
        ID,
        Column("sent_at", "Sent", kind="time", sort=True),
        *VENUE,
        Column("text", "Text"),
        Column("urgent", "Urgent", kind="bool"),
        ref("sent_by", "Sender's id"),
        Column("name", "By"),
    ),
    filters=(AT_VENUE, Filter("sent_at")),
    search=("b.text",),
    sort="-sent_at",
)
CHECKS = Listing(
    name="safety_checks",
    label="Safety checks",
    row=model.SafetyCheck,
    permission=SAFETY_READ,
    source="safety_checks c join venues w on w.tenant_id = c.tenant_id and w.id = c.venue_id",
    of="c",
    venue="c.venue_id",
    columns=(
        ID,
        Column("asked_at", "Asked", kind="time", sort=True),
        *VENUE,
        ref("visit_id", "Visit id"),
        ref("patron_id", "Guest id"),
        Column("question", "Question"),
        Column("expires_at", "Until", kind="time", shown=False),
        Column("answer", "Answer", kind="enum", choices=ANSWERS),
        Column("note", "Note"),
        Column("answered_at", "Answered", kind="time"),
        Column("missed_at", "Missed", kind="time"),
    ),
    filters=(
        AT_VENUE,
        Filter("visit_id", "Visit"),
        Filter("answer"),
        Filter("asked_at"),
    ),
    search=("c.question",),
    sort="-asked_at",
)
