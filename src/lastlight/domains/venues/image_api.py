"""Images of venues at the edge."""

from typing import Annotated, Any

import msgspec

from lastlight.domains.venues import images, moderation, show
from lastlight.domains.venues.errors import ImageNotAwaited, ImageNotThere, ImagesFull
from lastlight.domains.venues.images import Image
from lastlight.domains.venues.listings import IMAGES
from lastlight.domains.venues.permissions import VENUES_MODERATE, VENUES_OWN, VENUES_PUBLISH, VENUES_READ
from lastlight.domains.venues.queries import find_venue
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale, TooLarge
from lastlight.kernel.ids import ImageId, VenueId
from lastlight.runtime import clock
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Input, RequestInfo, delete, get, patch, post, put
from lastlight.runtime.http.listing import listing_get
from lastlight.runtime.services import Services
from lastlight.runtime.storage.files import PURPOSES, Stored, store_upload
from lastlight.runtime.storage.quotas import StorageFull, UploadsSpent
from lastlight.runtime.storage.sniff import FileRefused
from lastlight.runtime.storage.store import NoRoom
from lastlight.runtime.storage.upload import read_upload

TAGS = ("Venue images",)
PICTURE = PURPOSES["picture"]
Words = Annotated[str, msgspec.Meta(max_length=300)]
Described = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class AwaitIn(Input, frozen=True, kw_only=True):
    """What the picture will show, for those who do not see it."""

    alt: Described


class AltIn(Input, frozen=True, kw_only=True):
    """What the picture shows, in other words."""

    alt: Described


class ModerationIn(Input, frozen=True, kw_only=True):
    """Whether a guest's photo is shown, and why not."""

    approved: bool
    reason: Words = ""


class OrderIn(Input, frozen=True, kw_only=True):
    """The images that come first, in this order."""

    image_ids: Annotated[list[ImageId], msgspec.Meta(max_length=200)]


list_images = listing_get("/api/images", IMAGES, tags=TAGS)


class ImageOut(msgspec.Struct, frozen=True, kw_only=True):
    """An image, with addresses of its copies that hold for a quarter of an hour; null until it is ready."""

    image: Image
    large_url: str | None
    small_url: str | None


class UploadOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where to PUT the picture, once, within a quarter of an hour."""

    image: Image
    upload_url: str


class ImagesOut(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's images in their order."""

    items: list[ImageOut]


async def store_picture(services: Services, sent: Any, actor: Actor) -> Stored | None:
    """The slow part of an upload, before its transaction: check the address, then the picture, and store it.

    None where the address has done its work: nothing is stored again, and the transaction says so, or answers as the first time.
    """
    tenant_id, image_id = images.read_upload_link(services, sent["token"], now=clock.moment())
    if tenant_id != actor.tenant_id:
        raise NotFound
    if not await images.is_awaited(services, tenant_id, image_id=image_id):
        return None
    info: RequestInfo = sent["request"]
    name, content = read_upload(info.headers.get("content-type", ""), "picture", sent["body"])
    return await store_upload(services, tenant_id, purpose=PICTURE, name=name, content=content, by=actor.user_id)


@get("/api/venues/{venue_id:uuid}/images", permission=VENUES_READ, raises=[NotFound], tags=TAGS)
async def read_venue_images(ctx: Ctx, venue_id: VenueId) -> ImagesOut:
    """Every image of a venue: awaited, ready, waiting for moderation and refused."""
    venue = await find_venue(ctx, venue_id=venue_id)
    return _shown(ctx, await images.list_images(ctx, venue_id=venue.id, every=True))


@post(
    "/api/venues/{venue_id:uuid}/images",
    permission=VENUES_PUBLISH,
    raises=[NotFound, Invalid, ImagesFull],
    status=201,
    secret=True,
    tags=TAGS,
)
async def await_venue_image(ctx: Ctx, venue_id: VenueId, data: AwaitIn) -> UploadOut:
    """Ask for an address to upload an image of the venue to."""
    image, url = await images.await_image(ctx, venue_id=venue_id, alt=data.alt)
    return UploadOut(image=image, upload_url=url)


