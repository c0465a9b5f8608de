"""The way of an event from its commit to a socket: how long it takes at a steady 500 a second, and how many the relay sustains.

A real worker (relay and jobs) and a real web process run on a durable PostgreSQL; the events are written with the product's own
statement and poke. A delay runs from the moment the committing statement is sent (its fsync is in it) until the last socket has
the event.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.ground import Ground, durable_ground
from benchmarks.measure import Figure, milliseconds, percentile
from benchmarks.processes import Fleet, Platform, fleet, platform
from benchmarks.sockets import NAME, PERMISSION, data
from lastlight.kernel.ids import TenantId
from lastlight.runtime.events.outbox import INSERT, canonical
from lastlight.runtime.events.poke import Poker
from lastlight.runtime.settings import Settings
from tests.support.own_processes import PROGRAM
from tests.support.postgres import settings_for
from tests.support.programs import cpu_seconds
from tests.support.services import opened_services
from tests.support.sockets import sign_in
from tests.support.streams import new_tenant

RATE = 500
SOON_MS = 100.0
STEPS = (1.3, 1.15, 1.0, 0.85, 0.7, 0.55, 0.4)
"""Shares of what the relay drains at most, at which it is tried whether it keeps up with what comes in."""
BEHIND_SECONDS = 1.0
"""With a delay over this at the end, it does not keep up."""
GROUP = "ears"
UNANSWERED, ANSWERED = "venue.changed", NAME
"""An event that no job answers, and one that a job does: a guest's arrival is judged."""
ANSWERED_RATE = 50
"""Arrivals a second: 3,000 guests in a minute."""

AUDIT = canonical(
    {
        "actor": "Zinhle Dube",
        "before": None,
        "after": {"status": "open", "method": "screen", "venue": "Kōjō Rosebank"},
        "reason": "",
        "ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
        "request_id": "01JD8Q2Z7R3M9T6W1X5Y0V4K8N",
    }
)
WHO = canonical({"kind": "patron", "id": str(UUID(int=7)), "origin": "api"})


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    seconds: float
    sockets: int
    drained: int
    held_seconds: float


QUICK = Size(seconds=1.0, sockets=3, drained=400, held_seconds=0.5)
LONG = Size(seconds=12.0, sockets=10, drained=20_000, held_seconds=10.0)


@dataclass(slots=True)
class Line:
    """The whole line: who writes events, and whoever hears them."""

    pool: Any
    poker: Poker
    ears: Fleet
    tenant_id: TenantId
    web: Platform
    number: int = 0
    sent: dict[int, int] = field(default_factory=dict[int, int])
    delays: dict[int, float] = field(default_factory=dict[int, float])

    async def write(self, count: int, name: str = UNANSWERED) -> None:
        """Commit so many events in one transaction, and poke the relay."""
        numbers = range(self.number + 1, self.number + count + 1)
        self.number += count
        columns = (
            [self.tenant_id] * count,
            [name] * count,
            [1] * count,
            [None] * count,
            [None] * count,
            [PERMISSION] * count,
            [canonical(data(number)) for number in numbers],
            ["checkin"] * count,
            [str(uuid4()) for _ in numbers],
        )
        async with self.pool.acquire() as connection:
            self.sent |= dict.fromkeys(numbers, time.monotonic_ns())
            await connection.execute(INSERT, *columns, WHO, [AUDIT] * count)
        self.poker.poke()

    async def steady(self, rate: float, seconds: float, *, together: int = 1, name: str = UNANSWERED) -> list[int]:
        """Write `rate` events a second for so long; the numbers of those events."""
        first, began = self.number + 1, time.monotonic()
        writing: set[asyncio.Task[None]] = set()
        for place in range(int(rate * seconds / together)):
            await asyncio.sleep(began + place * together / rate - time.monotonic())
            task = asyncio.create_task(self.write(together, name))
            writing.add(task)
            task.add_done_callback(writing.discard)
        await asyncio.gather(*writing)
        return list(range(first, self.number + 1))

    async def listen(self) -> None:
        """Note when each event has come to the last socket, until cancelled."""
        while True:
            told = await self.ears.told(600)
            if "number" in told:
                self.delays[told["number"]] = (told["last"] - self.sent[told["number"]]) / 1e9

    async def heard(self, numbers: Sequence[int], seconds: float = 60) -> list[float]:
        """The delays of these events once all have been heard."""
        until = time.monotonic() + seconds
        while any(number not in self.delays for number in numbers):
            if time.monotonic() > until:
                missing = sum(number not in self.delays for number in numbers)
                raise RuntimeError(f"{missing} of {len(numbers)} events were not heard within {seconds} s")
            await asyncio.sleep(0.01)
        return [self.delays[number] for number in numbers]


