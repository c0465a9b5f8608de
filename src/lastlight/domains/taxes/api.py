"""Taxes at the edge: thin; the actions hold the rules."""

from lastlight.domains.taxes import actions, queries
from lastlight.domains.taxes.errors import (
    TaxCategoryArchived,
    TaxCategoryExempt,
    TaxCategoryTaken,
    TaxNotSetUp,
    TaxRateOver,
    TaxRateOverlaps,
    TaxRateWithdrawnAlready,
)
from lastlight.domains.taxes.listings import CATEGORIES, RATES
from lastlight.domains.taxes.model import TaxCategory, TaxCategoryId, TaxRate, TaxRateId
from lastlight.domains.taxes.permissions import TAXES_MANAGE, TAXES_READ
from lastlight.domains.taxes.quoting import quote
from lastlight.domains.taxes.schemas import (
    Quote,
    QuoteIn,
    TaxCategoryChange,
    TaxCategoryIn,
    TaxRateEndIn,
    TaxRateIn,
    TaxRateSuccessorIn,
)
from lastlight.kernel.errors import Conflict, Invalid, NotFound, Stale
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import delete, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Taxes",)
CATEGORY = "/api/taxes/categories/{tax_category_id:uuid}"
RATE = "/api/taxes/rates/{tax_rate_id:uuid}"

list_tax_categories = listing_get("/api/taxes/categories", CATEGORIES, tags=TAGS)
list_tax_rates = listing_get("/api/taxes/rates", RATES, tags=TAGS)


@post(
    "/api/taxes/categories",
    permission=TAXES_MANAGE,
    raises=[Invalid, NotFound, TaxCategoryTaken],
    status=201,
    tags=TAGS,
)
async def create_tax_category(ctx: Ctx, data: TaxCategoryIn) -> TaxCategory:
    """Name a kind of item for the tax office, such as food or entry."""
    return await actions.create_category(ctx, data=data)


@get(CATEGORY, permission=TAXES_READ, raises=[NotFound], tags=TAGS)
async def read_tax_category(ctx: Ctx, tax_category_id: TaxCategoryId) -> TaxCategory:
    """Read a tax category."""
    return await queries.find_category(ctx, tax_category_id=tax_category_id)


@patch(CATEGORY, permission=TAXES_MANAGE, raises=[Invalid, NotFound, Stale, TaxCategoryTaken], tags=TAGS)
async def change_tax_category(
    ctx: Ctx, tax_category_id: TaxCategoryId, data: TaxCategoryChange, if_match: int
) -> TaxCategory:
    """Rename a tax category, archive it, or take it back from the archive."""
    return await actions.change_category(ctx, tax_category_id=tax_category_id, data=data, version=if_match)


@post(
    "/api/taxes/rates",
    permission=TAXES_MANAGE,
    raises=[Invalid, NotFound, Conflict, TaxCategoryArchived, TaxCategoryExempt, TaxRateOver, TaxRateOverlaps],
    status=201,
    tags=TAGS,
)
async def start_tax_rate(ctx: Ctx, data: TaxRateIn) -> TaxRate:
    """Start a rate on a category, at one venue or at all, from today or a later business day on."""
    return await actions.start_rate(ctx, data=data)


@get(RATE, permission=TAXES_READ, raises=[NotFound], tags=TAGS)
async def read_tax_rate(ctx: Ctx, tax_rate_id: TaxRateId) -> TaxRate:
    """Read a tax rate."""
    return await queries.find_rate(ctx, rate_id=tax_rate_id)


@put(
    f"{RATE}/end",
    permission=TAXES_MANAGE,
    raises=[Invalid, NotFound, Stale, TaxRateOver, TaxRateOverlaps, TaxRateWithdrawnAlready],
    tags=TAGS,
)
async def end_tax_rate(ctx: Ctx, tax_rate_id: TaxRateId, data: TaxRateEndIn, if_match: int) -> TaxRate:
    """Give a rate its last business day, or let it run on; days that are over keep what they had."""
    return await actions.end_rate(ctx, rate_id=tax_rate_id, valid_until=data.valid_until, version=if_match)


@post(
    f"{RATE}/successor",
    permission=TAXES_MANAGE,
    raises=[
        Invalid,
        NotFound,
        Conflict,
        Stale,
        TaxCategoryArchived,
        TaxRateOver,
        TaxRateOverlaps,
        TaxRateWithdrawnAlready,
    ],
    status=201,
    tags=TAGS,
)
async def follow_tax_rate(ctx: Ctx, tax_rate_id: TaxRateId, data: TaxRateSuccessorIn, if_match: int) -> TaxRate:
    """Change a rate from a day on: it ends the day before, and the answer is the one that follows it."""
    return await actions.follow_rate(ctx, rate_id=tax_rate_id, data=data, version=if_match)


@delete(RATE, permission=TAXES_MANAGE, raises=[NotFound, Stale, TaxRateOver, TaxRateWithdrawnAlready], tags=TAGS)
async def withdraw_tax_rate(ctx: Ctx, tax_rate_id: TaxRateId, if_match: int) -> None:
    """Take back a rate whose first business day is not over; it stays in the list as withdrawn."""
    await actions.withdraw_rate(ctx, rate_id=tax_rate_id, version=if_match)


@post("/api/taxes/quote", permission=TAXES_READ, raises=[Invalid, NotFound, TaxNotSetUp], tags=TAGS)
async def quote_taxes(ctx: Ctx, data: QuoteIn) -> Quote:
    """Reckon the taxes of a receipt at a venue: per line and per rate, in minor units. It moves nothing."""
    return await quote(ctx, venue_id=data.venue_id, lines=data.lines, at=data.at)


ROUTES = (
    list_tax_categories,
    create_tax_category,
    read_tax_category,
    change_tax_category,
    list_tax_rates,
    start_tax_rate,
    read_tax_rate,
    end_tax_rate,
    follow_tax_rate,
    withdraw_tax_rate,
    quote_taxes,
)
