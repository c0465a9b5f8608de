"""Promotional banners of a venue, each shown between two moments."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.venues.errors import BannersFull
from lastlight.domains.venues.events import VenueBannerChanged
from lastlight.domains.venues.permissions import VENUES_PUBLISH
from lastlight.domains.venues.queries import lock_venue
from lastlight.domains.venues.schemas import BannerChange, BannerIn
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import BannerId, ImageId, VenueId, uuid7
from lastlight.runtime.context import Ctx

MOST_BANNERS = 50
"""So many of one venue may not be over yet: more would be seen by nobody."""
COLUMNS = """b.id, b.venue_id, b.title, b.body, b.link, b.image_id, b.place, b.starts_at, b.ends_at,
       b.starts_at <= now() and b.ends_at > now() as live, b.created_at, b.version"""
READ = f"select {COLUMNS} from venue_banners b where b.tenant_id = $1 and b.id = $2 and b.removed_at is null"  # noqa: S608 - our own columns
OF_VENUE = f"""
select {COLUMNS} from venue_banners b
where b.tenant_id = $1 and b.venue_id = $2 and b.removed_at is null and b.ends_at > now() and ($3 or b.starts_at <= now())
order by b.place, b.starts_at, b.id
"""  # noqa: S608 - our own columns
LOCK = "select 1 from venue_banners where tenant_id = $1 and id = $2 and removed_at is null for update"
INSERT = """
insert into venue_banners (tenant_id, id, venue_id, title, body, link, image_id, starts_at, ends_at, place)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
        (select coalesce(max(place), 0) + 1 from venue_banners where tenant_id = $1 and venue_id = $3 and removed_at is null))
"""
UPDATE = """
update venue_banners set title = $3, body = $4, link = $5, image_id = $6, starts_at = $7, ends_at = $8
where tenant_id = $1 and id = $2
"""
PLACE = "update venue_banners set place = $3 where tenant_id = $1 and id = $2 and place <> $3"
SHOWABLE = """
select exists (select from venue_images
               where tenant_id = $1 and venue_id = $2 and id = $3 and state = 'ready' and moderation = 'approved' and removed_at is null)
"""
REMOVE = "update venue_banners set removed_at = now() where tenant_id = $1 and id = $2"


class Banner(msgspec.Struct, frozen=True, kw_only=True):
    """A banner as it is kept; `live` says whether guests see it now."""

    id: BannerId
    venue_id: VenueId
    title: str
    body: str
    link: str
    image_id: ImageId | None
    place: int
    starts_at: datetime
    ends_at: datetime
    live: bool
    created_at: datetime
    version: int


async def read_banner(ctx: Ctx, *, banner_id: UUID) -> Banner:
    """A banner of the tenant, for a caller that has seen to the permission; NotFound when there is none."""
    return await ctx.db.one(Banner, READ, ctx.tenant_id, banner_id)


async def list_banners(ctx: Ctx, *, venue_id: UUID, coming: bool) -> list[Banner]:
    """The banners of a venue in their order: those that guests see now, or with those that are still to come."""
    return await ctx.db.rows(Banner, OF_VENUE, ctx.tenant_id, venue_id, coming)


async def create_banner(ctx: Ctx, *, venue_id: UUID, data: BannerIn) -> Banner:
    """Put a banner on a venue."""
    ctx.require(VENUES_PUBLISH, venue_id)
    await lock_venue(ctx, venue_id=venue_id)
    _require_valid(data.title, data.link, data.starts_at, data.ends_at)
    await _require_image(ctx, venue_id, data.image_id)
    banner_id = BannerId(uuid7())
    values = (data.title.strip(), data.body.strip(), data.link, data.image_id, data.starts_at, data.ends_at)
    await ctx.db.execute(INSERT, ctx.tenant_id, banner_id, venue_id, *values)
    await _require_room(ctx, venue_id)
    after = await read_banner(ctx, banner_id=banner_id)
    _tell(ctx, "created", after, before=None, after=_facts(after))
    return after


async def change_banner(ctx: Ctx, *, banner_id: UUID, data: BannerChange, version: int) -> Banner:
    """Change what is given and keep the rest; Stale when it is no longer the version that was read."""
    before = await _lock(ctx, banner_id)
    if before.version != version:
        raise Stale
    given = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET}
    wanted = msgspec.structs.replace(before, **given)
    _require_valid(wanted.title, wanted.link, wanted.starts_at, wanted.ends_at)
    if wanted == before:
        return before
    if wanted.image_id != before.image_id:
        await _require_image(ctx, before.venue_id, wanted.image_id)
    values = (wanted.title.strip(), wanted.body.strip(), wanted.link, wanted.image_id, wanted.starts_at, wanted.ends_at)
    await ctx.db.execute(UPDATE, ctx.tenant_id, banner_id, *values)
    if wanted.ends_at > before.ends_at:
        await _require_room(ctx, before.venue_id)
    after = await read_banner(ctx, banner_id=banner_id)
    _tell(ctx, "changed", after, before=_facts(before), after=_facts(after))
    return after


async def order_banners(ctx: Ctx, *, venue_id: UUID, banner_ids: list[BannerId]) -> list[Banner]:
    """Give a venue's banners that are not over their order: the ones named first, the others after them as they were."""
    ctx.require(VENUES_PUBLISH, venue_id)
    await lock_venue(ctx, venue_id=venue_id)
    standing = [banner.id for banner in await list_banners(ctx, venue_id=venue_id, coming=True)]
    if len(set(banner_ids)) != len(banner_ids) or not set(banner_ids) <= set(standing):
        raise Invalid(fields={"banner_ids": "Name banners of this venue that are not over, each once."})
    order = [*banner_ids, *(one for one in standing if one not in set(banner_ids))]
    await ctx.db.executemany(PLACE, [(ctx.tenant_id, one, place) for place, one in enumerate(order, 1)])
    banners = await list_banners(ctx, venue_id=venue_id, coming=True)
    if banners and order != standing:
        _tell(ctx, "ordered", banners[0], before=[str(one) for one in standing], after=[str(one) for one in order])
    return banners


