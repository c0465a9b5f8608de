"""A declared list as the consoles show it: of the venue that is picked in the switcher, or of all with a filter by venue."""

from dataclasses import replace
from typing import Any

import msgspec

from lastlight.domains.venues.choice import chosen_venue
from lastlight.domains.venues.queries import standing_venues
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.http.listing import Listing


async def listed(ctx: Ctx, *, request: RequestInfo, listing: Listing[Any], query: Any, home: str) -> dict[str, Any]:
    """What `ui.listing` needs: the view, the page's address, whether it is a further page, and the venues to filter by."""
    mine = {venue.id: venue.name for venue in await standing_venues(ctx, permission=listing.permission)}
    picked = chosen_venue(request)
    if picked in mine:
        query = msgspec.structs.replace(query, venue_id=[picked])
    view = await listing.view(ctx, query)
    choices = [(str(venue_id), name) for venue_id, name in mine.items()]
    if picked in mine:  # every row says the same, and phones are narrow
        view, choices = replace(view, headers=[header for header in view.headers if header.name != "venue"]), []
    return {"view": view, "home": home, "paged": bool(query.after), "choices": {"venue_id": choices}}
