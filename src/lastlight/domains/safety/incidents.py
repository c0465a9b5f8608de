"""Incidents: opened, told line by line, resolved; the timeline is only ever added to."""

from datetime import UTC
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.safety import log
from lastlight.domains.safety.alerts import link_alert, read_alert
from lastlight.domains.safety.errors import IncidentResolved
from lastlight.domains.safety.events import IncidentNoted, IncidentOpened, IncidentResolvedEvent
from lastlight.domains.safety.model import Alert, Entry, EntryKind, Incident, IncidentKind, Severity
from lastlight.domains.safety.permissions import SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import EntryIn, IncidentIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import PLATFORM, uuid7
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

INCIDENT = """
select i.id, i.number, i.venue_id, w.name as venue, i.kind, i.severity, i.title, i.status, i.opened_at, i.opened_by, i.resolved_at,
       i.resolved_by, i.resolution, i.version
from incidents i
join venues w on w.tenant_id = $1 and w.id = i.venue_id
where i.tenant_id = $1 and i.id = $2
"""
TIMELINE = """
select id, at, user_id, name, kind, text, ref_id from incident_entries
where tenant_id = $1 and incident_id = $2
order by at, id
limit 1000
"""
LINKED = "select id from safety_alerts where tenant_id = $1 and incident_id = $2 order by raised_at, id limit 50"
LINKABLE = """
select id from safety_alerts
where tenant_id = $1 and venue_id = $2 and incident_id is null and raised_at > $3::timestamptz - interval '1 day'
order by raised_at desc, id desc
limit 20
"""
# Numbers have no gap and no twin: one opening at a time in a tenant takes its number.
TURN = "select pg_advisory_xact_lock(hashtextextended('incidents/' || $1::uuid, 0))"
OPEN = """
insert into incidents (tenant_id, id, number, venue_id, kind, severity, title, opened_at, opened_by)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8 from incidents where tenant_id = $1
"""
ADD = """
insert into incident_entries (tenant_id, id, incident_id, at, user_id, name, kind, text, ref_id)
values ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7, $8)
"""
LOCK = "select venue_id, status, version from incidents where tenant_id = $1 and id = $2 for update"
RESOLVE = """
update incidents set status = 'resolved', resolved_at = $3, resolved_by = $4, resolution = $5 where tenant_id = $1 and id = $2
"""


async def find_incident(ctx: Ctx, *, incident_id: UUID) -> Incident:
    """An incident with its timeline, at a venue that the actor may see."""
    ctx.require(SAFETY_READ)
    incident = await read_incident(ctx, incident_id=incident_id)
    ctx.require(SAFETY_READ, incident.venue_id)
    return incident


async def read_incident(ctx: Ctx, *, incident_id: UUID) -> Incident:
    """An incident with its timeline, for a caller that has seen to the permission."""
    incident = await ctx.db.one(Incident, INCIDENT, ctx.tenant_id, incident_id)
    timeline = await ctx.db.rows(Entry, TIMELINE, ctx.tenant_id, incident_id)
    return msgspec.structs.replace(incident, timeline=timeline)


async def linked_alerts(ctx: Ctx, *, incident_id: UUID) -> list[Alert]:
    """The alerts that belong to an incident, first to last; the caller has seen to the permission."""
    rows = await ctx.db.fetch(LINKED, ctx.tenant_id, incident_id)
    return [await read_alert(ctx, alert_id=row["id"]) for row in rows]


async def linkable_alerts(ctx: Ctx, *, incident: Incident) -> list[Alert]:
    """The venue's alerts of around its opening that belong to no incident yet; none once it is resolved."""
    if incident.status != "open":
        return []
    rows = await ctx.db.fetch(LINKABLE, ctx.tenant_id, incident.venue_id, incident.opened_at)
    return [await read_alert(ctx, alert_id=row["id"]) for row in rows]


async def open_incident(ctx: Ctx, *, data: IncidentIn) -> Incident:
    """Open an incident at a venue and link the alerts that are named."""
    await find_venue(ctx, venue_id=data.venue_id, permission=SAFETY_RESPOND)
    incident_id = await begin_incident(
        ctx,
        venue_id=data.venue_id,
        kind=data.kind,
        severity=data.severity,
        title=data.title.strip(),
        note=data.note.strip(),
    )
    for alert_id in sorted(set(data.alert_ids)):
        await link_alert(ctx, alert_id=alert_id, incident_id=incident_id, venue_id=data.venue_id)
        await add_entry(ctx, incident_id=incident_id, kind="alert", ref_id=alert_id)
    return await read_incident(ctx, incident_id=incident_id)