async def remove_banner(ctx: Ctx, *, banner_id: UUID, version: int) -> None:
    """Take a banner down; it stays on record."""
    before = await _lock(ctx, banner_id)
    if before.version != version:
        raise Stale
    await ctx.db.execute(REMOVE, ctx.tenant_id, banner_id)
    _tell(ctx, "removed", before, before=_facts(before), after=None)


async def _lock(ctx: Ctx, banner_id: UUID) -> Banner:
    ctx.require(VENUES_PUBLISH, (await read_banner(ctx, banner_id=banner_id)).venue_id)
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, banner_id):
        raise NotFound
    return await read_banner(ctx, banner_id=banner_id)


async def _require_room(ctx: Ctx, venue_id: UUID) -> None:
    if len(await list_banners(ctx, venue_id=VenueId(venue_id), coming=True)) > MOST_BANNERS:
        raise BannersFull


async def _require_image(ctx: Ctx, venue_id: UUID, image_id: ImageId | None) -> None:
    if image_id is not None and not await ctx.db.fetchval(SHOWABLE, ctx.tenant_id, venue_id, image_id):
        raise Invalid(fields={"image_id": "Choose an image of this venue that is ready and shown."})


def _require_valid(title: str, link: str, starts_at: datetime, ends_at: datetime) -> None:
    found: dict[str, str] = {}
    if not title.strip():
        found["title"] = "Give the banner a title."
    if link:
        parts = urlsplit(link)
        if parts.scheme != "https" or not parts.hostname:
            found["link"] = "Give an address that begins with https://, or none."
    for name, value in (("starts_at", starts_at), ("ends_at", ends_at)):
        if value.tzinfo is None:
            found[name] = "Give a time with its offset, such as 2026-11-21T20:00:00+02:00."
    if not found and ends_at <= starts_at:
        found["ends_at"] = "A banner ends after it begins."
    if found:
        raise Invalid(fields=found)


def _tell(ctx: Ctx, change: str, banner: Banner, *, before: Any, after: Any) -> None:
    event = VenueBannerChanged(venue_id=banner.venue_id, banner_id=banner.id, change=change)
    ctx.emit(event, entity=("banner", banner.id), venue_id=banner.venue_id, before=before, after=after)


def _facts(banner: Banner) -> dict[str, Any]:
    names = ("title", "body", "link", "image_id", "starts_at", "ends_at")
    return {name: msgspec.to_builtins(getattr(banner, name)) for name in names}
