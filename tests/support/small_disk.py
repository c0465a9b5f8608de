"""Disks that are small enough to be filled: in memory, mounted for a test, with a ballast that takes every byte that is left."""

import contextlib
import errno
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from lastlight.runtime.http import problems
from lastlight.runtime.storage import store

NEEDS = "a full disk needs a small one of its own: run the tests as root, where mount can make it"
_PIECE = 1024 * 1024


def possible() -> bool:
    """Whether this user can mount a disk in memory."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A disk of a few megabytes."""

    place: Path

    @property
    def ballast(self) -> Path:
        """What fills it."""
        return self.place / "ballast"

    def fill(self, *, leave: int = 0) -> None:
        """Take every byte but so many."""
        with self.ballast.open("ab", buffering=0) as file:
            size = _PIECE
            while size >= 4096:
                try:
                    file.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2
        if leave:
            os.truncate(self.ballast, max(0, self.ballast.stat().st_size - leave))

    def free(self) -> None:
        """Give all of it back."""
        self.ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(place: Path, *, megabytes: int) -> Generator[SmallDisk]:
    """A disk at `place` for the length of the block."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "lastlight", str(place)], check=True, capture_output=True)
    try:
        yield SmallDisk(place)
    finally:
        for _ in range(100):
            done = subprocess.run(["umount", str(place)], check=False, capture_output=True)
            if done.returncode == 0:
                shutil.rmtree(place, ignore_errors=True)
                break
            time.sleep(0.1)


def write_in_place() -> None:
    """Switch off what makes a file whole or absent: for a negative control, in a process of its own."""

    def careless(path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with path.open("wb") as file:
                file.write(content)
        except OSError as error:
            raise store.NoRoom from error

    _set(store, "_write_whole", careless)


def call_it_broken() -> None:
    """Switch off what tells a database that is away from a defect of ours: for a negative control, in a process of its own."""

    def never(_: BaseException) -> bool:
        return False

    _set(problems, "is_unavailable", never)


def _set(module: object, name: str, value: Callable[..., object]) -> None:
    setattr(module, name, value)
