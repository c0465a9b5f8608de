"""What a receipt's taxes are at a venue at a moment: what orders, credits, door fees and invoices ask. It moves nothing."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from lastlight.domains.taxes.errors import TaxNotSetUp
from lastlight.domains.taxes.model import (
    STANDARD,
    UNTAXED,
    TaxCategory,
    TaxRate,
    applying,
    receipt_of,
    require_within,
    to_kernel,
)
from lastlight.domains.taxes.queries import categories_of, list_categories, rates_on
from lastlight.domains.taxes.schemas import Line, Quote
from lastlight.domains.venues import Venue, read_venue
from lastlight.kernel.errors import Invalid
from lastlight.kernel.tax import Rate
from lastlight.runtime.context import Ctx

BASIS_POINT = 100
"""In millionths."""


async def quote(ctx: Ctx, *, venue_id: UUID, lines: Sequence[Line], at: datetime | None = None) -> Quote:
    """The taxes of lines sold at a venue at a moment, by default now; three statements, for a caller that has seen to the permission.

    The rates are those of the venue's business day. Raises Invalid for an unknown category, TaxNotSetUp where a category that is
    taxed has no rate there.
    """
    if at is not None and (at.tzinfo is None or not 2000 <= at.year <= 2200):
        raise Invalid(fields={"at": "Give a time with its offset, such as 2026-11-21T20:00:00+02:00."})
    venue = await read_venue(ctx, venue_id=venue_id)
    day = venue.business_day(at or ctx.now)
    codes = sorted({line.category for line in lines} - {UNTAXED})
    known = await categories_of(ctx, codes=codes) if codes else {}
    rates = await rates_on(ctx, codes=codes, venue_id=venue.id, day=day) if codes else []
    found: dict[str, list[Rate]] = {UNTAXED: []}
    for index, line in enumerate(lines):
        if line.category not in found:
            category = known.get(line.category)
            if category is None:
                found[line.category] = _stated(line.category, index, venue)
            else:
                of_category = [rate for rate in rates if rate.category == line.category]
                found[line.category] = _rates(category, of_category, venue, day)
    receipt = receipt_of([(line.category, line.amount * line.quantity) for line in lines], found)
    require_within(receipt)
    return Quote(
        venue_id=venue.id,
        currency=venue.currency,
        business_day=day,
        lines=receipt.lines,
        net=receipt.net,
        tax=receipt.tax,
        gross=receipt.gross,
        rates=receipt.rates,
    )


async def tax_choices(ctx: Ctx) -> list[tuple[str, str]]:
    """The codes and names that an item's form offers: `untaxed` first, then `standard` where a venue may state it, then the others."""
    made = [(category.code, category.name) for category in await list_categories(ctx)]
    implied = [] if any(code == STANDARD for code, _ in made) else [(STANDARD, "Standard, as the venue states it")]
    return [(UNTAXED, "Untaxed"), *implied, *made]


async def require_category(ctx: Ctx, *, code: str, field: str) -> None:
    """Refuse, at a field, a code that no standing category has; for what keeps a code and is quoted later."""
    if code in {UNTAXED, STANDARD}:
        return
    category = (await categories_of(ctx, codes=[code])).get(code)
    if category is None or category.archived_at is not None:
        raise Invalid(fields={field: "There is no such tax category; choose one that is set up under Taxes."})


def _rates(category: TaxCategory, rates: Sequence[TaxRate], venue: Venue, day: date) -> list[Rate]:
    on = applying(rates, venue_id=venue.id, day=day)
    if not on and not category.exempt:
        raise TaxNotSetUp(
            f"{category.name} has no tax rate at {venue.name} on {day}. Add one under Taxes, or sell it under an exempt category.",
            extra={"category": category.code, "venue_id": str(venue.id), "business_day": day.isoformat()},
        )
    return [to_kernel(rate) for rate in on]


def _stated(code: str, index: int, venue: Venue) -> list[Rate]:
    """What the venue itself states, for a business that has not made the category."""
    if code != STANDARD:
        raise Invalid(
            fields={
                f"lines[{index}].category": f"There is no tax category {code}; GET /api/taxes/categories lists them."
            }
        )
    if not venue.tax_rates:
        raise TaxNotSetUp(
            f"{venue.name} states no tax rates. Make the category {STANDARD} under Taxes and give it a rate, or sell it as {UNTAXED}.",
            extra={"category": code, "venue_id": str(venue.id)},
        )
    return [Rate(rate.name, rate.rate_bp * BASIS_POINT, rate.inclusive) for rate in venue.tax_rates]
