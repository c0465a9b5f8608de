"""HTTP connections with bounded patience: a head that never ends is neither kept in memory nor waited for.

uvicorn's own protocol collects a head of any size for any time, so one connection could fill the memory and many idle ones
could take every descriptor. It also hangs up on kept connections when the process is told to stop, while a request may be on
its way: here each says first, in an answer, that it is about to close.
"""

import asyncio
import contextlib
import fcntl
import random
import resource
import termios
import time
from array import array
from itertools import islice
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

HEAD_BYTES = 64 * 1024
"""Largest request line and headers together; as much may come at a stretch where no body comes."""
HEAD_SECONDS = 20.0
"""From the connection, or a request's first byte, to the end of its headers."""
BODY_SECONDS = 120.0
"""From the end of the headers to the end of the body: ten megabytes through a slow phone."""
TAKING_SECONDS = 20.0
LEAST_TAKEN = 16 * 1024
"""So much of an answer that waits to be taken is taken in that time, or all that is left of it: a phone at the edge of its network."""
PIECE = 64 * 1024
"""So much of an answer is handed over before it is looked at whether it is taken."""
KEPT_FREE = 100
"""So many descriptors are left to the database, files and sockets of our own; all others may be callers."""
LOOKED_AT = 24
"""Among so many connections the idlest is let go when there is no room for a new one."""
LINGER_SECONDS = 1.0
"""How long an idle connection is kept once the process is told to stop: a request may be on its way."""
SMALL_FRAMES_A_SECOND = 50
SMALL_FRAMES_AT_ONCE = 200
"""Of a WebSocket: pings, their answers, and the further pieces of one message. What is larger than a message ends it as well."""
CLOSE = (b"connection", b"close")


