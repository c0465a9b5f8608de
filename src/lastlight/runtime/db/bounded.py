"""A connection pool in which every wait has an end: for a free connection, for a silent server, and in the queue."""

import asyncio
import contextlib
import socket
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from lastlight.kernel.errors import Busy
from lastlight.runtime.db.queue import Queue

log = structlog.get_logger(__name__)

ACQUIRE_SECONDS = 3.0
"""Longest wait for a free connection, or for a new one to be made."""
FULL_PAUSE_SECONDS = 0.05
"""How long a caller waits before it asks again where the server itself has no connection left."""
RELEASE_SECONDS = 1.0
WAITING_EACH = 100
"""So many callers may wait for each connection that a pool can have; who comes after them is refused at once."""
FRESH_SECONDS = 2.0
"""So long ago the database may have answered last, for a pool that is in use to the last connection to count as well."""
UNANSWERED_MS = 4_000
"""What is sent and not acknowledged by the other machine for so long ends the connection: packets are lost on the way."""
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": UNANSWERED_MS}
FIRST = 1_000_000
"""Before every request goes what is no request: the probes of readiness, the watch over sockets."""
LEAST_SECONDS = 0.05
"""What is left of the patience of a request that has waited enough: to take a connection that is free, not to queue."""
GONE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How the driver says that its connection is no more; the last when the server ended it between two answers."""


def watch_socket(connection: Any) -> None:
    """Let the kernel notice a database that is not there any more; without this a lost network is noticed after a quarter of an hour."""
    carrier = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg offers no other way to its socket
    if carrier is None or carrier.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    carrier.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        option = getattr(socket, name, None)  # not every system has each
        if option is not None:
            carrier.setsockopt(socket.IPPROTO_TCP, option, value)


@dataclass(slots=True)
class _Allowance:
    """How long one request may still wait for connections, all its waits together."""

    seconds: float
    taken: int = 0
    """How often it has been given one: who has come far goes before who has just begun, or nobody would come to an end."""


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


def begin_waiting() -> None:
    """Said at the beginning of a request: however often it asks for a connection, it waits ACQUIRE_SECONDS in all."""
    _allowance.set(_Allowance(ACQUIRE_SECONDS))


if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
else:
    _Pool = asyncpg.Pool  # generic in its stubs only


def has_ended(connection: Any) -> bool:
    """Whether a pool's connection is over; one that was lost goes back by itself, and then refuses even this question."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


class BoundedPool(_Pool):
    """asyncpg's pool, made patient to a point. Statements of its own (`fetch` and the like) are each one transaction."""

    answered_at = float("-inf")
    """When a connection last came back in good order, on the monotonic clock."""

    def __init__(self, *given: Any, max_size: int, **options: Any) -> None:
        super().__init__(*given, max_size=max_size, **options)
        self.queue = Queue(max_size)
        self._lent: set[Any] = set()

    @property
    def live(self) -> bool:
        """Whether every connection is in use and the database answered a moment ago: busy, and well."""
        return self.get_size() > 0 and not self.get_idle_size() and time.monotonic() - self.answered_at < FRESH_SECONDS

    async def take(self) -> Any:
        """A connection, waited for no longer than ACQUIRE_SECONDS (what is left of them in a request); raises TimeoutError, or Busy where the queue is full."""
        allowance = _allowance.get()
        if allowance is not None and self.queue.waiting >= WAITING_EACH * self.get_max_size():
            raise Busy
        began = time.monotonic()
        until = began + (ACQUIRE_SECONDS if allowance is None else max(allowance.seconds, LEAST_SECONDS))
        try:
            await self.queue.enter(FIRST if allowance is None else allowance.taken, until - began)
            try:
                connection = await self._taken(until)
            except BaseException:
                self.queue.leave()
                raise
        finally:
            if allowance is not None:
                allowance.seconds -= time.monotonic() - began
                allowance.taken += 1
        self._lent.add(connection)
        return connection

    async def _taken(self, until: float) -> Any:
        while True:
            try:
                return await self.acquire(timeout=max(0.0, until - time.monotonic()))
            except asyncpg.TooManyConnectionsError:  # the server takes no more; one that is open may come free
                if time.monotonic() + FULL_PAUSE_SECONDS > until:
                    raise
                await asyncio.sleep(FULL_PAUSE_SECONDS)

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the driver's own signature
        """Give a connection back. Never fails and never waits for long: what was done with it is done."""
        try:
            await self._release(connection, RELEASE_SECONDS if timeout is None else timeout)
        finally:
            if connection in self._lent:
                self._lent.discard(connection)
                self.queue.leave()

    async def _release(self, connection: Any, timeout: float) -> None:  # noqa: ASYNC109 - as above
        well = not has_ended(connection)
        try:
            await super().release(connection, timeout=timeout)
        except (TimeoutError, asyncpg.PostgresError, *GONE) as error:
            log.warning("a connection could not be given back", error=f"{type(error).__name__}: {error}")
        else:
            self.answered_at = time.monotonic() if well else self.answered_at

    async def drop(self, connection: Any, error: BaseException) -> None:
        """End a connection from which nothing more is expected. Where it was silent the others are made anew before they are used again."""
        with contextlib.suppress(asyncpg.InterfaceError):  # it has ended, and went back by itself
            connection.terminate()
        if isinstance(error, TimeoutError):
            await self.expire_connections()

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run a statement; its status."""
        return await self._alone("execute", query, args, options)

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """All rows."""
        return await self._alone("fetch", query, args, options)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        """The first row, or None."""
        return await self._alone("fetchrow", query, args, options)

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._alone("fetchval", query, args, options)

    async def _alone(self, method: str, query: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        connection = await self.take()
        try:
            return await getattr(connection, method)(query, *args, **options)
        except (TimeoutError, asyncio.CancelledError) as error:
            await self.drop(connection, error)
            raise
        finally:
            await self.release(connection)
