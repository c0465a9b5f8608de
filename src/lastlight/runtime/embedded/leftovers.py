"""What an earlier life of the embedded server may have left: running processes, or a pid file that lies."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from lastlight.runtime.startup import StartError


async def clear_leftovers(data: Path) -> None:
    """End every server process that still works on `data`, then remove its pid file; raises StartError if one stays.

    The file goes only when nobody works on the data any more: two servers on one folder would destroy it. PostgreSQL's own
    check would also be misled by a number that another program has by now, or by an ended process nobody collected.
    """
    for signal_number, seconds in ((signal.SIGINT, 15.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
        for pid in _servers_on(data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        if await _all_gone(data, seconds):
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
    raise StartError(f"Another PostgreSQL works on {data} and cannot be stopped: process {_servers_on(data)}.")


async def _all_gone(data: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _servers_on(data):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def _servers_on(data: Path) -> list[int]:
    """The living PostgreSQL processes that work on `data`: each has that folder as its working directory."""
    folder = str(data.resolve())
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in numbers if _works_in(pid, folder)]


def _works_in(pid: int, folder: str) -> bool:
    try:
        if str(Path(f"/proc/{pid}/cwd").readlink()) != folder:
            return False
        before, _, after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return False  # gone, or of another user: not a server that we started
    return before.endswith("(postgres") and after.split()[0] != "Z"
