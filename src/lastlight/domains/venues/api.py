"""Venues at the edge: thin; the actions hold the rules."""

from lastlight.domains.venues import actions, keys, queries, screens
from lastlight.domains.venues.errors import (
    CodeOfNobody,
    KeysExhausted,
    PosterNeedsGeofence,
    VenueArchived,
    VenueSlugTaken,
)
from lastlight.domains.venues.keys import KeyChange
from lastlight.domains.venues.listings import CREW_VENUES, VENUES
from lastlight.domains.venues.model import Venue
from lastlight.domains.venues.permissions import VENUES_CODES, VENUES_KEYS, VENUES_MANAGE, VENUES_READ
from lastlight.domains.venues.posters import poster_pdf, poster_svg
from lastlight.domains.venues.schemas import (
    CodePlace,
    PosterQuery,
    RegenerateIn,
    ScreenCode,
    StatusIn,
    VenueChange,
    VenueIn,
)
from lastlight.kernel.errors import NotFound, Stale
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Download, also_at, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Venues",)

list_venues = listing_get("/api/venues", VENUES, tags=TAGS)
list_crew_venues = listing_get("/api/admin/venues", CREW_VENUES, tags=TAGS)


@post("/api/venues", permission=VENUES_MANAGE, raises=[VenueSlugTaken], status=201, tags=TAGS)
async def create_venue(ctx: Ctx, data: VenueIn) -> Venue:
    """Create a venue with its first key. Only who manages every venue of the business may."""
    return await actions.create_venue(ctx, data=data)


@get("/api/venues/{venue_id:uuid}", permission=VENUES_READ, raises=[NotFound], tags=TAGS)
async def read_venue(ctx: Ctx, venue_id: VenueId) -> Venue:
    """Read a venue."""
    return await queries.find_venue(ctx, venue_id=venue_id)


@patch(
    "/api/venues/{venue_id:uuid}",
    permission=VENUES_MANAGE,
    raises=[NotFound, Stale, VenueSlugTaken, VenueArchived],
    tags=TAGS,
)
async def change_venue(ctx: Ctx, venue_id: VenueId, data: VenueChange, if_match: int) -> Venue:
    """Change the fields that are given; the others stay."""
    return await actions.change_venue(ctx, venue_id=venue_id, data=data, version=if_match)


@put(
    "/api/admin/venues/{venue_id:uuid}",
    permission=VENUES_MANAGE,
    raises=[NotFound, Stale, VenueSlugTaken, VenueArchived],
    tags=TAGS,
)
async def replace_venue(ctx: Ctx, venue_id: VenueId, data: VenueIn, if_match: int) -> Venue:
    """Give every field of a venue anew; what is left out goes back to its default."""
    return await actions.replace_venue(ctx, venue_id=venue_id, data=data, version=if_match)


@put("/api/venues/{venue_id:uuid}/status", permission=VENUES_MANAGE, raises=[NotFound, Stale], tags=TAGS)
async def set_venue_status(ctx: Ctx, venue_id: VenueId, data: StatusIn, if_match: int) -> Venue:
    """Pause a venue, archive it, or make it active again; nothing of its history is lost."""
    return await actions.set_status(ctx, venue_id=venue_id, status=data.status, reason=data.reason, version=if_match)


@get("/api/venues/{venue_id:uuid}/code", permission=VENUES_CODES, raises=[NotFound, VenueArchived], tags=TAGS)
async def read_screen_code(ctx: Ctx, venue_id: VenueId) -> ScreenCode:
    """Read the code that the venue's displays show now; ask again at `refresh_at`."""
    return await screens.read_screen_code(ctx, venue_id=venue_id)


@get(
    "/api/venues/{venue_id:uuid}/poster.pdf",
    permission=VENUES_CODES,
    raises=[NotFound, VenueArchived, PosterNeedsGeofence],
    tags=TAGS,
)
async def read_poster_pdf(ctx: Ctx, venue_id: VenueId, query: PosterQuery) -> Download:
    """Print the venue's poster: its code works until the key is regenerated, inside the geofence."""
    poster = await screens.read_poster(ctx, venue_id=venue_id)
    name = f"{poster.slug}-poster-{query.size.lower()}-key{poster.key_number}.pdf"
    return Download(body=poster_pdf(poster, query.size), media_type="application/pdf", filename=name, inline=True)


@get(
    "/api/venues/{venue_id:uuid}/poster.svg",
    permission=VENUES_CODES,
    raises=[NotFound, VenueArchived, PosterNeedsGeofence],
    tags=TAGS,
)
async def read_poster_svg(ctx: Ctx, venue_id: VenueId, query: PosterQuery) -> Download:
    """Read the venue's poster as SVG, to lay it out anew."""
    poster = await screens.read_poster(ctx, venue_id=venue_id)
    name = f"{poster.slug}-poster-{query.size.lower()}-key{poster.key_number}.svg"
    body = poster_svg(poster, query.size).encode()
    return Download(body=body, media_type="image/svg+xml", filename=name, inline=True)


@get(
    "/api/codes/{code:str}",
    public="Whoever holds a genuine code may learn whose it is, to become a guest there.",
    raises=[CodeOfNobody],
    db="system",
    tags=TAGS,
)
async def read_code_place(ctx: Ctx, code: str) -> CodePlace:
    """Read whose a scanned code is: its venue and business."""
    return await screens.read_code_place(ctx, text=code)


@post(
    "/api/admin/venues/{venue_id:uuid}/regenerate-qr",
    permission=VENUES_KEYS,
    raises=[NotFound, KeysExhausted],
    status=201,
    tags=TAGS,
)
async def regenerate_key(ctx: Ctx, venue_id: VenueId, data: RegenerateIn) -> KeyChange:
    """Sign with a new key. The older codes die at once, or after `grace_minutes`."""
    return await keys.regenerate_key(ctx, venue_id=venue_id, grace_minutes=data.grace_minutes)


ROUTES = (
    list_venues,
    list_crew_venues,
    create_venue,
    also_at(create_venue, "/api/admin/venues"),
    read_venue,
    change_venue,
    replace_venue,
    set_venue_status,
    read_screen_code,
    read_poster_pdf,
    read_poster_svg,
    regenerate_key,
    read_code_place,
)