@post(
    "/api/patron/venues/{venue_id:uuid}/photos",
    permission=VENUES_OWN,
    raises=[NotFound, Invalid, NotPermitted, ImagesFull],
    status=201,
    secret=True,
    tags=TAGS,
)
async def await_photo(ctx: Ctx, venue_id: VenueId, data: AwaitIn) -> UploadOut:
    """Ask for an address to upload a photo to, as a guest; it is shown once staff approve it."""
    if ctx.actor.patron_id is None:
        raise NotPermitted("Only guests send photos. Upload an image of the venue instead.")
    await show.require_shown(ctx, venue_id=venue_id)
    image, url = await images.await_image(ctx, venue_id=venue_id, alt=data.alt)
    return UploadOut(image=image, upload_url=url)


@put(
    "/uploads/{token:str}",
    signed_in="the signed address was made for somebody of this business",
    body_limit=PICTURE.most_bytes + 64 * 1024,
    prepare=store_picture,
    raises=[NotFound, FileRefused, TooLarge, Invalid, NoRoom, ImageNotAwaited, StorageFull, UploadsSpent],
    tags=TAGS,
)
async def upload_image(ctx: Ctx, token: str, request: RequestInfo, body: bytes, prepared: Stored | None) -> Image:
    """Upload a picture (PNG, JPEG, GIF, WebP; 5 MB) to the address that was given out for it."""
    _, image_id = images.read_upload_link(ctx.services, token, now=ctx.now)
    if prepared is None:
        raise ImageNotAwaited
    await images.receive_image(ctx, image_id=image_id, stored=prepared)
    return await images.read_image(ctx, image_id=image_id)


@put(
    "/api/venues/{venue_id:uuid}/images/order",
    permission=VENUES_PUBLISH,
    raises=[NotFound, Invalid],
    tags=TAGS,
)
async def order_venue_images(ctx: Ctx, venue_id: VenueId, data: OrderIn) -> ImagesOut:
    """Give the images their order: those named first."""
    return _shown(ctx, await images.order_images(ctx, venue_id=venue_id, image_ids=data.image_ids))


@put(
    "/api/images/{image_id:uuid}/moderation",
    permission=VENUES_MODERATE,
    raises=[NotFound, NotPermitted, Stale, Invalid, ImageNotThere],
    tags=TAGS,
)
async def moderate_image(ctx: Ctx, image_id: ImageId, data: ModerationIn, if_match: int) -> Image:
    """Show a guest's photo, or refuse it with a reason."""
    return await moderation.moderate_image(
        ctx, image_id=image_id, approved=data.approved, reason=data.reason, version=if_match
    )


@patch("/api/images/{image_id:uuid}", permission=VENUES_PUBLISH, raises=[NotFound, Stale, Invalid], tags=TAGS)
async def describe_image(ctx: Ctx, image_id: ImageId, data: AltIn, if_match: int) -> Image:
    """Say in other words what an image shows."""
    return await images.describe_image(ctx, image_id=image_id, alt=data.alt, version=if_match)


@delete("/api/images/{image_id:uuid}", permission=VENUES_PUBLISH, raises=[NotFound, Stale], tags=TAGS)
async def remove_image(ctx: Ctx, image_id: ImageId, if_match: int) -> None:
    """Take an image away, with its files."""
    await images.remove_image(ctx, image_id=image_id, version=if_match)


def _shown(ctx: Ctx, found: list[Image]) -> ImagesOut:
    items: list[ImageOut] = []
    for image in found:
        large, small = images.image_links(ctx, image=image)
        items.append(ImageOut(image=image, large_url=large, small_url=small))
    return ImagesOut(items=items)


IMAGE_ROUTES = (
    read_venue_images,
    await_venue_image,
    await_photo,
    upload_image,
    order_venue_images,
    moderate_image,
    describe_image,
    remove_image,
    list_images,
)
