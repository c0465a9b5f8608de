"""The demonstration's taxes: those of the countries that its venues stand in, with ids that follow from a seed."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from lastlight.domains import identity
from lastlight.domains.taxes.actions import INSERT_RATE, create_category
from lastlight.domains.taxes.model import TaxCategoryId
from lastlight.domains.taxes.schemas import TaxCategoryIn
from lastlight.domains.venues import standing_venues
from lastlight.runtime.context import Ctx

KNOWN = "select exists (select from tax_categories where tenant_id = $1)"
CATEGORIES = (
    ("standard", "Standard", False),
    ("food", "Food", False),
    ("alcohol", "Alcohol", False),
    ("soft-drinks", "Soft drinks", False),
    ("entry", "Entry", False),
    ("games", "Games", False),
    ("rooms", "Rooms and tables", False),
    ("vouchers", "Vouchers", True),
)
"""A voucher for any purpose is taxed when it is spent, not when it is sold."""


class Known(NamedTuple):
    """A rate as a country's law has it: in millionths, and from when until when."""

    name: str
    millionths: int
    first: date
    last: date | None = None
    included: bool = True
    place: int = 0


HOME = (
    Known("VAT", 140_000, date(1993, 4, 7), date(2018, 3, 31)),
    Known("VAT", 150_000, date(2018, 4, 1)),
)
"""South Africa, of which both businesses are."""
KENYA = (
    Known("VAT", 140_000, date(2020, 4, 1), date(2020, 12, 31)),
    Known("VAT", 160_000, date(2021, 1, 1)),
)
LEVY = Known("Catering levy", 20_000, date(2021, 1, 1), included=False, place=1)
ABROAD: Mapping[str, Mapping[str, Sequence[Known]]] = {
    "KE": {"food": (*KENYA, LEVY), "rooms": (*KENYA, LEVY), "": KENYA},
}
"""A venue's own rates by country and category, '' for all others; the levy on catering comes on top of the price."""


async def seed_taxes(ctx: Ctx, *, seed: str) -> int:
    """Categories and rates of a business, past ones too; nothing where it has any. How many rates there are."""
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    venues = [venue for venue in await standing_venues(ctx, permission=None) if venue.address.country in ABROAD]
    rows: list[tuple[object, ...]] = []
    for code, name, exempt in CATEGORIES:
        own_id = TaxCategoryId(identity.seeded_id(seed, "tax-category", str(ctx.tenant_id), code))
        await create_category(ctx, data=TaxCategoryIn(code=code, name=name, exempt=exempt), tax_category_id=own_id)
        if exempt:
            continue
        rows += [_row(ctx, seed, own_id, None, rate) for rate in HOME]
        for venue in venues:
            of_country = ABROAD[venue.address.country]
            rows += [_row(ctx, seed, own_id, venue.id, rate) for rate in of_country.get(code, of_country[""])]
    # not by the action, which starts nothing in the past
    await ctx.db.executemany(INSERT_RATE, rows)
    return len(rows)


def _row(ctx: Ctx, seed: str, tax_category_id: UUID, venue_id: UUID | None, rate: Known) -> tuple[object, ...]:
    own_id = identity.seeded_id(seed, "tax-rate", f"{tax_category_id}/{venue_id or ''}/{rate.name}/{rate.first}")
    values = (rate.name, rate.millionths, rate.included, rate.place, rate.first, rate.last)
    return (ctx.tenant_id, own_id, tax_category_id, venue_id, *values)
