"""The hub: who sits in which room of this process, and the fan-out of one event to all of them."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from lastlight.runtime.context import Actor
from lastlight.runtime.realtime import metrics
from lastlight.runtime.realtime.wire import Message, SocketServer

log = structlog.get_logger(__name__)

LONGEST_QUEUE = 256
"""A socket that has not taken this many packets is cut off; its client connects again and catches up."""


@dataclass(slots=True, eq=False)
class Seat:
    """One signed-in socket."""

    sid: str
    eio_sid: str
    actor: Actor
    expires_at: float | None
    """When its access token ends, in Unix seconds; None for the console's cookie, whose session is checked."""
    rooms: frozenset[str] = frozenset()
    held: list[tuple[int, Message]] | None = None
    """While it catches up: what arrived in the meantime, to be sent afterwards."""
    reached: int = 0
    """How far its catch-up came: the feed may lag behind that, and what it brings then was sent already."""
    gone: bool = False


@dataclass(slots=True)
class Hub:
    """The seats of this process, by socket and by room."""

    server: SocketServer
    seats: dict[str, Seat] = field(default_factory=dict[str, Seat])
    rooms: dict[str, set[Seat]] = field(default_factory=dict[str, set[Seat]])
    cutting: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def admit(self, seat: Seat) -> None:
        """A socket has signed in."""
        self.seats[seat.sid] = seat
        metrics.SEATS.labels(seat.actor.kind).inc()

    def dismiss(self, sid: str) -> None:
        """A socket is gone."""
        seat = self.seats.pop(sid, None)
        if seat is not None:
            self.move(seat, frozenset())
            seat.gone = True
            metrics.SEATS.labels(seat.actor.kind).dec()

    def move(self, seat: Seat, rooms: frozenset[str]) -> None:
        """Seat a socket in these rooms and no others."""
        for room in seat.rooms - rooms:
            sitting = self.rooms[room]
            sitting.discard(seat)
            if not sitting:
                del self.rooms[room]
        for room in rooms - seat.rooms:
            self.rooms.setdefault(room, set()).add(seat)
        seat.rooms = rooms

    def session_ids(self) -> set[UUID]:
        """The sessions that sit here."""
        return {seat.actor.session_id for seat in self.seats.values() if seat.actor.session_id is not None}

    def deliver(self, rooms: Iterable[str], seq: int, message: Message) -> int:
        """Give an event to everybody in these rooms, once each; how many that were."""
        began = time.perf_counter()
        seats: set[Seat] = set()
        for room in rooms:
            seats |= self.rooms.get(room, set())
        for seat in seats:
            if seq <= seat.reached:
                continue
            if seat.held is None:
                self.send(seat, message)
            elif len(seat.held) < LONGEST_QUEUE:
                seat.held.append((seq, message))
            else:
                self.cut(seat)
        metrics.FAN_OUT_SECONDS.observe(time.perf_counter() - began)
        return len(seats)

    def send(self, seat: Seat, message: Message) -> None:
        """Write a message to one socket, or queue it; a socket whose queue is full is cut off."""
        wire = self.server.wire(seat.eio_sid)
        if wire is not None and wire.send_now(message.frame):
            metrics.SENT_DIRECT.inc()
            return
        socket = self.server.socket(seat.eio_sid)
        if socket is None:
            return
        if socket.queue.qsize() >= LONGEST_QUEUE:
            self.cut(seat)
            return
        socket.queue.put_nowait(message.packet)
        metrics.SENT_QUEUED.inc()

    def waiting(self, seat: Seat) -> int:
        """How many packets a socket has not taken yet."""
        socket = self.server.socket(seat.eio_sid)
        return 0 if socket is None else socket.queue.qsize()

    def cut(self, seat: Seat) -> None:
        """Drop a socket that does not keep up."""
        if seat.gone:
            return
        metrics.CLOSED.labels("too slow").inc()
        log.info("a socket was too slow and was cut off", actor_kind=seat.actor.kind)
        self.dismiss(seat.sid)
        task = asyncio.get_running_loop().create_task(self.server.cut(seat.eio_sid))
        self.cutting.add(task)
        task.add_done_callback(self.cutting.discard)