async def begin_incident(
    ctx: Ctx, *, venue_id: UUID, kind: IncidentKind, severity: Severity, title: str, note: str = ""
) -> UUID:
    """Write a new incident with the next number; the caller has seen to the permission."""
    if not title:
        raise Invalid(fields={"title": "Say in a few words what happened."})
    incident_id = uuid7()
    await ctx.db.execute(TURN, ctx.tenant_id)
    await ctx.db.execute(OPEN, ctx.tenant_id, incident_id, venue_id, kind, severity, title, ctx.now, ctx.actor.user_id)
    await add_entry(ctx, incident_id=incident_id, kind="opened", text=note)
    incident = await read_incident(ctx, incident_id=incident_id)
    await log.write(ctx, venue_id=venue_id, what="incident opened", entity=("incident", incident_id), text=title)
    ctx.emit(
        IncidentOpened(**_facts(incident)),
        entity=("incident", incident_id),
        venue_id=venue_id,
        after={"number": incident.number, "kind": kind, "severity": severity},
    )
    return incident_id


async def add_entry(
    ctx: Ctx, *, incident_id: UUID, kind: EntryKind, text: str = "", ref_id: UUID | None = None
) -> UUID:
    """Write a line of the timeline; the caller has seen to the permission."""
    entry_id = uuid7()
    who = (ctx.actor.user_id, log.who(ctx))
    await ctx.db.execute(ADD, ctx.tenant_id, entry_id, incident_id, *who, kind, text, ref_id)
    return entry_id


async def note_incident(ctx: Ctx, *, incident_id: UUID, data: EntryIn) -> Incident:
    """Add a line to an open incident's timeline, or link an alert to it."""
    row = await hold_incident(ctx, incident_id=incident_id, permission=SAFETY_RESPOND)
    if row["status"] != "open":
        raise IncidentResolved
    if data.alert_id is None and not data.text.strip():
        raise Invalid(fields={"text": "Write what happened, or name an alert."})
    if data.alert_id is not None:
        await link_alert(ctx, alert_id=data.alert_id, incident_id=incident_id, venue_id=row["venue_id"])
    kind: EntryKind = "note" if data.alert_id is None else "alert"
    entry_id = await add_entry(ctx, incident_id=incident_id, kind=kind, text=data.text.strip(), ref_id=data.alert_id)
    incident = await read_incident(ctx, incident_id=incident_id)
    await log.write(
        ctx,
        venue_id=incident.venue_id,
        what="incident noted",
        entity=("incident", incident_id),
        text=data.text.strip(),
    )
    ctx.emit(
        IncidentNoted(**_facts(incident), entry_id=entry_id),
        entity=("incident", incident_id),
        venue_id=incident.venue_id,
        after={"entry": kind},
    )
    return incident


async def resolve_incident(ctx: Ctx, *, incident_id: UUID, resolution: str, version: int) -> Incident:
    """Close an incident, with what came of it."""
    row = await hold_incident(ctx, incident_id=incident_id, permission=SAFETY_MANAGE)
    if row["version"] != version:
        raise Stale
    if row["status"] != "open":
        raise IncidentResolved
    words = resolution.strip()
    if not words:
        raise Invalid(fields={"reason": "Say what came of it."})
    await ctx.db.execute(RESOLVE, ctx.tenant_id, incident_id, ctx.now, ctx.actor.user_id, words)
    await add_entry(ctx, incident_id=incident_id, kind="resolved", text=words)
    incident = await read_incident(ctx, incident_id=incident_id)
    place = incident.venue_id
    await log.write(ctx, venue_id=place, what="incident resolved", entity=("incident", incident_id), text=words)
    ctx.emit(
        IncidentResolvedEvent(**_facts(incident)),
        entity=("incident", incident_id),
        venue_id=place,
        before={"status": "open"},
        after={"status": "resolved"},
    )
    return incident


async def hold_incident(ctx: Ctx, *, incident_id: UUID, permission: Permission) -> Any:
    """An incident at a venue that the actor holds a permission for, held until the end; NotFound otherwise."""
    ctx.require(permission)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, incident_id)
    if row is None:
        raise NotFound
    ctx.require(permission, row["venue_id"])
    return row


def report_text(incident: Incident) -> str:
    """The report of an incident, as plain text that can be handed on: a line begins only where the report begins one."""
    head = [
        f"Incident {incident.number}: {_inset(incident.title)}",
        f"Venue: {incident.venue}",
        f"Kind: {incident.kind}, severity: {incident.severity}, status: {incident.status}",
        f"Opened: {_clock(incident.opened_at)}",
        f"Resolved: {_clock(incident.resolved_at)}" if incident.resolved_at else "Resolved: not yet",
        f"Outcome: {_inset(incident.resolution) or 'none yet'}",
        "",
        "Timeline",
    ]
    lines = [
        f"{_clock(entry.at)}  {entry.kind}  {_inset(entry.name)}" + (f": {_inset(entry.text)}" if entry.text else "")
        for entry in incident.timeline
    ]
    return "\n".join([*head, *lines, ""])


def _inset(text: str) -> str:
    """Somebody's words, whose own lines stand back, so that none of them can be taken for an entry of the timeline."""
    return "\n    ".join(text.splitlines())


def _clock(at: Any) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _facts(incident: Incident) -> dict[str, Any]:
    return {
        "incident_id": incident.id,
        "venue_id": incident.venue_id,
        "number": incident.number,
        "kind": incident.kind,
        "severity": incident.severity,
    }
