"""Power cuts: a durable PostgreSQL and the files on an ext4 whose image lies on an XFS, where a copy by reference is the cut.

What the server has written but the kernel has not yet handed to the disk is in the memory of the inner file system alone, so the
copy does not have it, just as a machine that lost its power would not. What was handed to the disk is on it: the cut does not try
a disk that lies about its own cache.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import quote

from lastlight.runtime.db.migrate import migrate
from lastlight.runtime.embedded import server as embedded
from lastlight.runtime.embedded.layout import prepare_layout
from lastlight.runtime.embedded.server import EmbeddedServer, start_server, stop_server
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from tests.support.postgres import settings_for

NEEDS = (
    "a power cut needs root, loop devices and xfsprogs: apt-get install xfsprogs e2fsprogs, and run the tests as root"
)
_BY_REFERENCE = 0x40049409
"""FICLONE (linux/fs.h): the whole file at one moment, in which nothing else writes to it."""
_OUTER, _INNER = "12G", "3G"
_PROGRAMS = ("mkfs.xfs", "mkfs.ext4", "mount", "umount")


def possible() -> bool:
    """Whether this user can mount loop devices."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and all(map(shutil.which, _PROGRAMS))


@dataclass(slots=True)
class Bench:
    """The server whose power is cut, and the place where its disk is looked at afterwards."""

    disk: Path
    """The image of the disk."""
    var_dir: Path
    mounted: Path
    server: EmbeddedServer

    @property
    def settings(self) -> Settings:
        """Settings on the running server's database."""
        return settings_for(_dsn(self.server), self.var_dir)

    @property
    def files(self) -> Path:
        """A folder for files, on the same disk."""
        return self.mounted / "files"

    def cut(self) -> Path:
        """The disk as it is at this moment, as an image of its own. Nothing else in this process runs meanwhile."""
        after = self.disk.with_name(f"after-{secrets.token_hex(4)}.img")
        with self.disk.open("rb") as before, after.open("wb") as copy:
            fcntl.ioctl(copy.fileno(), _BY_REFERENCE, before.fileno())
        return after

    async def restart(self, options: Mapping[str, str]) -> None:
        """Start the server anew with other options; an empty mapping stands for those that are shipped."""
        await stop_server(self.server)
        with mock.patch.dict(embedded.OPTIONS, options):
            self.server = await start_server(self.var_dir)


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The machine that was given power again: its server, recovered, and its files."""

    settings: Settings
    files: Path


@contextlib.asynccontextmanager
async def bench(folder: Path) -> AsyncGenerator[Bench]:
    """A migrated server on a disk whose power can be cut."""
    var_dir = folder / "var"
    mounted = prepare_layout(var_dir).data.parent
    with _mounted_xfs(folder) as outer:
        disk = outer / "disk.img"
        _run("truncate", "-s", _INNER, str(disk))
        _run("mkfs.ext4", "-q", "-F", str(disk))
        with _mounted(disk, mounted):
            server = await start_server(var_dir)
            made = Bench(disk, var_dir, mounted, server)
            try:
                await migrate(made.settings)
                yield made
            finally:
                await stop_server(made.server)
        shutil.rmtree(mounted, ignore_errors=True)


@contextlib.asynccontextmanager
async def power_again(made: Bench, after: Path, var_dir: Path, *, port: int) -> AsyncGenerator[Afterwards]:
    """Start the server of a disk whose power was cut, as the platform would; raises StartError when it does not come up."""
    mounted = prepare_layout(var_dir).data.parent
    shutil.copy2(made.var_dir / "secrets" / "postgres-superuser", var_dir / "secrets" / "postgres-superuser")
    try:
        with _mounted(after, mounted):
            server = await start_server(var_dir, port=port)
            try:
                yield Afterwards(settings_for(_dsn(server), var_dir), mounted / "files")
            finally:
                await stop_server(server)
    finally:
        after.unlink()
        shutil.rmtree(mounted, ignore_errors=True)


def fails_to_start(error: StartError) -> dict[str, int]:
    """How it is counted when the server cannot be started on what the cut left."""
    return {f"does not start ({error})": 1}


def never_flush() -> None:
    """Let nothing in this process reach the disk before the kernel pleases: for a negative control."""
    os.fsync = _nothing  # type: ignore[assignment]


def _nothing(_: int) -> None:
    return None


def torn_files(rows: Mapping[str, bytes], folder: Path) -> int:
    """How many of the places (with the SHA-256 of what was acknowledged) do not hold their content."""
    return sum(not _holds(folder / place, digest) for place, digest in rows.items())


def _holds(path: Path, digest: bytes) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).digest() == digest
    except OSError:
        return False


def _dsn(server: EmbeddedServer) -> str:
    password = quote(server.layout.password_file.read_text().strip(), safe="")
    return f"postgresql://postgres:{password}@127.0.0.1:{server.port}/lastlight"


@contextlib.contextmanager
def _mounted_xfs(folder: Path) -> Generator[Path]:
    image, place = folder / "outer.img", folder / "outer"
    _run("truncate", "-s", _OUTER, str(image))
    _run("mkfs.xfs", "-q", "-m", "reflink=1", str(image))
    with _mounted(image, place):
        yield place
    image.unlink()


@contextlib.contextmanager
def _mounted(image: Path, place: Path) -> Generator[None]:
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "-o", "loop", str(image), str(place))
    try:
        place.chmod(0o755)
        yield
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    for attempt in range(50):
        try:
            _run("umount", str(place))
        except subprocess.CalledProcessError:
            if attempt == 49:
                raise
            time.sleep(0.1)
        else:
            return


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=120)
