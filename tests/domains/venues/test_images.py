"""Images of venues: copies without metadata, order, guests' photos that wait."""

import asyncio
import io
from collections.abc import AsyncGenerator
from datetime import timedelta
from threading import Lock
from time import sleep
from uuid import uuid4

import pytest
from PIL import Image as Picture

from lastlight.domains.venues import resizing
from lastlight.domains.venues.clearing import clear_images, tenants_with_stale
from lastlight.domains.venues.errors import ImageNotAwaited, ImageNotThere
from lastlight.domains.venues.image_api import store_picture
from lastlight.domains.venues.images import (
    Image,
    await_image,
    describe_image,
    image_links,
    list_images,
    order_images,
    read_image,
    read_upload_link,
    receive_image,
    remove_image,
)
from lastlight.domains.venues.moderation import moderate_image, moderate_images
from lastlight.domains.venues.permissions import VENUES_MODERATE
from lastlight.domains.venues.resizing import copies_of, resize_image
from lastlight.domains.venues.show import VenueShow, read_show
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM, ImageId, TenantId, VenueId
from lastlight.runtime.context import Actor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.jobs.states import Claimed
from lastlight.runtime.settings import Settings
from lastlight.runtime.storage.files import PURPOSES, find_file, store_upload
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


def sent_by_nobody(method: str, path: str) -> RequestInfo:
    return RequestInfo(
        method=method,
        path=path,
        query="",
        headers={"content-type": "image/jpeg"},
        cookies={},
        ip="127.0.0.1",
        user_agent="test",
        request_id="",
        htmx=False,
    )


async def uploaded(house: House, guest: Guest | None = None, *, venue: VenueId | None = None) -> Image:
    stored = await store_upload(
        house.services, house.tenant_id, purpose=PURPOSES["picture"], name="night.jpg", content=picture(40, 20)
    )
    async with house.as_guest(guest) if guest else house.system() as ctx:
        image, url = await await_image(ctx, venue_id=venue or house.venue.id, alt="The bar")
        assert read_upload_link(ctx.services, url.rsplit("/", 1)[-1], now=ctx.now) == (house.tenant_id, image.id)
        await receive_image(ctx, image_id=image.id, stored=stored)
        with pytest.raises(ImageNotAwaited):
            await receive_image(ctx, image_id=image.id, stored=stored)
        return await read_image(ctx, image_id=image.id)


async def test_an_address_that_has_done_its_work_stores_nothing_more(house: House) -> None:
    venue = await house.add_venue()
    async with house.system() as ctx:
        image, url = await await_image(ctx, venue_id=venue.id, alt="The bar")
    token = url.rsplit("/", 1)[-1]
    sent = {"token": token, "body": picture(40, 20), "request": sent_by_nobody("PUT", f"/uploads/{token}")}
    actor = Actor(kind="member", tenant_id=house.tenant_id)

    async def places() -> int:
        return sum([len(batch) async for batch in house.services.storage.places()])

    stored = await store_picture(house.services, sent, actor)
    assert stored is not None
    async with house.system() as ctx:
        await receive_image(ctx, image_id=image.id, stored=stored)
    before = await places()
    assert await store_picture(house.services, sent, actor) is None
    assert await places() == before
    with pytest.raises(NotFound):
        await store_picture(house.services, sent, Actor(kind="member", tenant_id=TenantId(uuid4())))


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


async def test_nothing_is_approved_before_it_can_be_seen(house: House) -> None:
    async with house.as_guest(await house.add_guest()) as ctx:
        photo, _ = await await_image(ctx, venue_id=house.venue.id, alt="Whatever comes")
    for state in ("awaited", "failed"):
        await house.sql("update venue_images set state = $2 where id = $1", photo.id, state)
        async with house.system() as ctx:
            version = (await read_image(ctx, image_id=photo.id)).version
            with pytest.raises(ImageNotThere):
                await moderate_image(ctx, image_id=photo.id, approved=True, reason="", version=version)
            with pytest.raises(ImageNotThere):
                await moderate_images(ctx, image_ids=[photo.id], approved=True, reason="")
    async with house.system() as ctx:
        assert (await read_image(ctx, image_id=photo.id)).moderation == "waiting"
        assert await moderate_images(ctx, image_ids=[photo.id], approved=False, reason="Empty") == 1


