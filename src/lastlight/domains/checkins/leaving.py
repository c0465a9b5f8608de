"""Guests who leave by a scan at the door, also one that is heard of later, and before their arrival is."""

from datetime import datetime
from uuid import UUID

from lastlight.domains.checkins.errors import NoOpenVisit
from lastlight.domains.checkins.visits import OPENED_SKEW, close_visit
from lastlight.kernel.ids import PatronId, VisitId
from lastlight.runtime.context import Ctx

# The guest's visit here at that moment: open, or timed out only after it.
LEAVING = """
select id from visits
where tenant_id = $1 and patron_id = $2 and venue_id = $3 and opened_at <= $4::timestamptz + $5::interval
  and (status = 'open' or (status = 'timed_out' and closed_at > $4 and $4 < now()))
order by opened_at desc
limit 1
for update
"""
ELSEWHERE = """
select w.name from visits v
join venues w on w.tenant_id = $1 and w.id = v.venue_id
where v.tenant_id = $1 and v.patron_id = $2 and v.status = 'open' and v.venue_id <> $3
"""
# A scan on leaving that found nobody inside, because the door of the arrival had not sent its log yet.
LEFT_BEFORE_KNOWN = """
select claimed_at from door_scans
where tenant_id = $1 and patron_id = $2 and venue_id = $3 and direction = 'out' and refusal = 'no-open-visit' and claimed_at >= $4
order by claimed_at
limit 1
"""


async def let_out(
    ctx: Ctx, *, venue_id: UUID, patron_id: PatronId, at: datetime, claimed_at: datetime | None
) -> VisitId:
    """Close the guest's visit at a venue; raises NoOpenVisit."""
    found = await ctx.db.fetchval(LEAVING, ctx.tenant_id, patron_id, venue_id, at, OPENED_SKEW)
    if found is None:
        elsewhere = await ctx.db.fetchval(ELSEWHERE, ctx.tenant_id, patron_id, venue_id)
        raise NoOpenVisit(f"The guest is checked in at {elsewhere}." if elsewhere else "The guest is not checked in.")
    visit = await close_visit(ctx, visit_id=found, at=at, by="door", claimed_at=claimed_at)
    return visit.id


async def close_if_left(ctx: Ctx, *, venue_id: UUID, patron_id: PatronId, at: datetime) -> VisitId | None:
    """Close the visit of an arrival that was heard of late, where the guest was scanned on leaving since."""
    left_at = await ctx.db.fetchval(LEFT_BEFORE_KNOWN, ctx.tenant_id, patron_id, venue_id, at)
    if left_at is None:
        return None
    return await let_out(ctx, venue_id=venue_id, patron_id=patron_id, at=min(left_at, ctx.now), claimed_at=left_at)
