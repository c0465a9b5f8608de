"""A network between an application and its database that a test can break: each connection's bytes pass, wait, vanish or end."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator
from enum import Enum, auto
from urllib.parse import urlsplit, urlunsplit

_HANG_UP_HARD = struct.pack("ii", 1, 0)


class Fault(Enum):
    """What the network does to bytes and to new connections."""

    NONE = auto()
    RESET = auto()
    """Every connection is reset, new ones as soon as they come."""
    HALF_OPEN = auto()
    """What stands is reset; new connections are taken and never answered."""
    BLACK_HOLE = auto()
    """Bytes vanish in both directions, on the connections that stand and on new ones, and nobody is told."""
    SLOW = auto()
    """Every piece waits before it passes."""
    LOST_COMMIT = auto()
    """A commit passes; its answer does not: the connection is reset instead."""


class FaultProxy:
    """Forwards one port to another, and breaks as it is told."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, delay: float = 0.05) -> None:
        self._target = (host, port)
        self.delay = delay
        self.fault = Fault.NONE
        self.cut = 0
        """Commits whose answer was kept back."""
        self.taken = 0
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def leads(self, dsn: str) -> str:
        """The same database by way of this network."""
        parts = urlsplit(dsn)
        host = self._server.sockets[0].getsockname()[0] if self._server else "127.0.0.1"
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{host}:{self.port}"))

    async def open(self, host: str = "127.0.0.1") -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, host, 0, backlog=1024)

    def become(self, fault: Fault) -> None:
        """Break, or mend: connections that stood through a silence stay silent, as after a failover."""
        stale = self.fault in {Fault.HALF_OPEN, Fault.BLACK_HOLE}
        self.fault = fault
        for pair in list(self._pairs):
            pair.dead = pair.dead or stale
            if fault in {Fault.RESET, Fault.HALF_OPEN}:
                pair.reset()

    async def close(self) -> None:
        """Stop listening, hang up."""
        assert self._server is not None
        self._server.close()
        for pair in list(self._pairs):
            pair.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        pair = _Pair(self, writer)
        self._pairs.add(pair)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(pair, reader)
        except (OSError, asyncio.CancelledError):
            pair.reset()
        finally:
            pair.reset()
            self._pairs.discard(pair)
            self._tasks.discard(task)

    async def _serve(self, pair: "_Pair", reader: asyncio.StreamReader) -> None:
        if self.fault is Fault.RESET:
            return
        if self.fault in {Fault.HALF_OPEN, Fault.BLACK_HOLE}:
            pair.dead = True
            while await reader.read(65_536):
                pass
            return
        back, pair.onward = await asyncio.open_connection(*self._target)
        to_server = asyncio.create_task(pair.forward(reader, pair.onward, asks=True))
        to_client = asyncio.create_task(pair.forward(back, pair.writer, asks=False))
        try:
            await asyncio.wait({to_server, to_client}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (to_server, to_client):
                task.cancel()
            await asyncio.gather(to_server, to_client, return_exceptions=True)


class _Pair:
    """One connection of the application, and the one to the database that belongs to it."""

    def __init__(self, proxy: FaultProxy, writer: asyncio.StreamWriter) -> None:
        self.proxy, self.writer = proxy, writer
        self.onward: asyncio.StreamWriter | None = None
        self.dead = False
        self.commits = False

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool) -> None:
        while piece := await reader.read(65_536):
            proxy = self.proxy
            if self.dead or proxy.fault in {Fault.HALF_OPEN, Fault.BLACK_HOLE}:
                continue
            if proxy.fault is Fault.SLOW:
                await asyncio.sleep(proxy.delay)
            if asks:
                self.commits = b"commit\x00" in piece
            elif self.commits and proxy.fault is Fault.LOST_COMMIT:
                proxy.cut += 1
                return
            writer.write(piece)
            await writer.drain()

    def reset(self) -> None:
        """Hang up both ends; the application's hard, so that it is told by a reset."""
        for writer, hard in ((self.writer, True), (self.onward, False)):
            if writer is None:
                continue
            if hard and (sock := writer.get_extra_info("socket")) is not None:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HANG_UP_HARD)
            writer.transport.abort()


@contextlib.asynccontextmanager
async def fault_proxy(dsn: str, *, host: str = "127.0.0.1") -> AsyncGenerator[FaultProxy]:
    """A network in front of the database at `dsn`."""
    parts = urlsplit(dsn)
    proxy = FaultProxy(parts.port or 5432, parts.hostname or "127.0.0.1")
    await proxy.open(host)
    try:
        yield proxy
    finally:
        await proxy.close()