def run_of(house: House, name: str) -> JobRun:
    """A run of a job, as a worker would make it."""
    claimed = Claimed(uuid4(), name, {}, 1, 1, None, False, False, True)
    return JobRun(house.services, house.services.registry.jobs[name], house.tenant_id, claimed)


async def test_a_picture_gets_its_copies_and_its_original_goes(house: House) -> None:
    photo = await uploaded(house, await house.add_guest())
    await resize_image.fn(job=run_of(house, "venues.resize_image"), image_id=photo.id)
    async with house.system() as ctx:
        ready = await read_image(ctx, image_id=photo.id)
        assert (ready.state, ready.width, ready.height, ready.file_id) == ("ready", 20, 40, None)
        assert ready.large_file_id is not None
        kept = await find_file(ctx, ready.large_file_id)
        assert (kept.media_type, kept.patron_id) == ("image/webp", photo.patron_id)
        large, small = image_links(ctx, image=ready)
        assert large is not None
        assert small is not None
    rows = await house.sql("select removed_at from files where id = $1", photo.file_id)
    assert rows[0]["removed_at"] is not None
    files = await house.count("files")
    await resize_image.fn(job=run_of(house, "venues.resize_image"), image_id=photo.id)
    assert await house.count("files") == files, "a second run finds nothing to do"


