"""What clients send and get about taxes."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from lastlight.domains.taxes.model import RateTotal, TaxCategoryId, TaxedLine
from lastlight.kernel.ids import VenueId
from lastlight.kernel.money import MOST
from lastlight.kernel.tax import WHOLE
from lastlight.runtime.http import Input

Name = Annotated[str, msgspec.Meta(max_length=60)]
Code = Annotated[str, msgspec.Meta(max_length=40)]
Millionths = Annotated[int, msgspec.Meta(ge=0, le=WHOLE)]
Amount = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class TaxCategoryIn(Input, frozen=True, kw_only=True):
    """A category to be. `code` and `exempt` never change: menus refer to the one, past receipts stand on the other."""

    code: Code
    name: Name
    exempt: bool = False


class TaxCategoryChange(Input, frozen=True, kw_only=True):
    """What is to change; what is left out stays. Archived, it is offered no more, and goes on counting where it is used."""

    name: Name | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class TaxRateIn(Input, frozen=True, kw_only=True):
    """A rate to be, in millionths: 150000 is 15 %. Without a venue it applies wherever a venue has none of its own for the category."""

    tax_category_id: TaxCategoryId
    venue_id: VenueId | None = None
    name: Annotated[str, msgspec.Meta(max_length=40)]
    millionths: Millionths
    included: bool = True
    """Prices contain it; else it comes on top."""
    place: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0
    """Where it stands on a receipt, lowest first."""
    valid_from: date | None = None
    """Its first business day; left out, today."""
    valid_until: date | None = None
    """Its last business day; left out, until it is ended."""


class TaxRateEndIn(Input, frozen=True, kw_only=True):
    """Its last business day; null lets it run on."""

    valid_until: date | None


class TaxRateSuccessorIn(Input, frozen=True, kw_only=True):
    """The rate that follows: what it is, and from which business day on. Name, venue and place stay."""

    millionths: Millionths
    valid_from: date
    included: bool | UnsetType = UNSET


class Line(Input, frozen=True, kw_only=True):
    """What is sold: the code of its category, the price of one in minor units (negative for what is taken back), how many."""

    category: Code
    amount: Amount
    quantity: Quantity = 1


class QuoteIn(Input, frozen=True, kw_only=True):
    """The lines of a receipt at a venue; `at` is when they are sold, left out now."""

    venue_id: VenueId
    lines: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=500)]
    at: datetime | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The taxes of a receipt in minor units: `net` + `tax` = `gross`, for each line and for the whole."""

    venue_id: VenueId
    currency: str
    business_day: date
    lines: list[TaxedLine]
    net: int
    tax: int
    gross: int
    rates: list[RateTotal]
