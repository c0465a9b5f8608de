"""What is done to a running platform: kills, stops, cuts, locks and crowds, each with what it takes to end it again."""

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import psutil

from tests.support.killable import Killable, kill

STOPPED_SECONDS = 2.0
IDLE = 200
_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


class NotPossibleError(Exception):
    """This machine does not let us do it, or there was nobody to do it to."""


@dataclass(frozen=True, slots=True)
class Site:
    """The platform that things are done to, and the dice."""

    platform: Killable
    dice: random.Random

    def one(self, among: Sequence[psutil.Process]) -> psutil.Process | None:
        """Any of them; None when there are none."""
        return self.dice.choice(among) if among else None


Fault = Callable[[Site], Awaitable[None]]


def _killed(process: psutil.Process | None, number: signal.Signals = signal.SIGKILL) -> None:
    if not kill(process, number):
        raise NotPossibleError


async def kill_web(site: Site) -> None:
    """kill -9 of a web process."""
    _killed(site.one(site.platform.children("web")))


async def kill_worker(site: Site) -> None:
    """kill -9 of the worker, which relays the events."""
    _killed(site.one(site.platform.children("worker")))


async def end_backend(site: Site) -> None:
    """One of the database's sessions is terminated, as by an administrator."""
    _killed(site.one(site.platform.backends()), signal.SIGTERM)


async def end_backends(site: Site) -> None:
    """All of the database's sessions are terminated."""
    found = site.platform.backends()
    if not found:
        raise NotPossibleError
    for process in found:
        kill(process, signal.SIGTERM)


async def kill_backend(site: Site) -> None:
    """kill -9 of one backend: the database throws everybody out and recovers."""
    _killed(site.one(site.platform.backends()))


async def kill_postmaster(site: Site) -> None:
    """kill -9 of the database server itself."""
    _killed(site.platform.postmaster())


async def kill_database(site: Site) -> None:
    """kill -9 of the database server and all its processes at once."""
    server = site.platform.postmaster()
    if server is None:
        raise NotPossibleError
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*server.children(recursive=True), server]:
            kill(process)


async def stop_web(site: Site) -> None:
    """A web process stands still for two seconds."""
    process = site.one(site.platform.children("web"))
    _killed(process, signal.SIGSTOP)
    try:
        await asyncio.sleep(STOPPED_SECONDS)
    finally:
        kill(process, signal.SIGCONT)


async def cut_connections(site: Site) -> None:
    """Every connection from a web process to the database is cut on its way."""
    process = site.one(site.platform.children("web"))
    if process is None or not _cut(process, site.platform):
        raise NotPossibleError


def _cut(process: psutil.Process, platform: Killable) -> int:
    """Shut down another process's own sockets, by taking copies of them; how many."""
    server = platform.postmaster()
    ports = (
        {each.laddr.port for each in server.net_connections("tcp") if each.status == "LISTEN"} if server else set[int]()
    )
    handle = os.pidfd_open(process.pid)
    cut = 0
    try:
        for each in process.net_connections("tcp"):
            if not each.raddr or each.raddr.port not in ports:
                continue
            number = _libc.syscall(_PIDFD_GETFD, handle, each.fd, 0)
            if number < 0:
                raise NotPossibleError(os.strerror(ctypes.get_errno()))
            with socket.socket(fileno=number) as copy, contextlib.suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)
                cut += 1
    finally:
        os.close(handle)
    return cut


async def idle_callers(site: Site) -> None:
    """Two hundred callers connect to the web process and say nothing."""
    port = site.platform.settings.port
    opened = await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", port) for _ in range(IDLE)), return_exceptions=True
    )
    await asyncio.sleep(STOPPED_SECONDS)
    for each in opened:
        if not isinstance(each, BaseException):
            each[1].close()


async def full_database(site: Site) -> None:
    """Idle sessions take every place that the database has left."""
    opened: list[Any] = []
    try:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            while len(opened) < IDLE:
                opened += [await asyncpg.connect(site.platform.settings.dsn("app"), timeout=5)]
        await asyncio.sleep(STOPPED_SECONDS)
    finally:
        for each in opened:
            each.terminate()


async def long_transaction(site: Site) -> None:
    """A transaction that has written something stays open: the relay may not pass it."""
    async with _administering(site) as connection:
        await connection.execute("begin; select pg_current_xact_id()")
        await asyncio.sleep(STOPPED_SECONDS)
        await connection.execute("rollback")


async def lock_table(site: Site) -> None:
    """A table that every write needs is locked for two seconds."""
    async with _administering(site) as connection:
        table = site.dice.choice(("checkins", "visits", "tasks", "outbox", "idempotency_keys"))
        await connection.execute(f"begin; lock table {table} in access exclusive mode")
        await asyncio.sleep(STOPPED_SECONDS)
        await connection.execute("rollback")


@contextlib.asynccontextmanager
async def _administering(site: Site) -> AsyncGenerator[Any]:
    try:
        connection = await asyncpg.connect(site.platform.settings.admin_dsn(), timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotPossibleError from error
    try:
        yield connection
    finally:
        connection.terminate()


KILLS: tuple[Fault, ...] = (kill_web, kill_worker, end_backend, kill_backend, kill_postmaster, kill_database)
DATABASE_KILLS: tuple[Fault, ...] = (
    end_backend,
    end_backends,
    kill_backend,
    kill_postmaster,
    kill_database,
    cut_connections,
)
MISCHIEF: tuple[Fault, ...] = (
    kill_web,
    kill_worker,
    end_backends,
    kill_backend,
    kill_postmaster,
    kill_database,
    stop_web,
    cut_connections,
    idle_callers,
    full_database,
    long_transaction,
    lock_table,
)
