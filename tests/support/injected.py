"""Deadlocks and serialisation failures put into real operations, at any of their statements or at the commit, and real ones forced."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from lastlight.runtime.db.connection import Db
from lastlight.runtime.db.uow import ATTEMPTS
from lastlight.runtime.http.operation import Operation
from tests.support.calls import Call, send
from tests.support.races import STATEMENTS, Outcome, outcome, ready, watched
from tests.support.world import Somebody, World

CODES = ("40P01", "40001")
COMMIT = -1
"""The place of a failure that comes with the commit."""


@dataclass(slots=True)
class Failures:
    """So many transactions fail with a code when they reach a statement (counted from 0), or at their commit."""

    code: str
    at: int
    left: int
    happened: int = 0

    async def happen(self, connection: Any) -> None:
        """Let the server itself raise it: the transaction is aborted as it would be."""
        self.left -= 1
        self.happened += 1
        await connection.fetch(f"do $$ begin raise exception 'made up' using errcode = '{self.code}'; end $$")


@contextmanager
def failing(failures: Failures) -> Generator[None]:
    """Put failures into the transactions that run meanwhile."""
    real_execute = PoolConnectionProxy.execute

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        async def run(self: Db, sql: str, *args: Any) -> Any:
            if failures.left and self.statements == failures.at:
                await failures.happen(self.connection)
            return await real(self, sql, *args)

        return run

    async def execute(self: Any, sql: str, *args: Any, **more: Any) -> Any:
        if sql == "commit" and failures.left and failures.at == COMMIT:
            await failures.happen(self)
        return await real_execute(self, sql, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        for name in STATEMENTS:
            patch.setattr(Db, name, wrapped(getattr(Db, name)))
        patch.setattr(PoolConnectionProxy, "execute", execute)
        yield


async def fresh(world: World, op: Operation) -> tuple[Call, Somebody]:
    """A call that succeeds, and who makes it: their session is read anew, so that none of the attempts goes into that."""
    call, who = await ready(world, op)
    await world.send("GET", "/api/me", who)
    return call, who


async def statements_of(world: World, op: Operation) -> tuple[int, Outcome]:
    """How many statements an operation's transaction runs when nothing goes wrong, and what it changes."""
    call, who = await fresh(world, op)
    with watched() as seen:
        clean = await outcome(world, call, who, times=1, together=True)
    return seen.statements, clean


async def not_repeated(world: World, op: Operation, *, at: int, code: str, times: int, clean: Outcome) -> list[str]:
    """A transaction that fails so many times is run again whole: the same answer, and the same rows and events as without."""
    call, who = await fresh(world, op)
    failures = Failures(code, at, left=times)
    with failing(failures):
        found = await outcome(world, call, who, times=1, together=True)
    if not failures.happened or found == clean:
        return []
    call, who = await fresh(world, op)
    if found == await outcome(world, call, who, times=1, together=True):
        return []  # the world itself changed since the first look: what it does once was done then
    place = f"{op.method} {op.path} with {code} at {at}"
    return [f"{place}: {dict(found.statuses)} {found.rows} instead of {dict(clean.statuses)} {clean.rows}"]


async def not_endless(world: World, op: Operation, *, at: int, code: str) -> list[str]:
    """One that fails each time is given up after the bound: 503 with Retry-After, and nothing was written."""
    call, who = await fresh(world, op)
    before = await world.state()
    failures = Failures(code, at, left=ATTEMPTS)  # a fifth attempt would succeed, and be seen
    with failing(failures):
        answer = await send(world, call, who)
    if not failures.happened:
        return []  # what it did once is done, so that it sends fewer statements now
    after = await world.state()
    place = f"{op.method} {op.path} with {code} at {at} each time"
    found: list[str] = []
    if answer.status_code != 503 or not answer.headers.get("retry-after", "").isdigit():
        found.append(f"{place}: {answer.status_code}, Retry-After {answer.headers.get('retry-after')}")
    if failures.happened != ATTEMPTS:
        found.append(f"{place}: {failures.happened} attempts")
    if after != before:
        found.append(f"{place}: something was written")
    return found


@asynccontextmanager
async def holding(world: World, sql: str, *args: Any) -> AsyncGenerator[Any]:
    """A transaction of somebody else that has taken a lock and is in no hurry: in a deadlock it is not the one that is ended."""
    other: Any = await asyncpg.connect(world.people.services.settings.admin_dsn())
    try:
        await other.execute("set deadlock_timeout = '1min'")
        await other.execute("begin")
        await other.execute(sql, *args)
        yield other
    finally:
        await other.execute("rollback")
        await other.close()


async def until_blocked(world: World, other: Any) -> None:
    """Wait until the other waits for somebody's lock."""
    for _ in range(3_000):
        if await world.value("select pg_blocking_pids($1) <> '{}'", other.get_server_pid()):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the other does not wait for a lock")


@contextmanager
def held_back(what: str, before: asyncio.Event, go: asyncio.Event) -> Generator[None]:
    """Let statements that name `what` say that they are about to be sent, and wait until they may."""

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        async def run(self: Db, sql: str, *args: Any) -> Any:
            if what in sql:
                before.set()
                await go.wait()
            return await real(self, sql, *args)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name in STATEMENTS:
            patch.setattr(Db, name, wrapped(getattr(Db, name)))
        yield


async def renamed_against_the_order(world: World, who: Somebody, *, name: str) -> tuple[Any, int]:
    """Rename somebody while another transaction locks their session first and their person then; the answer and the deadlocks.

    The operation locks the person, then the sessions: the two wait for each other, and the server ends the operation's attempt.
    The server looks for a deadlock once, soon after somebody began to wait: the operation has to be the last to do so.
    """
    before, go = asyncio.Event(), asyncio.Event()
    with watched() as seen, held_back("update sessions", before, go):
        async with holding(world, "select 1 from sessions where id = $1 for update", who.session_id) as other:
            asked = asyncio.create_task(world.send("PUT", "/api/me/name", who, json={"name": name}))
            await asyncio.wait_for(before.wait(), 30)
            waits = asyncio.create_task(other.execute("select 1 from users where id = $1 for update", who.user_id))
            await until_blocked(world, other)
            go.set()
            await waits
            for _ in range(3_000):
                if seen.deadlocks or asked.done():
                    break
                await asyncio.sleep(0.01)
        return await asked, len(seen.deadlocks)
