"""The codes that a venue shows: the rotating one on a display, and the one on its posters."""

from datetime import datetime
from uuid import UUID

from lastlight.domains.venues.codes import VenueCode, code_text, code_url, poster_code, refresh_at, screen_code
from lastlight.domains.venues.errors import PosterNeedsGeofence, VenueArchived
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.domains.venues.model import Venue
from lastlight.domains.venues.permissions import VENUES_CODES
from lastlight.domains.venues.posters import Poster, qr_svg
from lastlight.domains.venues.queries import find_venue
from lastlight.domains.venues.schemas import ScreenCode
from lastlight.runtime.context import Ctx


async def read_screen_code(ctx: Ctx, *, venue_id: UUID) -> ScreenCode:
    """The code of this moment, the same on every display of the venue."""
    venue = await _showable(ctx, venue_id)
    key = await current_key(ctx, venue_id=venue_id)
    secret = open_key(ctx, venue_id=venue_id, number=key.number, sealed=key.secret)
    code = screen_code(secret, venue_id=venue_id, key_number=key.number, at=ctx.now)
    url = code_url(code, ctx.services.settings.base_url)
    return ScreenCode(
        venue_id=venue.id,
        venue_name=venue.name,
        status=venue.status,
        is_open=venue.is_open(ctx.now),
        key_number=key.number,
        code=code_text(code),
        url=url,
        svg=qr_svg(url),
        now=ctx.now,
        refresh_at=refresh_at(ctx.now),
        expires_at=_expiry(code, ctx),
    )


async def read_poster(ctx: Ctx, *, venue_id: UUID) -> Poster:
    """What a venue's poster says; PosterNeedsGeofence without a fence to check its users against."""
    venue = await _showable(ctx, venue_id)
    if venue.geofence is None:
        raise PosterNeedsGeofence
    key = await current_key(ctx, venue_id=venue_id)
    secret = open_key(ctx, venue_id=venue_id, number=key.number, sealed=key.secret)
    code = poster_code(secret, venue_id=venue_id, key_number=key.number)
    return Poster(
        venue_name=venue.name,
        address=venue.address.one_line(),
        url=code_url(code, ctx.services.settings.base_url),
        key_number=key.number,
        slug=venue.slug,
    )


async def _showable(ctx: Ctx, venue_id: UUID) -> Venue:
    venue = await find_venue(ctx, venue_id=venue_id, permission=VENUES_CODES)
    if venue.status == "archived":
        raise VenueArchived
    return venue


def _expiry(code: VenueCode, ctx: Ctx) -> datetime:
    return code.expires_at or ctx.now
