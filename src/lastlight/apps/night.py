"""The night as the consoles show it: of which venues, and who came and went."""

from collections.abc import Sequence
from typing import Any

from lastlight.domains.checkins import VISITS_READ, FeedLine
from lastlight.domains.venues import chosen_venue, standing_venues
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo
from lastlight.ui.formats import duration

SIGNS = {
    "in": ("log-in", "Came in", "ok"),
    "out": ("log-out", "Left", ""),
    "timed_out": ("clock-alert", "Timed out", "warn"),
}  # icons: log-in, log-out, clock-alert


async def shown_venues(ctx: Ctx, request: RequestInfo) -> list[VenueId]:
    """The venue that the reader has picked, if they may see its visits; none named is all of theirs."""
    picked = chosen_venue(request)
    mine = [venue.id for venue in await standing_venues(ctx, permission=VISITS_READ)]
    return [venue_id for venue_id in mine if venue_id == picked]


def feed_lines(lines: Sequence[FeedLine], *, visits: str = "", several: bool = True) -> list[dict[str, Any]]:
    """Lines for the feed component; `visits` is the address under which a visit opens, `several` names the venue."""
    return [_line(line, visits, several) for line in lines]


def _line(line: FeedLine, visits: str, several: bool) -> dict[str, Any]:
    glyph, verb, tone = SIGNS[line.kind]
    return {
        "id": f"{line.visit_id}-{line.kind}",
        "at": line.at,
        "who": line.patron,
        "what": line.venue if several else verb.lower(),
        "amount": "" if line.duration_seconds is None else duration(line.duration_seconds),
        "href": f"{visits}/{line.visit_id}" if visits else "",
        "glyph": glyph,
        "verb": verb,
        "tone": tone,
    }
