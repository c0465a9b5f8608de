"""What the demonstration's guests see of its venues: pictures that are drawn here, banners, states of publication. May be repeated."""

import asyncio
import io
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID

from PIL import Image as Picture
from PIL import ImageDraw, ImageFilter, ImageOps

from lastlight.domains import identity
from lastlight.domains.venues.banners import create_banner
from lastlight.domains.venues.publication import find_publication, set_publication
from lastlight.domains.venues.schemas import BannerIn
from lastlight.kernel.ids import ImageId, PatronId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.storage.files import Stored, add_file, store_made

SIZE, SMALL = (960, 600), (480, 300)
KNOWN = "select exists (select from venue_images where tenant_id = $1)"
INSERT = """
insert into venue_images (tenant_id, id, venue_id, patron_id, large_file_id, small_file_id, state, moderation, place, alt, width, height)
values ($1, $2, $3, $4, $5, $6, 'ready', $7, $8, $9, $10, $11)
"""


class Scene(NamedTuple):
    """A picture to draw: its words, two colours of its light, and where the light stands (a share of the width)."""

    alt: str
    dark: str
    light: str
    sun: float


SCENES = (
    Scene("The arcade hall in pink light, machines along both walls", "#1a0b2e", "#ff4d7d", 0.62),
    Scene("The bar at sunset, bottles lit from behind", "#2b0f1c", "#ffb054", 0.3),
    Scene("The terrace at blue hour, the city behind it", "#07142b", "#4fb3ff", 0.78),
)
PHOTO = Scene("Friends under the neon sign", "#12081f", "#9a3cf0", 0.5)


async def seed_shows(ctx: Ctx, *, seed: str, venue_ids: Sequence[VenueId], patron_ids: Sequence[PatronId]) -> int:
    """Pictures, banners and states for a business's venues; nothing where it has pictures. How many pictures were made."""
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    drawn = [await asyncio.to_thread(_copies, seed, scene) for scene in (*SCENES, PHOTO)]
    made = 0
    for number, venue_id in enumerate(venue_ids):
        shown = [
            await _add(ctx, seed=seed, venue_id=venue_id, scene=scene, drawn=drawn[place], place=place + 1)
            for place, scene in enumerate(SCENES)
        ]
        made += len(shown)
        await _add_banners(ctx, venue_id=venue_id, image_id=shown[number % len(shown)])
    if patron_ids:
        for waiting, venue_id in ((True, venue_ids[0]), (False, venue_ids[-1])):
            place = 0 if waiting else len(SCENES) + 1  # what waits has no place yet
            await _add(
                ctx,
                seed=seed,
                venue_id=venue_id,
                scene=PHOTO,
                drawn=drawn[-1],
                place=place,
                patron_id=patron_ids[0],
                waiting=waiting,
            )
            made += 1
    await _publish(ctx, venue_ids)
    return made


def draw(scene: Scene, *, rng: random.Random) -> Picture.Image:
    """A room under a low sun: two colours of light, a horizon of lines, and a few lamps."""
    width, height = SIZE
    base = ImageOps.colorize(ImageOps.fit(Picture.linear_gradient("L"), SIZE), scene.dark, scene.light)
    glow = Picture.new("RGB", SIZE, scene.dark)
    pen = ImageDraw.Draw(glow)
    middle, radius = int(width * scene.sun), height // 3
    pen.ellipse((middle - radius, height // 2 - radius, middle + radius, height // 2 + radius), fill=scene.light)
    for lamp in range(14):
        x, y, size = rng.randrange(width), rng.randrange(height // 2), rng.randrange(4, 18)
        pen.ellipse((x - size, y - size, x + size, y + size), fill=scene.light if lamp % 2 else "#ffffff")
    picture = Picture.blend(base, glow.filter(ImageFilter.BoxBlur(9)), 0.55)
    pen = ImageDraw.Draw(picture)
    for line in range(9):
        y = height // 2 + 12 + line * line * 4
        pen.rectangle((0, y, width, y + 1 + line), fill=scene.dark)
    return picture


def _copies(seed: str, scene: Scene) -> tuple[bytes, bytes]:
    """The large and the small copy of a scene."""
    picture = draw(scene, rng=random.Random(f"{seed}/{scene.alt}"))  # noqa: S311 - for looks
    made: list[bytes] = []
    for copy in (picture, ImageOps.fit(picture, SMALL)):
        out = io.BytesIO()
        copy.save(out, "WEBP", quality=76, method=2)
        made.append(out.getvalue())
    return made[0], made[1]


async def _kept(ctx: Ctx, content: bytes, name: str) -> Stored:
    """A content of its own for each image: removing one must not take another's away."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return await store_made(ctx.services, ctx.tenant_id, name=name, media_type="image/webp", path=path)


async def _add(
    ctx: Ctx,
    *,
    seed: str,
    venue_id: VenueId,
    scene: Scene,
    drawn: tuple[bytes, bytes],
    place: int,
    patron_id: PatronId | None = None,
    waiting: bool = False,
) -> ImageId:
    named = zip(drawn, ("large.webp", "small.webp"), strict=True)
    kept = [await _kept(ctx, content, name) for content, name in named]
    files = [await add_file(ctx, one, purpose="venue image", patron_id=patron_id) for one in kept]
    image_id = ImageId(identity.seeded_id(seed, "image", f"{venue_id}/{scene.alt}/{waiting}"))
    decision = "waiting" if waiting else "approved"
    await ctx.db.execute(
        INSERT, ctx.tenant_id, image_id, venue_id, patron_id, *files, decision, place, scene.alt, *SIZE
    )
    return image_id


async def _add_banners(ctx: Ctx, *, venue_id: UUID, image_id: ImageId) -> None:
    day = timedelta(days=1)
    for title, body, starts, ends, picture in (
        ("Happy hour until nine", "Two for one on everything in a tumbler.", -day, 21 * day, image_id),
        ("Pinball night on Thursday", "Highest score drinks for free.", -2 * day, 6 * day, None),
        ("New Year's Eve", "Doors at eight, the countdown on the big screen.", 20 * day, 60 * day, None),
    ):
        data = BannerIn(title=title, body=body, starts_at=ctx.now + starts, ends_at=ctx.now + ends, image_id=picture)
        await create_banner(ctx, venue_id=venue_id, data=data)


async def _publish(ctx: Ctx, venue_ids: Sequence[VenueId]) -> None:
    """The first is featured; a third one is not as usual."""
    first = await find_publication(ctx, venue_id=venue_ids[0])
    await set_publication(
        ctx,
        venue_id=venue_ids[0],
        state="published",
        reason="",
        featured_until=ctx.now + timedelta(days=14),
        version=first.version,
    )
    if len(venue_ids) > 2:
        third = await find_publication(ctx, venue_id=venue_ids[2])
        await set_publication(
            ctx,
            venue_id=venue_ids[2],
            state="degraded",
            reason="The upstairs bar is being painted; everything else is open.",
            featured_until=None,
            version=third.version,
        )
