"""The edges of files."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, TooLarge
from lastlight.kernel.ids import FileId
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Download, Input, RequestInfo, get, post
from lastlight.runtime.services import Services
from lastlight.runtime.storage.events import FILES_READ, FileStored
from lastlight.runtime.storage.files import (
    MOST_UPLOAD_BYTES,
    PICTURES,
    PURPOSES,
    File,
    Stored,
    add_file,
    file_link,
    find_file,
    find_file_of,
    read_link,
    store_upload,
)
from lastlight.runtime.storage.quotas import StorageFull, UploadsSpent
from lastlight.runtime.storage.ranges import RangeNotSatisfiable, asked_range
from lastlight.runtime.storage.sniff import FileRefused
from lastlight.runtime.storage.store import NoRoom
from lastlight.runtime.storage.upload import read_upload

INERT = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"


class UploadQuery(Input, frozen=True, kw_only=True):
    """What an upload is for; the name serves raw bodies."""

    purpose: Literal["picture", "document"]
    name: Annotated[str, msgspec.Meta(max_length=300)] = ""


class FileOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and a link that opens it for a quarter of an hour."""

    id: UUID
    purpose: str
    name: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    url: str


async def store_body(services: Services, sent: Any, actor: Actor) -> Stored:
    """The slow part of an upload, before its transaction: read, check, store."""
    if actor.kind not in {"member", "patron", "crew"}:
        raise NotPermitted("Join a business first; files belong to one.")
    query: UploadQuery = sent["query"]
    info: RequestInfo = sent["request"]
    name, content = read_upload(info.headers.get("content-type", ""), query.name, sent["body"])
    purpose = PURPOSES[query.purpose]
    return await store_upload(services, actor.tenant_id, purpose=purpose, name=name, content=content, by=actor.user_id)


@post(
    "/api/files",
    signed_in="an upload belongs to whoever sends it",
    body_limit=MOST_UPLOAD_BYTES + 64 * 1024,
    prepare=store_body,
    status=201,
    raises=[FileRefused, TooLarge, Invalid, NoRoom, NotPermitted, StorageFull, UploadsSpent],
)
async def upload_file(ctx: Ctx, query: UploadQuery, request: RequestInfo, body: bytes, prepared: Stored) -> FileOut:
    """Upload a picture (PNG, JPEG, GIF, WebP; 5 MB) or a document (also PDF; 10 MB), as the raw body or as `file` of a form."""
    file_id = await add_file(ctx, prepared, purpose=query.purpose)
    event = FileStored(file_id=str(file_id), purpose=query.purpose, media_type=prepared.media_type, size=prepared.size)
    ctx.emit(event, entity=("file", file_id), patron_id=ctx.actor.patron_id)
    return _shown(ctx, await find_file(ctx, file_id))


@get("/api/files/{file_id:uuid}", signed_in="one's own uploads; others with files.read", raises=[NotFound])
async def read_file(ctx: Ctx, file_id: FileId) -> FileOut:
    """Read a file's description and get a link to it, which expires after 15 minutes."""
    file = await find_file(ctx, file_id)
    if file.purpose not in PURPOSES:
        raise NotFound  # what the platform made itself is given out where it was made, under its own permission
    if file.created_by != ctx.actor.user_id and not ctx.allows(FILES_READ):
        raise NotFound
    return _shown(ctx, file)


@get(
    "/files/{token:str}",
    public="the signed link is the permission",
    db="system",
    raises=[NotFound, RangeNotSatisfiable],
)
async def open_file(ctx: Ctx, token: str, request: RequestInfo) -> Download:
    """Open a file by its signed link, or one part of it by `Range`. Pictures are shown, all else is downloaded; nothing in it runs."""
    tenant_id, file_id = read_link(ctx.services, token, now=ctx.now)
    file = await find_file_of(ctx, tenant_id, file_id)
    if not await ctx.services.storage.exists(file.place):
        raise NotFound
    tag = f'"{file.sha256.hex()}"'
    part = asked_range(request.headers, size=file.size, tag=tag)
    headers = {
        "Content-Security-Policy": INERT,
        "Content-Length": str(file.size if part is None else len(part)),
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Cache-Control": "private, max-age=300",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    return Download(
        body=_pieces(ctx.services, file.place, part),
        media_type=file.media_type,
        filename=file.name,
        inline=file.media_type in PICTURES,
        status=200 if part is None else 206,
        headers=headers,
    )


async def _pieces(services: Services, place: str, part: range | None) -> AsyncIterator[bytes]:
    async for piece in services.storage.read(place, part):
        yield piece


def _shown(ctx: Ctx, file: File) -> FileOut:
    return FileOut(
        id=file.id,
        purpose=file.purpose,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256.hex(),
        created_at=file.created_at,
        url=file_link(ctx.services, ctx.tenant_id, FileId(file.id), now=ctx.now),
    )