async def run(*, quick: bool) -> list[Figure]:
    """Delays at a steady rate, then how much it drains and how much it sustains."""
    size = QUICK if quick else LONG
    async with durable_ground() as ground, opened_line(settings_for(ground.dsn, ground.folder), size) as line:
        return [
            await delays(line, size, ground),
            *await capacity(line, size),
            await delays(line, size, ground, rate=ANSWERED_RATE, name=ANSWERED),
        ]


async def delays(
    line: Line, size: Size, ground: Ground | None = None, *, rate: float = RATE, name: str = UNANSWERED
) -> Figure:
    """Delays at a steady rate, and the processor time that each event takes."""
    await line.heard(await line.steady(rate, 0.5, name=name))
    used = processors(line, ground)
    numbers = await line.steady(rate, size.seconds, name=name)
    found = await line.heard(numbers)
    told: dict[str, Any] = milliseconds(found) | {"events": len(numbers), "sockets": size.sockets}
    for process, seconds in processors(line, ground).items():
        told[f"{process}_us_an_event"] = (seconds - used[process]) / len(numbers) * 1e6
    p95 = percentile(found, 0.95) * 1000
    what = f"relay: p95 at {rate:g} events/s" if name == UNANSWERED else f"relay: p95 at {rate:g} arrivals/s"
    return Figure(what, (p95,), "lower", aim=SOON_MS, unit="ms", told=told)


def processors(line: Line, ground: Ground | None) -> dict[str, float]:
    """Seconds of processor used so far by each process on the way."""
    used = {name: line.web.cpu_seconds(name) for name in ("worker", "web")} | {"ears": cpu_seconds(line.ears.pid)}
    if ground is not None:
        used["postgres"] = sum(map(cpu_seconds, family(ground.server.process.pid)))
    return used | {"writer": time.process_time()}


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children if Path(f"/proc/{child}/stat").exists())]


async def capacity(line: Line, size: Size) -> list[Figure]:
    """What it drains when much waits, and the most at which it keeps up with what comes in."""
    began = time.monotonic()
    first = line.number + 1
    for _ in range(size.drained // 200):
        await line.write(200)
    await line.heard(range(first, line.number + 1), 300)
    drained = size.drained / (time.monotonic() - began)
    kept, told = 0.0, dict[str, Any]()
    for step in STEPS:
        numbers = await line.steady(drained * step, size.held_seconds, together=20)
        found = await line.heard(numbers, 300)
        told[f"p95_ms_at_{drained * step:.0f}"] = percentile(found, 0.95) * 1000
        if percentile(found[-len(found) // 5 :], 0.5) < BEHIND_SECONDS:
            kept = drained * step
            break
    return [
        Figure("relay: drains", (drained,), unit="events/s", told={"events": size.drained}),
        Figure("relay: keeps up with", (kept,), unit="events/s", told={"seconds": size.held_seconds} | told),
    ]


@contextlib.asynccontextmanager
async def opened_line(settings: Settings, size: Size, *, program: Sequence[str] = PROGRAM) -> AsyncGenerator[Line]:
    """Worker, web process, sockets and a writer; `program` replaces the processes' `-m lastlight`."""
    async with contextlib.AsyncExitStack() as stack:
        web = await stack.enter_async_context(platform(settings, "worker", "web", program=program))
        async with opened_services(web.settings) as services:
            tenant_id = await new_tenant(services)
            person = await sign_in(services, tenant_id, [PERMISSION])
            auth = [{"token": person.token(services, seconds=3600)}]
        dsn = web.settings.dsn("system")
        pool: Any = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=4, max_size=4))
        poker = Poker(dsn)
        stack.push_async_callback(poker.close)
        ears = await stack.enter_async_context(fleet())
        await ears.open(GROUP, web.port, auth, size=size.sockets)
        line = Line(pool, poker, ears, tenant_id, web)
        listening = asyncio.create_task(line.listen())
        try:
            yield line
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
