"""The soak: a busy night with a fault every few seconds, and everything that has to hold meanwhile and afterwards."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.support.busy_night import Books, Night, busy_night, engage
from tests.support.killable import Killable
from tests.support.memory import Memory
from tests.support.night_books import compare
from tests.support.night_faults import Fault, Site
from tests.support.night_listener import Listener
from tests.support.recoveries import HEALED_SECONDS, Recoveries, strike

SUCCEED = 0.999
SAMPLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it goes on, how often something happens, and to whom."""

    seconds: float
    every: float
    guests: int
    staff: int
    pause: float
    """Of a guest, between two things they do."""
    faults: tuple[Fault, ...]
    healed: float = HEALED_SECONDS
    """Seconds after which the night has to go on; events may take twice as long."""


@dataclass(slots=True)
class Soaked:
    """What was seen."""

    plan: Plan
    books: Books
    writes: Recoveries = field(default_factory=Recoveries)
    events: Recoveries = field(default_factory=Recoveries)
    """Seconds from each fault to the first event that tells of something done after it."""
    memory: Memory = field(default_factory=lambda: Memory(30, 30))
    found: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    missed: list[str] = field(default_factory=list[str])
    lives: int = 0
    gaps: int = 0

    @property
    def share(self) -> float:
        """Of all requests, how many succeeded, repeated as often as their client repeats."""
        return self.books.through / max(1, self.books.through + self.books.given_up)

    def broken(self) -> list[str]:
        """Everything that did not hold."""
        said = [sentence for sentences in self.found.values() for sentence in sentences]
        said += [f"only {self.share:.3%} of the requests succeeded"] * (self.share < SUCCEED)
        said += [f"writes after {late}" for late in self.writes.late(self.plan.healed)]
        said += [f"events after {late}" for late in self.events.late(2 * self.plan.healed)]
        return [*said, *self.missed, *self.memory.grown()]


async def soak(platform: Killable, plan: Plan, dice: random.Random) -> Soaked:
    """One night: its clients, a socket, a look at the memory every second, and a fault after the other."""
    cast = await engage(platform.settings, guests=plan.guests, staff=plan.staff + 1)
    listener = Listener(platform.url, cast.staff.pop()[1])
    memory = Memory(warm_up=30.0, window=30.0)
    async with _alongside(platform, listener, memory):
        async with busy_night(cast, platform.url, guest_pause=plan.pause, pulse_pause=plan.pause) as night:
            soaked = Soaked(plan, night.books, memory=memory)
            await _one_after_the_other(night, listener, Site(platform, dice), soaked)
        soaked.found = await compare(platform.settings, cast, night.books)
        soaked.missed = await listener.heard_all(platform.settings, cast)
        soaked.lives, soaked.gaps = listener.lives, listener.gaps
    return soaked


async def _one_after_the_other(night: Night, listener: Listener, site: Site, soaked: Soaked) -> None:
    plan = soaked.plan
    began = time.monotonic()
    due: list[Fault] = []
    for number in range(1, int(plan.seconds / plan.every) + 1):
        await asyncio.sleep(max(0.0, began + number * plan.every - time.monotonic()))
        due = due or site.dice.sample(plan.faults, len(plan.faults))
        fault = due.pop()
        if await strike(night, fault.__name__, partial(fault, site), soaked.writes):
            soaked.events.add(fault.__name__, await _heard_again(night, listener, soaked.writes.ended))
    await asyncio.sleep(max(0.0, began + plan.seconds - time.monotonic()))


async def _heard_again(night: Night, listener: Listener, since: float, *, seconds: float = 30.0) -> float:
    """Seconds until the socket tells of a task that was asked for after a moment."""
    while time.monotonic() < since + seconds:
        heard = [listener.tasks[task] for task in night.books.since(since) if task in listener.tasks]
        if heard:
            return min(heard) - since
        await asyncio.sleep(0.02)
    return seconds


@asynccontextmanager
async def _alongside(platform: Killable, listener: Listener, memory: Memory) -> AsyncGenerator[None]:
    """The socket and the look at the memory, for the length of the block."""
    stop = asyncio.Event()

    async def look() -> None:
        while not stop.is_set():
            memory.sample(time.monotonic(), platform.memory())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SAMPLE_SECONDS)

    tasks = [asyncio.create_task(listener.listen(stop)), asyncio.create_task(look())]
    try:
        while listener.first is None:
            await asyncio.sleep(0.02)
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
