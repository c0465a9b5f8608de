"""What the forms that ask for an adjustment have in common: what they offer, and how what was typed is read."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from lastlight.domains.venues import standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId, uuid_of
from lastlight.kernel.money import digits_of
from lastlight.runtime.context import Ctx
from lastlight.ui import formats

WAITS = "It waits for a second person."
Short = Annotated[str, msgspec.Meta(max_length=60)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


def alone(limit: int, currencies: Sequence[str]) -> list[str]:
    """Up to what amount of each currency one person decides, as it is written."""
    return [formats.money(limit * 10 ** digits_of(one), one) for one in currencies] if limit else []


def read_currency(text: str, known: Sequence[str]) -> str:
    """One of the business's currencies. Raises Invalid."""
    if text not in known:
        raise Invalid(fields={"currency": f"Choose one of {', '.join(known)}."})
    return text


def read_reason(text: str) -> str:
    """Why, in some words. Raises Invalid."""
    if not text.strip():
        raise Invalid(fields={"reason": "Say why: it stays on record."})
    return text


def read_venue_choice(text: str) -> VenueId | None:
    """The venue that was chosen, or none. Raises Invalid."""
    if not text:
        return None
    found = uuid_of(text)
    if found is None:
        raise Invalid(fields={"venue_id": "Choose one of the list."})
    return VenueId(found)


async def venue_choices(ctx: Ctx) -> list[tuple[str, str]]:
    """The venues to choose from, none first."""
    venues = await standing_venues(ctx, permission=None)
    return [("", "None in particular"), *((str(venue.id), venue.name) for venue in venues)]
