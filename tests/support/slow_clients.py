"""Clients that take their time, hundreds at once: heads and bodies that never end, answers that nobody reads, frames beyond bounds."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.frames import UPGRADE, frame
from tests.support.wire import CLOSED, JSON, LOGIN, STATUS, request

HEAD = b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nX-A: "
BODY = request("POST", LOGIN, headers=[JSON, ("Content-Length", "1000")], length=False) + b"{"
UNREAD = request("GET", "/openapi.json") * 20


@dataclass(slots=True)
class Crowd:
    """Connections that are held open."""

    pairs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    )

    async def grow(self, port: int, many: int, sent: bytes) -> None:
        """So many more, each of which has sent the beginning of something."""
        for _ in range(many):
            pair = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            pair[1].write(sent)
            self.pairs.append(pair)

    async def trickle(self, *, seconds: float) -> int:
        """A byte from each of them every half second; how many were hung up on in that time."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until and self.held():
            for _, writer in self.pairs:
                if not writer.is_closing():
                    with contextlib.suppress(OSError):
                        writer.write(b"a")
            await asyncio.sleep(0.5)
        return len(self.pairs) - self.held()

    def held(self) -> int:
        """How many the server still keeps."""
        return sum(
            not (reader.at_eof() or writer.is_closing()) and reader.exception() is None for reader, writer in self.pairs
        )

    async def leave(self) -> None:
        """Hang up."""
        for _, writer in self.pairs:
            writer.transport.abort()
        self.pairs.clear()
        await asyncio.sleep(0.1)


async def pipelined(port: int, many: int) -> int:
    """How many of so many requests, sent in one breath, are answered in their order; the one in the middle asks for nothing there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = [request("GET", "/health") for _ in range(many - 1)]
    writer.write(b"".join([*asked[: many // 2], request("GET", "/nothing/there"), *asked[many // 2 :]]))
    statuses: list[int] = []
    came = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(30):
            while len(statuses) < many and (piece := await reader.read(65_536)):
                came += piece
                statuses += [int(match[1]) for match in STATUS.finditer(came)]
                came = came[came.rfind(b"HTTP/1.1") :] if b"\r\n\r\n" not in came[came.rfind(b"HTTP/1.1") :] else b""
    writer.transport.abort()
    return len(statuses) if statuses.count(404) <= 1 and statuses[many // 2 : many // 2 + 1] == [404] else -1


FRAMES: Sequence[tuple[str, bytes]] = (
    ("four exabytes", frame(1, b"x" * 1_000, declared=2**62)),
    ("the largest length", frame(1, b"x", declared=2**64 - 1)),
    ("ten megabytes", frame(1, b"4" + b"x" * (10 * 1024 * 1024))),
    ("pieces without end", frame(1, b"4" + b"x" * 60_000, more=True) + frame(0, b"x" * 60_000, more=True) * 60),
    ("no mask", frame(1, b"40{}", masked=False)),
    ("bytes that are no text", frame(1, b"\xff\xfe\xfd")),
    ("an unknown kind", frame(3, b"40{}")),
    ("compressed, unasked", frame(1, b"40{}", bits=0x40)),
    ("a long ping", frame(9, b"x" * 126)),
    ("deep JSON", frame(1, b"40" + b"[" * 200_000)),
    ("a binary packet", frame(2, b"\x04" * 1_000)),
    ("noise", os.urandom(2_000)),
    ("many attachments", frame(1, b"459999999-" + b'["a",{"_placeholder":true,"num":0}]')),
)


async def kept_after(port: int, sent: bytes, *, seconds: float = 4.0) -> bool:
    """Whether a socket is still kept after it sent something beyond bounds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE)
    kept = True
    with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
        async with asyncio.timeout(seconds):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 101 " in head.split(b"\r\n", 1)[0], head
            writer.write(sent)
            while await reader.read(65_536):
                pass
            kept = False
    kept = kept and not reader.at_eof() and reader.exception() is None
    writer.transport.abort()
    return kept


POLLING = request(
    "POST",
    "/realtime/?EIO=4&transport=polling&sid=none",
    body=b"4" * 3_000_000,
    headers=[("Content-Type", "text/plain")],
)
WELL = frozenset({400, 413, CLOSED})
