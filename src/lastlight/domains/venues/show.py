"""A venue as its guests see it: its hours, why it is degraded, its banners and images, and the photos that one sent."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.venues.banners import Banner, list_banners
from lastlight.domains.venues.hours import OpeningHours, closes_at, next_opening
from lastlight.domains.venues.images import Image, image_links, image_path, list_images
from lastlight.domains.venues.model import Venue, VenueStatus
from lastlight.domains.venues.publication import Publication, read_shown_state
from lastlight.domains.venues.queries import read_venue
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import ImageId, PatronId, VenueId
from lastlight.runtime.context import Ctx

OWN = """
select id, venue_id, patron_id, file_id, large_file_id, small_file_id, state, state_reason, moderation, moderation_reason, place, alt,
       width, height, created_at, version
from venue_images where tenant_id = $1 and venue_id = $2 and patron_id = $3 and removed_at is null and state <> 'awaited'
order by created_at desc, id limit 50
"""


class ShownImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that guests see; the addresses are paths of this server, and hold for a quarter of an hour."""

    id: ImageId
    alt: str
    large: str
    small: str
    width: int | None
    height: int | None


class ShownBanner(msgspec.Struct, frozen=True, kw_only=True):
    """A banner that guests see now."""

    id: UUID
    title: str
    body: str
    link: str
    image: ShownImage | None


class OwnPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that the guest sent: whether it is shown, and why not."""

    id: ImageId
    alt: str
    small: str
    state: Literal["awaited", "uploaded", "ready", "failed"]
    state_reason: str
    moderation: Literal["waiting", "approved", "rejected"]
    moderation_reason: str


class DayHours(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of one weekday, as texts such as 18:00-02:00; none: closed."""

    day: str
    spans: list[str]


class VenueShow(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a guest sees of a venue."""

    id: VenueId
    name: str
    address: str
    status: VenueStatus
    is_open: bool
    opens_at: str
    closes_at: str
    time_zone: str
    business_day: date
    """The day that it is by the venue's own count."""
    age_limit: int | None
    tags: list[str]
    always_open: bool
    hours: list[DayHours]
    degraded_reason: str
    """Why something is not as usual; empty where all is."""
    featured: bool
    banners: list[ShownBanner]
    images: list[ShownImage]
    photos: list[OwnPhoto]
    """The guest's own."""


async def read_show(ctx: Ctx, *, venue_id: UUID, patron_id: PatronId) -> VenueShow:
    """A venue as one guest sees it; NotFound while it is not shown.

    The transaction must see all of the tenant, for guests are shown images that others made: each statement names what is given out.
    """
    state = await read_shown_state(ctx, venue_id=venue_id)
    if state is None:
        raise NotFound
    venue = await read_venue(ctx, venue_id=venue_id)
    own = await ctx.db.rows(Image, OWN, ctx.tenant_id, venue_id, patron_id)
    return await _show(ctx, venue, state, own)


async def require_shown(ctx: Ctx, *, venue_id: UUID) -> None:
    """Refuse a guest a venue that is not shown, as if it were not there."""
    if await read_shown_state(ctx, venue_id=venue_id) is None:
        raise NotFound


async def preview_show(ctx: Ctx, *, venue: Venue, state: Publication) -> VenueShow:
    """The same as guests will see it, whether it is published or not, for those who decide on it."""
    return await _show(ctx, venue, state, [])


async def _show(ctx: Ctx, venue: Venue, state: Publication, own: list[Image]) -> VenueShow:
    images = [_image(ctx, image) for image in await list_images(ctx, venue_id=venue.id, every=False)]
    known = {image.id: image for image in images}
    banners = await list_banners(ctx, venue_id=venue.id, coming=False)
    is_open = venue.status == "active" and venue.is_open(ctx.now)
    opens = None if is_open else next_opening(venue.opening_hours, venue.zone, ctx.now)
    closes = closes_at(venue.opening_hours, venue.zone, ctx.now) if is_open else None
    return VenueShow(
        id=venue.id,
        name=venue.name,
        address=venue.address.one_line(),
        status=venue.status,
        is_open=is_open,
        opens_at=opens.isoformat() if opens else "",
        closes_at=closes.isoformat() if closes else "",
        time_zone=venue.time_zone,
        business_day=venue.business_day(ctx.now),
        age_limit=venue.age_limit,
        tags=venue.tags,
        always_open=venue.opening_hours is None,
        hours=_hours(venue.opening_hours),
        degraded_reason=state.reason if state.state == "degraded" else "",
        featured=state.featured,
        banners=[_banner(banner, known) for banner in banners],
        images=images,
        photos=[_photo(ctx, image) for image in own],
    )


def _image(ctx: Ctx, image: Image) -> ShownImage:
    large, small = (image_path(url) for url in image_links(ctx, image=image))
    return ShownImage(id=image.id, alt=image.alt, large=large, small=small, width=image.width, height=image.height)


def _banner(banner: Banner, known: dict[ImageId, ShownImage]) -> ShownBanner:
    image = known.get(banner.image_id) if banner.image_id else None
    return ShownBanner(id=banner.id, title=banner.title, body=banner.body, link=banner.link, image=image)


def _photo(ctx: Ctx, image: Image) -> OwnPhoto:
    return OwnPhoto(
        id=image.id,
        alt=image.alt,
        small=image_path(image_links(ctx, image=image)[1]),
        state=image.state,
        state_reason=image.state_reason,
        moderation=image.moderation,
        moderation_reason=image.moderation_reason,
    )


def _hours(hours: OpeningHours | None) -> list[DayHours]:
    if hours is None:
        return []
    return [
        DayHours(day=day, spans=[f"{span.opens}-{span.closes}" for span in getattr(hours.weekly, day)])
        for day in hours.weekly.__struct_fields__
    ]
