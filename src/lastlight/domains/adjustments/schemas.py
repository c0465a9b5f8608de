"""Adjustments, and what clients send and get about them. Amounts are minor units of their currency."""

from datetime import datetime
from typing import Annotated, Literal, NewType
from uuid import UUID

import msgspec

from lastlight.kernel.ids import PatronId, UserId, VenueId
from lastlight.kernel.money import MOST
from lastlight.runtime.http import Input

AdjustmentId = NewType("AdjustmentId", UUID)
Subject = Literal["credits", "ledger"]
Status = Literal["waiting", "booked", "declined", "withdrawn"]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$(?!\\n)", description="ISO 4217.")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class CreditAdjustmentIn(Input, frozen=True, kw_only=True):
    """So many credits more, or fewer where the amount is negative, and why."""

    patron_id: PatronId
    amount: Annotated[int, msgspec.Meta(ge=-MOST, le=MOST, description="Minor units, with its sign; not zero.")]
    currency: Currency
    reason: Reason
    venue_id: VenueId | None = None


class LedgerAdjustmentIn(Input, frozen=True, kw_only=True):
    """An amount to be moved between two accounts of the business, named by their lines of the chart, and why."""

    source: Annotated[str, msgspec.Meta(max_length=40, description="The account that is debited.")]
    destination: Annotated[str, msgspec.Meta(max_length=40, description="The account that is credited.")]
    amount: Annotated[int, msgspec.Meta(ge=1, le=MOST, description="Minor units.")]
    currency: Currency
    reason: Reason
    venue_id: VenueId | None = None
    effective_at: (
        Annotated[datetime, msgspec.Meta(tz=True, description="The moment for which it counts, not after now.")] | None
    ) = None
    """None: it counts for the moment at which it is booked."""


class AdjustmentNoteIn(Input, frozen=True, kw_only=True):
    """What is said with an approval or a withdrawal."""

    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class AdjustmentDeclineIn(Input, frozen=True, kw_only=True):
    """Why a request is declined."""

    reason: Reason


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment as it stands."""

    id: AdjustmentId
    subject: Subject
    patron_id: PatronId | None
    guest: str | None
    venue_id: VenueId | None
    source: str | None
    destination: str | None
    amount: int
    """Of credits with its sign; of the ledger above zero."""
    currency: str
    reason: str
    status: Status
    needs_approval: bool
    """It was above the limit."""
    requested_by: UserId
    requester: str
    requested_at: datetime
    decided_by: UserId | None
    decider: str | None
    decided_at: datetime | None
    decision: str
    """What was said with it."""
    booked_at: datetime | None
    effective_at: datetime | None
    """The moment for which it counts in the books; null: when it is booked."""
    version: int
