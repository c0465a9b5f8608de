"""The crew's first screen: what waits for them, which businesses are unwell, and what was done lately; live.

Each part is shown to who holds its permission. Events of businesses are not heard at the platform, so the page looks again by itself.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.devices import DEVICES_READ
from lastlight.domains.payments import PAYMENTS_READ
from lastlight.domains.safety import SAFETY_READ
from lastlight.domains.tenancy import TENANTS_DECIDE, TENANTS_READ
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.audit.entries import AUDIT_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Redirect, View, page
from lastlight.runtime.jobs.events import JOBS_READ

HOME = "/platform"
EVENTS = ["tenant.registered", "platform.tenant_changed"]
OWN_AFFAIR = "Each part of it asks for its own permission; who is not of the crew is led to their account."
# every tenant: what the crew looks after; figures only, for those that run or ran
HEALTH = """
select t.id, t.name, t.status, t.plan, s.seen_at, j.dead, m.failed, d.offline, c.calls, i.incidents, e.events, p.unpaid
from tenants t
cross join lateral (select max(last_seen_at) as seen_at from sessions
                    where tenant_id = t.id and impersonator_id is null) s
cross join lateral (select count(*) as dead from jobs
                    where tenant_id = t.id and state = 'dead' and finished_at > now() - interval '7 days') j
cross join lateral (select count(*) as failed from outgoing_mail
                    where tenant_id = t.id and state = 'failed' and created_at > now() - interval '7 days') m
cross join lateral (select count(*) as offline from device_alerts a
                    join devices v on v.tenant_id = a.tenant_id and v.id = a.device_id and v.status = 'active'
                    where a.tenant_id = t.id and a.kind = 'offline' and a.cleared_at is null) d
cross join lateral (select count(*) as calls from sos_calls where tenant_id = t.id and resolved_at is null) c
cross join lateral (select count(*) as incidents from incidents where tenant_id = t.id and status = 'open') i
cross join lateral (select count(*) as events from (select from provider_events
                    where tenant_id = t.id and state = 'failed' order by received_at limit 1000) f) e
cross join lateral (select count(*) as unpaid from (select from payments
                    where tenant_id = t.id and status = 'failed' and created_at > now() - interval '7 days' order by created_at limit 1000) f) p
where t.kind = 'business' and t.status in ('active', 'suspended')
order by c.calls desc, i.incidents + d.offline + j.dead + m.failed + e.events + p.unpaid desc, t.name, t.id
limit 500
"""
# every tenant: registrations that nobody has decided on
WAITING = """
select id, name, contact_name, country, created_at from tenants
where kind = 'business' and status = 'pending' order by created_at, id limit 20
"""
# every tenant: calls for help that are not over, the oldest unanswered first
CALLS = """
select c.id, c.tenant_id, t.name as business, w.name as venue, c.severity, c.received_at, c.acknowledged_at, c.escalation
from sos_calls c
join tenants t on t.id = c.tenant_id
join venues w on w.tenant_id = c.tenant_id and w.id = c.venue_id
where c.resolved_at is null
order by c.acknowledged_at is not null, c.received_at, c.id limit 8
"""
LATELY = r"""
select a.seq, a.at, a.name, a.payload::jsonb ->> 'actor' as actor, a.payload::jsonb ->> 'reason' as reason
from audit_entries a
where a.tenant_id = $1 and a.name not like 'session.%' and a.name not like '%\_read' and a.name <> 'user.second_factor_shown'
  and (a.actor_kind = 'crew' or a.name = 'tenant.registered')
order by a.seq desc limit 10
"""
DEAD_OF_PLATFORM = """
select count(*) from jobs where tenant_id = $1 and state = 'dead' and finished_at > now() - interval '7 days'
"""


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """How a business stands."""

    id: UUID
    name: str
    status: str
    plan: str
    seen_at: datetime | None
    dead: int
    failed: int
    offline: int
    calls: int
    incidents: int
    events: int
    """Events of the card provider that could not be worked off."""
    unpaid: int
    """Payments of a week that never reached the card provider."""


@page(HOME, signed_in=OWN_AFFAIR)
async def platform_page(ctx: Ctx) -> View | Redirect:
    """Show the crew what waits and how the businesses stand."""
    if ctx.actor.kind != "crew" or ctx.tenant_id != PLATFORM:
        return Redirect("/account")
    sees = {
        "tenants": ctx.allows(TENANTS_READ),
        "safety": ctx.allows(SAFETY_READ),
        "devices": ctx.allows(DEVICES_READ),
        "jobs": ctx.allows(JOBS_READ),
        "audit": ctx.allows(AUDIT_READ),
        "payments": ctx.allows(PAYMENTS_READ),
    }
    businesses = await ctx.db.rows(Business, HEALTH) if any(sees.values()) else []
    waiting = await ctx.db.fetch(WAITING) if sees["tenants"] else []
    calls = await ctx.db.fetch(CALLS) if sees["safety"] else []
    dead = await ctx.db.fetchval(DEAD_OF_PLATFORM, PLATFORM) if sees["jobs"] else 0
    shown: dict[str, Any] = {
        "sees": sees,
        "businesses": businesses,
        "sums": {
            "active": sum(one.status == "active" for one in businesses),
            "suspended": sum(one.status == "suspended" for one in businesses),
            "calls": sum(one.calls for one in businesses),
            "incidents": sum(one.incidents for one in businesses),
            "offline": sum(one.offline for one in businesses),
            "dead": dead + sum(one.dead for one in businesses),
            "failed": sum(one.failed for one in businesses),
            "events": sum(one.events for one in businesses),
            "unpaid": sum(one.unpaid for one in businesses),
        },
        "waiting": waiting,
        "may_decide": ctx.allows(TENANTS_DECIDE),
        "calls": calls,
        "lately": await ctx.db.fetch(LATELY, PLATFORM) if sees["audit"] else [],
        "events": EVENTS,
        "home": HOME,
    }
    return View("platform/overview.html", shown)
