"""The feed: this process listens to the relay, reads each new event once, and hands it on in order."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog

from lastlight.runtime.db.bounded import watch_socket
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.events.move import EVENTS_CHANNEL
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

BATCH = 500
LOOK_SECONDS = 1.0
"""How often it looks although nothing was notified."""
RECONNECT_SECONDS = 0.5

# Positions are given by the one relay that leads, in the order of its commits, across all tenants.
# every tenant: one process serves the sockets of all
NEW = """
select position, tenant_id, seq, id, name, at, venue_id, patron_id, audience, data::text as data, clock_timestamp() as read_at
from events
where position > $1
order by position
limit $2
"""


class Feed:
    """Where one process stands in the stream of all tenants."""

    def __init__(self, services: Services, deliver: Callable[[Any], None]) -> None:
        self._services = services
        self._deliver = deliver
        self._position: int | None = None
        self.ready = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Hand on events until `stop`; after a lost connection it goes on where it was."""
        while not stop.is_set():
            try:
                await self._listen(stop)
            except LOST as error:
                log.warning("the feed of events lost its connection", error=str(error) or type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RECONNECT_SECONDS)

    async def _listen(self, stop: asyncio.Event) -> None:
        connection: Any = await asyncpg.connect(
            self._services.settings.dsn("system"),
            timeout=5,
            command_timeout=10,
            server_settings={"application_name": "lastlight-feed", "statement_timeout": "10s"},
        )
        watch_socket(connection)
        wake = asyncio.Event()

        def on_wake(*_: Any) -> None:
            wake.set()

        try:
            await connection.add_listener(EVENTS_CHANNEL, on_wake)
            connection.add_termination_listener(on_wake)
            if self._position is None:
                # every tenant: the end of the stream of all
                self._position = await connection.fetchval("select coalesce(max(position), 0) from events")
            self.ready.set()
            while not stop.is_set():
                wake.clear()
                if not await self._read(connection):
                    await _wake_or_stop(wake, stop)
        finally:
            connection.terminate()

    async def _read(self, connection: Any) -> bool:
        """Hand on one batch; whether there is probably more."""
        rows = await connection.fetch(NEW, self._position, BATCH)
        for row in rows:
            self._position = row["position"]
            try:
                self._deliver(row)
            except Exception:
                log.exception("an event could not be delivered", event_id=str(row["id"]))
            await asyncio.sleep(0)  # let requests in between two fan-outs
        return len(rows) == BATCH


async def _wake_or_stop(wake: asyncio.Event, stop: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(wake.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waiting, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
