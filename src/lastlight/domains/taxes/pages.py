"""Taxes on the owner's console: what applies where, every rate there was, a category with its story, and a calculator."""

from datetime import date
from typing import Annotated, Any

import msgspec

from lastlight.domains.taxes import actions, queries
from lastlight.domains.taxes.errors import TaxNotSetUp
from lastlight.domains.taxes.listings import RATES
from lastlight.domains.taxes.model import TaxCategoryId, code_of, name_problems
from lastlight.domains.taxes.overview import read_overview, state_of
from lastlight.domains.taxes.permissions import TAXES_MANAGE, TAXES_READ
from lastlight.domains.taxes.quoting import quote, tax_choices
from lastlight.domains.taxes.schemas import Line, Quote, TaxCategoryChange, TaxCategoryIn
from lastlight.domains.venues import Venue, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import MOST
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.ui import amounts

HOME = "/owner/taxes"
ONE = f"{HOME}/categories/{{tax_category_id:uuid}}"
EVENTS = [
    "tax_category.created",
    "tax_category.changed",
    "tax_rate.started",
    "tax_rate.ended",
    "tax_rate.withdrawn",
]
Short = Annotated[str, msgspec.Meta(max_length=120)]
BLANK_VALUES: dict[str, str] = {}


class CategoryForm(Input, frozen=True, kw_only=True):
    """What the form of a category sends; without a code it is made of the name."""

    name: Short = ""
    code: Short = ""
    exempt: bool = False
    version: int = 0


class ConditionForm(Input, frozen=True, kw_only=True):
    """Into the archive, or back."""

    archived: bool = False
    version: int


class CalculationQuery(Input, frozen=True, kw_only=True):
    """What the calculator is asked; nothing is reckoned without an amount."""

    venue_id: Short = ""
    category: Short = ""
    amount: Short = ""
    quantity: Short = "1"


@page(HOME, permission=TAXES_READ)
async def taxes_page(ctx: Ctx) -> View:
    """Show which taxes apply to what, at which venue, and what is planned."""
    shown = {"overview": await read_overview(ctx), "home": HOME, "events": EVENTS}
    return View("taxes/taxes.html", shown)


@page(f"{HOME}/rates", permission=TAXES_READ, listing=RATES)
async def tax_rates_page(ctx: Ctx, query: Any) -> View:
    """List every rate that is, will be and was."""
    mine = await standing_venues(ctx, permission=None)
    categories = await queries.list_categories(ctx, archived=True)
    context = {
        "view": await RATES.view(ctx, query),
        "home": HOME,
        "paged": bool(query.after),
        "events": EVENTS,
        "choices": {
            "venue_id": [(str(venue.id), venue.name) for venue in mine],
            "tax_category_id": [(str(category.id), category.name) for category in categories],
        },
    }
    return View("taxes/rates.html", context)


@page(f"{HOME}/calculation", permission=TAXES_READ)
async def tax_calculation_page(ctx: Ctx, query: CalculationQuery) -> View:
    """Reckon the taxes of an amount, to try what is set up."""
    mine = await standing_venues(ctx, permission=None)
    venue = next((one for one in mine if str(one.id) == query.venue_id), mine[0] if mine else None)
    made, problem = None, None
    if venue is not None and query.amount.strip():
        try:
            made = await _calculated(ctx, query, venue)
        except (Invalid, TaxNotSetUp) as refused:
            problem = refused
    wrong: dict[str, str] = problem.fields if problem else {}
    context = {
        "home": HOME,
        "asked": query,
        "venue": venue,
        "venues": [(str(one.id), f"{one.name} ({one.currency})") for one in mine],
        "categories": await tax_choices(ctx),
        "quote": made,
        "trouble": None if wrong.keys() & {"amount", "quantity"} else problem,
        "wrong": wrong,
    }
    return View("taxes/calculation.html", context)


async def _calculated(ctx: Ctx, query: CalculationQuery, venue: Venue) -> Quote:
    try:
        amount = amounts.of_field(query.amount, venue.currency)
    except ValueError as error:
        raise Invalid(fields={"amount": str(error)}) from error
    quantity = int(query.quantity) if query.quantity.isdecimal() else 0
    if not 1 <= quantity <= 1_000_000 or abs(amount) * quantity > MOST:
        raise Invalid(fields={"quantity": "Give how many, from 1 to 1,000,000."})
    line = Line(category=query.category, amount=amount, quantity=quantity)
    return await quote(ctx, venue_id=venue.id, lines=[line])


async def _blank(_ctx: Ctx) -> dict[str, Any]:
    return {"home": HOME, "values": BLANK_VALUES}


