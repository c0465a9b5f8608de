"""Programs that a test or a benchmark starts beside it: their environment, their end, and when they answer."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import httpx

from lastlight.runtime.settings import PREFIX
from lastlight.runtime.tether import tethered
from tests.support.postgres import REPOSITORY

START_SECONDS = 90.0
STOP_SECONDS = 20.0
LONGEST_LINE = 1 << 24


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without the platform's settings, and with these on top."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {"PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"} | extra


@contextlib.asynccontextmanager
async def started(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: int = DEVNULL,
    orphaned: signal.Signals = signal.SIGKILL,
    patience: float = STOP_SECONDS,
    **options: Any,
) -> AsyncGenerator[Process]:
    """A program, ended with the block; `orphaned` is the signal that it gets should this process die before it."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env=environment() if env is None else env,
        limit=LONGEST_LINE,
        preexec_fn=tethered(orphaned),
        stdin=stdin,
        **options,
    )
    try:
        yield process
    finally:
        await ended(process, patience=patience)


async def ended(process: Process, number: signal.Signals = signal.SIGTERM, *, patience: float = STOP_SECONDS) -> None:
    """Ask a program to end, and make it end when it has not after a while."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()


def unused_port() -> int:
    """A port that nobody uses, from below those that the system gives away by itself: nobody else gets it before it is bound."""
    while True:
        port = 16_000 + secrets.randbelow(16_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


async def until_answers(process: Process, url: str, log: Path | None = None) -> None:
    """Return once a program answers 200 at `url`; fails, with the end of its log, when it does not come to that."""
    until = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        while time.monotonic() < until and process.returncode is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    said = "" if log is None else log.read_text(errors="replace")[-4000:]
    raise RuntimeError(f"it did not start (exit status {process.returncode}):\n{said}")


def cpu_seconds(pid: int) -> float:
    """The processor time of a process, with that of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """What a process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
