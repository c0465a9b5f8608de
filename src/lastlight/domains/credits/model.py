"""Lots of credits and what becomes of them. Pure; amounts are minor units."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, NewType
from uuid import UUID

import msgspec

from lastlight.domains.taxes import LineTax
from lastlight.kernel.ids import PatronId, UserId, VenueId

LotId = NewType("LotId", UUID)
EntryId = NewType("EntryId", UUID)

Origin = Literal["purchase", "adjustment", "gift"]
EntryKind = Literal[
    "bought",
    "spent",
    "spend-reversed",
    "refunded",
    "refund-failed",
    "adjusted",
    "gift",
    "expired",
    "frozen",
    "released",
    "disputed",
    "dispute-reversed",
]


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that came in together."""

    id: LotId
    patron_id: PatronId
    currency: str
    venue_id: VenueId | None
    origin: Origin
    payment_id: UUID | None
    """The payment that funded it."""
    amount: int
    remaining: int
    frozen: int
    """Of what remains: in dispute."""
    expires_at: datetime | None
    created_at: datetime
    version: int

    @property
    def free(self) -> int:
        """What of it is not in dispute."""
        return self.remaining - self.frozen


class SpentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of what was paid for, or of what is given back for it, in minor units: `net` and the taxes are `gross`."""

    description: str
    category: str
    """Of taxes."""
    quantity: int
    price: int
    """Of one, as it was asked for."""
    net: int
    taxes: list[LineTax]
    gross: int


class CreditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history of a guest's credits of a currency."""

    id: EntryId
    patron_id: PatronId
    currency: str
    number: int
    """Counts up for each guest and currency."""
    kind: EntryKind
    amount: int
    """What the balance changed by."""
    tax: int
    """Of the amount, with its sign."""
    balance: int
    froze: int
    """What the frozen part of the balance changed by."""
    frozen: int
    venue_id: VenueId | None
    payment_id: UUID | None
    reverses: UUID | None
    """The spend that it gives back."""
    source_kind: str | None
    source_id: UUID | None
    description: str
    lines: list[SpentLine] | None
    """What a spend was for, where that was told, or what was given back for it."""
    actor_id: UserId | None
    at: datetime


class Use(NamedTuple):
    """What an entry does to one lot."""

    lot_id: LotId
    amount: int
    froze: int = 0


def spending_order(lots: Iterable[Lot]) -> list[Lot]:
    """What expires first is spent first, what never expires last; among equals the oldest."""
    return sorted(
        lots, key=lambda lot: (lot.expires_at is None, lot.expires_at or lot.created_at, lot.created_at, lot.id)
    )


def is_over(lot: Lot, *, now: datetime) -> bool:
    """Whether its time to be spent has passed."""
    return lot.expires_at is not None and lot.expires_at <= now


def taken(lots: Sequence[Lot], *, amount: int) -> list[Use] | None:
    """How much each lot gives towards an amount, in spending order; None where they do not have so much."""
    uses: list[Use] = []
    left = amount
    for lot in spending_order(lots):
        part = min(left, lot.free)
        if part > 0:
            uses.append(Use(lot.id, -part))
            left -= part
        if left == 0:
            return uses
    return None


def given_back(outstanding: Sequence[Use], *, amount: int) -> list[Use]:
    """How an amount returns to the lots that gave it: to the one that gave last first. `outstanding`: what each still misses."""
    uses: list[Use] = []
    left = amount
    for use in reversed(outstanding):
        part = min(left, use.amount)
        if part > 0:
            uses.append(Use(use.lot_id, part))
            left -= part
    return uses


def months_later(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or the last day of that month."""
    index = moment.month - 1 + months
    year, month = moment.year + index // 12, index % 12 + 1
    for day in (moment.day, 30, 29):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month, day=28)
