"""Neighbours: web processes that share one port. Each call of a long-polling client lands on any of them, so what belongs to
another's socket is handed to it.

A socket's id begins with the number of the process that holds it. The supervisor gives each web process a listener of its own
on the loopback address, and the list of all; a balancer in front of several machines still has to keep a client where it is.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import structlog

from lastlight.runtime.listeners import PLACE, PORTS

log = structlog.get_logger(__name__)

PATH = "/realtime"
LARGEST_BODY = 64 * 1024
POLL_SECONDS = 60.0
"""A poll is held until there is something to say, at most until the next ping."""
PER_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"upgrade", b"te"})


@dataclass(slots=True)
class Neighbours:
    """This process's number, from 1, and the loopback port of every process; 0 where there is only one."""

    place: int = 0
    ports: tuple[int, ...] = ()
    _client: httpx.AsyncClient | None = field(default=None, repr=False, compare=False)
    _asking: set[asyncio.Future[httpx.Response | None]] = field(
        default_factory=set["asyncio.Future[httpx.Response | None]"], repr=False, compare=False
    )

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Neighbours":
        """What the supervisor wrote into the environment."""
        ports = tuple(int(port) for port in env.get(PORTS, "").split(",") if port)
        return cls(int(env.get(PLACE, "0")) if len(ports) > 1 else 0, ports)

    def owner_of(self, query: bytes) -> int | None:
        """The port of the process that holds the socket a call is about, when that is not this one."""
        sid = parse_qs(query.decode("latin-1")).get("sid", [""])[0]
        number, dot, _ = sid.partition(".")
        if not (self.place and dot and number.isdecimal() and len(number) < 5):
            return None
        place = int(number)
        return self.ports[place - 1] if place != self.place and 0 < place <= len(self.ports) else None

    async def hand_over(self, scope: Any, receive: Any, send: Any, port: int) -> bool:
        """Let a neighbour answer an HTTP call; False when it cannot, or when this process is about to end.

        A call of which only a part came is handed to nobody: its sender is gone.
        """
        body = await _body(receive)
        if body is None:
            return True
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in PER_HOP]
        # never the path that was asked for: with two dots in it, it would lead out of here, past whatever stands in front of us
        url = f"http://127.0.0.1:{port}{PATH}/?{scope['query_string'].decode('latin-1')}"
        asking = asyncio.ensure_future(self._ask(scope["method"], url, body, headers))
        self._asking.add(asking)
        try:
            await asyncio.wait({asking})
        finally:
            self._asking.discard(asking)
            asking.cancel()
        answer = None if asking.cancelled() else asking.result()
        if answer is None:
            return False
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in PER_HOP]
        kept.append((b"content-length", str(len(answer.content)).encode()))
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        await send({"type": "http.response.body", "body": answer.content})
        return True

    async def _ask(
        self, method: str, url: str, body: bytes, headers: list[tuple[bytes, bytes]]
    ) -> httpx.Response | None:
        if self._client is None:
            timeout, limits = httpx.Timeout(5.0, read=POLL_SECONDS), httpx.Limits(max_connections=None)
            self._client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False)
        try:
            return await self._client.request(method, url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("a neighbour did not answer for its socket", error=str(error) or type(error).__name__)
            return None

    def release(self) -> None:
        """Let go of the calls that wait for a neighbour."""
        for asking in self._asking:
            asking.cancel()

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.aclose()


async def _body(receive: Any) -> bytes | None:
    """The body as far as a neighbour needs it: what is longer than any poll may be is refused there. None where it breaks off."""
    parts: list[bytes] = []
    size = 0
    while size <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body", False):
            break
    return b"".join(parts)
