"""The copies of an image: upright, without its metadata, in two sizes."""

import asyncio
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from lastlight.domains.venues.events import VenueImageChanged
from lastlight.kernel.ids import FileId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.storage.files import Stored, add_file, find_file, remove_file, store_made
from lastlight.runtime.storage.pictures import in_turn, upright_picture

LARGE, SMALL = 1600, 480
WAITING = """
select venue_id, patron_id, file_id from venue_images
where tenant_id = $1 and id = $2 and state = 'uploaded' and removed_at is null
"""
STILL_WAITING = """
select 1 from venue_images where tenant_id = $1 and id = $2 and state = 'uploaded' and removed_at is null for update
"""
READY = """
update venue_images set state = 'ready', file_id = null, large_file_id = $3, small_file_id = $4, width = $5, height = $6
where tenant_id = $1 and id = $2
"""
FAILED = """
update venue_images set state = 'failed', state_reason = $3, file_id = null where tenant_id = $1 and id = $2
"""


def copies_of(content: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """A large and a small WebP of a picture, and the large one's width and height; ValueError for one that cannot be read."""
    upright = upright_picture(content, longest=LARGE)
    made: list[bytes] = []
    size = (0, 0)
    for longest in (LARGE, SMALL):
        copy = upright.copy()
        copy.thumbnail((longest, longest))
        out = io.BytesIO()
        copy.save(out, "WEBP", quality=82)
        made.append(out.getvalue())
        size = copy.size if longest == LARGE else size
    return made[0], made[1], size


@job("venues.resize_image", timeout=120.0)
async def resize_image(job: JobRun, image_id: UUID) -> None:
    """Make the copies of an uploaded image, and let its original go, which knows the phone and the place.

    Nothing is done for one that was removed meanwhile.
    """
    async with job.transaction() as ctx:
        row = await ctx.db.fetchrow(WAITING, ctx.tenant_id, image_id)
        if row is None:
            return
        original = await find_file(ctx, FileId(row["file_id"]))
    try:
        large, small, size = await in_turn(job.services, original, copies_of)
    except ValueError as error:
        await _fail(job, image_id, row, str(error))
        return
    stored = [await _store(job, copy, name) for copy, name in ((large, "large.webp"), (small, "small.webp"))]
    async with job.transaction() as ctx:
        if not await ctx.db.fetchval(STILL_WAITING, ctx.tenant_id, image_id):
            return
        files = [await add_file(ctx, one, purpose="venue image", patron_id=row["patron_id"]) for one in stored]
        await ctx.db.execute(READY, ctx.tenant_id, image_id, *files, *size)
        await remove_file(ctx, FileId(row["file_id"]))
        _tell(ctx, row["venue_id"], image_id, "ready")


async def _fail(job: JobRun, image_id: UUID, row: Any, reason: str) -> None:
    async with job.transaction() as ctx:
        if await ctx.db.fetchval(STILL_WAITING, ctx.tenant_id, image_id):
            await ctx.db.execute(FAILED, ctx.tenant_id, image_id, reason)
            await remove_file(ctx, FileId(row["file_id"]))
            _tell(ctx, row["venue_id"], image_id, "failed")


async def _store(job: JobRun, content: bytes, name: str) -> Stored:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        await asyncio.to_thread(path.write_bytes, content)
        return await store_made(job.services, job.tenant_id, name=name, media_type="image/webp", path=path)


def _tell(ctx: Ctx, venue_id: UUID, image_id: UUID, change: str) -> None:
    event = VenueImageChanged(venue_id=venue_id, image_id=image_id, change=change)
    ctx.emit(event, entity=("image", image_id), venue_id=venue_id, after={"state": change})