@page(f"{HOME}/categories/new", permission=TAXES_MANAGE)
async def tax_category_new_page(ctx: Ctx) -> View:
    """Ask for a new category."""
    return View("taxes/category_new.html", await _blank(ctx))


@page_post(f"{HOME}/categories/new", permission=TAXES_MANAGE, form_page="taxes/category_new.html", form_context=_blank)
async def tax_category_new_submit(ctx: Ctx, form: Form[CategoryForm]) -> Redirect:
    """Make a category."""
    data = form.require()
    code = data.code.strip() or code_of(data.name)
    if not data.code.strip() and (found := name_problems(data.name)):
        raise Invalid(fields=found)  # of the code nothing was said: it is made of the name
    made = await actions.create_category(ctx, data=TaxCategoryIn(code=code, name=data.name, exempt=data.exempt))
    said = f"{made.name} is there." if made.exempt else f"{made.name} is there. Give it a rate."
    return Redirect(f"{HOME}/categories/{made.id}", toast=said)


async def _facts(ctx: Ctx, *, tax_category_id: TaxCategoryId) -> dict[str, Any]:
    category = await queries.find_category(ctx, tax_category_id=tax_category_id)
    venues = {venue.id: venue for venue in await standing_venues(ctx, permission=None)}
    today = await queries.today_of(ctx, venue_id=None)

    def today_at(venue_id: Any) -> date:
        return venues[venue_id].business_day(ctx.now) if venue_id in venues else today

    rates = await queries.rates_of(ctx, tax_category_id=category.id)
    return {
        "home": HOME,
        "category": category,
        "rates": [
            (rate, state_of(rate, day), rate.valid_from >= day) for rate in rates for day in [today_at(rate.venue_id)]
        ],
        "names": {venue.id: venue.name for venue in venues.values()},
        "values": {"name": category.name, "version": str(category.version)},
        "action": f"{HOME}/categories/{category.id}",
        "events": EVENTS,
        "may_manage": ctx.allows(TAXES_MANAGE),
        "history": await entity_history(ctx, entity="tax_category", entity_id=category.id),
    }


@page(ONE, permission=TAXES_READ)
async def tax_category_page(ctx: Ctx, tax_category_id: TaxCategoryId) -> View:
    """Show a category: the rates in force, planned, over and withdrawn."""
    return View("taxes/category.html", await _facts(ctx, tax_category_id=tax_category_id))


@page_post(ONE, permission=TAXES_MANAGE, form_page="taxes/category.html", form_context=_facts)
async def tax_category_submit(ctx: Ctx, tax_category_id: TaxCategoryId, form: Form[CategoryForm]) -> Redirect:
    """Rename a category; refused when somebody else changed it in the meantime."""
    data = form.require()
    change = TaxCategoryChange(name=data.name)
    await actions.change_category(ctx, tax_category_id=tax_category_id, data=change, version=data.version)
    return Redirect(f"{HOME}/categories/{tax_category_id}", toast="Saved.")


async def _condition(ctx: Ctx, *, tax_category_id: TaxCategoryId) -> dict[str, Any]:
    return {"home": HOME, "category": await queries.find_category(ctx, tax_category_id=tax_category_id)}


@page(f"{ONE}/condition", permission=TAXES_MANAGE)
async def tax_category_condition_dialog(ctx: Ctx, tax_category_id: TaxCategoryId) -> View:
    """Ask whether a category is to be archived, or taken back."""
    return View("taxes/condition.html", await _condition(ctx, tax_category_id=tax_category_id), block="dialog")


@page_post(
    f"{ONE}/condition",
    permission=TAXES_MANAGE,
    form_page="taxes/condition.html",
    form_block="dialog",
    form_context=_condition,
)
async def tax_category_condition_submit(
    ctx: Ctx, tax_category_id: TaxCategoryId, form: Form[ConditionForm]
) -> Redirect:
    """Archive a category, or take it back from the archive."""
    data = form.require()
    change = TaxCategoryChange(archived=data.archived)
    after = await actions.change_category(ctx, tax_category_id=tax_category_id, data=change, version=data.version)
    said = "is archived." if after.archived_at else "is offered again."
    return Redirect(f"{HOME}/categories/{tax_category_id}", toast=f"{after.name} {said}")


PAGES = (
    taxes_page,
    tax_rates_page,
    tax_calculation_page,
    tax_category_new_page,
    tax_category_new_submit,
    tax_category_page,
    tax_category_submit,
    tax_category_condition_dialog,
    tax_category_condition_submit,
)
