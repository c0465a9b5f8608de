"""Every way out of a transaction on a pool of one connection, and whether the next one finds anything of it."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from lastlight.kernel.errors import Conflict, Invalid
from lastlight.kernel.ids import PatronId, UserId, uuid7
from lastlight.runtime.context import SYSTEM, Ctx
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.services import Services
from tests.support.services import administer

SETTINGS = """select coalesce(current_setting('app.tenant_id', true), '') || coalesce(current_setting('app.user_id', true), '')
                     || coalesce(current_setting('app.patron_id', true), '')"""
TABLES = """
select c.relname from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and has_table_privilege('lastlight_app', c.oid, 'select')
order by 1
"""
ROLE = "insert into roles (tenant_id, key, name) values ($1, $2, $2)"


CUT_OFF = (asyncpg.PostgresConnectionError, asyncpg.TransactionTimeoutError, asyncpg.InterfaceError, TimeoutError)


class Kept(Invalid):
    """A refusal that commits."""

    keeps = True


class Left(BaseException):
    """The end of a process, as far as a transaction is concerned."""


@dataclass(slots=True)
class Exits:
    """A pool of one connection, a tenant with rows, and what was found after each way out."""

    services: Services
    tenant: UUID
    tables: list[str]
    rng: random.Random
    counted: Counter[str] = field(default_factory=Counter[str])
    found: list[str] = field(default_factory=list[str])

    def scope(self, **more: Any) -> WorkScope:
        """Somebody of the tenant, with every id that a transaction is told."""
        actor = msgspec.structs.replace(
            SYSTEM, tenant_id=self.tenant, user_id=UserId(uuid7()), patron_id=PatronId(uuid7())
        )
        return replace(WorkScope(actor=actor, tenant_id=actor.tenant_id), **more)

    async def work(self, ctx: Ctx) -> None:
        """What a request does first: it reads, perhaps writes, and takes locks."""
        await ctx.db.fetch("select key from roles where tenant_id = $1", self.tenant)
        if self.rng.random() < 0.5:
            await ctx.db.execute("select pg_advisory_xact_lock(42)")
            await ctx.db.execute("update roles set name = name where tenant_id = $1", self.tenant)


async def _commit(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)


async def _refusal(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    raise Conflict


async def _kept_refusal(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    raise Kept


async def _bug(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    raise RuntimeError("a bug")


async def _left(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    raise Left


async def _database_error(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    await ctx.db.execute("select 1 / 0")


async def _swallowed_error(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    with contextlib.suppress(asyncpg.PostgresError):
        await ctx.db.execute("select 1 / 0")


async def _savepoints(exits: Exits, ctx: Ctx) -> None:
    for end in ("rollback to savepoint s", "release savepoint s"):
        await ctx.db.execute("savepoint s")
        await ctx.db.execute("set local app.tenant_id = '00000000-0000-7000-8000-000000000001'")
        await exits.work(ctx)
        await ctx.db.execute(end)


async def _refused_part(exits: Exits, ctx: Ctx) -> None:
    with contextlib.suppress(Conflict):
        async with ctx.db.attempt():
            await exits.work(ctx)
            raise Conflict


async def _statement_timeout(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    await ctx.db.execute("set local statement_timeout = '5ms'")
    await ctx.db.execute("select pg_sleep(5)")


async def _transaction_timeout(exits: Exits, ctx: Ctx) -> None:
    """The transaction lasts longer than the pool's own limit, which is short here."""
    await exits.work(ctx)
    await ctx.db.execute("select pg_sleep(5)")


async def _idle_timeout(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    await ctx.db.execute("set local idle_in_transaction_session_timeout = '5ms'")
    await asyncio.sleep(0.05)
    await ctx.db.execute("select 1")


async def _driver_timeout(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    await ctx.db.connection.execute("select pg_sleep(5)", timeout=0.01)


async def _killed(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    pid = await ctx.db.fetchval("select pg_backend_pid()")
    await administer(exits.services.settings, "select pg_terminate_backend($1)", pid)
    await ctx.db.execute("select 1")


async def _stream_left(exits: Exits, ctx: Ctx) -> None:
    await exits.work(ctx)
    async for _ in ctx.db.stream("select n from generate_series(1, 5000) n", batch=10):
        raise Conflict


async def _committed_by_hand(exits: Exits, ctx: Ctx) -> None:
    """What no action does: the transaction's own end in the middle of it."""
    await exits.work(ctx)
    await ctx.db.execute("commit")
    assert await ctx.db.fetchval("select count(*) from roles") == 0, "nothing is seen behind the end"


Way = Callable[[Exits, Ctx], Awaitable[None]]
WAYS: dict[str, Way] = {
    way.__name__.strip("_"): way
    for way in (
        _commit,
        _refusal,
        _kept_refusal,
        _bug,
        _left,
        _database_error,
        _swallowed_error,
        _savepoints,
        _refused_part,
        _statement_timeout,
        _transaction_timeout,
        _idle_timeout,
        _driver_timeout,
        _killed,
        _stream_left,
        _committed_by_hand,
    )
}


async def leave(exits: Exits, way: str, *, cancel: bool) -> None:
    """Go out by one way, perhaps cancelled at some moment on it; then the connection must be as new."""
    begin = exits.rng.choice((False, False, True)) and way == "commit"

    async def go() -> None:
        async with unit_of_work(exits.services, exits.scope(snapshot=begin)) as ctx:
            if begin:
                await ctx.db.fetch("select key from roles where tenant_id = $1", exits.tenant)
            else:
                await WAYS[way](exits, ctx)

    task = asyncio.create_task(go())
    if cancel:
        for _ in range(exits.rng.randrange(40)):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait({task}, timeout=20)
    if not task.done():
        exits.found.append(f"{way} never ended")
        task.cancel()
    elif not task.cancelled() and isinstance(task.exception(), AssertionError):
        exits.found.append(f"{way}: {task.exception()}")
    exits.counted["cancelled" if task.cancelled() else way] += 1
    exits.found += [f"after {way}{' cancelled' if cancel else ''}: {what}" for what in await _left_over(exits)]


async def _left_over(exits: Exits) -> list[str]:
    """What the next one finds; asked again where the look itself lasted longer than the pool's limit, which ends its connection."""
    for _ in range(20):
        with contextlib.suppress(*CUT_OFF):
            return await _look(exits)
    raise AssertionError("no look comes to its end")


async def _look(exits: Exits) -> list[str]:
    found: list[str] = []
    table = exits.rng.choice(exits.tables)
    async with asyncio.timeout(10):
        connection = await exits.services.pools.app.acquire()
    try:
        if connection.is_in_transaction():
            found.append("a transaction is open")
        said = await connection.fetchval(SETTINGS)
        if said:
            found.append(f"it still says {said}")
        if await connection.fetchval("select count(*) from roles") or await connection.fetchval(
            f"select count(*) from {table} t where to_jsonb(t) ? 'tenant_id'"
        ):
            found.append(f"rows of {table} or of roles are seen")
        with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
            await connection.execute(ROLE, exits.tenant, uuid7().hex)
            found.append("a row was written")
    except asyncpg.InFailedSQLTransactionError:
        found.append("a failed transaction is open")
    finally:
        await exits.services.pools.app.release(connection)
    return found
