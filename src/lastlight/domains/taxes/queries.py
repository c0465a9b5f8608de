"""Reads of tax categories and rates."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from lastlight.domains.taxes.model import TaxCategory, TaxRate
from lastlight.domains.venues import read_venue, standing_venues
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.zones import business_zone

CATEGORIES = """
select id, code, name, exempt, created_at, updated_at, archived_at, version
from tax_categories
where tenant_id = $1 and ($2::uuid is null or id = $2) and ($3::text[] is null or code = any($3)) and ($4 or archived_at is null)
order by lower(name), id
limit 500
"""
RATES = """
select r.id, r.tax_category_id, c.code as category, r.venue_id, r.name, r.millionths, r.included, r.place, r.valid_from, r.valid_until,
       r.withdrawn_at, r.version
from tax_rates r
join tax_categories c on c.tenant_id = $1 and c.id = r.tax_category_id
where r.tenant_id = $1 and """
RATE = RATES + "r.id = $2"
OF_CATEGORY = RATES + "r.tax_category_id = $2 order by r.valid_from desc, r.place, lower(r.name), r.id limit 1000"
STANDING = (
    RATES
    + """r.withdrawn_at is null and (r.valid_until is null or r.valid_until >= $2)
order by r.valid_from, r.place, lower(r.name), r.id
limit 5000
"""
)
ON_DAY = (
    RATES
    + """c.code = any($2) and (r.venue_id is null or r.venue_id = $3) and r.withdrawn_at is null
  and r.valid_from <= $4 and (r.valid_until is null or r.valid_until >= $4)
order by r.place, lower(r.name), r.id
"""
)
LOCK_CATEGORY = "select 1 from tax_categories where tenant_id = $1 and id = $2 for update"
LOCK_RATE = "select 1 from tax_rates where tenant_id = $1 and id = $2 for update"


async def find_category(ctx: Ctx, *, tax_category_id: UUID) -> TaxCategory:
    """A category of the business; NotFound when there is none."""
    return await ctx.db.one(TaxCategory, CATEGORIES, ctx.tenant_id, tax_category_id, None, True)


async def hold_category(ctx: Ctx, *, tax_category_id: UUID) -> TaxCategory:
    """A category, held against other changes until the transaction ends; who may not see it holds nothing."""
    await find_category(ctx, tax_category_id=tax_category_id)
    if not await ctx.db.fetchval(LOCK_CATEGORY, ctx.tenant_id, tax_category_id):
        raise NotFound
    return await find_category(ctx, tax_category_id=tax_category_id)


async def list_categories(ctx: Ctx, *, archived: bool = False) -> list[TaxCategory]:
    """The categories of the business by name, archived ones only when asked for."""
    return await ctx.db.rows(TaxCategory, CATEGORIES, ctx.tenant_id, None, None, archived)


async def categories_of(ctx: Ctx, *, codes: Sequence[str]) -> dict[str, TaxCategory]:
    """Categories by their codes, archived ones too: what was sold under them is still taken back."""
    found = await ctx.db.rows(TaxCategory, CATEGORIES, ctx.tenant_id, None, list(codes), True)
    return {category.code: category for category in found}


async def find_rate(ctx: Ctx, *, rate_id: UUID) -> TaxRate:
    """A rate of the business; NotFound when there is none."""
    return await ctx.db.one(TaxRate, RATE, ctx.tenant_id, rate_id)


async def hold_rate(ctx: Ctx, *, rate_id: UUID) -> TaxRate:
    """A rate, held against other changes until the transaction ends; who may not see it holds nothing."""
    await find_rate(ctx, rate_id=rate_id)
    if not await ctx.db.fetchval(LOCK_RATE, ctx.tenant_id, rate_id):
        raise NotFound
    return await find_rate(ctx, rate_id=rate_id)


async def rates_of(ctx: Ctx, *, tax_category_id: UUID) -> list[TaxRate]:
    """Every rate that a category ever had, withdrawn ones too, the newest first."""
    return await ctx.db.rows(TaxRate, OF_CATEGORY, ctx.tenant_id, tax_category_id)


async def standing_rates(ctx: Ctx, *, day: date) -> list[TaxRate]:
    """The rates of all categories that apply on a day or later."""
    return await ctx.db.rows(TaxRate, STANDING, ctx.tenant_id, day)


async def rates_on(ctx: Ctx, *, codes: Sequence[str], venue_id: UUID, day: date) -> list[TaxRate]:
    """The rates of some categories that apply on a day, the venue's own and the business's."""
    return await ctx.db.rows(TaxRate, ON_DAY, ctx.tenant_id, list(codes), venue_id, day)


async def today_of(ctx: Ctx, *, venue_id: UUID | None) -> date:
    """The business day that it is at a venue; for the whole business the latest of its venues', so that no day is over anywhere."""
    if venue_id is not None:
        return (await read_venue(ctx, venue_id=venue_id)).business_day(ctx.now)
    days = [venue.business_day(ctx.now) for venue in await standing_venues(ctx, permission=None)]
    if days:
        return max(days)
    return ctx.now.astimezone(await business_zone(ctx)).date()


def require_business(ctx: Ctx) -> None:
    """Taxes are a business's; the platform itself has none."""
    if ctx.tenant_id == PLATFORM:
        raise NotFound
