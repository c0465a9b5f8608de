"""The codes that a venue shows: the rotating one on a display, and the one on its posters."""

from datetime import datetime
from uuid import UUID

from lastlight.domains import tenancy
from lastlight.domains.venues.codes import (
    CodeUnreadableError,
    VenueCode,
    code_text,
    code_url,
    poster_code,
    read_code,
    refresh_at,
    screen_code,
)
from lastlight.domains.venues.errors import CodeOfNobody, PosterNeedsGeofence, VenueArchived
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.domains.venues.model import Venue
from lastlight.domains.venues.permissions import VENUES_CODES
from lastlight.domains.venues.posters import SUN, Poster, qr_svg
from lastlight.domains.venues.queries import find_venue
from lastlight.domains.venues.schemas import CodePlace, CodeTenant, CodeVenue, ScreenCode
from lastlight.kernel.ids import TenantId, VenueId
from lastlight.runtime.context import Ctx

PLACE = """
select t.id as tenant_id, t.slug, t.name as tenant, v.name as venue, k.secret
from tenants t
join venues v on v.tenant_id = t.id and v.id = $1
join venue_keys k on k.tenant_id = t.id and k.venue_id = v.id and k.number = $2
where t.status = 'active'
"""


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
    brand = await tenancy.read_brand(ctx)
    return Poster(
        house=(brand.name if brand.logo else "Last Light").upper(),
        accent=brand.dark_accent or SUN,
        logo=await tenancy.logo_content(ctx, brand=brand) or b"",
        venue_name=venue.name,
        address=venue.address.one_line(),
        url=code_url(code, ctx.services.settings.base_url),
        key_number=key.number,
        slug=venue.slug,
    )


async def read_code_place(ctx: Ctx, *, text: str) -> CodePlace:
    """Whose a genuine code is, whichever tenant asks; CodeOfNobody for every other text."""
    try:
        code = read_code(text)
    except CodeUnreadableError:
        raise CodeOfNobody from None
    row = await ctx.db.fetchrow(PLACE, code.venue_id, code.key_number)
    if row is None:
        raise CodeOfNobody
    tenant_id = TenantId(row["tenant_id"])
    key = open_key(ctx, venue_id=code.venue_id, number=code.key_number, sealed=row["secret"], tenant_id=tenant_id)
    if not code.is_signed_by(key):
        raise CodeOfNobody
    return CodePlace(
        venue=CodeVenue(id=VenueId(code.venue_id), name=row["venue"]),
        tenant=CodeTenant(id=tenant_id, slug=row["slug"], name=row["tenant"]),
    )


async def _showable(ctx: Ctx, venue_id: UUID) -> Venue:
    venue = await find_venue(ctx, venue_id=venue_id, permission=VENUES_CODES)
    if venue.status == "archived":
        raise VenueArchived
    return venue


def _expiry(code: VenueCode, ctx: Ctx) -> datetime:
    return code.expires_at or ctx.now
