"""Alerts: raised once, answered by somebody, cleared with a reason, told again when nobody answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.checkins import find_visit
from lastlight.domains.safety import log
from lastlight.domains.safety.errors import AlertNotOpen, AlertOpen
from lastlight.domains.safety.events import AlertAcknowledged, AlertCleared, AlertEscalated, AlertRaised
from lastlight.domains.safety.model import HIGHEST_ESCALATION, Alert, AlertKind, Severity
from lastlight.domains.safety.permissions import SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import AlertIn
from lastlight.domains.safety.thresholds import read_thresholds
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

ALERT = """
select a.id, a.venue_id, w.name as venue, a.kind, a.severity, a.status, a.visit_id, a.patron_id, coalesce(p.name, '') as patron,
       a.incident_id, a.summary, a.facts, a.raised_at, a.raised_by, a.acknowledged_at, a.acknowledged_by, a.cleared_at, a.cleared_by,
       a.clear_reason, a.escalation, a.escalates_at, a.version
from safety_alerts a
join venues w on w.tenant_id = $1 and w.id = a.venue_id
left join patrons p on p.tenant_id = $1 and p.id = a.patron_id
where a.tenant_id = $1 and a.id = $2
"""
# Raised at most once for a visit and kind while open, and not again for one that was raised since $9.
RAISE = """
insert into safety_alerts (tenant_id, venue_id, kind, severity, visit_id, patron_id, summary, facts, raised_by, escalates_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $10, $11
where not exists (select from safety_alerts a
                  where a.tenant_id = $1 and a.visit_id = $5 and a.kind = $3 and a.raised_at >= $9::timestamptz)
on conflict do nothing
returning id
"""
LOCK = "select venue_id, status from safety_alerts where tenant_id = $1 and id = $2 for update"
ACKNOWLEDGE = """
update safety_alerts set status = 'acknowledged', acknowledged_at = $3, acknowledged_by = $4, escalates_at = null
where tenant_id = $1 and id = $2
"""
CLEAR = """
update safety_alerts set status = 'cleared', cleared_at = $3, cleared_by = $4, clear_reason = $5, escalates_at = null
where tenant_id = $1 and id = $2
"""
DUE = """
select id, venue_id, escalation from safety_alerts
where tenant_id = $1 and escalates_at <= now()
order by escalates_at, id
limit $2
for update skip locked
"""
ESCALATE = """
update safety_alerts set escalation = $3, escalated_at = now(), escalates_at = $4 where tenant_id = $1 and id = $2
"""
OPEN = """
select a.id, a.venue_id, w.name as venue, a.kind, a.severity, a.status, a.visit_id, a.patron_id, coalesce(p.name, '') as patron,
       a.incident_id, a.summary, a.facts, a.raised_at, a.raised_by, a.acknowledged_at, a.acknowledged_by, a.cleared_at, a.cleared_by,
       a.clear_reason, a.escalation, a.escalates_at, a.version
from safety_alerts a
join venues w on w.tenant_id = $1 and w.id = a.venue_id
left join patrons p on p.tenant_id = $1 and p.id = a.patron_id
where a.tenant_id = $1 and a.status <> 'cleared' and a.venue_id = any($2)
order by a.status desc, array_position(array['critical', 'high', 'medium', 'low'], a.severity), a.raised_at, a.id
limit 100
"""
NAMES = "select id, name from users where id = any($1)"
LINK = "update safety_alerts set incident_id = $3 where tenant_id = $1 and id = $2"


async def find_alert(ctx: Ctx, *, alert_id: UUID) -> Alert:
    """An alert at a venue that the actor may see."""
    ctx.require(SAFETY_READ)
    alert = await read_alert(ctx, alert_id=alert_id)
    ctx.require(SAFETY_READ, alert.venue_id)
    return alert


async def read_alert(ctx: Ctx, *, alert_id: UUID) -> Alert:
    """An alert of the tenant, for a caller that has seen to the permission."""
    return await ctx.db.one(Alert, ALERT, ctx.tenant_id, alert_id)


async def open_alerts(ctx: Ctx, *, venue_ids: Sequence[UUID]) -> list[Alert]:
    """The alerts that are not cleared at these venues, what nobody has answered first; the caller sees to the permission."""
    return await ctx.db.rows(Alert, OPEN, ctx.tenant_id, list(venue_ids))


async def people_of(ctx: Ctx, *, alert: Alert) -> dict[UUID, str]:
    """The names of those who raised, answered and cleared an alert."""
    known = [user_id for user_id in (alert.raised_by, alert.acknowledged_by, alert.cleared_by) if user_id]
    return {row["id"]: row["name"] for row in await ctx.db.fetch(NAMES, known)}


async def raise_alert(
    ctx: Ctx,
    *,
    venue_id: UUID,
    kind: AlertKind,
    severity: Severity,
    summary: str,
    visit_id: UUID | None = None,
    patron_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
    not_since: datetime | None = None,
) -> Alert | None:
    """Raise an alert unless one stands, or one of the visit was raised since then; None when it was not."""
    wait = (await read_thresholds(ctx, venue_id=venue_id)).alert_escalates_s
    alert_id = await ctx.db.fetchval(
        RAISE,
        ctx.tenant_id,
        venue_id,
        kind,
        severity,
        visit_id,
        patron_id,
        summary,
        facts or {},
        not_since or ctx.now,
        ctx.actor.user_id,
        ctx.now + timedelta(seconds=wait),
    )
    if alert_id is None:
        return None
    alert = await read_alert(ctx, alert_id=alert_id)
    await _tell(ctx, alert, AlertRaised(**_facts(alert)), what=f"alert raised: {kind}", text=summary)
    return alert


async def report_behaviour(ctx: Ctx, *, data: AlertIn) -> Alert:
    """Staff raise an alert about what they see; of a visit, where it is somebody's."""
    await find_venue(ctx, venue_id=data.venue_id, permission=SAFETY_RESPOND)
    visit = await find_visit(ctx, visit_id=data.visit_id) if data.visit_id else None
    if visit is not None and visit.venue_id != data.venue_id:
        raise Invalid(fields={"visit_id": "This visit is at another venue."})
    alert = await raise_alert(
        ctx,
        venue_id=data.venue_id,
        kind="behaviour",
        severity=data.severity,
        summary=data.summary.strip(),
        visit_id=visit.id if visit else None,
        patron_id=visit.patron_id if visit else None,
    )
    if alert is None:
        raise AlertOpen
    return alert


async def acknowledge_alert(ctx: Ctx, *, alert_id: UUID) -> Alert:
    """Say that one sees to it: it is not told again."""
    row = await hold_alert(ctx, alert_id=alert_id, permission=SAFETY_RESPOND)
    if row["status"] != "raised":
        raise AlertNotOpen
    await ctx.db.execute(ACKNOWLEDGE, ctx.tenant_id, alert_id, ctx.now, ctx.actor.user_id)
    alert = await read_alert(ctx, alert_id=alert_id)
    await _tell(ctx, alert, AlertAcknowledged(**_facts(alert)), what="alert acknowledged", before="raised")
    return alert


async def clear_alert(ctx: Ctx, *, alert_id: UUID, reason: str) -> Alert:
    """Say that it is over, and why."""
    row = await hold_alert(ctx, alert_id=alert_id, permission=SAFETY_RESPOND)
    if row["status"] == "cleared":
        raise AlertNotOpen
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why it is over; it stands in the safety log."})
    await ctx.db.execute(CLEAR, ctx.tenant_id, alert_id, ctx.now, ctx.actor.user_id, reason.strip())
    alert = await read_alert(ctx, alert_id=alert_id)
    told = AlertCleared(**_facts(alert))
    await _tell(ctx, alert, told, what="alert cleared", text=reason.strip(), before=row["status"])
    return alert


async def link_alert(ctx: Ctx, *, alert_id: UUID, incident_id: UUID, venue_id: UUID) -> Alert:
    """Make an alert part of an incident of its venue."""
    row = await hold_alert(ctx, alert_id=alert_id, permission=SAFETY_RESPOND)
    if row["venue_id"] != venue_id:
        raise Invalid(fields={"alert_id": "This alert is of another venue."})
    await ctx.db.execute(LINK, ctx.tenant_id, alert_id, incident_id)
    return await read_alert(ctx, alert_id=alert_id)


async def escalate_alerts(ctx: Ctx, *, limit: int) -> int:
    """Tell again the alerts that nobody answered in time; how many there were."""
    rows = await ctx.db.fetch(DUE, ctx.tenant_id, limit)
    for row in rows:
        level = row["escalation"] + 1
        wait = (await read_thresholds(ctx, venue_id=row["venue_id"])).alert_escalates_s
        again = None if level >= HIGHEST_ESCALATION else ctx.now + timedelta(seconds=wait)
        await ctx.db.execute(ESCALATE, ctx.tenant_id, row["id"], level, again)
        alert = await read_alert(ctx, alert_id=row["id"])
        told = AlertEscalated(**_facts(alert), escalation=level)
        await _tell(ctx, alert, told, what=f"alert escalated to {level}", before="raised")
    return len(rows)


async def hold_alert(ctx: Ctx, *, alert_id: UUID, permission: Permission) -> Any:
    """An alert at a venue that the actor holds a permission for, held until the end; NotFound otherwise."""
    ctx.require(permission)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, alert_id)
    if row is None:
        raise NotFound
    ctx.require(permission, row["venue_id"])
    return row


async def _tell(ctx: Ctx, alert: Alert, event: Any, *, what: str, text: str = "", before: str = "") -> None:
    entity = ("alert", alert.id)
    await log.write(ctx, venue_id=alert.venue_id, what=what, entity=entity, patron_id=alert.patron_id, text=text)
    # Not the guest's to hear: the event names no patron as the one it concerns.
    ctx.emit(
        event,
        entity=("safety_alert", alert.id),
        venue_id=alert.venue_id,
        before={"status": before} if before else None,
        after={"status": alert.status, "escalation": alert.escalation},
        reason=alert.clear_reason,
    )


def _facts(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "venue_id": alert.venue_id,
        "kind": alert.kind,
        "severity": alert.severity,
        "visit_id": alert.visit_id,
        "patron_id": alert.patron_id,
    }
