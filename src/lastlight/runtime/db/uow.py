"""The unit of work: one transaction, begun with its tenant and actor, committed before the answer leaves."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from lastlight.kernel.errors import Busy, Problem, ReadOnly, SessionEnded, Unsure
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime import clock
from lastlight.runtime.auth.looking import answerable
from lastlight.runtime.context import SYSTEM, Actor, Ctx
from lastlight.runtime.db.bounded import GONE, BoundedPool, has_ended
from lastlight.runtime.db.connection import Db
from lastlight.runtime.db.entry import Entry, enter
from lastlight.runtime.db.pools import PoolName
from lastlight.runtime.events.outbox import write_outbox
from lastlight.runtime.observability.metrics import TRANSACTION_SECONDS
from lastlight.runtime.observability.tracing import span
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

OPEN_SECONDS = 4.5
"""Longest time from asking for a connection to the beginning of the transaction, all waiting included."""
SNAPSHOT = (
    "begin isolation level repeatable read read only; set local transaction_timeout = '55min';"
    " set local idle_in_transaction_session_timeout = '5min'; set local statement_timeout = '5min'"
)


class LostRace(Exception):
    """Another transaction did the same meanwhile, so that this one would go another way from the beginning. A problem may be one, too."""


RETRIED = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    LostRace,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
"""Errors after which the whole transaction is run again; nothing of it was kept. The last two come once after a migration that
changed what a prepared statement returns."""
ATTEMPTS = 4
"""How often a transaction is run at the most, where it loses each time."""


class SessionChanged(Exception):
    """The actor's permissions changed since they were read; load them again and repeat."""


@dataclass(slots=True, frozen=True)
class WorkScope:
    """In whose name, in which tenant and by which database role a transaction runs."""

    actor: Actor
    tenant_id: TenantId
    role: PoolName = "app"
    request_id: str = ""
    idempotency_key: str = ""
    snapshot: bool = False
    """Read only, all of it as of one moment, for as long as a long read takes."""


@asynccontextmanager
async def unit_of_work(services: Services, scope: WorkScope) -> AsyncGenerator[Ctx]:
    """Open a transaction and give its Ctx; commit at the end, with the outbox written, or roll all of it back.

    Raises Busy when no connection comes free in time, SessionEnded or SessionChanged when the actor's session no longer stands.
    """
    pool = services.pools.by_name(scope.role)
    until = time.monotonic() + OPEN_SECONDS
    try:
        connection = await pool.take()
    except (TimeoutError, *GONE) as error:
        log.warning("no database connection", role=scope.role, error=str(error) or type(error).__name__)
        raise Busy from error
    try:
        with span("transaction", db__role=scope.role), TRANSACTION_SECONDS.labels(scope.role).time():
            ctx = await _begin(services, scope, pool, connection, until)
            try:
                refusal = None
                try:
                    yield ctx
                except Problem as problem:
                    if not problem.keeps:
                        raise
                    refusal = problem
                for finish in ctx.finishers:
                    await finish(ctx)
                if (ctx.pending or ctx.answered) and scope.actor.looking is None:
                    await write_outbox(ctx)
                await _commit(connection)
            except BaseException as error:
                await _abandon(pool, connection, error)
                if scope.actor.looking is not None and isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                    raise ReadOnly from error
                raise
    finally:
        await pool.release(connection)
    if ctx.pending and scope.actor.looking is not None:
        await _record_apart(services, scope, ctx)
    await _after_commit(ctx)
    if refusal is not None:
        raise refusal


async def stand_back(attempt: int) -> None:
    """Wait before a transaction that lost is run again: longer each time, so that those who met do not meet again."""
    await asyncio.sleep(0.01 * 2**attempt)


@asynccontextmanager
async def system_ctx(
    services: Services,
    tenant_id: TenantId = PLATFORM,
    *,
    role: PoolName = "app",
    actor: Actor = SYSTEM,
    request_id: str = "",
) -> AsyncGenerator[Ctx]:
    """A transaction of the platform itself, for jobs, seeds and the relay: inside one tenant, as a given database role."""
    scope = WorkScope(actor=actor, tenant_id=tenant_id, role=role, request_id=request_id)
    async with unit_of_work(services, scope) as ctx:
        yield ctx


