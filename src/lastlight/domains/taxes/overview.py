"""Categories by venues with the rates in force, and what is planned: what the first page of taxes shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from lastlight.domains.taxes.model import TaxCategory, TaxRate, applying
from lastlight.domains.taxes.queries import list_categories, standing_rates, today_of
from lastlight.domains.venues import Venue, standing_venues
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx

MOST_COLUMNS = 4
"""With more venues than these, only those with rates of their own have a column; the others are as the business."""
State = Literal["planned", "in_force", "over", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where rates apply: a venue on its business day, or the whole business."""

    venue_id: VenueId | None
    name: str
    today: date


@dataclass(frozen=True, slots=True)
class Cell:
    """The rates of a category at a place today."""

    rates: list[TaxRate]
    own: bool
    """They are the venue's own, and stand there instead of the business's."""
    missing: bool
    """Nothing applies although the category is taxed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A day on which something changes: the first of a rate, or the last."""

    day: date
    rate: TaxRate
    category: TaxCategory
    place: str
    begins: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything of the first page."""

    places: list[Place]
    rows: list[tuple[TaxCategory, list[Cell]]]
    changes: list[Change]
    alike: int
    """How many venues have no column, for they are as the business."""


async def read_overview(ctx: Ctx) -> Overview:
    """The standing categories with what applies today at each place, and the changes ahead; four or five statements."""
    categories = await list_categories(ctx)
    venues = await standing_venues(ctx, permission=None)
    everywhere = Place(None, "", await today_of(ctx, venue_id=None))
    every = {None: everywhere} | {
        venue.id: Place(venue.id, venue.name, venue.business_day(ctx.now)) for venue in venues
    }
    rates = await standing_rates(ctx, day=min(place.today for place in every.values()))
    shown = _columns(venues, rates)
    places = [everywhere, *(every[venue.id] for venue in shown)]
    rows = [(category, [_cell(category, place, rates) for place in places]) for category in categories]
    return Overview(places, rows, _changes(categories, every, rates), len(venues) - len(shown))


def state_of(rate: TaxRate, today: date) -> State:
    """How a rate stands on a business day."""
    if rate.withdrawn_at is not None:
        return "withdrawn"
    if rate.valid_from > today:
        return "planned"
    return "in_force" if rate.covers(today) else "over"


def _columns(venues: Sequence[Venue], rates: Sequence[TaxRate]) -> list[Venue]:
    own = {rate.venue_id for rate in rates}
    return [venue for venue in venues if len(venues) <= MOST_COLUMNS or venue.id in own]


def _cell(category: TaxCategory, place: Place, rates: Sequence[TaxRate]) -> Cell:
    of_category = [rate for rate in rates if rate.tax_category_id == category.id]
    on = applying(of_category, venue_id=place.venue_id, day=place.today)
    return Cell(on, any(rate.venue_id for rate in on), not on and not category.exempt and place.venue_id is not None)


def _changes(
    categories: Sequence[TaxCategory], every: dict[VenueId | None, Place], rates: Sequence[TaxRate]
) -> list[Change]:
    named = {category.id: category for category in categories}
    found: list[Change] = []
    for rate in rates:
        category, place = named.get(rate.tax_category_id), every.get(rate.venue_id)
        if category is None or place is None:
            continue  # archived: nothing of it is planned any more that an owner would look for here
        if rate.valid_from > place.today:
            found.append(Change(rate.valid_from, rate, category, place.name, begins=True))
        if rate.valid_until is not None and rate.valid_until >= place.today:
            found.append(Change(rate.valid_until, rate, category, place.name, begins=False))
    return sorted(found, key=lambda change: (change.day, change.begins, change.category.name, change.place))
