"""One event to thousands of sockets in a room, some of which have stopped reading: our web process against npm's socket.io server.

Both serve the same fleet (benchmarks/fleet.py), hear of an event from this process, and send the same envelope. The clock runs from
the moment this process tells of the event (to us: it commits the row of the stream, fsync and all; to the peer: it writes the
event to its stdin) until the last socket that reads has it. Rounds take turns in one run.
"""

import asyncio
import contextlib
import json
import statistics
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.ground import durable_ground
from benchmarks.measure import Figure, interleaved
from benchmarks.processes import Fleet, Platform, fleet, platform
from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.settings import Settings
from tests.support.own_processes import PROGRAM
from tests.support.postgres import REPOSITORY, settings_for
from tests.support.programs import cpu_seconds, started
from tests.support.services import opened_services
from tests.support.sockets import sign_in
from tests.support.streams import new_tenant

AIM, LIMIT = 1.0, 1.3
UNDISTURBED = 1.2
"""How much longer the others may wait while some do not read."""
SOCKETS_A_SESSION = 20
SLEEPERS = 4
"""Sessions that hold the sockets which do not read."""
PERMISSION = "checkins.read"
NAME = "checkin.verified"
STUFFING = "x" * 8000
"""What fills the buffers of those that do not read."""
TO_FILL = 80
"""So many of those fill what the kernel and the loop hold for a socket, and then some of its queue."""
MOST_BYTES_A_STUCK_SOCKET = 512 * 1024

STREAM = """
insert into events (tenant_id, seq, id, name, version, at, audience, data)
values ($1, $2, $3, $4, 1, now(), $5, $6::text::jsonb)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    sockets: int
    stuck: int
    rounds: int
    events: int
    """Events in one round, one after another; the round's figure is their median."""
    unread: int
    """Events that a socket does not read before it is looked whether it still sits there."""


QUICK = Size(sockets=60, stuck=3, rounds=2, events=4, unread=600)
LONG = Size(sockets=2000, stuck=20, rounds=9, events=8, unread=600)


def data(number: int, stuffing: str = "") -> dict[str, Any]:
    """What an event says: as much as an arrival at a door."""
    fields = ("checkin_id", "visit_id", "venue_id", "patron_id")
    body: dict[str, Any] = {name: str(UUID(int=number * 7919 + place)) for place, name in enumerate(fields)}
    return body | {
        "method": "screen",
        "arrived_at": "2026-11-21T20:15:00.123456Z",
        "stuffing": stuffing,
        "number": number,
    }


@dataclass(slots=True)
class Side:
    """One server with its sockets, and a way to tell it of an event."""

    name: str
    port: int
    auth: list[Any]
    fleet: Fleet
    pid: int
    number: int = 0
    spread: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])

    async def tell(self, number: int, body: dict[str, Any]) -> int:
        """Tell the server of an event; when that began, in nanoseconds."""
        raise NotImplementedError

    async def event(self, stuffing: str = "") -> float:
        """Milliseconds until the last socket that reads has the next event."""
        self.number += 1
        began = await self.tell(self.number, data(self.number, stuffing))
        heard = await self.fleet.heard(self.name, self.number)
        p50, p95, _ = ((at - began) / 1e6 for at in heard["times"])
        last = (heard["last"] - began) / 1e6
        if not stuffing:
            self.spread.append((p50, p95, last))
        return last

    async def round(self, size: Size, *, stuck: bool) -> float:
        """The median of a round's events, with or without sockets that stopped reading beside those that read."""
        if stuck and size.stuck:
            await self.fleet.open(f"{self.name} stuck", self.port, self.auth[-SLEEPERS:], size=size.stuck, reads=False)
            for _ in range(TO_FILL):
                await self.event(STUFFING)
        times = [await self.event() for _ in range(size.events)]
        if stuck and size.stuck:
            await self.fleet.close(f"{self.name} stuck")
        return statistics.median(times)


@dataclass(slots=True)
class Ours(Side):
    """The real web process, told by a row of the stream and the relay's notification."""

    database: Any = None
    tenant_id: TenantId | None = None

    async def tell(self, number: int, body: dict[str, Any]) -> int:
        """Commit one event as the relay does."""
        async with self.database.transaction():
            await self.database.execute(STREAM, self.tenant_id, number, uuid7(), NAME, PERMISSION, json.dumps(body))
            await self.database.execute("select pg_notify('lastlight_events', '')")
            return time.monotonic_ns()  # leaving the block commits


@dataclass(slots=True)
class Peer(Side):
    """npm's socket.io server."""

    process: Process | None = None

    async def tell(self, number: int, body: dict[str, Any]) -> int:
        """Write one event to its stdin, in the envelope that ours makes."""
        assert self.process is not None
        assert self.process.stdin is not None
        envelope = {
            "id": str(uuid7()),
            "seq": number,
            "name": NAME,
            "at": "2026-11-21T20:15:00.123456Z",
            "tenant_id": str(UUID(int=number)),
            "venue_id": None,
            "data": body,
        }
        line = json.dumps([NAME, envelope]).encode() + b"\n"
        began = time.monotonic_ns()
        self.process.stdin.write(line)
        return began


async def run(*, quick: bool) -> list[Figure]:
    """Both servers, all sockets, in turns; then what a socket that does not read costs."""
    async with durable_ground() as ground:
        return await measured(settings_for(ground.dsn, ground.folder), QUICK if quick else LONG)


