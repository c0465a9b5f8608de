"""Check-ins over HTTP while the network between the application and its database breaks and mends."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from lastlight.runtime.db import bounded, pools, uow
from tests.support.plain_wire import Answer, Wire, request
from tests.support.turnstile import Arrived, Comer, Turnstile, arrived

FAIL_SECONDS = 5.0
HEAL_SECONDS = 5.0
PATIENCE_SECONDS = 6.0
HEALTH_SECONDS = 1.0
UNHURRIED = 5.0
"""So much longer may everything take in the quick share, which shares its machine with other tests: there times say little."""
ENOUGH = 12
"""Arrivals without a failure that show that the pool is well."""
_ALLOWED = frozenset({201, 503})
Break = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Watched:
    """What was seen while the network broke and mended."""

    arrived: list[Arrived] = field(default_factory=list[Arrived])
    statuses: Counter[int] = field(default_factory=Counter[int])
    repeated: int = 0
    longest: float = 0.0
    """Longest wait for an answer, counted from the fault where the request was older."""
    health: float = 0.0
    healed: float = 0.0
    wrong: Counter[str] = field(default_factory=Counter[str])
    """What broke, and how often."""


@dataclass(slots=True)
class _Clock:
    """When the fault began and ended, in monotonic seconds; 0 while it has not."""

    broke: float = 0.0
    mended: float = 0.0
    stop: bool = False
    slack: float = 1.0
    """How many times the usual limits things may take."""


async def check_in_through(
    stile: Turnstile,
    port: int,
    *,
    clients: int,
    seconds: float,
    breaks: Break,
    mends: Break,
    heals_in: float = HEAL_SECONDS,
    slack: float = 1.0,
) -> Watched:
    """Let guests come without end, break something for `seconds`, mend it, and go on until everybody is in again."""
    seen, clock = Watched(), _Clock(slack=slack)
    queue, fresh = iter(await stile.comers(clients * 120)), await stile.comers(200)
    guests = [asyncio.create_task(_come(stile, port, queue, clock, seen)) for _ in range(clients)]
    health = asyncio.create_task(_ask_health(port, clock, seen))
    try:
        await asyncio.sleep(0.4)
        clock.broke = time.monotonic()
        await breaks()
        await asyncio.sleep(seconds)
        await mends()
        clock.mended = time.monotonic()
        await _until_healed(Wire(port), [(one, stile) for one in fresh], seen, clock, heals_in * slack)
        await asyncio.sleep(0.3)
    finally:
        clock.stop = True
        ended = await asyncio.gather(health, *guests, return_exceptions=True)
    for failure in (one for one in ended if isinstance(one, BaseException)):
        raise failure
    return seen


async def _come(stile: Turnstile, port: int, queue: Iterator[Comer], clock: _Clock, seen: Watched) -> None:
    wire = Wire(port)
    for comer in queue:
        if clock.stop:
            break
        await _check_in(stile, wire, comer, clock, seen)
    wire.close()


async def _check_in(stile: Turnstile, wire: Wire, comer: Comer, clock: _Clock, seen: Watched) -> None:
    sent = stile.arrival(comer)
    for tries in range(400):
        began = time.monotonic()
        answer = await _asked(wire, sent, clock, seen)
        if answer is None:
            return
        ended = time.monotonic()
        since = max(began, clock.broke) if clock.broke and ended > clock.broke else began
        seen.longest = max(seen.longest, ended - since)
        if ended - since > FAIL_SECONDS * clock.slack:
            seen.wrong["answered too late"] += 1
        in_flight = b"idempotency-key-in-flight" in answer.body
        seen.statuses[answer.status] += 1
        if answer.status not in _ALLOWED and not in_flight:
            seen.wrong[f"answered {answer.status} {answer.body[:200]!r}"] += 1
            return
        if answer.status == 201:
            seen.repeated += bool(tries)
            seen.arrived.append(arrived(comer, answer))
            return
        if "retry-after" not in answer.headers:
            seen.wrong["no Retry-After"] += 1
        if not in_flight and (b'"detail":"' not in answer.body or b"problems/internal" in answer.body):
            seen.wrong["it does not say what to do"] += 1
        await asyncio.sleep(0.1)
    seen.wrong["never answered for good"] += 1


async def _asked(wire: Wire, sent: bytes, clock: _Clock, seen: Watched) -> Answer | None:
    patience = PATIENCE_SECONDS * clock.slack
    try:
        return await wire.ask(sent, patience=patience)
    except TimeoutError:
        seen.longest = max(seen.longest, patience)
        seen.wrong["hung"] += 1
    except OSError as error:
        seen.wrong[f"the web process hung up: {error}"] += 1
    return None


async def _ask_health(port: int, clock: _Clock, seen: Watched) -> None:
    wire = Wire(port)
    while not clock.stop:
        answer = await wire.ask(request("GET", "/health"))
        seen.health = max(seen.health, answer.seconds)
        if answer.status != 200 or answer.seconds > HEALTH_SECONDS * clock.slack:
            seen.wrong["/health did not answer at once"] += 1
        await asyncio.sleep(0.1)
    wire.close()


async def _until_healed(
    wire: Wire, fresh: list[tuple[Comer, Turnstile]], seen: Watched, clock: _Clock, heals_in: float
) -> None:
    """The pool has healed when as many fresh guests as it has connections come in at the first attempt."""
    good = 0
    for comer, stile in fresh:
        answer = None
        with contextlib.suppress(OSError, TimeoutError):
            answer = await wire.ask(stile.arrival(comer), patience=PATIENCE_SECONDS * clock.slack)
        came = answer is not None and answer.status == 201
        good = good + 1 if came else 0
        if came and answer is not None:
            seen.arrived.append(arrived(comer, answer))
        seen.healed = time.monotonic() - clock.mended
        if good == ENOUGH or seen.healed > heals_in:
            break
        await asyncio.sleep(0.0 if good else 0.1)
    wire.close()
    if good < ENOUGH or seen.healed > heals_in:
        seen.wrong["the pool did not heal in time"] += 1


def never_give_up() -> None:
    """Switch off what bounds the waiting for a database: for negative controls, in a process of their own."""
    bounded.ACQUIRE_SECONDS = bounded.RELEASE_SECONDS = uow.OPEN_SECONDS = pools.OVER_SECONDS = 600.0
    bounded.KEEPALIVE.clear()
