"""The unit of work: all of it or nothing, in the name of a session that still stands, read only where it says so."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from lastlight.kernel.errors import Busy, Conflict, Invalid, NotFound, SessionEnded
from lastlight.kernel.ids import SessionId
from lastlight.runtime.auth.authenticate import authenticate
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import SessionChanged, WorkScope, system_ctx, unit_of_work
from lastlight.runtime.settings import Settings
from tests.support.bells import CREATE, BellNameTaken, BellRung, hang, tower
from tests.support.people import People

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    async with tower(database_settings) as found:
        yield found


class BellCracked(Invalid):
    """What was written before it was seen stands."""

    keeps = True


async def cast(ctx: Ctx, name: str) -> None:
    await ctx.db.execute(CREATE, ctx.tenant_id, bell := uuid4(), uuid4(), name, None)
    ctx.emit(BellRung(bell_id=str(bell)), entity=("bell", bell), reason=name)


async def count(world: People, name: str) -> tuple[int, int]:
    """How many bells of a name there are, and how many events that tell of them."""
    rows = await world.sql(
        """select (select count(*) from bells where name = $1) as bells,
                  (select count(*) from outbox where audit::jsonb->>'reason' = $1) as events""",
        name,
    )
    return rows[0]["bells"], rows[0]["events"]


async def test_what_happened_and_its_event_are_kept_together(world: People) -> None:
    done: list[str] = []

    async def callback() -> None:
        done.append("called")
        raise RuntimeError("what follows a commit undoes nothing")

    async with system_ctx(world.services, world.bar.id) as ctx:
        await cast(ctx, "together")
        ctx.after_commit(callback)
        assert done == []
    assert done == ["called"]
    assert await count(world, "together") == (1, 1)


@pytest.mark.parametrize("error", [RuntimeError("boom"), Invalid("No."), Busy(), KeyboardInterrupt()])
async def test_an_error_undoes_all_of_it(world: People, error: BaseException) -> None:
    done: list[str] = []

    async def callback() -> None:
        done.append("called")

    async def fails() -> None:
        async with system_ctx(world.services, world.bar.id) as ctx:
            await cast(ctx, "undone")
            ctx.after_commit(callback)
            raise error

    with pytest.raises(type(error)) as caught:
        await fails()
    assert caught.value is error
    assert (await count(world, "undone"), done) == ((0, 0), [])


async def test_a_refusal_that_keeps_leaves_what_was_written(world: People) -> None:
    async def refuses() -> None:
        async with system_ctx(world.services, world.bar.id) as ctx:
            await cast(ctx, "kept")
            raise BellCracked

    with pytest.raises(BellCracked):
        await refuses()
    assert await count(world, "kept") == (1, 1)


async def test_constraints_become_the_problems_that_their_modules_name(world: People) -> None:
    taken = await hang(world, "taken")

    async def run(sql: str, *args: Any) -> None:
        async with system_ctx(world.services, world.bar.id) as ctx:
            await ctx.db.execute(sql, world.bar.id, *args)

    with pytest.raises(BellNameTaken):
        await run(CREATE, uuid4(), uuid4(), "taken", None)
    with pytest.raises(Conflict) as caught:
        await run(CREATE, taken, uuid4(), "same id", None)
    assert caught.value.extra == {"constraint": "bells_pkey"}
    member = "insert into memberships (tenant_id, user_id, role_id) values ($1, $2, $3)"
    with pytest.raises(NotFound):
        await run(member, world.bar.users["owner"], uuid4())
    assert await count(world, "same id") == (0, 0)


async def scope_of(world: People, email: str) -> WorkScope:
    """The scope of somebody who has signed in, as a request would have it."""
    bearer = await world.bearer(email)
    actor = await authenticate(world.services, authorization=bearer["Authorization"], cookie=None)
    return WorkScope(actor=actor, tenant_id=actor.tenant_id)


async def test_permissions_that_changed_are_seen_before_anything_runs(world: People) -> None:
    scope = await scope_of(world, world.bar.email("owner"))
    await world.sql("update sessions set version = version + 1 where id = $1", scope.actor.session_id)
    with pytest.raises(SessionChanged):
        async with unit_of_work(world.services, scope):
            raise AssertionError("nothing may run")


@pytest.mark.parametrize("how", ["revoked_at = now()", "expires_at = now() - interval '1 second'"])
async def test_a_session_that_ended_begins_nothing(world: People, how: str) -> None:
    scope = await scope_of(world, world.bar.email("manager"))
    await world.sql(f"update sessions set {how} where id = $1", scope.actor.session_id)
    gone = WorkScope(replaced(scope, SessionId(uuid4())), scope.tenant_id)
    for ended in (scope, gone):
        with pytest.raises(SessionEnded):
            async with unit_of_work(world.services, ended):
                raise AssertionError("nothing may run")


def replaced(scope: WorkScope, session_id: SessionId) -> Any:
    return msgspec.structs.replace(scope.actor, session_id=session_id)


async def test_a_snapshot_reads_one_moment_and_writes_nothing(world: People) -> None:
    scope = await scope_of(world, world.bar.email("owner"))
    scope = replace(scope, snapshot=True)
    async with unit_of_work(world.services, scope) as ctx:
        before = await ctx.db.fetchval("select count(*) from bells where tenant_id = $1", world.bar.id)
        await hang(world, f"later {uuid4()}")
        assert await ctx.db.fetchval("select count(*) from bells where tenant_id = $1", world.bar.id) == before
        seen = await ctx.db.fetchval("select count(*) from bells where tenant_id <> $1", world.bar.id)
        assert seen == 0, "the policies hold as ever"
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with unit_of_work(world.services, scope) as ctx:
            await cast(ctx, "never")
    async with unit_of_work(world.services, replace(scope, snapshot=False)) as ctx:
        await cast(ctx, "again")
    assert await count(world, "again") == (1, 1), "the connection writes again afterwards"


async def test_a_snapshot_holds_nobody_up(world: People) -> None:
    """The relay waits for transactions that may still write; one that only reads is none of them."""
    scope = WorkScope(
        actor=(await scope_of(world, world.bar.email("owner"))).actor, tenant_id=world.bar.id, snapshot=True
    )
    async with unit_of_work(world.services, scope) as ctx:
        await ctx.db.fetchval("select count(*) from bells where tenant_id = $1", world.bar.id)
        await hang(world, f"meanwhile {uuid4()}")
        pid = await ctx.db.fetchval("select pg_backend_pid()")
        rows = await world.sql("select state, backend_xid from pg_stat_activity where pid = $1", pid)
        assert [tuple(row) for row in rows] == [("idle in transaction", None)]


async def test_a_stream_lets_go_when_its_reader_does(world: People) -> None:
    for n in range(5):
        await hang(world, f"streamed {n} {uuid4()}")
    scope = replace(await scope_of(world, world.bar.email("owner")), snapshot=True)

    async def leaves() -> None:
        async with unit_of_work(world.services, scope) as ctx:
            async for rows in ctx.db.stream("select id from bells where tenant_id = $1", world.bar.id, batch=2):
                assert len(rows) == 2
                raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await leaves()
    async with unit_of_work(world.services, scope) as ctx:
        assert await ctx.db.fetchval("select 1") == 1
