"""Failpoints: a process kills itself, or loses its connection, at a named place of one piece of work, once.

A plan is text: `3:before` is before the third statement of the work is sent, `3:after` after its answer is here, `3:lost` the
moment between: the database has carried it out, the answer never comes. With `3:ended` the database's own process of the
connection is ended before the third statement is sent. `decided`, `started` and `sent` are the places of an
answer over HTTP: the operation is done, its head is sent, all of it is sent. The plan belongs to the work by a context
variable, so that what else the process does is not counted.
"""

import os
import signal
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from asyncpg.connection import Connection

STATEMENTS = ("execute", "executemany", "fetch", "fetchrow", "fetchval")


@dataclass(slots=True)
class Plan:
    """Where one piece of work is to fail, and how many statements it has sent."""

    at: str
    trace: Path
    """Made when it fails: the second time the same work goes through."""
    count: int = 0

    def reach(self, place: str) -> None:
        """Die here if this is the place."""
        if self.at == place and self._first():
            os.kill(os.getpid(), signal.SIGKILL)

    def loses(self, number: int) -> bool:
        """Whether the answer to this statement is to be lost."""
        return self.at == f"{number}:lost" and self._first()

    def ends(self, number: int) -> bool:
        """Whether the database's process is to be ended before this statement."""
        return self.at == f"{number}:ended" and self._first()

    def _first(self) -> bool:
        try:
            self.trace.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


plan_of_work: ContextVar[Plan | None] = ContextVar("plan_of_work", default=None)


def count_statements() -> None:
    """Let every statement of every connection of this process ask the plan of the work that sends it."""
    kind: Any = Connection
    for name in STATEMENTS:
        setattr(kind, name, _counted(getattr(kind, name)))


def _counted(original: Callable[..., Any]) -> Callable[..., Any]:
    async def counted(self: Any, *args: Any, **options: Any) -> Any:
        plan = plan_of_work.get()
        if plan is None:
            return await original(self, *args, **options)
        plan.count += 1
        number = plan.count
        plan.reach(f"{number}:before")
        if plan.ends(number):
            os.kill(self.get_server_pid(), signal.SIGTERM)  # as pg_terminate_backend does
        answer = await original(self, *args, **options)
        plan.reach(f"{number}:after")
        if plan.loses(number):
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return answer

    return counted
