"""The hub: who sits in which room of this process, and the fan-out of one event to all of them."""

import asyncio
import time
from collections import Counter
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
    """Who it is by now, always of the session that it began with."""
    expires_at: float | None
    """When its access token ends, in Unix seconds; None for the console's cookie, whose session is checked."""
    rooms: frozenset[str] = frozenset()
    seated: bool = False
    """Its greeting has given it its rooms, if only none: from then on they follow what its session may do."""
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
    sessions: Counter[UUID | None] = field(default_factory=Counter[UUID | None])
    """How many sockets each session holds."""
    cutting: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def admit(self, seat: Seat) -> None:
        """A socket has signed in."""
        self.seats[seat.sid] = seat
        self.sessions[seat.actor.session_id] += 1
        metrics.SEATS.labels(seat.actor.kind).inc()

    def dismiss(self, sid: str) -> None:
        """A socket is gone."""
        seat = self.seats.pop(sid, None)
        if seat is not None:
            self.move(seat, frozenset())
            seat.gone = True
            session_id = seat.actor.session_id
            self.sessions[session_id] -= 1
            if not self.sessions[session_id]:
                del self.sessions[session_id]
            metrics.SEATS.labels(seat.actor.kind).dec()

    def move(self, seat: Seat, rooms: frozenset[str]) -> None:
        """Seat a socket in these rooms and no others; one that left while its permissions were read stays outside."""
        if seat.gone:
            return
        for room in seat.rooms - rooms:
            sitting = self.rooms[room]
            sitting.discard(seat)
            if not sitting:
                del self.rooms[room]
        for room in rooms - seat.rooms:
            self.rooms.setdefault(room, set()).add(seat)
        seat.rooms, seat.seated = rooms, True

    def session_ids(self) -> set[UUID]:
        """The sessions that sit here."""
        return {session_id for session_id in self.sessions if session_id is not None}

    def deliver(self, rooms: Iterable[str], seq: int, message: Message) -> int:
        """Give an event to everybody in these rooms, once each; how many that were."""
        began = time.perf_counter()
        seats: set[Seat] = set()
        for room in rooms:
            seats |= self.rooms.get(room, set())
        wires, frame, direct = self.server.wires, message.frame, 0
        for seat in seats:
            if seq <= seat.reached:
                continue
            if seat.held is None:
                wire = wires.get(seat.eio_sid)
                if wire is not None and wire.send_now(frame):
                    direct += 1
                else:
                    self._queue(seat, message)
            elif len(seat.held) < LONGEST_QUEUE:
                seat.held.append((seq, message))
            else:
                self.cut(seat)
        metrics.SENT_DIRECT.inc(direct)
        metrics.FAN_OUT_SECONDS.observe(time.perf_counter() - began)
        return len(seats)

    def send(self, seat: Seat, message: Message) -> None:
        """Write a message to one socket, or queue it; a socket whose queue is full is cut off."""
        wire = self.server.wires.get(seat.eio_sid)
        if wire is not None and wire.send_now(message.frame):
            metrics.SENT_DIRECT.inc()
        else:
            self._queue(seat, message)

    def _queue(self, seat: Seat, message: Message) -> None:
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
