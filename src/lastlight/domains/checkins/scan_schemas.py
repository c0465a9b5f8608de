"""What devices send and get at the door."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.ids import CheckinId, PatronId, UserId, VenueId, VisitId
from lastlight.kernel.money import MOST, Money
from lastlight.runtime.http import Input

Decided = Literal["server", "admitted", "refused"]
Direction = Literal["in", "out"]
ScanResult = Literal["admitted", "refused", "double", "left"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ScanIn(Input, frozen=True, kw_only=True):
    """One scan of a guest's pass."""

    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """The device counts its scans; one that is sent again gets the answer that it got."""
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    claimed_at: Annotated[datetime, msgspec.Meta(tz=True)]
    """When the device scanned it, with its offset, as far as it knows the time."""
    direction: Direction = "in"
    """`out` for a guest who leaves."""
    decided: Decided = "server"
    """`server` to ask now; else what the device decided without a network."""
    refusal: Annotated[str, msgspec.Meta(max_length=80)] = ""
    """Why the device refused."""
    override_reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Why staff let the guest in against the rules at a door without a network. With one they ask POST /api/checkins/overrides."""
    venue_id: VenueId | None = None
    """Where the device stood when it decided, for one that was moved before it could send its log."""
    override_by: UserId | None = None
    """The member who was signed in on the device, and answers for it."""


class ScansIn(Input, frozen=True, kw_only=True):
    """A device's scans: one when it asks, its log when it has a network again."""

    scans: Annotated[list[ScanIn], msgspec.Meta(min_length=1, max_length=200)]


class EntranceTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a door is told of the price of a guest's entrance, in minor units."""

    status: Literal["paid", "unpaid", "waived", "short"]
    """`short`: too few credits, so that the guest was not let in; `unpaid`: they are in and owe it."""
    amount: int
    currency: str
    missing: int = 0
    frozen: int = 0
    """Of the guest's credits, where they are short: in dispute."""
    expired: int = 0
    """Of the guest's credits, where they are short: lost to its time in the last weeks."""


class ScanOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a scan."""

    sequence: int
    direction: Direction
    decided: Decided
    """As it is kept: a scan that was asked stays one, also when the device sends it again with its own decision."""
    result: ScanResult
    refusal: str = ""
    detail: str = ""
    patron: str = ""
    patron_id: PatronId | None = None
    checkin_id: CheckinId | None = None
    visit_id: VisitId | None = None
    """The visit that a scan on leaving closed."""
    age: int | None = None
    """Where the venue has an age limit and the guest's age is known."""
    overridable: bool = False
    """Whether staff may let the guest in by hand: against age, hours or a pause, never against a ban."""
    entrance: EntranceTold | None = None
    """What the entrance costs and what became of it; null where it is free or was paid before."""
    claimed_at: datetime
    received_at: datetime


class ScansOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each scan, in the order of their sequence."""

    results: list[ScanOut]
    inside: int
    """How many guests are in the venue after them."""
    now: datetime


class PassKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that passes are checked with: Ed25519, raw, as base64url."""

    id: str
    public_key: str


class PassIn(Input, frozen=True, kw_only=True):
    """Which of the guest's phones the pass is for."""

    key_id: UUID


class PassOut(msgspec.Struct, frozen=True, kw_only=True):
    """A pass for the night; the phone signs each time step with its key."""

    text: str
    starts_at: datetime
    expires_at: datetime
    step_seconds: int
    now: datetime


class LetInAgain(msgspec.Struct, frozen=True, kw_only=True):
    """A guest whom this device let in, and another one as well, each without knowing of the other."""

    sequence: int
    """This device's own scan."""
    door: str
    at: datetime
    """When the other device did."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a door needs to decide without a network, as of `at`."""

    at: datetime
    venue_id: VenueId
    venue: str
    time_zone: str
    """The venue's: a door shows its times on it, whatever zone the device is set to."""
    tenant_id: UUID
    status: str
    is_open: bool
    closes_at: datetime | None
    opens_at: datetime | None
    capacity: int | None
    age_limit: int | None
    entrance: Money | None
    """What the entrance costs in credits: charged when the device sends its log."""
    birth_date_required: bool
    step_seconds: int
    keys: list[PassKey]
    barred: list[UUID]
    by_hand: list[UUID]
    """Guests whom only staff may let in."""
    inside: list[UUID]
    """Guests with an open visit anywhere in the business."""
    here: list[UUID]
    """Those of them who are in this venue."""
    revoked_keys: list[UUID]
    """Phones that were revoked in the last day: their passes do not count."""
    last_sequence: int
    again: list[LetInAgain]
    """Of the last 18 hours: guests of this device's scans whom another device let in a second time."""


class OverrideIn(Input, frozen=True, kw_only=True):
    """A guest whom staff let in by hand, and why."""

    venue_id: VenueId
    patron_id: PatronId
    reason: Reason


class RevocationIn(Input, frozen=True, kw_only=True):
    """Why a check-in does not count."""

    kind: Literal["revoked", "false_positive"]
    reason: Reason
    refund: bool = False
    """Give back what is left of its price, or let it off where it is owed; asks for checkins.refund besides."""


class EntryRefundIn(Input, frozen=True, kw_only=True):
    """Why what a check-in cost is given back, and how much of it: all that is left unless an amount is given."""

    reason: Reason
    amount: Annotated[int, msgspec.Meta(ge=1, le=MOST, description="Minor units.")] | None = None


class WaiverIn(Input, frozen=True, kw_only=True):
    """Why what is owed for a check-in is let off."""

    reason: Reason


class EntryPriceIn(Input, frozen=True, kw_only=True):
    """What the entrance is to cost, in minor units of the venue's currency; null: nothing."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=MOST, description="Minor units.")] | None
    tax_category: Annotated[str, msgspec.Meta(max_length=40)] = "untaxed"
    each_time: bool = False
    """Whoever comes back on the same business day pays again."""


class EntryPriceOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the entrance to a venue costs."""

    venue_id: VenueId
    amount: int | None
    currency: str
    """The venue's."""
    tax_category: str
    each_time: bool


class ResolutionIn(Input, frozen=True, kw_only=True):
    """What a flag turned out to be."""

    status: Literal["confirmed", "dismissed"]
    reason: Reason
