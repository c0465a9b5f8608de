"""Guests who check in without a pause over kept connections, while the schema changes under them or processes take turns."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import socketio
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lastlight.runtime import patience
from lastlight.runtime.db import migrate
from tests.support.plain_wire import Wire
from tests.support.turnstile import Arrived, Comer, Turnstile, arrived

LONGEST_SECONDS = 2.0
UNHURRIED = 6.0
"""The quick share shares its machine with other tests: there an answer may take so long without a migration in its way."""
RECONNECT_SECONDS = 8.0
PAUSE_SECONDS = 0.02


@dataclass(slots=True)
class Seen:
    """What the guests saw."""

    arrived: list[Arrived] = field(default_factory=list[Arrived])
    longest: float = 0.0
    wrong: Counter[str] = field(default_factory=Counter[str])


@contextlib.asynccontextmanager
async def coming(
    stile: Turnstile, port: int, *, clients: int = 12, most: int = 4_000, longest: float = LONGEST_SECONDS
) -> AsyncGenerator[Seen]:
    """Guests come for the length of the block, each over a kept connection and without repeating anything."""
    seen, guests, stop = Seen(), iter(await stile.comers(most)), asyncio.Event()
    tasks = [asyncio.create_task(_come(stile, Wire(port), guests, seen, stop, longest=longest)) for _ in range(clients)]
    try:
        await asyncio.sleep(0.5)
        yield seen
        await asyncio.sleep(0.3)
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _come(
    stile: Turnstile, wire: Wire, guests: Iterator[Comer], seen: Seen, stop: asyncio.Event, *, longest: float
) -> None:
    for comer in guests:
        if stop.is_set():
            break
        try:
            answer = await wire.ask(stile.arrival(comer), patience=30)
        except (OSError, TimeoutError) as error:
            seen.wrong[f"{type(error).__name__}: {error}"] += 1
            continue
        seen.longest = max(seen.longest, answer.seconds)
        seen.wrong[f"answered after more than {longest:g} s"] += answer.seconds > longest
        if answer.status == 201:
            seen.arrived.append(arrived(comer, answer))
        else:
            seen.wrong[f"answered {answer.status} {answer.body[:200]!r}"] += 1
        await asyncio.sleep(PAUSE_SECONDS)
    wire.close()


@dataclass(slots=True)
class Listener:
    """A socket of a guest's app, which connects again by itself as the apps do."""

    io: Any
    greeted: int = 0

    @property
    def sits(self) -> bool:
        """Whether it is connected now."""
        return bool(self.io.connected)


@contextlib.asynccontextmanager
async def listeners(port: int, comers: list[Comer]) -> AsyncGenerator[list[Listener]]:
    """Sockets of so many guests."""
    made: list[Listener] = []
    try:
        for comer in comers:
            made += [await _listener(port, comer)]
        yield made
    finally:
        for one in made:
            await one.io.shutdown()


async def _listener(port: int, comer: Comer) -> Listener:
    io: Any = socketio.AsyncClient(reconnection_delay=1, reconnection_delay_max=1)
    one = Listener(io)

    async def hello(_: Any) -> None:
        one.greeted += 1

    io.on("system.hello", hello)
    await io.connect(
        f"http://127.0.0.1:{port}",
        auth={"token": comer.token},
        transports=["websocket"],
        socketio_path="realtime",
        wait_timeout=30,
    )
    return one


async def all_sit(sockets: list[Listener], *, greeted: int) -> float:
    """Seconds until every socket is connected and has been greeted so often; RECONNECT_SECONDS and more when that does not come."""
    began = time.monotonic()
    while time.monotonic() - began < RECONNECT_SECONDS + 1:
        if all(one.sits and one.greeted >= greeted for one in sockets):
            break
        await asyncio.sleep(0.05)
    return time.monotonic() - began


def next_folder(folder: Path, **files: str) -> Path:
    """The platform's own migrations and more after them, by the name of each."""
    folder.mkdir(parents=True)
    last = 0
    for path in sorted(migrate.migrations_folder().glob("[0-9]*.sql")):
        (folder / path.name).write_text(path.read_text())
        last = int(path.name[:4])
    for number, (name, sql) in enumerate(files.items(), start=last + 1):
        (folder / f"{number:04d}_{name}.sql").write_text(sql)
    return folder


def hang_up_at_once() -> None:
    """Switch off what keeps idle connections for a moment when the process stops: for a negative control."""
    patience.PatientProtocol.shutdown = HttpToolsProtocol.shutdown  # type: ignore[method-assign]