async def measured(settings: Settings, size: Size) -> list[Figure]:
    """The same on a given database."""
    async with fleet() as sockets, both(settings, sockets, size) as (ours, peer, web):
        return [
            await compared(size, ours, peer),
            await undisturbed(size, ours),
            await processor(size, ours, peer),
            *await memory(size, ours, web),
        ]


async def compared(size: Size, ours: Side, peer: Side) -> Figure:
    """Time to the last receipt, ours over the peer's, while some sockets of each do not read."""
    rounds = await interleaved(
        lambda: ours.round(size, stuck=True), lambda: peer.round(size, stuck=True), rounds=size.rounds
    )
    told = {"ours_ms": statistics.median(rounds.ours), "peer_ms": statistics.median(rounds.peer)}
    told |= {"sockets": size.sockets, "stuck": size.stuck} | _spread("ours", ours) | _spread("peer", peer)
    return Figure("room: last receipt, ours/socket.io", rounds.ratios, "lower", AIM, LIMIT, told=told)


async def undisturbed(size: Size, ours: Side) -> Figure:
    """Time to the last receipt while some sockets do not read, over the time when there are none."""
    rounds = await interleaved(
        lambda: ours.round(size, stuck=True), lambda: ours.round(size, stuck=False), rounds=size.rounds
    )
    told = {"with_ms": statistics.median(rounds.ours), "without_ms": statistics.median(rounds.peer)}
    return Figure("room: with/without stuck sockets", rounds.ratios, "lower", aim=UNDISTURBED, told=told)


def _spread(name: str, side: Side) -> dict[str, float]:
    p50, p95, _ = (round(statistics.median(column), 2) for column in zip(*side.spread, strict=True))
    return {f"{name}_half_ms": p50, f"{name}_p95_ms": p95}


async def processor(size: Size, ours: Ours, peer: Peer) -> Figure:
    """Processor time that one event to all sockets takes, ours over the peer's."""
    shares: list[float] = []
    micros: dict[str, float] = {}
    for _ in range(2 if size is QUICK else 3):
        for side in (ours, peer):
            before = cpu_seconds(side.pid)
            many = size.events * (4 if size is QUICK else 10)
            for _ in range(many):
                await side.event()
            micros[side.name] = (cpu_seconds(side.pid) - before) / many / size.sockets * 1e6
        shares.append(micros["ours"] / micros["peer"] if micros["peer"] else 1.0)
    told = {f"{name}_us_a_socket": value for name, value in micros.items()}
    return Figure("room: processor, ours/socket.io", tuple(shares), "lower", told=told)


async def memory(size: Size, ours: Ours, web: Platform) -> list[Figure]:
    """Memory that sockets which never read hold at most, until they are cut off."""
    await ours.event(STUFFING)
    before = most = web.memory("web")
    await ours.fleet.open("ours stuck", ours.port, ours.auth[-SLEEPERS:], size=size.stuck, reads=False)
    for _ in range(size.unread):
        await ours.event(STUFFING)
        most = max(most, web.memory("web"))
    after = web.memory("web")
    left = await asyncio.to_thread(open_sockets, web.port)
    await ours.fleet.close("ours stuck")
    told = {"before": before, "most": most, "after": after, "sockets_left": left, "sent": size.unread * len(STUFFING)}
    each = (most - before) / size.stuck
    limit = MOST_BYTES_A_STUCK_SOCKET if size is LONG else None  # a few sockets do not show in a process's memory
    return [
        Figure("room: bytes a stuck socket holds", (each,), "lower", limit=limit, unit="B", told=told),
        Figure("room: stuck sockets not cut off", (float(left - size.sockets),), "lower", limit=0, unit="sockets"),
    ]


def open_sockets(port: int) -> int:
    """How many connections a server has, as the kernel counts them."""
    table = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in table)


@contextlib.asynccontextmanager
async def both(
    settings: Settings, sockets: Fleet, size: Size, *, program: Sequence[str] = PROGRAM
) -> AsyncGenerator[tuple[Ours, Peer, Platform]]:
    """Both servers, with all their sockets open; `program` replaces `-m lastlight`."""
    async with contextlib.AsyncExitStack() as stack:
        web = await stack.enter_async_context(platform(settings, "web", program=program))
        ours = await stack.enter_async_context(our_side(web, sockets, size))
        node = await stack.enter_async_context(
            started("node", str(REPOSITORY / "benchmarks" / "socketio_peer.mjs"), stdin=PIPE, stdout=PIPE)
        )
        assert node.stdout is not None
        peer = Peer("peer", int(await node.stdout.readline()), [{}], sockets, node.pid, process=node)
        for side in (ours, peer):
            await sockets.open(side.name, side.port, side.auth[:-SLEEPERS] or side.auth, size=size.sockets)
        yield ours, peer, web


@contextlib.asynccontextmanager
async def our_side(web: Platform, sockets: Fleet, size: Size) -> AsyncGenerator[Ours]:
    """Our web process, with as many sessions as the sockets need and some for those that do not read."""
    async with opened_services(web.settings) as services:
        tenant_id = await new_tenant(services)
        people = [
            await sign_in(services, tenant_id, [PERMISSION])
            for _ in range(-(-size.sockets // SOCKETS_A_SESSION) + SLEEPERS)
        ]
        auth = [{"token": person.token(services, seconds=3600)} for person in people]
    database: Any = await asyncpg.connect(web.settings.dsn("system"))
    try:
        yield Ours("ours", web.port, auth, sockets, web.processes["web"].pid, database=database, tenant_id=tenant_id)
    finally:
        await asyncio.wait_for(database.close(), 10)
