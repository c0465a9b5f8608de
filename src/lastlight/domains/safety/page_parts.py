"""What the pages of safety share: their lists, their forms' small parts, and the choices in them."""

from typing import Annotated, Any

import msgspec

from lastlight.domains.safety.permissions import SAFETY_RESPOND
from lastlight.domains.venues import chosen_venue, standing_venues
from lastlight.domains.venues import listed as listed_by_venue
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, RequestInfo

Texts = Annotated[str, msgspec.Meta(max_length=2000)]
Short = Annotated[str, msgspec.Meta(max_length=200)]


def visits_of(prefix: str) -> str:
    """Where the visits are that a console leads to; the owner's are the managers'."""
    return "/manage/visits" if prefix == "/owner" else f"{prefix}/visits"


class ReasonForm(Input, frozen=True, kw_only=True):
    """Why, or what came of it."""

    reason: Texts = ""


async def listed(ctx: Ctx, *, request: RequestInfo, listing: Any, query: Any, path: str) -> dict[str, Any]:
    """A list at a venue or at all, as the consoles show it; `path` is its own address, since a console's home of safety is another."""
    return {**await listed_by_venue(ctx, request=request, listing=listing, query=query, home=path), "path": path}


async def venue_choices(
    ctx: Ctx, *, request: RequestInfo | None = None, permission: Permission = SAFETY_RESPOND
) -> dict[str, Any]:
    """The venues at which the reader may act, and the one to offer first."""
    venues = [(str(venue.id), venue.name) for venue in await standing_venues(ctx, permission=permission)]
    picked = str(chosen_venue(request) or "") if request is not None else ""
    known = {venue_id for venue_id, _ in venues}
    return {"venues": venues, "venue_id": picked if picked in known else (venues[0][0] if len(venues) == 1 else "")}
