"""Images of venues: copies without metadata, order, guests' photos that wait."""

import io
from collections.abc import AsyncGenerator

import pytest
from PIL import Image as Picture

from lastlight.domains.venues.errors import ImageNotAwaited
from lastlight.domains.venues.images import (
    Image,
    await_image,
    list_images,
    order_images,
    read_image,
    read_upload_link,
    receive_image,
    remove_image,
)
from lastlight.domains.venues.moderation import moderate_image
from lastlight.domains.venues.resizing import copies_of
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import ImageId
from lastlight.runtime.settings import Settings
from lastlight.runtime.storage.files import PURPOSES, store_upload
from tests.support.door import Guest, House, opened_house


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


def picture(width: int = 2000, height: int = 1000) -> bytes:
    out = io.BytesIO()
    exif = Picture.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "A phone that says who made it"
    Picture.new("RGB", (width, height), "purple").save(out, "JPEG", exif=exif)
    return out.getvalue()


async def uploaded(house: House, guest: Guest | None = None) -> Image:
    stored = await store_upload(
        house.services, house.tenant_id, purpose=PURPOSES["picture"], name="night.jpg", content=picture(40, 20)
    )
    async with house.as_guest(guest) if guest else house.system() as ctx:
        image, url = await await_image(ctx, venue_id=house.venue.id, alt="The bar")
        assert read_upload_link(ctx.services, url.rsplit("/", 1)[-1], now=ctx.now) == (house.tenant_id, image.id)
        await receive_image(ctx, image_id=image.id, stored=stored)
        with pytest.raises(ImageNotAwaited):
            await receive_image(ctx, image_id=image.id, stored=stored)
        return await read_image(ctx, image_id=image.id)


def test_copies_are_upright_small_and_say_nothing_of_the_phone() -> None:
    large, small, size = copies_of(picture())
    assert size == (800, 1600)
    for copy, longest in ((large, 1600), (small, 480)):
        with Picture.open(io.BytesIO(copy)) as opened:
            assert (opened.format, max(opened.size)) == ("WEBP", longest)
            assert dict(opened.getexif()) == {}
        assert b"phone" not in copy
    with pytest.raises(ValueError, match="damaged"):
        copies_of(b"\xff\xd8\xff nothing")


async def test_images_have_an_order_and_are_removed_with_their_files(house: House) -> None:
    first, second, third = [await uploaded(house) for _ in range(3)]
    async with house.system() as ctx:
        after = await order_images(ctx, venue_id=house.venue.id, image_ids=[third.id, first.id])
        assert [image.id for image in after][:3] == [third.id, first.id, second.id]
        with pytest.raises(Invalid):
            await order_images(ctx, venue_id=house.venue.id, image_ids=[ImageId(house.clear_id())])
        now = await read_image(ctx, image_id=second.id)
        await remove_image(ctx, image_id=second.id, version=now.version)
        with pytest.raises(NotFound):
            await read_image(ctx, image_id=second.id)
    rows = await house.sql("select removed_at from files where id = $1", second.file_id)
    assert rows[0]["removed_at"] is not None


async def test_a_guests_photo_waits_and_is_nobody_elses(house: House) -> None:
    guest, other = await house.add_guest(), await house.add_guest("Liam Petersen")
    photo = await uploaded(house, guest)
    assert (photo.moderation, photo.patron_id) == ("waiting", guest.patron_id)
    async with house.as_guest(other) as ctx:
        with pytest.raises(NotFound):
            await read_image(ctx, image_id=photo.id)
    async with house.system() as ctx:
        with pytest.raises(Invalid):
            await moderate_image(ctx, image_id=photo.id, approved=False, reason="", version=photo.version)
        done = await moderate_image(ctx, image_id=photo.id, approved=True, reason="", version=photo.version)
        assert done.moderation == "approved"
        assert photo.id not in [image.id for image in await list_images(ctx, venue_id=house.venue.id, every=False)]
    ours = await uploaded(house)
    async with house.system() as ctx:
        with pytest.raises(NotPermitted):
            await moderate_image(ctx, image_id=ours.id, approved=True, reason="", version=ours.version)
