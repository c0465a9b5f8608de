"""HTTP connections with bounded patience: a head that never ends is neither kept in memory nor waited for.

uvicorn's own protocol collects a head of any size for any time, so one connection could fill the memory and many idle ones
could take every descriptor.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
"""Largest request line and headers together."""
HEAD_SECONDS = 20.0
"""From the connection, or a request's first byte, to the end of its headers."""
BODY_SECONDS = 120.0
"""From the end of the headers to the end of the body: ten megabytes through a slow phone."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on a request that does not come to its end."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._ended = False
        self._head_bytes = 0
        self._clock: asyncio.TimerHandle | None = None
        self._clock_is_for_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Expect a request."""
        super().connection_made(transport)
        self._wait(for_head=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody to wait for any more."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; then see whether a request is still under way, and how long it already is."""
        self._ended = False
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._stop_clock()
            return
        if self._ended:
            self._stop_clock()
        elif self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
                return
        if not (self._ended and self._in_head):
            self._wait(for_head=self._in_head)

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next request may follow."""
        self._in_head, self._ended, self._head_bytes = True, True, 0
        super().on_message_complete()

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
