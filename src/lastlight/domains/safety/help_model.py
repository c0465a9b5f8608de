"""A guest's call for help as it is kept and sent."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.flags import FeatureFlag
from lastlight.kernel.ids import PatronId, VenueId, VisitId
from lastlight.runtime.http import Input

About = Literal["unwell", "bothered", "lost", "other"]
HelpStatus = Literal["sent", "heard", "coming", "over", "withdrawn"]

GUEST_HELP = FeatureFlag(
    key="guest.help",
    description="Guests who are in can call the staff for help from their phone.",
)
"""Off, the button is gone and calls are refused."""


class HelpPosition(Input, frozen=True, kw_only=True):
    """Where the phone says it is; `accuracy_m` is the radius that it is sure of."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]


class HelpIn(Input, frozen=True, kw_only=True):
    """A guest's call for help, or more about the one that stands; `pressed_at` is the phone's own clock. The
    Idempotency-Key is the call's id: sent twice, it is one call."""

    about: About | None = None
    place: Annotated[str, msgspec.Meta(max_length=120)] = ""
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    quiet: bool = False
    position: HelpPosition | None = None
    pressed_at: datetime | None = None


class HelpCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call for help as its guest sees it: `helpers` are those who come, or who have heard it as long as nobody comes."""

    id: UUID
    venue_id: VenueId
    venue: str
    about: About | None
    place: str
    note: str
    quiet: bool
    status: HelpStatus
    helpers: list[str]
    escalation: int
    pressed_at: datetime
    received_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class HelpState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a guest may call for help from the phone, and the call that stands or ended last within the hour."""

    offered: bool
    call: HelpCall | None


class HelpRow(msgspec.Struct, frozen=True, kw_only=True):
    """A call for help as the staff's side needs it."""

    id: UUID
    venue_id: VenueId
    visit_id: VisitId
    patron_id: PatronId
    user_id: UUID
    patron: str
    about: About | None
    place: str
    note: str
    quiet: bool
    status: HelpStatus
    helpers: list[str]
    escalation: int
    pressed_at: datetime
    raised_at: datetime | None
    ended_at: datetime | None
