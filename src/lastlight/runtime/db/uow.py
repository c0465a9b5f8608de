"""The unit of work: one transaction, begun with its tenant and actor, committed before the answer leaves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from lastlight.kernel.errors import Busy, Problem, ReadOnly, SessionEnded
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime.auth.looking import answerable
from lastlight.runtime.context import SYSTEM, Actor, Ctx
from lastlight.runtime.db.connection import Db
from lastlight.runtime.db.pools import PoolName
from lastlight.runtime.events.outbox import write_outbox
from lastlight.runtime.observability.metrics import TRANSACTION_SECONDS
from lastlight.runtime.observability.tracing import span
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

ACQUIRE_SECONDS = 5.0
GONE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How the driver says that its connection is no more; the last when the server ended it between two answers."""
SNAPSHOT = (
    "begin isolation level repeatable read read only; set local transaction_timeout = '55min';"
    " set local idle_in_transaction_session_timeout = '5min'; set local statement_timeout = '5min'"
)
RETRIED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Errors after which the whole transaction is run again; nothing of it was kept."""


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
    try:
        connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
    except (TimeoutError, *GONE) as error:
        log.warning("no database connection", role=scope.role, error=str(error))
        raise Busy from error
    try:
        with span("transaction", db__role=scope.role), TRANSACTION_SECONDS.labels(scope.role).time():
            ctx = await _begin(services, scope, connection)
            try:
                refusal = None
                try:
                    yield ctx
                except Problem as problem:
                    if not problem.keeps:
                        raise
                    refusal = problem
                if ctx.pending and scope.actor.looking is None:
                    await write_outbox(ctx)
                await connection.execute("commit")
            except BaseException as error:
                await _abandon(connection, error)
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


async def _begin(services: Services, scope: WorkScope, connection: Any) -> Ctx:
    actor = scope.actor
    try:
        await connection.execute(_begin_sql(scope))
        if actor.session_id is None:
            now = await connection.fetchval("select now()")
        else:
            now = await connection.fetchval("select ll.enter($1, $2)", actor.session_id, actor.version)
    except BaseException as error:
        await _abandon(connection, error)
        raise _begin_problem(error) from error
    return _context(services, scope, connection, now)


def _context(services: Services, scope: WorkScope, connection: Any, now: datetime) -> Ctx:
    return Ctx(
        actor=scope.actor,
        tenant_id=scope.tenant_id,
        db=Db(connection, services.registry.constraints),
        now=now,
        services=services,
        request_id=scope.request_id,
        idempotency_key=scope.idempotency_key,
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
    if isinstance(error, GONE):
        return Busy()
    return error


async def _abandon(connection: Any, error: BaseException) -> None:
    """Roll back; after a cancellation the connection is thrown away, so that no later request reads this one's answer."""
    if isinstance(error, asyncio.CancelledError) or connection.is_closed():
        connection.terminate()
        return
    try:
        await connection.execute("rollback")
    except (asyncpg.PostgresError, *GONE):
        connection.terminate()


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
