"""django-hordak as the peer of the ledger's Python API: its own way of making a transaction, in processes of its own, on the same server.

`python -m benchmarks.hordak_peer DSN prepare N` makes its tables and N accounts; `… DSN post` says ready, then posts as many transactions as
each line of its input asks for, and answers with the seconds that they took.
"""

import asyncio
import contextlib
import importlib
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg

from benchmarks.ground import Ground
from lastlight.runtime.tether import tethered

PROCESSES = 8
ACCOUNTS = 1_000
APPS = ("django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak")


class Hordak:
    """Its processes, ready to post."""

    def __init__(self, processes: list[Process]) -> None:
        self._processes = processes

    async def post(self, transactions: int) -> float:
        """Post so many, all processes at once; transactions a second."""
        each = max(1, transactions // len(self._processes))
        began = time.perf_counter()
        await asyncio.gather(*(_asked(process, str(each)) for process in self._processes))
        return each * len(self._processes) / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def opened_hordak(
    ground: Ground, *, processes: int = PROCESSES, accounts: int = ACCOUNTS
) -> AsyncGenerator[Hordak]:
    """A database of its own beside ours, its tables and accounts, and its processes."""
    admin = await asyncpg.connect(ground.dsn)
    await admin.execute("create database hordak")
    await admin.close()
    dsn = ground.dsn.rsplit("/", 1)[0] + "/hordak"
    made = await _started(dsn, "prepare", str(accounts))
    if await made.wait():
        raise RuntimeError("django-hordak could not make its tables")
    workers = [await _started(dsn, "post") for _ in range(processes)]
    try:
        for worker in workers:
            await _answer(worker)
        yield Hordak(workers)
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()


async def _started(dsn: str, *what: str) -> Process:
    command = (sys.executable, "-m", "benchmarks.hordak_peer", dsn, *what)
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, preexec_fn=tethered(signal.SIGKILL))


async def _asked(process: Process, line: str) -> str:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    await process.stdin.drain()
    return await _answer(process)


async def _answer(process: Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().strip()
    if not line:
        raise RuntimeError("a process of django-hordak ended")
    return line


def _django(dsn: str) -> Any:
    """Django on that database, and the models of hordak."""
    parts = urlsplit(dsn)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": parts.username,
        "PASSWORD": unquote(parts.password or ""),
        "NAME": parts.path[1:],
    }
    importlib.import_module("django.conf").settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=APPS,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DEFAULT_CURRENCY="ZAR",
        CURRENCIES=("ZAR",),
        USE_TZ=True,
    )
    importlib.import_module("django").setup()
    return importlib.import_module("hordak.models")


def prepare(dsn: str, accounts: str) -> None:
    """Tables by its own migrations, and so many accounts, each with a name and a code."""
    models = _django(dsn)
    importlib.import_module("django.core.management").call_command("migrate", verbosity=0)
    for number in range(1, int(accounts) + 1):
        models.Account.objects.create(name=f"Guest {number}", type="LI", code=str(number), currencies=["ZAR"])


def post(dsn: str) -> None:
    """Post what is asked for: `transfer_to` between two accounts, as its manual says."""
    models = _django(dsn)
    money = importlib.import_module("moneyed").Money(1, "ZAR")
    accounts = list(models.Account.objects.all())
    half = len(accounts) // 2
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            source, destination = random.choice(accounts[:half]), random.choice(accounts[half:])  # noqa: S311 - a load
            source.transfer_to(destination, money, description="bench")
        sys.stdout.write(f"{time.perf_counter() - began}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    dsn, what, *more = sys.argv[1:]
    {"prepare": prepare, "post": post}[what](dsn, *more)