async def _record_apart(services: Services, scope: WorkScope, looked: Ctx) -> None:
    """Keep what a read-only transaction put on record, in a transaction of its own, before anybody is shown anything."""
    apart = replace(scope, actor=answerable(scope.actor), idempotency_key="", snapshot=False)
    async with unit_of_work(services, apart) as ctx:
        ctx.pending.extend(looked.pending)
    looked.pending.clear()


async def _begin(services: Services, scope: WorkScope, pool: BoundedPool, connection: Any, until: float) -> Ctx:
    asked = time.monotonic()
    try:
        await connection.execute(_begin_sql(scope), timeout=until - asked)
        left = until - time.monotonic()
        entry = await enter(
            connection, actor=scope.actor, tenant_id=scope.tenant_id, key=scope.idempotency_key, seconds=left
        )
    except BaseException as error:
        await _abandon(pool, connection, error)
        raise _begin_problem(error) from error
    clock.note(entry.at, asked=asked)
    return _context(services, scope, connection, entry)


def _context(services: Services, scope: WorkScope, connection: Any, entry: Entry) -> Ctx:
    return Ctx(
        actor=scope.actor,
        tenant_id=scope.tenant_id,
        db=Db(connection, services.registry.constraints),
        now=entry.at,
        services=services,
        request_id=scope.request_id,
        idempotency_key=scope.idempotency_key,
        taken=entry.taken,
    )


def _begin_sql(scope: WorkScope) -> str:
    """`set local` takes no parameters, so this one function renders uuids, and nothing else builds SQL from values."""
    actor = scope.actor
    # A guest without a tenant is held to a guest's policies as well: their user id matches no patron.
    patron_id = actor.user_id if actor.kind == "guest" else actor.patron_id
    return (
        f"{begin_of(scope)}; set local app.tenant_id = {_uuid_literal(scope.tenant_id)};"
        f" set local app.user_id = {_uuid_literal(actor.user_id)}; set local app.patron_id = {_uuid_literal(patron_id)}"
    )


def begin_of(scope: WorkScope) -> str:
    """How a transaction begins: who only looks writes nothing."""
    if scope.snapshot:
        return SNAPSHOT
    return "begin read only" if scope.actor.looking else "begin"


def _uuid_literal(value: UUID | None) -> str:
    if value is None:
        return "''"
    if not isinstance(value, UUID):  # pyright: ignore[reportUnnecessaryIsInstance] the last line of defence for built SQL
        raise TypeError("only a UUID may be rendered into SQL")
    return f"'{value}'"


def _begin_problem(error: BaseException) -> BaseException:
    code = getattr(error, "sqlstate", None)
    if code == "LL001":
        return SessionEnded()
    if code == "LL002":
        return SessionChanged()
    if code == "LL003":
        return ReadOnly()
    if isinstance(error, (TimeoutError, *GONE)):
        return Busy()
    return error


async def _commit(connection: Any) -> None:
    """Commit; raises Unsure when the database went silent over it, for then nobody here knows whether it was done."""
    try:
        await connection.execute("commit")
    except (TimeoutError, *GONE) as error:
        raise Unsure from error


async def _abandon(pool: BoundedPool, connection: Any, error: BaseException) -> None:
    """Roll back; after a cancellation or a silence the connection is thrown away, so that no later request reads this one's answer."""
    if isinstance(error, Unsure) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, (asyncio.CancelledError, TimeoutError)) or has_ended(connection):
        await pool.drop(connection, error)
        return
    try:
        await connection.execute("rollback")
    except (asyncpg.PostgresError, TimeoutError, *GONE) as failure:
        await pool.drop(connection, failure)


async def _after_commit(ctx: Ctx) -> None:
    if ctx.pending:
        ctx.services.poke()
    for callback in ctx.callbacks:
        try:
            await callback()
        except Exception:
            log.exception("after-commit callback failed")


def is_unavailable(error: BaseException) -> bool:
    """Whether an error means that the database is away, full or out of time: the caller may retry, nothing was kept."""
    if isinstance(error, Problem):
        return False
    kinds = (
        *GONE,
        TimeoutError,
        asyncpg.InsufficientResourcesError,
        asyncpg.OperatorInterventionError,
        asyncpg.PostgresIOError,
        asyncpg.InvalidTransactionStateError,
    )
    return isinstance(error, kinds)
