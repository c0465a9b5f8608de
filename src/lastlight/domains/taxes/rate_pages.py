"""Rates on the owner's console: started, ended, followed by another, withdrawn."""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.taxes import actions, queries
from lastlight.domains.taxes.model import TaxCategoryId, TaxRateId, read_percent, write_percent
from lastlight.domains.taxes.pages import HOME
from lastlight.domains.taxes.permissions import TAXES_MANAGE
from lastlight.domains.taxes.schemas import TaxRateIn, TaxRateSuccessorIn
from lastlight.domains.venues import read_venue, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post

NEW = f"{HOME}/rates/new"
ONE = f"{HOME}/rates/{{tax_rate_id:uuid}}"
Short = Annotated[str, msgspec.Meta(max_length=120)]


class RateQuery(Input, frozen=True, kw_only=True):
    """For which category, and at which venue."""

    tax_category_id: Short = ""
    venue_id: Short = ""


class RateForm(Input, frozen=True, kw_only=True):
    """What the form of a new rate sends; the rate is in per cent, such as 15 or 8.875."""

    tax_category_id: Short = ""
    venue_id: Short = ""
    name: Short = ""
    percent: Short = ""
    included: Annotated[str, msgspec.Meta(pattern="^(in|on)$(?!\\n)")] = "in"
    place: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0
    valid_from: Short = ""
    valid_until: Short = ""


class EndForm(Input, frozen=True, kw_only=True):
    """A rate's last day; empty: it runs on."""

    valid_until: Short = ""
    version: int


class ChangeForm(Input, frozen=True, kw_only=True):
    """What a rate becomes, and from which day on."""

    percent: Short = ""
    valid_from: Short = ""
    version: int


class VersionForm(Input, frozen=True, kw_only=True):
    """The rate as it was seen."""

    version: int


async def _blank(ctx: Ctx) -> dict[str, Any]:
    venues = await standing_venues(ctx, permission=None)
    categories = [category for category in await queries.list_categories(ctx) if not category.exempt]
    today = await queries.today_of(ctx, venue_id=None)
    return {
        "home": HOME,
        "values": {"included": "in", "valid_from": today.isoformat()},
        "venues": [("", "All venues"), *((str(venue.id), venue.name) for venue in venues)],
        "categories": [(str(category.id), category.name) for category in categories],
    }


@page(NEW, permission=TAXES_MANAGE)
async def tax_rate_new_page(ctx: Ctx, query: RateQuery) -> View:
    """Ask for a new rate."""
    context = await _blank(ctx)
    context["values"] |= {"tax_category_id": query.tax_category_id, "venue_id": query.venue_id}
    return View("taxes/rate_new.html", context)


@page_post(NEW, permission=TAXES_MANAGE, form_page="taxes/rate_new.html", form_context=_blank)
async def tax_rate_new_submit(ctx: Ctx, form: Form[RateForm]) -> Redirect:
    """Start a rate."""
    data = form.require()
    tax_category_id = _id(data.tax_category_id, field="tax_category_id")
    if tax_category_id is None:
        raise Invalid(fields={"tax_category_id": "Choose what is taxed."})
    venue_id = _id(data.venue_id, field="venue_id")
    rate = TaxRateIn(
        tax_category_id=TaxCategoryId(tax_category_id),
        venue_id=VenueId(venue_id) if venue_id else None,
        name=data.name,
        millionths=read_percent(data.percent, field="percent"),
        included=data.included == "in",
        place=data.place,
        valid_from=_day(data.valid_from, field="valid_from"),
        valid_until=_day(data.valid_until, field="valid_until"),
    )
    made = await actions.start_rate(ctx, data=rate)
    return Redirect(
        f"{HOME}/categories/{made.tax_category_id}", toast=f"{made.name} applies from {made.valid_from} on."
    )


