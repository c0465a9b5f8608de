"""What the pages of safety share: their lists, their forms' small parts, and the choices in them."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec

from lastlight.domains.safety.permissions import SAFETY_RESPOND
from lastlight.domains.venues import chosen_venue, standing_venues
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
    """A list of the venue that is picked in the switcher, or of all with a filter by venue."""
    mine = {venue.id: venue.name for venue in await standing_venues(ctx, permission=listing.permission)}
    picked = chosen_venue(request)
    if picked in mine:
        query = msgspec.structs.replace(query, venue_id=[picked])
    view = await listing.view(ctx, query)
    choices = [(str(venue_id), name) for venue_id, name in mine.items()]
    if picked in mine:  # every row says the same, and phones are narrow
        view, choices = replace(view, headers=[header for header in view.headers if header.name != "venue"]), []
    return {"view": view, "path": path, "paged": bool(query.after), "choices": {"venue_id": choices}}


async def venue_choices(
    ctx: Ctx, *, request: RequestInfo | None = None, permission: Permission = SAFETY_RESPOND
) -> dict[str, Any]:
    """The venues at which the reader may act, and the one to offer first."""
    venues = [(str(venue.id), venue.name) for venue in await standing_venues(ctx, permission=permission)]
    picked = str(chosen_venue(request) or "") if request is not None else ""
    known = {venue_id for venue_id, _ in venues}
    return {"venues": venues, "venue_id": picked if picked in known else (venues[0][0] if len(venues) == 1 else "")}
