"""The store: contents by place, in a local folder or an S3 bucket. A place is whole or absent, also after a crash."""

import asyncio
import errno
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, S3Store

from lastlight.kernel.errors import Busy
from lastlight.kernel.ids import TenantId
from lastlight.runtime.settings import Settings, SettingsError

PIECE = 1024 * 1024
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class NoRoom(Busy):
    """The storage is full, or cannot be written."""

    type = "no-room"
    title = "There is no room for files"
    default_detail = "Nothing was changed. Try again later, or tell whoever runs this installation."


@dataclass(frozen=True, slots=True)
class Storage:
    """Where contents are kept. `folder` is set for a local one, which is written with temp, fsync and rename."""

    store: Any
    folder: Path | None

    async def put(self, place: str, content: bytes) -> None:
        """Keep a content that fits in memory."""
        if self.folder is None:
            await obstore.put_async(self.store, place, content)
        else:
            await asyncio.to_thread(_write_whole, self.folder / place, content)

    async def put_file(self, place: str, path: Path) -> None:
        """Keep the content of a file, which is moved where that is possible."""
        if self.folder is None:
            await obstore.put_async(self.store, place, path)
        else:
            await asyncio.to_thread(_move_whole, path, self.folder / place)

    async def read(self, place: str, part: range | None = None) -> AsyncIterator[bytes]:
        """The content, or a part of it, in pieces; FileNotFoundError when there is none."""
        options: Any = None if part is None else {"range": (part.start, part.stop)}
        result = await obstore.get_async(self.store, place, options=options)
        async for piece in result.stream(min_chunk_size=PIECE):
            yield bytes(piece)

    async def exists(self, place: str) -> bool:
        """Whether there is a content."""
        try:
            await obstore.head_async(self.store, place)
        except FileNotFoundError:
            return False
        return True

    async def remove(self, place: str) -> None:
        """Delete a content; one that is gone already is fine."""
        try:
            await obstore.delete_async(self.store, place)
        except FileNotFoundError:
            return

    async def places(self) -> AsyncIterator[list[tuple[str, datetime]]]:
        """Every place with the time it was written, in batches."""
        listed: Any = obstore.list(self.store, chunk_size=500)  # pyright: ignore[reportUnknownMemberType] an overload names pyarrow
        async for batch in listed:
            yield [(str(item["path"]), item["last_modified"]) for item in batch]


def open_storage(settings: Settings) -> Storage:
    """The store that LASTLIGHT_STORAGE_URL names: file:///folder or s3://bucket/prefix."""
    parts = urlsplit(settings.storage_url)
    if parts.scheme == "s3":
        return Storage(S3Store(parts.netloc, prefix=parts.path.strip("/") or None), None)
    folder = Path(unquote(parts.path))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"LASTLIGHT_STORAGE_URL: {folder} cannot be written ({error.strerror}); choose a folder this user may write."
        ) from None
    return Storage(LocalStore(prefix=folder), folder)


def new_place(tenant_id: TenantId) -> str:
    """A random place below the tenant's own."""
    name = secrets.token_hex(20)
    return f"{tenant_id.hex}/{name[:2]}/{name}"


def digest(content: bytes) -> bytes:
    """SHA-256 of a content."""
    return hashlib.sha256(content).digest()


def _write_whole(path: Path, content: bytes) -> None:
    draft = _draft(path)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno in NO_ROOM:
            raise NoRoom from error
        raise


def _move_whole(source: Path, path: Path) -> None:
    draft = _draft(path)
    try:
        with (
            source.open("rb") as given,
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        ):
            while piece := given.read(PIECE):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        _rename(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno in NO_ROOM:
            raise NoRoom from error
        raise


def _draft(path: Path) -> Path:
    """Where the content is written first; the store's listing leaves such names out by their age."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.draft")


def _rename(draft: Path, path: Path) -> None:
    draft.rename(path)
    # its own, its business's and the store's: a new one would be lost with all that is in it
    for folder in path.parents[:3]:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
