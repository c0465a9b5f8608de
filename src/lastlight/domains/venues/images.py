"""Images of a venue: an upload by a signed address, copies that a job makes, their order, and what of guests' photos is shown."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from lastlight.domains.venues.errors import ImageNotAwaited, ImagesFull
from lastlight.domains.venues.events import VenueImageChanged
from lastlight.domains.venues.permissions import VENUES_PUBLISH, VENUES_READ
from lastlight.domains.venues.queries import lock_venue, read_venue
from lastlight.domains.venues.resizing import resize_image
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import FileId, ImageId, PatronId, TenantId, VenueId, uuid7
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.turns import take_turn
from lastlight.runtime.services import Services
from lastlight.runtime.storage.files import LINK_SECONDS, Stored, add_file, file_link, remove_file

LINK_PURPOSE = "venue image"
UPLOAD_TIME = timedelta(minutes=15)
STEADY_SECONDS = 300
MOST_IMAGES = 60
MOST_WAITING = 10
"""Photos of one guest at one venue that nobody has decided on yet."""

COLUMNS = """id, venue_id, patron_id, file_id, large_file_id, small_file_id, state, state_reason, moderation, moderation_reason, place, alt,
       width, height, created_at, version"""
READ = f"select {COLUMNS} from venue_images where tenant_id = $1 and id = $2 and removed_at is null"  # noqa: S608 - our own columns
OF_VENUE = f"""
select {COLUMNS} from venue_images
where tenant_id = $1 and venue_id = $2 and removed_at is null and ($3 or (state = 'ready' and moderation = 'approved'))
order by place = 0, place, id limit 200
"""  # noqa: S608 - our own columns
CHOSEN = f"select {COLUMNS} from venue_images where tenant_id = $1 and id = any($2) and removed_at is null"  # noqa: S608 - our own columns
STATE = "select state from venue_images where tenant_id = $1 and id = $2 and removed_at is null"
LOCK = "select 1 from venue_images where tenant_id = $1 and id = $2 and removed_at is null for update"
COUNTS = """
select count(*) filter (where patron_id is null) as ours, count(*) filter (where patron_id = $3 and moderation = 'waiting') as theirs,
       coalesce(max(place), 0) as last
