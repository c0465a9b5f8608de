"""Many more clients than a pool has connections, and what each of them and the watchers see."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lastlight.runtime import patience
from lastlight.runtime.db import bounded, uow
from tests.support.plain_wire import Wire, request
from tests.support.turnstile import Arrived, Comer, Turnstile, arrived

LONGEST_SECONDS = 6.0
"""Bound of every answer: the wait for a connection, the beginning, and the work itself."""
HEALTH_SECONDS = 1.0
READY_SECONDS = 2.5
PATIENCE_SECONDS = 12.0
UNHURRIED = 4.0
"""So much longer may everything take in the quick share, which shares its machine with other tests: there times say little."""


@dataclass(slots=True)
class Flooded:
    """What came of a flood."""

    slack: float = 1.0
    """How many times the usual limits things may take."""
    seconds: float = 0.0
    arrived: list[Arrived] = field(default_factory=list[Arrived])
    statuses: Counter[int] = field(default_factory=Counter[int])
    longest: float = 0.0
    health: float = 0.0
    ready: float = 0.0
    wrong: Counter[str] = field(default_factory=Counter[str])

    @property
    def rate(self) -> float:
        """Arrivals a second."""
        return len(self.arrived) / self.seconds


async def flood(
    stile: Turnstile,
    port: int,
    *,
    clients: int,
    seconds: float,
    dice: random.Random,
    each: int = 40,
    slack: float = 1.0,
) -> Flooded:
    """So many clients check guests in for so long, each waiting as long as it is told to; health and readiness are asked meanwhile."""
    seen = Flooded(slack=slack)
    guests = iter(await stile.comers(min(clients * each, 6_000)))
    until = time.monotonic() + seconds
    pauses = [random.Random(dice.random()) for _ in range(clients)]  # noqa: S311 - a repeatable plan, no secret
    tasks = [asyncio.create_task(_client(stile, port, guests, until=until, seen=seen, dice=own)) for own in pauses]
    watchers = [asyncio.create_task(_watch(port, path, until, seen)) for path in ("/health", "/ready")]
    began = time.monotonic()
    await asyncio.gather(*watchers)
    seen.seconds = time.monotonic() - began
    await asyncio.gather(*tasks)
    return seen


async def _client(
    stile: Turnstile, port: int, guests: Iterator[Comer], *, until: float, seen: Flooded, dice: random.Random
) -> None:
    wire = Wire(port)
    for comer in guests:
        sent = stile.arrival(comer)
        while time.monotonic() < until:
            try:
                answer = await wire.ask(sent, patience=PATIENCE_SECONDS * seen.slack)
            except TimeoutError:
                seen.wrong["hung"] += 1
                return
            except OSError:
                seen.wrong["hung up"] += 1
                continue
            seen.statuses[answer.status] += 1
            seen.longest = max(seen.longest, answer.seconds)
            seen.wrong["too late"] += answer.seconds > LONGEST_SECONDS * seen.slack
            if answer.status == 201:
                seen.arrived.append(arrived(comer, answer))
                break
            if answer.status != 503 or "retry-after" not in answer.headers:
                seen.wrong[f"answered {answer.status} {answer.body[:150]!r}"] += 1
                break
            await asyncio.sleep(float(answer.headers["retry-after"]) * dice.uniform(0.5, 1.0))
        else:
            break
    wire.close()


async def _watch(port: int, path: str, until: float, seen: Flooded) -> None:
    wire = Wire(port)
    while time.monotonic() < until:
        try:
            answer = await wire.ask(request("GET", path), patience=PATIENCE_SECONDS * seen.slack)
        except (OSError, TimeoutError):
            seen.wrong[f"{path} did not answer"] += 1
            continue
        longest = HEALTH_SECONDS if path == "/health" else READY_SECONDS
        if answer.status != 200 or answer.seconds > longest * seen.slack:
            seen.wrong[f"{path} answered {answer.status} after {answer.seconds:.1f} s: {answer.body[:200]!r}"] += 1
        if path == "/health":
            seen.health = max(seen.health, answer.seconds)
        else:
            seen.ready = max(seen.ready, answer.seconds)
        await asyncio.sleep(0.1)
    wire.close()


def wait_for_ever() -> None:
    """Switch off what bounds the queue for a connection: for a negative control, in a process of its own."""
    bounded.ACQUIRE_SECONDS = uow.OPEN_SECONDS = 600.0
    bounded.WAITING_EACH = 1_000_000
    bounded.FRESH_SECONDS = -1.0


def take_every_caller() -> None:
    """Switch off what keeps descriptors free for the work itself."""

    def endless() -> int:
        return 1_000_000_000

    patience.most_connections = endless
