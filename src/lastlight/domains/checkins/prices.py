"""What the entrance to a venue costs: read, and set by whoever decides prices there."""

from uuid import UUID

from lastlight.domains import taxes
from lastlight.domains.checkins.events import EntryPriceChanged
from lastlight.domains.checkins.permissions import CHECKINS_PRICE, CHECKINS_READ
from lastlight.domains.checkins.scan_schemas import EntryPriceIn, EntryPriceOut
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx

PRICE = """
select v.id as venue_id, e.amount, v.currency, coalesce(e.tax_category, 'untaxed') as tax_category, coalesce(e.each_time, false) as each_time
from venues v
left join entry_prices e on e.tenant_id = $1 and e.venue_id = v.id and e.currency = v.currency
where v.tenant_id = $1 and v.id = $2
"""
SET = """
insert into entry_prices (tenant_id, venue_id, amount, currency, tax_category, each_time) values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, venue_id) do update
set amount = excluded.amount, currency = excluded.currency, tax_category = excluded.tax_category, each_time = excluded.each_time
"""
CLEAR = "delete from entry_prices where tenant_id = $1 and venue_id = $2"


async def read_price(ctx: Ctx, *, venue_id: UUID) -> EntryPriceOut:
    """What the entrance costs; no amount: nothing. A price in a currency that the venue had before does not hold."""
    await find_venue(ctx, venue_id=venue_id, permission=CHECKINS_READ)
    return await ctx.db.one(EntryPriceOut, PRICE, ctx.tenant_id, venue_id)


async def set_price(ctx: Ctx, *, venue_id: UUID, data: EntryPriceIn) -> EntryPriceOut:
    """Set what the entrance costs from now on; who is in has paid what it was, and who a door without a network let in pays it once the server hears of them. Raises Invalid and TaxNotSetUp."""
    venue = await find_venue(ctx, venue_id=venue_id, permission=CHECKINS_PRICE)
    before = await ctx.db.one(EntryPriceOut, PRICE, ctx.tenant_id, venue_id)
    if data.amount is None:
        await ctx.db.execute(CLEAR, ctx.tenant_id, venue_id)
    else:
        await _require_whole(ctx, venue_id, data.amount, data.tax_category)
        row = (data.amount, venue.currency, data.tax_category, data.each_time)
        await ctx.db.execute(SET, ctx.tenant_id, venue_id, *row)
    after = await ctx.db.one(EntryPriceOut, PRICE, ctx.tenant_id, venue_id)
    if after != before:
        ctx.emit(
            EntryPriceChanged(venue_id=venue_id, amount=after.amount, currency=after.currency),
            entity=("venue", venue_id),
            venue_id=venue_id,
            before=_facts(before),
            after=_facts(after),
        )
    return after


async def _require_whole(ctx: Ctx, venue_id: UUID, amount: int, category: str) -> None:
    """The price is what a guest pays: a category whose taxes come on top of prices here does not fit."""
    await taxes.require_category(ctx, code=category, field="tax_category")
    quoted = await taxes.quote(ctx, venue_id=venue_id, lines=[taxes.Line(category=category, amount=amount)])
    if quoted.gross != amount:
        said = "Its taxes come on top of prices here. Choose a category whose prices hold their taxes, so that guests pay what they are told."
        raise Invalid(fields={"tax_category": said})


def _facts(price: EntryPriceOut) -> dict[str, object]:
    costs = "nothing" if price.amount is None else str(Money(price.amount, price.currency))
    return {"entrance": costs, "tax_category": price.tax_category, "each_time": price.each_time}
