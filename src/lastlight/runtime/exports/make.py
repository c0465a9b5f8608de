"""The job that makes an export: the asker as they stand now, one snapshot, a draft on disk, then a file that expires."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from lastlight.kernel.errors import NotPermitted
from lastlight.kernel.ids import SessionId, VenueId
from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import SessionChanged, WorkScope, unit_of_work
from lastlight.runtime.exports.asking import check_may_export, read_query
from lastlight.runtime.exports.cells import cells_of
from lastlight.runtime.exports.events import ExportFinished, Format
from lastlight.runtime.exports.formats import MEDIA_TYPES, open_writer
from lastlight.runtime.exports.queries import listing_of
from lastlight.runtime.http.listing import COUNT_CAP, Listing
from lastlight.runtime.jobs.declaration import Retry, job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.services import Services
from lastlight.runtime.storage.files import Stored, add_file, store_made
from lastlight.runtime.storage.store import NO_ROOM, NoRoom
from lastlight.runtime.tenant_settings import TenantSetting, setting

BATCH = 1_000
AT_ONCE = 2
"""Exports that one process makes at the same time; the others wait their turn."""
LONGEST = 3_600.0
PROGRESS_SECONDS = 0.5
KEPT_DRAFT = timedelta(hours=3)

KEEP_HOURS = TenantSetting(
    key="exports.keep_hours",
    type=int,
    default=24,
    label="Keep exported files",
    description="How long the file of an export can be downloaded before it is deleted.",
    minimum=1,
    maximum=168,
    unit="hours",
)


@dataclass(slots=True, kw_only=True)
class Draft:
    """An export while it is being written."""

    listing: Listing[Any]
    path: Path
    format: Format
    rows: int = 0
    at: datetime | None = None
    """The moment that all of it is as of."""
    venues: list[VenueId] | None = None
    """The venues whose rows it holds; None for all of the tenant's."""


@job("exports.make", retry=Retry(attempts=3, backoff=5.0), timeout=LONGEST)
async def make_export(job: JobRun, listing: str, format_name: Format, query: dict[str, Any], session_id: UUID) -> None:
    """Make the file of an export."""
    asked = listing_of(job.services.registry, listing)
    async with _turn(job.services):
        with _draft(job, asked, format_name) as draft:
            await _read(job, draft, query, SessionId(session_id))
            name = f"{asked.name}-{draft.at:%Y%m%d-%H%M%S}.{format_name}"
            stored = await store_made(
                job.services, job.tenant_id, name=name, media_type=MEDIA_TYPES[format_name], path=draft.path
            )
    await _hand_over(job, draft, stored, query)


async def _read(job: JobRun, draft: Draft, query: dict[str, Any], session_id: SessionId) -> None:
    for attempt in (1, 2, 3):
        actor = await load_actor(job.services.pools.system, job.services.registry, session_id)
        if actor.tenant_id != job.tenant_id or actor.user_id != job.created_by:
            raise NotPermitted
        role = "platform" if actor.kind == "crew" else "app"
        scope = WorkScope(actor=actor, tenant_id=job.tenant_id, role=role, request_id=f"job:{job.id}", snapshot=True)
        try:
            async with unit_of_work(job.services, scope) as ctx:
                return await _write(job, draft, query, ctx)
        except SessionChanged:  # between reading what they may do and beginning: read it again
            if attempt == 3:
                raise
    return None


async def _write(job: JobRun, draft: Draft, query: dict[str, Any], ctx: Ctx) -> None:
    listing = draft.listing
    await check_may_export(ctx, listing)
    asked = read_query(listing, query)
    total = await listing.count(ctx, asked)
    shown_total = total if total <= COUNT_CAP else None
    draft.at, draft.venues, draft.rows = ctx.now, _venues(ctx, listing), 0
    writer = await asyncio.to_thread(open_writer, draft.format, draft.path, cells_of(listing))
    try:
        said = time.monotonic()
        async for items in listing.iterate(ctx, asked, batch=BATCH):
            await asyncio.to_thread(writer.write, items)
            draft.rows += len(items)
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                await job.progress(draft.rows, shown_total)
        await asyncio.to_thread(writer.close)
    except BaseException:
        writer.abandon()
        raise
    await job.progress(draft.rows, draft.rows)


async def _hand_over(job: JobRun, draft: Draft, stored: Stored, query: dict[str, Any]) -> None:
    """The last transaction: the file's row, the event and the job's end, together or not at all."""
    result: dict[str, Any] = {"rows": draft.rows, "size": stored.size, "venues": draft.venues}
    async with job.finish(result) as ctx:
        keep = timedelta(hours=await setting(ctx, KEEP_HOURS))
        file_id = await add_file(ctx, stored, purpose="export", created_by=job.created_by, expires_at=ctx.now + keep)
        result["file_id"] = str(file_id)
        finished = ExportFinished(
            export_id=str(job.id), listing=draft.listing.name, format=draft.format, asked_by=str(job.created_by)
        )
        after = {"query": query, "rows": draft.rows, "size": stored.size, "sha256": stored.sha256.hex()}
        ctx.emit(finished, entity=("export", job.id), after=after)


def _venues(ctx: Ctx, listing: Listing[Any]) -> list[VenueId] | None:
    scoped = listing.permission is not None and (listing.venue or listing.venues)
    return ctx.venues(listing.permission) if scoped and listing.permission is not None else None


@asynccontextmanager
async def _turn(services: Services) -> AsyncGenerator[None]:
    """Wait until fewer than AT_ONCE exports are being made by this process: each holds a connection for long."""
    turns: asyncio.Semaphore = services.memory.setdefault("exports-turns", asyncio.Semaphore(AT_ONCE))
    async with turns:
        yield


@contextmanager
def _draft(job: JobRun, listing: Listing[Any], format_name: Format) -> Generator[Draft]:
    """A place for the file while it is written, which nobody else reads; gone afterwards, whatever happens."""
    folder = drafts_folder(job.services)
    path = folder / f"{job.id.hex}.{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        yield Draft(listing=listing, path=path, format=format_name)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise NoRoom from error
        raise
    finally:
        path.unlink(missing_ok=True)


def drafts_folder(services: Services) -> Path:
    """Where exports are written before they are stored."""
    return services.settings.var_dir / "exports"


def drop_old_drafts(folder: Path, *, now: float) -> int:
    """Delete what exports that were killed left behind; how many there were."""
    old = [path for path in folder.glob("*") if now - path.stat().st_mtime > KEPT_DRAFT.total_seconds()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


@job("exports.drop_drafts", schedule="25 * * * *", each="platform")
async def drop_drafts(job: JobRun) -> None:
    """Delete the drafts of exports whose worker was killed; finished files are cleared away with all others that expire."""
    await asyncio.to_thread(drop_old_drafts, drafts_folder(job.services), now=time.time())