from venue_images where tenant_id = $1 and venue_id = $2 and removed_at is null
"""
INSERT = """
insert into venue_images (tenant_id, id, venue_id, patron_id, moderation, place, alt, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
UPLOADED = """
update venue_images set state = 'uploaded', file_id = $3
where tenant_id = $1 and id = $2 and state = 'awaited' and removed_at is null
"""
DESCRIBE = "update venue_images set alt = $3 where tenant_id = $1 and id = $2"
PLACE = "update venue_images set place = $3 where tenant_id = $1 and id = $2 and place <> $3"
REMOVE = "update venue_images set removed_at = now() where tenant_id = $1 and id = $2"


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image as it is kept; the copies exist once it is ready."""

    id: ImageId
    venue_id: VenueId
    patron_id: PatronId | None
    file_id: FileId | None
    large_file_id: FileId | None
    small_file_id: FileId | None
    state: Literal["awaited", "uploaded", "ready", "failed"]
    state_reason: str
    moderation: Literal["waiting", "approved", "rejected"]
    moderation_reason: str
    place: int
    alt: str
    width: int | None
    height: int | None
    created_at: datetime
    version: int


async def read_image(ctx: Ctx, *, image_id: UUID) -> Image:
    """An image of the tenant, or of the guest who asks; NotFound when there is none."""
    return await ctx.db.one(Image, READ, ctx.tenant_id, image_id)


async def list_images(ctx: Ctx, *, venue_id: UUID, every: bool) -> list[Image]:
    """A venue's images in their order: all of them, or those that guests see."""
    return await ctx.db.rows(Image, OF_VENUE, ctx.tenant_id, venue_id, every)


async def small_copies(ctx: Ctx, *, image_ids: Sequence[UUID]) -> dict[ImageId, str]:
    """The addresses of the small copies of several images, by id; empty texts where there is none yet."""
    found = await ctx.db.rows(Image, CHOSEN, ctx.tenant_id, list(image_ids))
    return {image.id: image_path(image_links(ctx, image=image)[1]) for image in found}


async def await_image(ctx: Ctx, *, venue_id: UUID, alt: str) -> tuple[Image, str]:
    """Expect an upload, and the address that takes it once: staff's own are shown, guests' wait for moderation."""
    require_alt(alt)
    patron_id = ctx.actor.patron_id
    if patron_id is None:
        ctx.require(VENUES_PUBLISH, venue_id)
        await lock_venue(ctx, venue_id=venue_id)
    else:
        await take_turn(ctx, of="photos", whose=patron_id)
    venue = await read_venue(ctx, venue_id=venue_id)
    found = await ctx.db.fetchrow(COUNTS, ctx.tenant_id, venue.id, patron_id)
    assert found is not None
    if (found["theirs"] >= MOST_WAITING) if patron_id else (found["ours"] >= MOST_IMAGES):
        raise ImagesFull
    image_id = ImageId(uuid7())
    # a guest sees only their own photos, and so cannot know the last place: who approves one gives it its place
    moderation, place = ("waiting", 0) if patron_id else ("approved", found["last"] + 1)
    values = (venue.id, patron_id, moderation, place, alt.strip(), ctx.actor.user_id)
    await ctx.db.execute(INSERT, ctx.tenant_id, image_id, *values)
    image = await read_image(ctx, image_id=image_id)
    tell_image(ctx, change="awaited", image=image)
    payload = ctx.tenant_id.bytes + image_id.bytes
    token = ctx.services.secrets.make_link(LINK_PURPOSE, payload, expires_at=ctx.now + UPLOAD_TIME)
    return image, f"{ctx.services.settings.base_url}/uploads/{token}"


def read_upload_link(services: Services, token: str, *, now: datetime) -> tuple[TenantId, ImageId]:
    """What an upload's address stands for; NotFound when it is forged or has expired."""
    payload = services.secrets.read_link(LINK_PURPOSE, token, now=now)
    if payload is None or len(payload) != 32:
        raise NotFound("This upload address does not work any more; ask for another.")
    return TenantId(UUID(bytes=payload[:16])), ImageId(UUID(bytes=payload[16:]))


async def is_awaited(services: Services, tenant_id: TenantId, *, image_id: UUID) -> bool:
    """Whether an address still waits for its picture; NotFound for one of no image. Nothing is stored for one that does not."""
    state = await services.pools.system.fetchval(STATE, tenant_id, image_id)
    if state is None:
        raise NotFound
    return state == "awaited"


async def receive_image(ctx: Ctx, *, image_id: UUID, stored: Stored) -> None:
    """Keep what was uploaded, once, and have its copies made; in a transaction of the image's tenant."""
    image = await read_image(ctx, image_id=image_id)
    if image.state != "awaited":
        raise ImageNotAwaited
    file_id = await add_file(ctx, stored, purpose="venue image original", patron_id=image.patron_id)
    if not await ctx.db.execute(UPLOADED, ctx.tenant_id, image_id, file_id):
        raise ImageNotAwaited
    await ctx.enqueue(resize_image, image_id=image.id)
    tell_image(ctx, change="uploaded", image=image)


async def describe_image(ctx: Ctx, *, image_id: UUID, alt: str, version: int) -> Image:
    """Say in other words what an image shows."""
    before = await lock_image(ctx, image_id=image_id, version=version, permission=VENUES_PUBLISH)
    require_alt(alt)
    if alt.strip() == before.alt:
        return before
    await ctx.db.execute(DESCRIBE, ctx.tenant_id, image_id, alt.strip())
    after = await read_image(ctx, image_id=image_id)
    tell_image(ctx, change="described", image=after, before={"alt": before.alt}, after={"alt": after.alt})
    return after


async def order_images(ctx: Ctx, *, venue_id: UUID, image_ids: list[ImageId]) -> list[Image]:
    """Give a venue's images their order: the ones named first, the others after them as they were."""
    ctx.require(VENUES_PUBLISH, venue_id)
    await lock_venue(ctx, venue_id=venue_id)
    standing = [image.id for image in await list_images(ctx, venue_id=venue_id, every=True)]
    if len(set(image_ids)) != len(image_ids) or not set(image_ids) <= set(standing):
        raise Invalid(fields={"image_ids": "Name images of this venue, each once."})
    order = [*image_ids, *(one for one in standing if one not in set(image_ids))]
    moved = [(ctx.tenant_id, one, place) for place, one in enumerate(order, 1)]
    await ctx.db.executemany(PLACE, moved)
    images = await list_images(ctx, venue_id=venue_id, every=True)
    if images and order != standing:
        tell_image(
            ctx,
            change="ordered",
            image=images[0],
            before=[str(one) for one in standing],
            after=[str(one) for one in order],
        )
    return images


async def remove_image(ctx: Ctx, *, image_id: UUID, version: int) -> None:
    """Take an image away, with its files."""
    image = await lock_image(ctx, image_id=image_id, version=version, permission=VENUES_PUBLISH)
    await ctx.db.execute(REMOVE, ctx.tenant_id, image_id)
    for file_id in (image.file_id, image.large_file_id, image.small_file_id):
        if file_id is not None:
            await remove_file(ctx, file_id)
    tell_image(ctx, change="removed", image=image, before={"alt": image.alt, "place": image.place})


def image_links(ctx: Ctx, *, image: Image) -> tuple[str | None, str | None]:
    """The addresses of the large and the small copy, which hold for a while; never of the original.

    They stay the same for some minutes, so that a browser that asks again shows what it has.
    """
    steady = ctx.now - timedelta(seconds=ctx.now.timestamp() % STEADY_SECONDS)
    places = (image.large_file_id, image.small_file_id)
    large, small = (
        one and file_link(ctx.services, ctx.tenant_id, one, now=steady, seconds=LINK_SECONDS + STEADY_SECONDS)
        for one in places
    )
    return large, small


def image_path(url: str | None) -> str:
    """The address of a copy on whichever name this server is reached by; empty for none."""
    return urlsplit(url).path if url else ""


def require_alt(alt: str) -> None:
    """Refuse an image without words for those who do not see it."""
    if not alt.strip():
        raise Invalid(fields={"alt": "Say what the picture shows, for those who do not see it."})


async def lock_image(ctx: Ctx, *, image_id: UUID, version: int, permission: Permission) -> Image:
    """An image at a venue that the actor holds a permission for, held against other changes; Stale when it is another version."""
    seen = await read_image(ctx, image_id=image_id)
    ctx.require(VENUES_READ, seen.venue_id)
    ctx.require(permission, seen.venue_id)
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, image_id):
        raise NotFound
    image = await read_image(ctx, image_id=image_id)
    if image.version != version:
        raise Stale
    return image


def tell_image(ctx: Ctx, *, change: str, image: Image, before: Any = None, after: Any = None, reason: str = "") -> None:
    """Emit what became of an image."""
    event = VenueImageChanged(venue_id=image.venue_id, image_id=image.id, change=change)
    entity = ("image", image.id)
    ctx.emit(event, entity=entity, venue_id=image.venue_id, before=before, after=after, reason=reason)
