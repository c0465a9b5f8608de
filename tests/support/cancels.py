"""Requests that are cancelled at any moment, over a pool of three connections: what the others are told, and what is left behind."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import httpx
import uvicorn
from litestar import Litestar

from lastlight.apps.shell import render
from lastlight.modules import MODULES
from lastlight.runtime.http.app import create_app
from lastlight.runtime.services import Services
from tests.support.services import opened_services
from tests.support.world import Somebody, World, marks_of

POOL = 3
ROLES = ("app", "system", "platform")
LEFT = """
select (select count(*) from pg_locks l join pg_database d on d.oid = l.database
        where d.datname = current_database() and l.locktype = 'advisory') as advisory,
       (select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%') as idle
"""
HALVES = """
select (select count(*) from tasks where title like $1 || '%') as tasks,
       (select count(*) from outbox where name = 'task.created' and audit::jsonb -> 'after' ->> 'title' like $1 || '%') as events,
       (select count(*) from idempotency_keys where key like $1 || '%') as keys
"""


@dataclass(slots=True)
class Cancelled:
    """The small application, who asks it, and what was found."""

    world: World
    services: Services
    app: Litestar
    client: httpx.AsyncClient
    mark: str = field(default_factory=lambda: f"cut-{uuid4().hex[:8]}")
    cancelled: int = 0
    answered: int = 0
    refused: int = 0
    """Answers of 503: no connection came free, or one was lost."""
    found: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def small_application(world: World) -> AsyncGenerator[Cancelled]:
    """The whole application a second time, on the world's database, with few connections."""
    settings = replace(world.people.services.settings, db_pool_size=POOL)
    async with opened_services(settings, MODULES) as services:
        services.render = render
        app = create_app(services)
        transport = httpx.ASGITransport(app=cast("Any", app), client=("203.0.113.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Cancelled(world, services, app, client)


async def ask(state: Cancelled, who: Somebody, kind: int) -> None:
    """One request; its answer holds its own business's marks and nothing of the other's."""
    assert who.home is not None
    answer = await state.client.request(**_request(state, who, kind), headers=_headers(state, who, kind))
    if answer.status_code == 503:
        state.refused += 1
        return
    state.answered += 1
    other = state.world.b if who.home is state.world.a else state.world.a
    foreign = [mark for mark in marks_of(state.world, other) if mark in answer.text]
    own = [mark for mark in marks_of(state.world, who.home) if mark in answer.text]
    if answer.status_code >= 400 or foreign or not own:
        state.found.append(
            f"{who} is answered {answer.status_code} with {foreign or 'nothing of their own'}: {answer.text[:100]}"
        )


def _request(state: Cancelled, who: Somebody, kind: int) -> dict[str, Any]:
    assert who.home is not None
    if kind == 0:
        return {"method": "GET", "url": "/api/venues"}
    if kind == 1:
        return {"method": "GET", "url": f"/api/venues/{who.home.venues[0]}"}
    if kind == 2:
        return {"method": "GET", "url": "/api/members"}
    body = {"venue_id": str(who.home.venues[0]), "title": f"{state.mark} {uuid4().hex}"}
    return {"method": "POST", "url": "/api/tasks", "json": body}


def _headers(state: Cancelled, who: Somebody, kind: int) -> dict[str, str]:
    return who.headers | ({"Idempotency-Key": f"{state.mark}-{uuid4().hex}"} if kind == 3 else {})


async def ask_and_leave(state: Cancelled, who: Somebody, dice: random.Random) -> None:
    """The same, cancelled after a few turns of the loop or a few milliseconds: anywhere from the first await to the last."""
    task = asyncio.create_task(ask(state, who, dice.randrange(4)))
    if dice.random() < 0.5:
        for _ in range(dice.randrange(60)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(dice.random() * 0.02)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    state.cancelled += task.cancelled()


async def cancel_at_random(state: Cancelled, *, cancels: int, dice: random.Random) -> None:
    """Waves of requests, most of them cancelled, until so many were; those that stay check whom they are answered as."""
    people = [state.world.somebody[f"{letter}.{role}"] for letter in "AB" for role in ("owner", "manager")]
    for wave in range(cancels):
        leaving = [ask_and_leave(state, dice.choice(people), dice) for _ in range(8)]
        staying = [ask(state, dice.choice(people), dice.randrange(4)) for _ in range(2)]
        await asyncio.gather(*leaving, *staying)
        if state.cancelled >= cancels:
            return
        assert wave < cancels, "hardly a request was cancelled"


async def leave_sockets(state: Cancelled, *, leavers: int, dice: random.Random) -> int:
    """The same over real sockets: clients that send a request and hang up; how many did before they were answered."""
    config = uvicorn.Config(cast("Any", state.app), port=0, log_config=None, lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        people = [state.world.somebody[name] for name in ("A.owner", "B.owner")]
        left = 0
        for _ in range(0, leavers, 10):
            hung_up = await asyncio.gather(*(_hang_up(port, state, dice.choice(people), dice) for _ in range(10)))
            left += sum(hung_up)
            await ask(state, dice.choice(people), dice.randrange(3))
        return left
    finally:
        server.should_exit = True
        await serving


async def _hang_up(port: int, state: Cancelled, who: Somebody, dice: random.Random) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    kind = dice.randrange(3)
    lines = [
        f"GET {_request(state, who, kind)['url']} HTTP/1.1",
        "Host: 127.0.0.1",
        *map(": ".join, who.headers.items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()
    try:
        first = await asyncio.wait_for(reader.read(1), dice.random() * 0.01)
    except TimeoutError:
        first = b""
    writer.transport.abort()
    return not first


async def left_behind(state: Cancelled) -> list[str]:
    """Open transactions, locks, connections that are missing or not clean, and writes of which only a half stands."""
    found = list(state.found)
    for role in ROLES:
        pool = state.services.pools.by_name(role)
        try:
            async with asyncio.timeout(10):
                held = [await pool.acquire() for _ in range(pool.get_max_size())]
        except TimeoutError:
            found.append(f"the pool {role} has lost connections")
            continue
        for connection in held:
            setting = await connection.fetchval("select current_setting('app.tenant_id', true)")
            if connection.is_in_transaction() or setting:
                found.append(f"a connection of {role} came back inside a transaction of {setting!r}")
            await pool.release(connection)
    row = (await state.world.sql(LEFT))[0]
    if row["advisory"] or row["idle"]:
        found.append(f"{row['advisory']} advisory locks and {row['idle']} idle transactions are left")
    halves = (await state.world.sql(HALVES, state.mark))[0]
    if len({*halves.values()}) != 1:
        found.append(f"half written: {dict(halves)}")
    return found
