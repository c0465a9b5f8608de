"""The demonstration's cover charge: one venue that asks for it, guests who paid, one who got it back, one who owes it."""

from collections.abc import Sequence
from uuid import UUID

from lastlight.domains import taxes
from lastlight.domains.checkins.charges import refund_entry
from lastlight.domains.checkins.entrance import EntryPrice, charge_entry
from lastlight.domains.checkins.errors import EntryUnpaid
from lastlight.domains.checkins.prices import set_price
from lastlight.domains.checkins.queries import read_checkin
from lastlight.domains.checkins.scan_schemas import EntryPriceIn
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx

KNOWN = "select exists (select from entry_prices where tenant_id = $1)"
# the last check-in of each guest at the venue that was not taken back
LAST = """
select distinct on (c.patron_id) c.id, c.patron_id from checkins c
where c.tenant_id = $1 and c.venue_id = $2 and c.patron_id = any($3)
  and not exists (select from checkin_revocations r where r.tenant_id = $1 and r.checkin_id = c.id)
order by c.patron_id, c.arrived_at desc, c.id
"""
OTHERS = """
select c.id from checkins c
where c.tenant_id = $1 and c.venue_id = $2 and c.patron_id <> all($3)
  and not exists (select from credit_accounts a where a.tenant_id = $1 and a.patron_id = c.patron_id)
order by c.arrived_at desc, c.id limit 1
"""
COST = 1_000
CATEGORY = "entry"


async def seed_entrance(ctx: Ctx, *, venue_id: UUID, patron_ids: Sequence[PatronId]) -> int:
    """A cover charge at a venue, and what became of it for guests who have credits; nothing where a price stands. How many were charged."""
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    known = {code for code, _ in await taxes.tax_choices(ctx)}
    category = CATEGORY if CATEGORY in known else taxes.UNTAXED
    set_to = await set_price(ctx, venue_id=venue_id, data=EntryPriceIn(amount=COST, tax_category=category))
    price = EntryPrice(amount=COST, currency=set_to.currency, tax_category=category, each_time=False)
    paid: list[UUID] = []
    for row in await ctx.db.fetch(LAST, ctx.tenant_id, venue_id, list(patron_ids)):
        checkin = await read_checkin(ctx, checkin_id=row["id"])
        try:
            await charge_entry(ctx, checkin=checkin, price=price, today=checkin.business_day, on_credit=False)
        except EntryUnpaid:
            continue
        paid.append(checkin.id)
    for checkin_id, amount, reason in zip(
        paid, (None, COST // 2), ("The band did not come", "It was loud"), strict=False
    ):
        await refund_entry(ctx, checkin_id=checkin_id, reason=reason, amount=amount)
    for row in await ctx.db.fetch(OTHERS, ctx.tenant_id, venue_id, list(patron_ids)):
        checkin = await read_checkin(ctx, checkin_id=row["id"])
        await charge_entry(ctx, checkin=checkin, price=price, today=checkin.business_day, on_credit=True)
        paid.append(row["id"])
    return len(paid)
