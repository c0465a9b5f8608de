"""What a spend was for, line by line, and what of it is given back. Pure, but for asking the venue's taxes.

A part that is given back is shared by everything that is left of the lines, net amounts and taxes alike, by largest remainders. None gets
more than is left of it, and what is given back last is what remains: the parts add up to the spend, to the last minor unit of each tax.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from lastlight.domains import taxes
from lastlight.domains.credits.model import SpentLine
from lastlight.domains.taxes import LineTax
from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import MOST, split
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input

MOST_LINES = 100


class SpendLine(Input, frozen=True, kw_only=True):
    """What is paid for: the price of one in minor units, how many, and what it is for the tax office."""

    description: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    amount: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    category: Annotated[str, msgspec.Meta(max_length=40)] = taxes.UNTAXED


async def receipt_of(ctx: Ctx, *, venue_id: UUID | None, currency: str, lines: Sequence[SpendLine]) -> list[SpentLine]:
    """The lines with the taxes of the venue as they are now. Raises Invalid and TaxNotSetUp."""
    if not lines:
        return []
    if venue_id is None:
        raise Invalid(fields={"venue_id": "Name the venue: taxes are those of a place."})
    asked = [taxes.Line(category=line.category, amount=line.amount, quantity=line.quantity) for line in lines]
    quoted = await taxes.quote(ctx, venue_id=venue_id, lines=asked)
    if quoted.currency != currency:
        raise Invalid(fields={"currency": f"The venue's taxes are in {quoted.currency}; charge in that."})
    return [
        SpentLine(
            description=line.description.strip(),
            category=line.category,
            quantity=line.quantity,
            price=line.amount,
            net=taxed.net,
            taxes=taxed.taxes,
            gross=taxed.gross,
        )
        for line, taxed in zip(lines, quoted.lines, strict=True)
    ]


def tax_of(lines: Sequence[SpentLine]) -> int:
    """What lines hold of taxes."""
    return sum(tax.amount for line in lines for tax in line.taxes)


def gross_of(lines: Sequence[SpentLine]) -> int:
    """What lines come to."""
    return sum(line.gross for line in lines)


def left_of(lines: Sequence[SpentLine], *, back: Sequence[Sequence[SpentLine]]) -> list[SpentLine]:
    """What is left of a spend's lines after what was given back of them, each time in the same order."""
    left = list(lines)
    for given in back:
        left = [_less(line, part) for line, part in zip(left, given, strict=True)]
    return left


def part_of(left: Sequence[SpentLine], *, amount: int) -> list[SpentLine]:
    """An amount of what is left of the lines, at most all of it, shared among their net amounts and taxes."""
    weights = [part for line in left for part in (line.net, *(tax.amount for tax in line.taxes))]
    shares = iter(split(amount, weights))
    return [_filled(line, [next(shares) for _ in range(1 + len(line.taxes))]) for line in left]


def _less(line: SpentLine, part: SpentLine) -> SpentLine:
    taken = [tax.amount - given.amount for tax, given in zip(line.taxes, part.taxes, strict=True)]
    return _filled(line, [line.net - part.net, *taken])


def _filled(line: SpentLine, amounts: Sequence[int]) -> SpentLine:
    """The line with another net amount and other taxes."""
    net, *shares = amounts
    parts: list[LineTax] = [
        msgspec.structs.replace(tax, amount=share) for tax, share in zip(line.taxes, shares, strict=True)
    ]
    return msgspec.structs.replace(line, net=net, taxes=parts, gross=net + sum(shares))
