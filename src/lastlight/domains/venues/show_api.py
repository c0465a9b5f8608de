"""How venues are shown, at the edge: publication and banners."""

import msgspec

from lastlight.domains.venues import banners, publication, show
from lastlight.domains.venues.banners import Banner
from lastlight.domains.venues.errors import BannersFull, VenueArchived
from lastlight.domains.venues.listings import BANNERS
from lastlight.domains.venues.permissions import VENUES_OWN, VENUES_PUBLISH, VENUES_READ
from lastlight.domains.venues.publication import Publication
from lastlight.domains.venues.schemas import BannerChange, BannerIn, BannerOrderIn, PublicationIn
from lastlight.domains.venues.show import VenueShow
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import BannerId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import delete, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Venues",)
GUEST = ("Patron app",)

list_banners = listing_get("/api/banners", BANNERS, tags=TAGS)


class LiveBanners(msgspec.Struct, frozen=True, kw_only=True):
    """Banners in the order in which guests see them."""

    items: list[Banner]


@get("/api/venues/{venue_id:uuid}/publication", permission=VENUES_READ, raises=[NotFound], tags=TAGS)
async def read_publication(ctx: Ctx, venue_id: VenueId) -> Publication:
    """Read how a venue is shown to guests."""
    return await publication.find_publication(ctx, venue_id=venue_id)


@put(
    "/api/venues/{venue_id:uuid}/publication",
    permission=VENUES_PUBLISH,
    raises=[NotFound, Stale, Invalid, VenueArchived],
    tags=TAGS,
)
async def set_publication(ctx: Ctx, venue_id: VenueId, data: PublicationIn, if_match: int) -> Publication:
    """Publish a venue, feature it until a moment, show it degraded with a reason, or take it from view.

    Pausing the door is the venue's status.
    """
    return await publication.set_publication(
        ctx,
        venue_id=venue_id,
        state=data.state,
        reason=data.reason,
        featured_until=data.featured_until,
        version=if_match,
    )


@post(
    "/api/venues/{venue_id:uuid}/banners",
    permission=VENUES_PUBLISH,
    raises=[NotFound, Invalid, BannersFull],
    status=201,
    tags=TAGS,
)
async def create_banner(ctx: Ctx, venue_id: VenueId, data: BannerIn) -> Banner:
    """Put a promotional banner on a venue, shown between two moments."""
    return await banners.create_banner(ctx, venue_id=venue_id, data=data)


@patch(
    "/api/banners/{banner_id:uuid}",
    permission=VENUES_PUBLISH,
    raises=[NotFound, Stale, Invalid, BannersFull],
    tags=TAGS,
)
async def change_banner(ctx: Ctx, banner_id: BannerId, data: BannerChange, if_match: int) -> Banner:
    """Change what is given about a banner."""
    return await banners.change_banner(ctx, banner_id=banner_id, data=data, version=if_match)


@put(
    "/api/venues/{venue_id:uuid}/banners/order",
    permission=VENUES_PUBLISH,
    raises=[NotFound, Invalid],
    tags=TAGS,
)
async def order_banners(ctx: Ctx, venue_id: VenueId, data: BannerOrderIn) -> LiveBanners:
    """Give the banners that are not over their order: those named first."""
    return LiveBanners(items=await banners.order_banners(ctx, venue_id=venue_id, banner_ids=data.banner_ids))


@delete("/api/banners/{banner_id:uuid}", permission=VENUES_PUBLISH, raises=[NotFound, Stale], tags=TAGS)
async def remove_banner(ctx: Ctx, banner_id: BannerId, if_match: int) -> None:
    """Take a banner down."""
    await banners.remove_banner(ctx, banner_id=banner_id, version=if_match)


@get(
    "/api/patron/venues/{venue_id:uuid}/banners",
    permission=VENUES_OWN,
    raises=[NotFound],
    tags=GUEST,
)
async def list_live_banners(ctx: Ctx, venue_id: VenueId) -> LiveBanners:
    """The banners of a venue that are shown now."""
    await show.require_shown(ctx, venue_id=venue_id)
    return LiveBanners(items=await banners.list_banners(ctx, venue_id=venue_id, coming=False))


@get(
    "/api/patron/venues/{venue_id:uuid}",
    permission=VENUES_OWN,
    db="system",
    raises=[NotFound, NotPermitted],
    tags=GUEST,
)
async def read_venue_show(ctx: Ctx, venue_id: VenueId) -> VenueShow:
    """A venue as its guests see it: hours, what is not as usual, banners, images, and the photos that one sent."""
    if ctx.actor.patron_id is None:
        raise NotPermitted("Sign in as a guest to see this.")
    return await show.read_show(ctx, venue_id=venue_id, patron_id=ctx.actor.patron_id)


SHOW_ROUTES = (
    read_publication,
    set_publication,
    list_banners,
    create_banner,
    change_banner,
    remove_banner,
    order_banners,
    read_venue_show,
    list_live_banners,
)
