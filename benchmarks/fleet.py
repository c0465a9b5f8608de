"""`python -m benchmarks.fleet`: thousands of raw WebSockets in one process, so lean that the server is what is measured.

It speaks Engine.IO 4 and Socket.IO 5 as far as a listener needs: it connects, answers pings, and notes on the monotonic clock when
each event (told by the `"number"` in its data) came to each socket. Commands come as lines of JSON on stdin: `open` a group of
sockets, `close` one. Answers are lines of JSON on stdout: `opened`, `closed`, and for each event that every socket of a group has
heard `number`, `group`, `first`, `last` and `times` (nanoseconds; `times` is p50, p95 and p99 of the sockets).
"""

import json
import os
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

OPENING_AT_ONCE = 48
SMALL_WINDOW = 4096
"""The receive buffer of a socket that is not going to read."""
SHARES = (0.50, 0.95, 0.99)
NUMBER = b'"number":'


@dataclass(slots=True)
class Group:
    """Sockets to one server that hear the same."""

    name: str
    address: tuple[str, int]
    path: str
    auth: list[Any]
    reads: bool
    size: int
    ready: int = 0
    gone: int = 0
    closed: bool = False
    ears: dict[int, "Ear"] = field(default_factory=dict[int, "Ear"])
    heard: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """When each event came, for those that not everybody has heard."""


@dataclass(slots=True)
class Ear:
    """One socket."""

    plain: socket.socket
    group: Group
    greeting: bytes
    state: str = "http"
    rest: bytes = b""


def text_frame(text: str) -> bytes:
    """A client's text frame, masked with zeros."""
    payload = text.encode()
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + payload


PONG = text_frame("3")


class Fleet:
    """All sockets, and one epoll over them."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self.ears: dict[int, Ear] = {}
        self.groups: dict[str, Group] = {}
        self.to_open: deque[tuple[Group, Any]] = deque()
        self.opening = 0
        self.typed = b""

    def run(self) -> None:
        """Serve until stdin ends."""
        self.poll.register(0, select.EPOLLIN)
        while True:
            while self.to_open and self.opening < OPENING_AT_ONCE:
                self._open_one(*self.to_open.popleft())
            for number, _ in self.poll.poll():
                ear = self.ears.get(number)
                if ear is not None:
                    self._hear(ear)
                elif number == 0 and not self._obey():
                    return

    def _obey(self) -> bool:
        got = os.read(0, 1 << 20)
        *lines, self.typed = (self.typed + got).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if command.pop("do") == "open":
                self._open(**command)
            else:
                self._close(**command)
        return bool(got)

    def _open(self, *, group: str, host: str, port: int, path: str, auth: list[Any], size: int, reads: bool) -> None:
        made = self.groups[group] = Group(group, (host, port), path, auth, reads, size)
        self.to_open.extend((made, auth[number % len(auth)]) for number in range(size))

    def _close(self, *, group: str) -> None:
        closing = self.groups.pop(group)
        closing.closed = True
        for ear in list(closing.ears.values()):
            self._forget(ear)
        say(closed=group, gone=closing.gone)

    def _open_one(self, group: Group, auth: Any) -> None:
        plain = socket.socket()
        if not group.reads:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        plain.connect(group.address)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = group.address
        plain.sendall(
            f"GET {group.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        plain.setblocking(False)
        ear = Ear(plain, group, text_frame(f"40{json.dumps(auth)}"))
        self.ears[plain.fileno()] = group.ears[plain.fileno()] = ear
        self.poll.register(plain.fileno(), select.EPOLLIN)
        self.opening += 1

    def _hear(self, ear: Ear) -> None:
        try:
            data = ear.plain.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            ear.group.gone += 1
            self._forget(ear)
            return
        now = time.monotonic_ns()
        if ear.rest:
            data = ear.rest + data
        if ear.state == "http":
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                ear.rest = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"{ear.group.name} was refused: {head[:200]!r}")
            ear.state = "joining"
            ear.plain.sendall(ear.greeting)
        ear.rest = data[self._frames(ear, data, now) :]

    def _frames(self, ear: Ear, data: bytes, now: int) -> int:
        """Read whole frames; how far that came."""
        at, end = 0, len(data)
        while end - at >= 2:
            size, body = data[at + 1], at + 2
            if size == 126:
                size, body = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, body = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if end < body + size:
                break
            self._frame(ear, data[at] & 15, data[body : body + size], now)
            at = body + size
        return at

    def _frame(self, ear: Ear, kind: int, payload: bytes, now: int) -> None:
        if kind == 9:
            ear.plain.sendall(bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload)
        elif payload == b"2":
            ear.plain.sendall(PONG)
        elif payload.startswith(b"42"):
            found = payload.rfind(NUMBER)
            if found >= 0:
                self._count(ear.group, int(payload[found + len(NUMBER) :].split(b",", 1)[0].rstrip(b"}] ")), now)
            elif ear.state == "joining" and payload.startswith(b'42["system.hello"'):
                self._joined(ear)
        elif payload.startswith(b"44"):
            raise RuntimeError(f"{ear.group.name} was refused: {payload[:300]!r}")

    def _joined(self, ear: Ear) -> None:
        group = ear.group
        ear.state = "ready"
        self.opening -= 1
        group.ready += 1
        if not group.reads:
            self.poll.unregister(ear.plain.fileno())
        if group.ready == group.size:
            say(opened=group.name)

    def _count(self, group: Group, number: int, now: int) -> None:
        times = group.heard.setdefault(number, [])
        times.append(now)
        if len(times) >= group.size - group.gone:
            del group.heard[number]
            shares = [times[int(share * (len(times) - 1))] for share in SHARES]
            say(number=number, group=group.name, first=times[0], last=times[-1], times=shares, count=len(times))

    def _forget(self, ear: Ear) -> None:
        number = ear.plain.fileno()
        del self.ears[number], ear.group.ears[number]
        self.opening -= ear.state != "ready"
        ear.plain.close()
        if ear.state != "ready" and not ear.group.closed:
            raise RuntimeError(f"{ear.group.name} closed a socket that was not ready")


def say(**what: Any) -> None:
    """One line of the answer."""
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    try:
        Fleet().run()
    except RuntimeError as error:
        say(failed=str(error))
        sys.exit(1)
