"""Poke: after a commit that emitted something, tell the relay, on a connection of our own and at most once in 5 ms.

NOTIFY inside business transactions would make them wait for one another; a lost poke only costs the relay's polling interval.
"""

import asyncio
import time
from typing import Any

import asyncpg
import structlog

from lastlight.runtime.db.bounded import watch_socket
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

CHANNEL = "lastlight_outbox"
DEBOUNCE_SECONDS = 0.005
RETRY_SECONDS = 1.0


class Poker:
    """One process's poke: the first goes out at once, those within the next 5 ms become one more."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Any = None
        self._sending: asyncio.Task[None] | None = None
        self._again = False
        self._quiet_until = 0.0

    def poke(self) -> None:
        """Tell the relay soon; never waits and never fails."""
        if self._sending is not None and not self._sending.done():
            self._again = True
            return
        if time.monotonic() < self._quiet_until:
            return  # the database is away: the relay finds the rows by itself
        self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            try:
                await self._notify()
            except LOST as error:
                log.warning("the relay could not be poked; it will look by itself", error=str(error))
                self._quiet_until = time.monotonic() + RETRY_SECONDS
                return
            await asyncio.sleep(DEBOUNCE_SECONDS)

    async def _notify(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn, timeout=5, command_timeout=5, server_settings={"application_name": "lastlight-poke"}
            )
            watch_socket(self._connection)
        await self._connection.execute(f"notify {CHANNEL}")

    async def close(self) -> None:
        """Send what is pending, then hang up."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=1)
            self._sending.cancel()
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()


async def start_poking(services: Services) -> Poker:
    """Give a process its poke, which connects when it is first needed and is closed with the services."""
    poker = Poker(services.settings.dsn("system"))
    services.poke = poker.poke
    services.closers.append(poker.close)
    return poker
