"""Reads of check-ins and visits."""

from uuid import UUID

from lastlight.domains.checkins.model import Checkin, Visit
from lastlight.domains.checkins.permissions import CHECKINS_READ, VISITS_READ
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx

VISIT = """
select v.id, v.venue_id, w.name as venue, v.patron_id, p.name as patron, v.checkin_id, v.status, v.status_reason, v.opened_at,
       v.times_out_at, v.closed_at, v.closed_by, v.close_claimed_at, v.close_received_at, v.duration_seconds, v.business_day, v.version
from visits v
join venues w on w.tenant_id = $1 and w.id = v.venue_id
join patrons p on p.tenant_id = $1 and p.id = v.patron_id
where v.tenant_id = $1 and v.id = $2
"""
OPEN_VISIT = """
select v.id, v.venue_id, w.name as venue, v.patron_id, p.name as patron, v.checkin_id, v.status, v.status_reason, v.opened_at,
       v.times_out_at, v.closed_at, v.closed_by, v.close_claimed_at, v.close_received_at, v.duration_seconds, v.business_day, v.version
from visits v
join venues w on w.tenant_id = $1 and w.id = v.venue_id
join patrons p on p.tenant_id = $1 and p.id = v.patron_id
where v.tenant_id = $1 and v.patron_id = $2 and v.status = 'open'
"""
CHECKIN = """
select c.id, c.venue_id, w.name as venue, c.patron_id, p.name as patron, c.method, c.arrived_at, c.received_at, c.claimed_at,
       c.proof_key_id is not null as proven, c.business_day, c.position, c.device, c.device_id,
       c.override_reason, coalesce(u.name, '') as override_by, r.revoked_at, coalesce(r.reason, '') as revoked_reason,
       coalesce(r.kind, '') as revoked_as, coalesce(d.name, '') as device_name, v.id as visit_id,
       coalesce(v.status, '') as visit_status
from checkins c
left join checkin_revocations r on r.tenant_id = $1 and r.checkin_id = c.id
left join visits v on v.tenant_id = $1 and v.checkin_id = c.id
left join devices d on d.tenant_id = $1 and d.id = c.device_id
left join users u on u.id = c.override_by
join venues w on w.tenant_id = $1 and w.id = c.venue_id
join patrons p on p.tenant_id = $1 and p.id = c.patron_id
where c.tenant_id = $1 and c.id = $2
"""
INSIDE = """
select count(*) from visits
where tenant_id = $1 and status = 'open' and ($2::uuid[] is null or venue_id = any($2))
  and ($3::uuid is null or venue_id = $3)
"""


async def read_visit(ctx: Ctx, *, visit_id: UUID) -> Visit:
    """A visit of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Visit, VISIT, ctx.tenant_id, visit_id)


async def find_visit(ctx: Ctx, *, visit_id: UUID) -> Visit:
    """A visit at a venue that the actor may see."""
    ctx.require(VISITS_READ)
    visit = await read_visit(ctx, visit_id=visit_id)
    ctx.require(VISITS_READ, visit.venue_id)
    return visit


async def open_visit(ctx: Ctx, *, patron_id: PatronId) -> Visit | None:
    """A guest's open visit."""
    return await ctx.db.row(Visit, OPEN_VISIT, ctx.tenant_id, patron_id)


async def read_checkin(ctx: Ctx, *, checkin_id: UUID) -> Checkin:
    """A check-in of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Checkin, CHECKIN, ctx.tenant_id, checkin_id)


async def find_checkin(ctx: Ctx, *, checkin_id: UUID) -> Checkin:
    """A check-in at a venue that the actor may see."""
    ctx.require(CHECKINS_READ)
    checkin = await read_checkin(ctx, checkin_id=checkin_id)
    ctx.require(CHECKINS_READ, checkin.venue_id)
    return checkin


async def count_month(ctx: Ctx) -> int:
    """How many visits began at the business within thirty days."""
    return await ctx.db.fetchval(
        "select count(*) from visits where tenant_id = $1 and opened_at > now() - interval '30 days' and status <> 'voided'",
        ctx.tenant_id,
    )


async def count_inside(ctx: Ctx, *, venue_id: UUID | None = None) -> int:
    """How many guests are in the venues that the actor may see, or in one of them."""
    return await ctx.db.fetchval(INSIDE, ctx.tenant_id, ctx.venues(VISITS_READ), venue_id)
