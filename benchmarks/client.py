"""A client that is leaner than what it asks: prepared requests over keep-alive connections, in a process of its own.

`python -m benchmarks.client` reads a Plan (MessagePack) from its standard input and writes a Load (MessagePack) to its output.
It parses no more of an answer than its status and its length, so that the server is measured and not the client.
"""

import selectors
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator

import msgspec

PATIENCE_SECONDS = 60.0
_LENGTH = b"content-length:"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: whole requests, in order, over so many connections; all at once, or `rate` of them a second."""

    port: int
    requests: list[bytes]
    connections: int = 32
    rate: float = 0.0


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `latencies` are seconds: from when a request was due, so that waiting for a free connection counts."""

    seconds: float
    cpu_seconds: float
    latencies: list[float]
    statuses: dict[int, int]
    refusals: list[str]
    """The first answers that were no success, in full."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


class _Wire:
    """One connection: the answer that comes in, and when its request was due."""

    __slots__ = ("due", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.due = 0.0

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """Read on; the whole answer once it is there."""
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError(f"the server hung up after {self.received[:300]!r}")
        self.received += piece
        head = self.received.find(b"\r\n\r\n")
        if head < 0 or len(self.received) < head + 4 + _length_of(self.received[:head]):
            return None
        whole, self.received = self.received, b""
        return whole


def _length_of(head: bytes) -> int:
    place = head.lower().find(_LENGTH)
    if place < 0:
        return 0
    return int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])


class _Run:
    """One plan being carried out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.waiting: Iterator[bytes] = iter(plan.requests)
        self.sent = 0
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.refusals: list[str] = []
        self.selector = selectors.DefaultSelector()
        # Taken in turn, so that none is idle for so long that the server closes it.
        self.free = deque(_Wire(plan.port) for _ in range(min(plan.connections, len(plan.requests))))
        for wire in self.free:
            self.selector.register(wire.socket, selectors.EVENT_READ, wire)

    def carry_out(self) -> Load:
        """Send all requests, wait for all answers."""
        cpu, self.began = time.process_time(), time.perf_counter()
        total = len(self.plan.requests)
        while len(self.latencies) < total:
            pause = self._send_what_is_due(total)
            ready = self.selector.select(pause)
            if not ready and pause >= PATIENCE_SECONDS:
                raise TimeoutError(f"{self.sent - len(self.latencies)} answers are missing")
            for key, _ in ready:
                self._receive(key.data)
        seconds = time.perf_counter() - self.began
        for key in list(self.selector.get_map().values()):
            key.data.socket.close()
        return Load(
            seconds=seconds,
            cpu_seconds=time.process_time() - cpu,
            latencies=self.latencies,
            statuses=dict(self.statuses),
            refusals=self.refusals,
        )

    def _send_what_is_due(self, total: int) -> float:
        """Send on free connections; how long until the next request is due."""
        while self.free and self.sent < total:
            now = time.perf_counter()
            due = self.began + self.sent / self.plan.rate if self.plan.rate else now
            if due > now:
                return due - now
            self.free.popleft().send(next(self.waiting), due)
            self.sent += 1
        return PATIENCE_SECONDS

    def _receive(self, wire: _Wire) -> None:
        answer = wire.answer()
        if answer is None:
            return
        self.latencies.append(time.perf_counter() - wire.due)
        status = int(answer[9:12])
        self.statuses[status] += 1
        if status >= 300 and len(self.refusals) < 3:
            self.refusals.append(answer.decode("utf-8", "replace"))
        self.free.append(wire)


def carry_out(plan: Plan) -> Load:
    """Carry out a plan in this process."""
    return _Run(plan).carry_out()


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.msgpack.encode(carry_out(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)))
    )