class Allowance:
    """A token bucket: so many at once, so many a second."""

    __slots__ = ("_at", "_left", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = burst
        self._at = time.monotonic()

    def take(self) -> bool:
        """Use one; False when there is none left."""
        now = time.monotonic()
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def most_connections() -> int:
    """How many callers may be connected at once."""
    return max(32, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - KEPT_FREE)


def in_pieces(app: Any) -> Any:
    """The application, whose long answers are handed over piece by piece: what waits for a slow caller is copied for each of them."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def send_pieces(message: Any) -> None:
            body: bytes = message.get("body", b"")
            if len(body) <= PIECE:
                await send(message)
                return
            for start in range(0, len(body), PIECE):
                more = start + PIECE < len(body) or message.get("more_body", False)
                await send({**message, "body": body[start : start + PIECE], "more_body": more})

        await app(scope, receive, send_pieces if scope["type"] == "http" else send)

    return served


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on a request that does not come to its end."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.quiet_since = time.monotonic()
        """When it was opened, or its last request came."""
        self.served = False
        """Whether it ever sent a whole request."""
        self._stopping = False
        self._in_head = True
        self._ended = False
        self._fed = False
        """Whether what came last held a piece of a body."""
        self._head_bytes = 0
        self._clock: asyncio.TimerHandle | None = None
        self._clock_is_for_head = True
        self._untaken = 0
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Expect a request."""
        if len(self.connections) >= most_connections():
            self._make_room()
        super().connection_made(transport)
        self._wait(for_head=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody to wait for any more."""
        self._stop_clock()
        self._stop_taking()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; then see whether a request is still under way, and how long it already is."""
        self._ended = self._fed = False
        self.quiet_since = time.monotonic()
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._stop_clock()
            return
        if self._ended:
            self._stop_clock()
        elif not self._fed:  # a head, or what follows a body: both are kept until they end
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
                return
        if not (self._ended and self._in_head):
            self._wait(for_head=self._in_head)

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._in_head, self._head_bytes = False, 0
        if self._stopping:
            self.headers.append(CLOSE)
        super().on_headers_complete()
        if self._stopping and self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison] None while it upgrades
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which is bounded by whoever reads it."""
        self._fed, self._head_bytes = True, 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request may follow."""
        self._in_head, self._ended, self._head_bytes, self.served = True, True, 0, True
        super().on_message_complete()

    def pause_writing(self) -> None:
        """More of an answer waits than the connection takes at once."""
        super().pause_writing()
        self._stop_taking()  # whatever waited before was taken
        self._watch_taking()

    def on_response_complete(self) -> None:
        """The answer is made; it may still wait to be taken."""
        super().on_response_complete()
        if self._taking is None:
            self._watch_taking()

    def shutdown(self) -> None:
        """The process is about to end: the next answer says that it is the last; who stays silent is let go after a moment."""
        self._stopping = True
        if self.idle:
            self.loop.call_later(LINGER_SECONDS, self._let_go)
            return
        asked: Any = self.cycle.scope["headers"]
        asked.append(CLOSE)  # uvicorn says it in the answer, and closes after it
        self.cycle.keep_alive = False

    @property
    def idle(self) -> bool:
        """Whether no request of it is being answered."""
        cycle: Any = self.cycle  # None until the first request, whatever its annotation says
        return cycle is None or cycle.response_complete

    def _let_go(self) -> None:
        if self.idle and not self.transport.is_closing():
            self.transport.close()

    def _make_room(self) -> None:
        """Let the idlest of some connections go: first who never sent a request, then who is silent for longest."""
        first = random.randrange(max(1, len(self.connections) - LOOKED_AT))  # noqa: S311 - any will do
        some = [one for one in islice(self.connections, first, first + LOOKED_AT) if isinstance(one, PatientProtocol)]
        idle = [one for one in some if one.idle and not one.transport.is_closing()]
        if idle:
            min(idle, key=lambda one: (one.served, one.quiet_since)).transport.close()

    def _watch_taking(self) -> None:
        if self.transport.get_write_buffer_size():
            self._untaken = _left_to_take(self.transport)
            self._taking = self.loop.call_later(TAKING_SECONDS, self._look_at_taking)

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _look_at_taking(self) -> None:
        """Hang up on who does not take their answer: it would lie in memory, and hold its place, for as long as they like."""
        self._taking = None
        if self.transport.get_write_buffer_size() and _left_to_take(self.transport) > self._untaken - LEAST_TAKEN:
            self.transport.abort()
        else:
            self._watch_taking()

    def _wait(self, *, for_head: bool) -> None:
        if self._clock is not None and self._clock_is_for_head == for_head:
            return
        self._stop_clock()
        self._clock_is_for_head = for_head
        self._clock = self.loop.call_later(HEAD_SECONDS if for_head else BODY_SECONDS, self._give_up)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        if self._clock_is_for_head:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        """Say why and hang up; an answer that is under way is not broken into."""
        self._stop_clock()
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle  # None until the first request, whatever its annotation says
        if cycle is None or cycle.response_complete:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


def _left_to_take(transport: Any) -> int:
    """Bytes that wait for the other side: ours, and those that the kernel has and nobody acknowledged.

    The kernel asks for more only once a third of what it holds is gone, which may be long after the last look.
    """
    carried = array("i", [0])
    with contextlib.suppress(OSError):  # a system without it, or a connection that is gone
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, carried)
    return int(transport.get_write_buffer_size()) + carried[0]


class PatientSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which hangs up on frames that are no messages and come without end.

    Each ping is answered whether its sender reads or not, and the pieces of a message, which may be empty, are all kept.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._small = Allowance(SMALL_FRAMES_A_SECOND, SMALL_FRAMES_AT_ONCE)

    def handle_ping(self) -> None:
        """Answer it."""
        if self._may():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Our own ping is answered."""
        if self._may():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """A further piece of a message."""
        if self._may():
            super().handle_cont(event)

    def _may(self) -> bool:
        if self.transport.is_closing():
            return False
        if not self._small.take():
            self.transport.abort()
            return False
        return True