async def test_a_worker_opens_one_picture_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [await uploaded(house) for _ in range(4)]
    open_now, most = 0, 0
    count = Lock()

    def counted(content: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
        nonlocal open_now, most
        with count:
            open_now += 1
            most = max(most, open_now)
        sleep(0.05)
        made = copies_of(content)
        with count:
            open_now -= 1
        return made

    monkeypatch.setattr(resizing, "copies_of", counted)
    await asyncio.gather(
        *(resize_image.fn(job=run_of(house, "venues.resize_image"), image_id=photo.id) for photo in photos)
    )
    async with house.system() as ctx:
        assert {(await read_image(ctx, image_id=photo.id)).state for photo in photos} == {"ready"}
    assert most == 1, "each may hold forty million pixels in memory"


@pytest.mark.parametrize(
    ("mode", "alpha"), [("P", False), ("LA", True), ("CMYK", False), ("I;16", False), ("1", False)]
)
def test_a_picture_of_any_kind_gets_its_copies(mode: str, alpha: bool) -> None:
    out = io.BytesIO()
    Picture.new(mode, (2000, 500)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    large, _, size = copies_of(out.getvalue())
    assert size == (1600, 400)
    with Picture.open(io.BytesIO(large)) as opened:
        assert (opened.mode == "RGBA") == alpha


async def test_what_is_no_picture_inside_fails_and_says_so(house: House) -> None:
    torn = picture(400, 400)[:900]
    stored = await store_upload(
        house.services, house.tenant_id, purpose=PURPOSES["picture"], name="torn.jpg", content=torn
    )
    async with house.system() as ctx:
        image, _ = await await_image(ctx, venue_id=house.venue.id, alt="Torn")
        await receive_image(ctx, image_id=image.id, stored=stored)
    await resize_image.fn(job=run_of(house, "venues.resize_image"), image_id=image.id)
    async with house.system() as ctx:
        failed = await read_image(ctx, image_id=image.id)
    assert (failed.state, failed.state_reason, failed.file_id) == ("failed", "The picture is damaged.", None)


async def test_what_never_came_or_never_became_ready_is_cleared_away(house: House) -> None:
    async with house.system() as ctx:
        awaited, _ = await await_image(ctx, venue_id=house.venue.id, alt="Never sent")
        fresh, _ = await await_image(ctx, venue_id=house.venue.id, alt="Just asked for")
    stuck, failed, ready = [await uploaded(house) for _ in range(3)]
    await resize_image.fn(job=run_of(house, "venues.resize_image"), image_id=ready.id)
    await house.sql("alter table venue_images disable trigger venue_images_touch")
    age = "update venue_images set created_at = now() - $2::interval, updated_at = now() - $2::interval where id = $1"
    for image, span in ((awaited, 2), (stuck, 30), (ready, 900)):
        await house.sql(age, image.id, timedelta(hours=span))
    await house.sql("update venue_images set state = 'failed' where id = $1", failed.id)
    await house.sql(age, failed.id, timedelta(days=8))
    await house.sql("alter table venue_images enable trigger venue_images_touch")
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await tenants_with_stale(ctx)
    async with house.system() as ctx:
        assert await clear_images.fn(ctx) == 3
        assert await clear_images.fn(ctx) == 0
        assert (await read_image(ctx, image_id=stuck.id)).state == "failed"
        assert (await read_image(ctx, image_id=fresh.id)).state == "awaited"
        assert (await read_image(ctx, image_id=ready.id)).state == "ready"
        for gone in (awaited, failed):
            with pytest.raises(NotFound):
                await read_image(ctx, image_id=gone.id)
    removed = await house.sql("select id from files where id = any($1) and removed_at is null", [stuck.file_id])
    assert removed == [], "the original of what could not be resized is gone"


async def test_words_for_those_who_do_not_see_it_are_needed(house: House) -> None:
    async with house.system() as ctx:
        with pytest.raises(Invalid) as refused:
            await await_image(ctx, venue_id=house.venue.id, alt="  ")
        assert "alt" in refused.value.fields
        image, _ = await await_image(ctx, venue_id=house.venue.id, alt="The bar")
        after = await describe_image(ctx, image_id=image.id, alt="The bar at dawn", version=image.version)
        assert after.alt == "The bar at dawn"
        with pytest.raises(Stale):
            await describe_image(ctx, image_id=image.id, alt="Other", version=image.version)


async def test_a_guest_sees_what_is_approved_and_what_became_of_their_own(house: House) -> None:
    venue = await house.add_venue(name="Show")
    guest, other = await house.add_guest(), await house.add_guest("Liam Petersen")
    photo = await uploaded(house, guest, venue=venue.id)
    ours = await uploaded(house, venue=venue.id)
    for image in (photo, ours):
        await resize_image.fn(job=run_of(house, "venues.resize_image"), image_id=image.id)

    async def seen(one: Guest) -> VenueShow:
        async with system_ctx(house.services, house.tenant_id, role="system") as ctx:
            return await read_show(ctx, venue_id=venue.id, patron_id=one.patron_id)

    before = await seen(guest)
    assert [image.id for image in before.images] == [ours.id]
    assert [(one.id, one.moderation) for one in before.photos] == [(photo.id, "waiting")]
    assert (await seen(other)).photos == []
    async with house.system() as ctx:
        with pytest.raises(Invalid):
            await moderate_images(ctx, image_ids=[photo.id], approved=False, reason=" ")
        assert await moderate_images(ctx, image_ids=[photo.id, ours.id], approved=True, reason="") == 1
        assert await moderate_images(ctx, image_ids=[photo.id], approved=True, reason="") == 0
    after = await seen(other)
    assert [image.id for image in after.images] == [ours.id, photo.id], "it joins at the end"
    assert after.images[0].small.startswith("/files/")
    async with house.as_member({VENUES_MODERATE.name: frozenset({house.venue.id})}) as ctx:
        await house.sql("update venue_images set moderation = 'waiting' where id = $1", photo.id)
        with pytest.raises(NotFound):
            await moderate_images(ctx, image_ids=[photo.id], approved=True, reason="")
    await house.sql("update venues set publication = 'draft' where id = $1", venue.id)
    with pytest.raises(NotFound):
        await seen(guest)
