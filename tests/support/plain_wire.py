"""A plain HTTP/1.1 client on one kept connection: it says exactly what became of a request, and repeats nothing by itself."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

import msgspec


class DroppedError(ConnectionError):
    """The connection ended before the whole answer was there; `fresh` says whether it was new, `answered` how much had come."""

    def __init__(self, *, fresh: bool, answered: int) -> None:
        super().__init__(f"dropped after {answered} bytes of the answer on a {'fresh' if fresh else 'kept'} connection")
        self.fresh, self.answered = fresh, answered


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


def request(method: str, path: str, *, token: str = "", body: Any = None, **headers: str) -> bytes:
    """A whole request; underscores in the names of headers stand for dashes."""
    content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
    given = {"Host": "127.0.0.1", "Accept": "application/json", "Content-Length": str(len(content))}
    if token:
        given["Authorization"] = f"Bearer {token}"
    if body is not None and not isinstance(body, bytes):
        given["Content-Type"] = "application/json"
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + content


class Wire:
    """One connection, opened when it is needed."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes, *, patience: float = 30.0) -> Answer:
        """Send a request and read its answer; raises DroppedError, another OSError, or TimeoutError after `patience` seconds."""
        began = time.monotonic()
        fresh = self._streams is None
        received = bytearray()
        try:
            async with asyncio.timeout(patience):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self.host, self.port)
                reader, writer = self._streams
                writer.write(sent)
                await writer.drain()
                status, headers, body = await _read(reader, received)
        except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            raise DroppedError(fresh=fresh, answered=len(received)) from error
        except BaseException:
            self.close()
            raise
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body, time.monotonic() - began)

    @property
    def kept(self) -> bool:
        """Whether a connection is open."""
        return self._streams is not None

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            with contextlib.suppress(RuntimeError):
                self._streams[1].close()
            self._streams = None


async def _read(reader: asyncio.StreamReader, received: bytearray) -> tuple[int, dict[str, str], bytes]:
    first = await reader.read(1)
    if not first:
        raise asyncio.IncompleteReadError(b"", 1)
    received += first
    received += await reader.readuntil(b"\r\n\r\n")
    head, *lines = received.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head.split(" ", 2)[1]), headers, body
