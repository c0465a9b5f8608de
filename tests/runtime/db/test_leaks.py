"""Nothing of one transaction reaches the next one on its connection: not its tenant, not its answer (I2, C7, C9)."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import UUID

import asyncpg
import msgspec
import pytest

from lastlight.kernel.errors import Busy, Conflict
from lastlight.kernel.ids import PatronId, UserId, uuid7
from lastlight.runtime.context import SYSTEM
from lastlight.runtime.db import bounded
from lastlight.runtime.db.uow import WorkScope, is_unavailable, system_ctx, unit_of_work
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database

CONTEXT = """select array[current_setting('app.tenant_id', true), current_setting('app.user_id', true),
                          current_setting('app.patron_id', true)]"""
ROLE = "insert into roles (tenant_id, key, name) values ($1, $2, $2)"


@pytest.fixture
async def single(database_settings: Settings) -> AsyncGenerator[Services]:
    """Services whose app pool holds one connection."""
    async with opened_services(replace(database_settings, db_pool_size=1)) as services:
        yield services


@pytest.fixture
async def scope(database_settings: Settings) -> WorkScope:
    """A scope with every id that a transaction is told, in a tenant with a row that could be seen."""
    tenant_id = await make_tenant(database_settings, f"t{uuid7().hex}")
    await administer(database_settings, ROLE, tenant_id, "canary")
    actor = msgspec.structs.replace(SYSTEM, tenant_id=tenant_id, user_id=UserId(uuid7()), patron_id=PatronId(uuid7()))
    return WorkScope(actor=actor, tenant_id=tenant_id)


async def assert_clean(services: Services) -> None:
    """The pool's one connection says nothing of tenant, user and patron, and shows nobody's rows."""
    async with services.pools.app.acquire(timeout=30) as connection:
        assert not connection.is_in_transaction()
        assert set(await connection.fetchval(CONTEXT)) <= {"", None}
        assert await connection.fetchval("select count(*) from roles") == 0
        assert await connection.fetchval("select ll.tenant_id()") is None


async def test_inside_it_is_told_and_after_the_commit_it_is_gone(single: Services, scope: WorkScope) -> None:
    async with unit_of_work(single, scope) as ctx:
        told = [UUID(text) for text in await ctx.db.fetchval(CONTEXT)]
        pid = await ctx.db.fetchval("select pg_backend_pid()")
    assert told == [scope.tenant_id, scope.actor.user_id, scope.actor.patron_id]
    await assert_clean(single)
    async with single.pools.app.acquire() as connection:
        assert await connection.fetchval("select pg_backend_pid()") == pid


async def test_after_a_refusal_it_is_gone(single: Services, scope: WorkScope) -> None:
    with pytest.raises(Conflict):
        async with unit_of_work(single, scope):
            raise Conflict
    await assert_clean(single)


async def test_after_an_error_of_the_database_it_is_gone(single: Services, scope: WorkScope) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with unit_of_work(single, scope) as ctx:
            await ctx.db.execute("select 1 / 0")
    await assert_clean(single)


async def test_after_a_savepoint_that_was_rolled_back_it_is_as_before_and_then_gone(
    single: Services, scope: WorkScope
) -> None:
    async with unit_of_work(single, scope) as ctx:
        await ctx.db.execute("savepoint elsewhere")
        await ctx.db.execute("set local app.tenant_id = '00000000-0000-7000-8000-000000000001'")
        await ctx.db.execute("rollback to savepoint elsewhere")
        assert await ctx.db.fetchval("select ll.tenant_id()") == scope.tenant_id
        await ctx.db.execute("savepoint elsewhere")
        await ctx.db.execute("set local app.patron_id = ''")
        await ctx.db.execute("release savepoint elsewhere")
    await assert_clean(single)


async def test_after_a_cancellation_it_is_gone(single: Services, scope: WorkScope) -> None:
    async def slow() -> None:
        async with unit_of_work(single, scope) as ctx:
            await ctx.db.execute("select pg_sleep(20)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await assert_clean(single)


async def test_after_the_server_ended_the_connection_the_next_one_works(
    single: Services, scope: WorkScope, database_settings: Settings
) -> None:
    async def killed() -> None:
        async with unit_of_work(single, scope) as ctx:
            pid = await ctx.db.fetchval("select pg_backend_pid()")
            await administer(database_settings, "select pg_terminate_backend($1)", pid)
            await ctx.db.execute("select 1")

    with pytest.raises((asyncpg.PostgresError, *bounded.GONE)) as ended:
        await killed()
    assert is_unavailable(ended.value)
    await assert_clean(single)


async def test_a_transaction_without_a_tenant_sees_and_writes_nothing(single: Services, scope: WorkScope) -> None:
    async with single.pools.app.acquire() as connection:
        assert await connection.fetchval("select count(*) from roles") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(ROLE, scope.tenant_id, "intruder")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("set role lastlight_owner")


async def test_a_cancelled_request_never_gives_another_its_answer(database_settings: Settings) -> None:
    tenants = [await make_tenant(database_settings, f"t{uuid7().hex}") for _ in range(4)]
    for tenant in tenants:
        await administer(database_settings, ROLE, tenant, str(tenant))
    dice = random.Random(20261121)  # noqa: S311 - a seeded order of events, no secret

    async with opened_services(replace(database_settings, db_pool_size=3)) as services:

        async def ask(tenant: UUID) -> None:
            for _ in range(3):
                async with system_ctx(services, tenant) as ctx:  # pyright: ignore[reportArgumentType] a tenant's id
                    sql = "select key, pg_sleep($1) from roles"
                    found = [row["key"] for row in await ctx.db.fetch(sql, dice.random() / 400)]
                    assert found == [str(tenant)]

        async def ask_and_leave(tenant: UUID) -> bool:
            task = asyncio.create_task(ask(tenant))
            await asyncio.sleep(dice.random() / 60)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return task.cancelled()

        cancelled = 0
        for _ in range(30):
            work = [ask(dice.choice(tenants)) for _ in range(3)]
            leaving = [ask_and_leave(dice.choice(tenants)) for _ in range(7)]
            outcomes = await asyncio.gather(*work, *leaving)
            cancelled += sum(bool(outcome) for outcome in outcomes)
    assert cancelled > 50


async def test_without_a_free_connection_it_is_busy_soon_and_then_works_again(
    single: Services, scope: WorkScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "ACQUIRE_SECONDS", 0.3)
    async with unit_of_work(single, scope):
        started = time.monotonic()
        outcomes = await asyncio.gather(*(_enter(single, scope) for _ in range(50)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Busy] * 50
        assert time.monotonic() - started < 10, "all of them at once: one after another it would take 15 seconds"
    assert await _enter(single, scope) is None


async def _enter(services: Services, scope: WorkScope) -> None:
    async with unit_of_work(services, scope):
        pass


async def test_a_value_that_is_no_uuid_is_never_rendered(single: Services, scope: WorkScope) -> None:
    forged: UUID = "'; drop table roles; --"  # pyright: ignore[reportAssignmentType] what a forged id would be
    with pytest.raises(TypeError):
        await _enter(single, replace(scope, tenant_id=forged))  # pyright: ignore[reportArgumentType] as above
    await assert_clean(single)
