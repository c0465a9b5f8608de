"""How soon a busy night goes on after each fault: the worst and the usual time, by kind."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from tests.support.busy_night import Night
from tests.support.killable import Killable
from tests.support.night_faults import Fault, NotPossibleError, Site

HEALED_SECONDS = 5.0
LONGEST_WAIT = 30.0


@dataclass(slots=True)
class Recoveries:
    """Seconds from the end of each fault to the first write that was asked for after it and succeeded."""

    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    under_way: list[int] = field(default_factory=list[int])
    """How many guests' writes were under way at each."""
    ended: float = 0.0
    """When the last fault was over (monotonic)."""
    not_possible: set[str] = field(default_factory=set[str])

    def add(self, name: str, seconds: float) -> None:
        """Write one down."""
        self.seconds.setdefault(name, []).append(seconds)

    @property
    def count(self) -> int:
        """How many faults there were."""
        return sum(len(found) for found in self.seconds.values())

    @property
    def worst(self) -> float:
        """The longest of all."""
        return max((max(found) for found in self.seconds.values()), default=0.0)

    def late(self, limit: float = HEALED_SECONDS) -> list[str]:
        """The faults after which it took longer than it may."""
        return [f"{name}: {worst:.1f} s" for name, found in self.seconds.items() if (worst := max(found)) > limit]

    def text(self) -> str:
        """Each kind with its number, its median and its worst."""
        return " ".join(
            f"{name}:{len(found)}×{median(found):.1f}≤{max(found):.1f}s" for name, found in sorted(self.seconds.items())
        )


async def strike(
    night: Night, name: str, hit: Callable[[], Awaitable[None]], found: Recoveries, *, patience: float = LONGEST_WAIT
) -> bool:
    """Do one thing to the platform and wait until a write succeeds again; whether it could be done."""
    under_way = night.under_way
    try:
        await hit()
    except NotPossibleError:
        found.not_possible.add(name)
        return False
    found.under_way.append(under_way)
    at = found.ended = time.monotonic()
    deadline = at + patience
    while (seconds := night.books.recovery(at)) is None and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    found.add(name, patience if seconds is None else seconds)
    return True


async def strike_often(
    night: Night, platform: Killable, faults: Sequence[Fault], *, times: int, dice: random.Random, seconds: float
) -> Recoveries:
    """So many faults in an order that the dice give, each kind as often as the others, within so many seconds."""
    found, site = Recoveries(), Site(platform, dice)
    deadline = time.monotonic() + seconds
    due: list[Fault] = []
    while found.count < times and time.monotonic() < deadline:
        if not due:
            due = dice.sample(list(faults), len(faults))
        fault = due.pop()
        if not await strike(night, fault.__name__, partial(fault, site), found):
            await asyncio.sleep(0.05)
        await asyncio.sleep(dice.uniform(0, 0.3))
    return found
