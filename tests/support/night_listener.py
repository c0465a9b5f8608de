"""Somebody at a console during a busy night: a socket that comes back where it was, however often it is lost."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import socketio
from socketio.exceptions import SocketIOError

from lastlight.runtime.settings import Settings
from tests.support.busy_night import STAFF_MAY, Cast

WAIT_SECONDS = 5
AUDIBLE = """
select seq from events where tenant_id = $1 and seq > $2 and audience = any($3::text[]) order by seq
"""


@dataclass(slots=True)
class Listener:
    """What one socket heard of its business's events, all its lives together."""

    url: str
    token: str
    first: int | None = None
    """Where the stream stood when it came for the first time."""
    last: int = 0
    heard: dict[int, float] = field(default_factory=dict[int, float])
    """Place in the stream → when it was here (monotonic)."""
    tasks: dict[str, float] = field(default_factory=dict[str, float])
    """Id of a task → when its creation was heard."""
    wrong: list[str] = field(default_factory=list[str])
    """Events that came twice or out of order."""
    lives: int = 0
    gaps: int = 0

    async def listen(self, stop: asyncio.Event) -> None:
        """Listen until told to stop; a lost connection is made again, from the last place that was heard."""
        while not stop.is_set():
            with contextlib.suppress(SocketIOError, TimeoutError, OSError):
                await self._live(stop)
            await asyncio.sleep(0.05)

    async def _live(self, stop: asyncio.Event) -> None:
        io: Any = socketio.AsyncClient(reconnection=False)
        ended = asyncio.Event()

        async def hear(name: str, data: Any = None) -> None:
            await self._hear(name, data)

        async def end(*_: Any) -> None:
            ended.set()

        io.on("*", hear)
        io.on("disconnect", end)
        auth: dict[str, Any] = {"token": self.token} | ({} if self.first is None else {"after": self.last})
        waiting = [asyncio.create_task(ended.wait()), asyncio.create_task(stop.wait())]
        try:
            await io.connect(
                self.url, auth=auth, transports=["websocket"], socketio_path="realtime", wait_timeout=WAIT_SECONDS
            )
            self.lives += 1
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await io.disconnect()

    async def _hear(self, name: str, data: Any) -> None:
        if name == "system.hello" and self.first is None:
            self.first = self.last = data["seq"]
        elif name == "system.gap":
            self.gaps += 1
            await self._catch_up(data["catch_up"])
        elif not name.startswith("system."):
            self._note(data["seq"], name, data["data"])

    def _note(self, seq: int, name: str, data: Any) -> None:
        if seq in self.heard:
            self.wrong.append(f"event {seq} was heard twice")
        elif seq < self.last:
            self.wrong.append(f"event {seq} came after {self.last}")
        now = time.monotonic()
        self.heard[seq] = now
        self.last = max(self.last, seq)
        if name == "task.created":
            self.tasks[data["task_id"]] = now

    async def _catch_up(self, path: str) -> None:
        """Read what the socket does not repeat, page by page, as a client is told to."""
        async with httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}) as http:
            while path:
                page = (await http.get(path)).json()
                for event in page["events"]:
                    if event["seq"] not in self.heard:
                        self._note(event["seq"], event["name"], event["data"])
                path = f"/api/events?after={page['next']}" if page["events"] else ""

    async def missed(self, settings: Settings, cast: Cast) -> list[str]:
        """What it should have heard and did not, and what it heard wrongly."""
        assert self.first is not None, "it was never connected"
        connection = await asyncpg.connect(settings.admin_dsn())
        try:
            rows = await connection.fetch(AUDIBLE, cast.tenant_id, self.first, list(STAFF_MAY))
        finally:
            await connection.close()
        lost = {row["seq"] for row in rows} - self.heard.keys()
        return [*self.wrong, *(f"event {seq} was not heard" for seq in sorted(lost))]

    async def heard_all(self, settings: Settings, cast: Cast, *, seconds: float = 20) -> list[str]:
        """What is still missing once it had that long to come."""
        deadline = time.monotonic() + seconds
        while (missing := await self.missed(settings, cast)) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        return missing
