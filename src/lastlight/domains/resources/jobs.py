"""What time makes of bookings."""

from collections.abc import Sequence
from datetime import timedelta

from lastlight.domains.resources.bookings import settle
from lastlight.domains.resources.queries import read_booking
from lastlight.domains.resources.settings import NO_SHOW_AFTER, stored_rules
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 500
# every tenant: the schedule asks who has anything due, before it queues a job for each
DUE_TENANTS = """
select t.id from tenants t
where t.status in ('active', 'suspended')
  and exists (select from bookings b where b.tenant_id = t.id and b.status in ('booked', 'arrived') and b.starts_at <= now())
"""
DUE = """
select id, status from bookings
where tenant_id = $1 and ((status = 'booked' and starts_at <= $2) or (status = 'arrived' and ends_at <= now()))
order by id
limit $3
for update skip locked
"""


async def due_tenants(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a booking which has begun and stands."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(DUE_TENANTS)]


@job("bookings.settle", schedule="* * * * *", each=due_tenants)
async def settle_bookings(ctx: Ctx) -> int:
    """Count the guests who did not come as no-shows, and end what ran out; what one run leaves, the next minute's takes."""
    minutes: int = NO_SHOW_AFTER.read((await stored_rules(ctx)).get(NO_SHOW_AFTER.key))
    due = await ctx.db.fetch(DUE, ctx.tenant_id, ctx.now - timedelta(minutes=minutes), BATCH)
    for row in due:
        booking = await read_booking(ctx, booking_id=row["id"])
        await settle(ctx, booking=booking, status="no_show" if row["status"] == "booked" else "done")
    return len(due)
