"""Arrivals: those in this process who wait for an event in one of their rooms. The feed announces; long polls wait."""

import asyncio
import contextlib
from collections.abc import Generator, Iterable

from lastlight.runtime.services import Services

MEMORY = "events.arrivals"
MOST_WAITING = 5000


class Arrivals:
    """Waiting calls by room."""

    def __init__(self) -> None:
        self.live = False
        """Whether a feed announces in this process; without one, waiting means looking again and again."""
        self.count = 0
        self._rooms: dict[str, set[asyncio.Event]] = {}

    @property
    def full(self) -> bool:
        """Whether so many wait already that nobody else may."""
        return self.count >= MOST_WAITING

    @contextlib.contextmanager
    def waiting(self, rooms: Iterable[str]) -> Generator[asyncio.Event]:
        """An event that is set by the next arrival in one of the rooms."""
        mine = frozenset(rooms)
        arrived = asyncio.Event()
        self.count += 1
        for room in mine:
            self._rooms.setdefault(room, set()).add(arrived)
        try:
            yield arrived
        finally:
            self.count -= 1
            for room in mine:
                waiting = self._rooms[room]
                waiting.discard(arrived)
                if not waiting:
                    del self._rooms[room]

    def announce(self, rooms: Iterable[str]) -> None:
        """Wake those who wait in one of the rooms."""
        for room in rooms:
            for arrived in self._rooms.get(room, ()):
                arrived.set()

    def release(self) -> None:
        """Wake everybody: the feed has stopped, or the process is about to."""
        self.live = False
        for waiting in self._rooms.values():
            for arrived in waiting:
                arrived.set()


def arrivals_of(services: Services) -> Arrivals:
    """This process's arrivals."""
    return services.memory.setdefault(MEMORY, Arrivals())
