"""Taxes on a price: contained in it or added to it, several rates at once, rounded by one rule.

The rule: each line and rate is rounded by itself to whole minor units, halves away from zero, so that what is charged and what is taken
back for it are the same. Rates that a price contains are taken out together: their sum is rounded once and shared by the rates, by
largest remainders. A receipt is the sum of its lines and is never rounded again. No rate is reckoned on another tax: each is on the
net amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lastlight.kernel.money import split

WHOLE = 1_000_000
"""A rate is counted in millionths: 15 % is 150,000, and 8.875 % is 88,750."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax, in millionths of the amount without it."""

    name: str
    millionths: int
    included: bool = True
    """Whether prices contain it; else it comes on top."""

    def __post_init__(self) -> None:
        if not 0 <= self.millionths <= WHOLE:
            raise ValueError("a rate is from 0 to 100 %")


@dataclass(frozen=True, slots=True)
class Taxed:
    """A line with its taxes, in minor units: `net` + `taxes` = `gross`."""

    net: int
    taxes: tuple[int, ...]
    """In the order of the rates that were given."""
    gross: int


def taxed(price: int, rates: Sequence[Rate]) -> Taxed:
    """The taxes of a line of this price (minor units, negative for what is taken back), in the order of the rates.

    Contained rates together are `price · Σr / (1 + Σr)`; each of the others is `net · r`.
    """
    contained = [rate.millionths if rate.included else 0 for rate in rates]
    whole = sum(contained)
    inside = _rounded(price * whole, WHOLE + whole)
    net = price - inside
    shares = split(inside, contained) if whole else [0] * len(rates)
    taxes = tuple(
        share if rate.included else _rounded(net * rate.millionths, WHOLE)
        for rate, share in zip(rates, shares, strict=True)
    )
    return Taxed(net, taxes, net + sum(taxes))


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient as a whole number, halves away from zero."""
    units = (2 * abs(numerator) + denominator) // (2 * denominator)
    return units if numerator >= 0 else -units
