"""Files: the rows that stand for contents, and the links that lead to them."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid, NotFound, TooLarge
from lastlight.kernel.ids import FileId, PatronId, TenantId, UserId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.services import Services
from lastlight.runtime.storage.quotas import require_room
from lastlight.runtime.storage.sniff import check_content
from lastlight.runtime.storage.store import digest, new_place

LINK_PURPOSE = "file"
LINK_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an upload is for, and so what it may be and how large."""

    name: str
    accepted: frozenset[str]
    most_bytes: int


PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PURPOSES = {
    purpose.name: purpose
    for purpose in (
        Purpose("picture", PICTURES, 5 * 1024 * 1024),
        Purpose("document", PICTURES | {"application/pdf"}, 10 * 1024 * 1024),
    )
}
MOST_UPLOAD_BYTES = max(purpose.most_bytes for purpose in PURPOSES.values())


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A content that is in the store and has no row yet."""

    place: str
    name: str
    media_type: str
    size: int
    sha256: bytes


class File(Stored, frozen=True, kw_only=True):
    """A file's row."""

    id: UUID
    purpose: str
    created_by: UUID | None
    patron_id: UUID | None
    created_at: datetime
    expires_at: datetime | None


INSERT = """
insert into files (tenant_id, id, purpose, name, media_type, size, sha256, place, created_by, patron_id, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
ONE = """
select id, purpose, name, media_type, size, sha256, place, created_by, patron_id, created_at, expires_at
from files where tenant_id = $1 and id = $2 and removed_at is null and (expires_at is null or expires_at > now())
"""
REMOVE = "update files set removed_at = now() where tenant_id = $1 and id = $2 and removed_at is null"


async def store_upload(
    services: Services, tenant_id: TenantId, *, purpose: Purpose, name: str, content: bytes, by: UserId | None = None
) -> Stored:
    """Check an upload of somebody's and put it into the store; call it outside any transaction, then `add_file` inside one.

    Raises Invalid, TooLarge, FileRefused, StorageFull, UploadsSpent, NoRoom.
    """
    if not content:
        raise Invalid(fields={"file": "The file is empty."})
    if len(content) > purpose.most_bytes:
        raise TooLarge(f"A {purpose.name} has at most {purpose.most_bytes // 1024 // 1024} MB.")
    media_type = await asyncio.to_thread(check_content, content, purpose.accepted)
    await require_room(services, tenant_id, size=len(content), by=by)
    place = new_place(tenant_id)
    await services.storage.put(place, content)
    return Stored(
        place=place, name=clean_name(name, media_type), media_type=media_type, size=len(content), sha256=digest(content)
    )


async def store_made(services: Services, tenant_id: TenantId, *, name: str, media_type: str, path: Path) -> Stored:
    """Put a file that we made ourselves into the store; call it outside any transaction."""
    size, sha256 = await asyncio.to_thread(_measure, path)
    place = new_place(tenant_id)
    await services.storage.put_file(place, path)
    return Stored(place=place, name=name, media_type=media_type, size=size, sha256=sha256)


async def add_file(
    ctx: Ctx,
    stored: Stored,
    *,
    purpose: str,
    created_by: UserId | None = None,
    patron_id: PatronId | None = None,
    expires_at: datetime | None = None,
) -> FileId:
    """Write the row of a stored content; without this transaction's commit the content is cleared away later."""
    file_id = FileId(uuid7())
    await ctx.db.execute(
        INSERT,
        ctx.tenant_id,
        file_id,
        purpose,
        stored.name,
        stored.media_type,
        stored.size,
        stored.sha256,
        stored.place,
        created_by or ctx.actor.user_id,
        patron_id or ctx.actor.patron_id,
        expires_at,
    )
    return file_id


async def find_file(ctx: Ctx, file_id: FileId) -> File:
    """A file of the transaction's tenant that has not expired; NotFound otherwise."""
    return await find_file_of(ctx, ctx.tenant_id, file_id)


async def find_file_of(ctx: Ctx, tenant_id: TenantId, file_id: FileId) -> File:
    """A file of a tenant that a signed link names; only the system's role reaches past its own tenant."""
    return await ctx.db.one(File, ONE, tenant_id, file_id)


async def remove_file(ctx: Ctx, file_id: FileId) -> None:
    """Take a file away: its links stop at once, its content is deleted soon."""
    if not await ctx.db.execute(REMOVE, ctx.tenant_id, file_id):
        raise NotFound


def file_link(
    services: Services, tenant_id: TenantId, file_id: FileId, *, now: datetime, seconds: int = LINK_SECONDS
) -> str:
    """A link that opens the file for whoever holds it, until it expires."""
    token = services.secrets.make_link(
        LINK_PURPOSE, tenant_id.bytes + file_id.bytes, expires_at=now + timedelta(seconds=seconds)
    )
    return f"{services.settings.base_url}/files/{token}"


def read_link(services: Services, token: str, *, now: datetime) -> tuple[TenantId, FileId]:
    """What a link's token stands for; NotFound when it is forged or has expired."""
    payload: bytes | None = services.secrets.read_link(LINK_PURPOSE, token, now=now)
    if payload is None or len(payload) != 32:
        raise NotFound("This link does not work any more; open the file again where you found it.")
    return TenantId(UUID(bytes=payload[:16])), FileId(UUID(bytes=payload[16:]))


def clean_name(name: str, media_type: str) -> str:
    """The last part of a name, without what could steer a path, a header or a screen; never empty."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(". ")[-150:]
    return kept or f"file.{media_type.rsplit('/', 1)[-1]}"


def _measure(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").digest()