async def _rate(ctx: Ctx, *, tax_rate_id: TaxRateId) -> dict[str, Any]:
    rate = await queries.find_rate(ctx, rate_id=tax_rate_id)
    category = await queries.find_category(ctx, tax_category_id=rate.tax_category_id)
    today = await queries.today_of(ctx, venue_id=rate.venue_id)
    return {
        "home": HOME,
        "rate": rate,
        "category": category,
        "percent": write_percent(rate.millionths),
        "place": (await read_venue(ctx, venue_id=rate.venue_id)).name if rate.venue_id else "",
        "today": today.isoformat(),
        "tomorrow": (today + timedelta(days=1)).isoformat(),
    }


@page(f"{ONE}/end", permission=TAXES_MANAGE)
async def tax_rate_end_dialog(ctx: Ctx, tax_rate_id: TaxRateId) -> View:
    """Ask for a rate's last day."""
    return View("taxes/rate_end.html", await _rate(ctx, tax_rate_id=tax_rate_id), block="dialog")


@page_post(
    f"{ONE}/end", permission=TAXES_MANAGE, form_page="taxes/rate_end.html", form_block="dialog", form_context=_rate
)
async def tax_rate_end_submit(ctx: Ctx, tax_rate_id: TaxRateId, form: Form[EndForm]) -> Redirect:
    """Give a rate its last day, or let it run on."""
    data = form.require()
    last = _day(data.valid_until, field="valid_until")
    after = await actions.end_rate(ctx, rate_id=tax_rate_id, valid_until=last, version=data.version)
    said = f"{after.name} ends on {last}." if last else f"{after.name} runs on."
    return Redirect(f"{HOME}/categories/{after.tax_category_id}", toast=said)


@page(f"{ONE}/change", permission=TAXES_MANAGE)
async def tax_rate_change_dialog(ctx: Ctx, tax_rate_id: TaxRateId) -> View:
    """Ask what a rate becomes, and from when on."""
    return View("taxes/rate_change.html", await _rate(ctx, tax_rate_id=tax_rate_id), block="dialog")


@page_post(
    f"{ONE}/change",
    permission=TAXES_MANAGE,
    form_page="taxes/rate_change.html",
    form_block="dialog",
    form_context=_rate,
)
async def tax_rate_change_submit(ctx: Ctx, tax_rate_id: TaxRateId, form: Form[ChangeForm]) -> Redirect:
    """End a rate and start the one that follows it."""
    data = form.require()
    start = _day(data.valid_from, field="valid_from")
    if start is None:
        raise Invalid(fields={"valid_from": "Choose the first day of the new rate."})
    following = TaxRateSuccessorIn(millionths=read_percent(data.percent, field="percent"), valid_from=start)
    made = await actions.follow_rate(ctx, rate_id=tax_rate_id, data=following, version=data.version)
    said = f"{made.name} is {write_percent(made.millionths)} % from {made.valid_from} on."
    return Redirect(f"{HOME}/categories/{made.tax_category_id}", toast=said)


@page(f"{ONE}/removal", permission=TAXES_MANAGE)
async def tax_rate_removal_dialog(ctx: Ctx, tax_rate_id: TaxRateId) -> View:
    """Ask whether a rate is to be withdrawn."""
    return View("taxes/rate_removal.html", await _rate(ctx, tax_rate_id=tax_rate_id), block="dialog")


@page_post(
    f"{ONE}/removal",
    permission=TAXES_MANAGE,
    form_page="taxes/rate_removal.html",
    form_block="dialog",
    form_context=_rate,
)
async def tax_rate_removal_submit(ctx: Ctx, tax_rate_id: TaxRateId, form: Form[VersionForm]) -> Redirect:
    """Withdraw a rate whose first day is not over."""
    after = await actions.withdraw_rate(ctx, rate_id=tax_rate_id, version=form.require().version)
    return Redirect(f"{HOME}/categories/{after.tax_category_id}", toast=f"{after.name} is withdrawn.")


RATE_PAGES = (
    tax_rate_new_page,
    tax_rate_new_submit,
    tax_rate_end_dialog,
    tax_rate_end_submit,
    tax_rate_change_dialog,
    tax_rate_change_submit,
    tax_rate_removal_dialog,
    tax_rate_removal_submit,
)


def _id(text: str, *, field: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid(fields={field: "Choose one of the list."}) from error


def _day(text: str, *, field: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise Invalid(fields={field: "Give a day, such as 2027-01-01."}) from error
