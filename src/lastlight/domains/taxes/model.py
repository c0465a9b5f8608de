"""Tax categories and rates, which rates apply at a venue on a day, and the taxes of a receipt. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NewType
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.kernel.money import MOST
from lastlight.kernel.tax import WHOLE, Rate, taxed

TaxCategoryId = NewType("TaxCategoryId", UUID)
TaxRateId = NewType("TaxRateId", UUID)

UNTAXED = "untaxed"
"""Always known and always exempt: what items are until a business says more."""
STANDARD = "standard"
"""Until a business makes a category of this code, it means the rates that are written on the venue itself."""
CODE = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", re.ASCII)
TYPED = re.compile(r"\d{1,12}(?:\.\d{0,12})?|\.\d{1,12}", re.ASCII)
PERCENT = 10_000
"""Millionths of a per cent."""


class TaxCategory(msgspec.Struct, frozen=True, kw_only=True):
    """What items are for the tax office."""

    id: TaxCategoryId
    code: str
    name: str
    exempt: bool
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    version: int


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """A rate on a category: for the business, or for one venue; its days are the venue's business days, the last included."""

    id: TaxRateId
    tax_category_id: TaxCategoryId
    category: str
    """The category's code."""
    venue_id: VenueId | None
    name: str
    millionths: int
    included: bool
    place: int
    valid_from: date
    valid_until: date | None
    withdrawn_at: datetime | None
    version: int

    def covers(self, day: date) -> bool:
        """Whether it applies on a business day."""
        over = self.valid_until is not None and self.valid_until < day
        return self.withdrawn_at is None and self.valid_from <= day and not over


class LineTax(msgspec.Struct, frozen=True, kw_only=True):
    """One tax of a line, in minor units."""

    name: str
    millionths: int
    included: bool
    amount: int


class TaxedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line with its taxes, in minor units: `net` and the taxes are `gross`."""

    category: str
    net: int
    taxes: list[LineTax]
    gross: int


class RateTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one rate came to over a receipt: on how much, and how much."""

    name: str
    millionths: int
    included: bool
    net: int
    amount: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Lines with their taxes and the sums of them; every sum is exactly that of its lines."""

    lines: list[TaxedLine]
    net: int
    tax: int
    gross: int
    rates: list[RateTotal]


def applying(rates: Sequence[TaxRate], *, venue_id: UUID | None, day: date) -> list[TaxRate]:
    """The rates of one category that apply at a venue on a business day: its own where it has any, else the business's (None: these)."""
    on = [rate for rate in rates if rate.covers(day) and rate.venue_id in {None, venue_id}]
    own = [rate for rate in on if rate.venue_id is not None]
    return sorted(own or on, key=lambda rate: (rate.place, rate.name.lower(), rate.id))


def to_kernel(rate: TaxRate) -> Rate:
    """A rate as arithmetic takes it."""
    return Rate(rate.name, rate.millionths, rate.included)


def receipt_of(lines: Sequence[tuple[str, int]], rates: Mapping[str, Sequence[Rate]]) -> Receipt:
    """The taxes of lines, each a category and a price in minor units (negative for what is taken back).

    Each line is rounded by itself (see kernel/tax), and the receipt sums its lines: it is never rounded again, so that what a line
    says and what the receipt says always agree, and a line that is taken back takes exactly its own taxes with it.
    """
    made: list[TaxedLine] = []
    totals: dict[Rate, tuple[int, int]] = {}
    for category, price in lines:
        applied = rates[category]
        line = taxed(price, applied)
        parts: list[LineTax] = []
        for rate, amount in zip(applied, line.taxes, strict=True):
            net, sum_before = totals.get(rate, (0, 0))
            totals[rate] = (net + line.net, sum_before + amount)
            parts.append(LineTax(name=rate.name, millionths=rate.millionths, included=rate.included, amount=amount))
        made.append(TaxedLine(category=category, net=line.net, taxes=parts, gross=line.gross))
    return Receipt(
        lines=made,
        net=sum(line.net for line in made),
        tax=sum(amount for _, amount in totals.values()),
        gross=sum(line.gross for line in made),
        rates=[
            RateTotal(name=rate.name, millionths=rate.millionths, included=rate.included, net=net, amount=amount)
            for rate, (net, amount) in totals.items()
        ],
    )


def require_within(receipt: Receipt) -> None:
    """Refuse a receipt that JSON's readers cannot hold exactly."""
    if max(abs(receipt.net), abs(receipt.gross), *(abs(line.gross) for line in receipt.lines), 0) > MOST:
        raise Invalid(fields={"lines": "Together this is too large an amount."})


def read_percent(text: str, *, field: str) -> int:
    """The millionths of a rate that somebody typed in per cent, such as 15 or 8.875; refuses anything else at its field."""
    typed = TYPED.fullmatch(text.strip().removesuffix("%").strip().replace(",", "."))
    value = Decimal(typed[0]) * PERCENT if typed else Decimal(-1)
    if not 0 <= value <= WHOLE or value != value.to_integral_value():
        raise Invalid(
            fields={field: "Give a rate from 0 to 100 per cent with at most 4 decimals, such as 15 or 8.875."}
        )
    return int(value)


def write_percent(millionths: int) -> str:
    """A rate in per cent as a field takes it: 88750 is 8.875."""
    text = f"{Decimal(millionths) / PERCENT:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def category_problems(*, code: str, name: str) -> dict[str, str]:
    """What is wrong with a new category, by field."""
    found = name_problems(name)
    if not CODE.fullmatch(code):
        found["code"] = "Use 2 to 40 small letters, digits and hyphens, such as soft-drinks."
    elif code == UNTAXED:
        found["code"] = "This code always means: no tax. Choose another one."
    return found


def name_problems(name: str) -> dict[str, str]:
    """What is wrong with the name of a category."""
    return {} if 1 <= len(name.strip()) <= 60 else {"name": "Give the category a name of 1 to 60 characters."}


def code_of(name: str) -> str:
    """A code made of a category's name."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return plain if CODE.fullmatch(plain) else ""
