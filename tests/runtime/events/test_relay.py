"""The relay: order, no gaps, nothing lost or doubled, whoever is killed."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events import move, relay
from lastlight.runtime.events.poke import start_poking
from lastlight.runtime.events.relay import run_relay
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.enqueue import Wanted, enqueue_all
from lastlight.runtime.module import Module, Reaction
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.sockets import until
from tests.support.streams import (
    BellRang,
    GongRang,
    kill_backend,
    move_all,
    new_tenant,
    open_services,
    relaying,
    ring,
    settled,
    stream_of,
)

pytestmark = pytest.mark.database


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with open_services(database_settings) as opened:
        yield opened


async def test_events_reach_the_stream_in_the_order_they_were_emitted(services: Services) -> None:
    tenant = await new_tenant(services)
    async with relaying(services):
        await ring(services, tenant, 1, 2, 3)
        await ring(services, tenant, 4)
        found = await settled(services, tenant, 4)
    assert [(event.seq, event.number) for event in found] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert await services.pools.system.fetchval("select count(*) from outbox where tenant_id = $1", tenant) == 0


async def test_two_reversed_transactions_keep_the_order_of_their_ids_and_none_is_skipped(services: Services) -> None:
    """W5: the first to begin commits last; nothing above it may be published before it, and it is not skipped."""
    tenant = await new_tenant(services)
    async with relaying(services):
        async with system_ctx(services, tenant) as early:
            await early.db.execute("select pg_current_xact_id()")
            await ring(services, tenant, 2)  # begins later, commits first
            await asyncio.sleep(0.3)
            assert await stream_of(services, tenant) == []
            early.emit(BellRang(number=1), entity=("bell", "1"))
        found = await settled(services, tenant, 2)
    assert [(event.seq, event.number) for event in found] == [(1, 1), (2, 2)]


async def ring_and_fail(services: Services, tenant: TenantId) -> None:
    async with system_ctx(services, tenant) as ctx:
        ctx.emit(BellRang(number=13), entity=("bell", "13"))
        raise ZeroDivisionError


async def test_a_rolled_back_transaction_leaves_no_event_and_no_gap(services: Services) -> None:
    tenant = await new_tenant(services)
    async with relaying(services):
        await ring(services, tenant, 1)
        with pytest.raises(ZeroDivisionError):
            await ring_and_fail(services, tenant)
        await ring(services, tenant, 2)
        found = await settled(services, tenant, 2)
    assert [(event.seq, event.number) for event in found] == [(1, 1), (2, 2)]


async def test_each_tenant_has_its_own_numbers(services: Services) -> None:
    first, second = await new_tenant(services), await new_tenant(services)
    async with relaying(services):
        await asyncio.gather(*(ring(services, tenant, n) for n in range(20) for tenant in (first, second)))
        found = [await settled(services, tenant, 20) for tenant in (first, second)]
    for stream in found:
        assert [event.seq for event in stream] == list(range(1, 21))
        assert sorted(event.number for event in stream) == list(range(20))


async def test_nothing_is_lost_or_doubled_while_relays_are_killed(services: Services) -> None:
    """C3: two relays compete, the leader's backend is killed again and again while four writers emit."""
    chance = random.Random(20)  # noqa: S311 - a test's dice
    tenant = await new_tenant(services)
    await start_poking(services)
    stop = asyncio.Event()
    relays = [asyncio.create_task(run_relay(services, stop)) for _ in range(2)]
    admin: Any = await asyncpg.connect(services.settings.admin_dsn())
    killed = 0

    async def write(start: int) -> None:
        for number in range(start, start + 100):
            await ring(services, tenant, number)

    async def kill() -> None:
        nonlocal killed
        while not stop.is_set():
            await asyncio.sleep(chance.uniform(0.02, 0.25))
            sql = (
                "select count(pg_terminate_backend(a.pid)) from pg_stat_activity a join pg_locks l using (pid)"
                " where a.application_name = 'lastlight-relay' and a.datname = current_database()"
                " and l.locktype = 'advisory' and l.granted"
            )
            killed += await admin.fetchval(sql)

    killer = asyncio.create_task(kill())
    await asyncio.gather(*(write(start) for start in (0, 100, 200, 300)))
    await until(lambda: killed >= 3, seconds=60)
    killer.cancel()
    found = await settled(services, tenant, 400)
    stop.set()
    await asyncio.gather(*relays)
    await admin.close()
    assert killed >= 3
    assert [event.seq for event in found] == list(range(1, 401))
    assert sorted(event.number for event in found) == list(range(400))
    for start in (0, 100, 200, 300):  # one writer's events keep their order
        mine = [event.number for event in found if start <= event.number < start + 100]
        assert mine == sorted(mine)


async def test_a_follower_takes_over_when_the_leader_dies(services: Services) -> None:
    tenant = await new_tenant(services)
    await start_poking(services)
    stop, stopped = asyncio.Event(), asyncio.Event()
    leader = asyncio.create_task(run_relay(services, stopped))
    await ring(services, tenant, 1)
    await settled(services, tenant, 1)
    follower = asyncio.create_task(run_relay(services, stop))
    await asyncio.sleep(0.1)
    leader.cancel()
    await ring(services, tenant, 2)
    await settled(services, tenant, 2)
    stop.set()
    await follower


async def test_without_a_poke_the_relay_looks_by_itself(services: Services) -> None:
    tenant = await new_tenant(services)
    async with relaying(services):
        services.poke = lambda: None
        await ring(services, tenant, 1)
        await settled(services, tenant, 1)


@job("echo.bell")
async def echo_bell(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> None:
    """Answer a bell."""


ECHO = Module(name="echo", jobs=[echo_bell], reactions=[Reaction(BellRang, echo_bell)])


async def test_a_reaction_is_queued_once_for_each_event_however_often_the_relay_dies(
    database_settings: Settings,
) -> None:
    async with open_services(database_settings, ECHO) as services:
        tenant = await new_tenant(services)
        admin: Any = await asyncpg.connect(services.settings.admin_dsn())
        killed = 0
        async with relaying(services):
            for number in range(60):
                await ring(services, tenant, number)
                await ring(services, tenant, number, event=GongRang)
                await asyncio.sleep(0.02)
                if number % 20 == 10:
                    killed += await kill_backend(admin, "lastlight-relay")
            await settled(services, tenant, 120)
        await admin.close()
        sql = "select args from jobs where tenant_id = $1 and kind = 'echo.bell' order by (args ->> 'seq')::bigint"
        queued = [row["args"] for row in await services.pools.system.fetch(sql, tenant)]
        bells = [event for event in await stream_of(services, tenant) if event.name == "bell.rang"]
    assert killed >= 3
    assert [(args["seq"], args["data"]) for args in queued] == [(bell.seq, {"number": bell.number}) for bell in bells]
    assert len(queued) == 60


@job("mute.bell")
async def mute_bell(ctx: Ctx, clapper: str) -> None:
    """Needs what no event brings."""


async def test_a_reaction_that_cannot_be_queued_stops_neither_the_stream_nor_the_others(
    database_settings: Settings,
) -> None:
    reactions = [Reaction(BellRang, mute_bell), Reaction(BellRang, echo_bell)]
    mute = Module(name="mute", jobs=[mute_bell, echo_bell], reactions=reactions)
    failed = REGISTRY.get_sample_value("lastlight_relay_reactions_failed_total", {"job": "mute.bell"}) or 0
    async with open_services(database_settings, mute) as services:
        tenant = await new_tenant(services)
        async with relaying(services):
            await ring(services, tenant, 1, 2, 3)
            await settled(services, tenant, 3)
        sql = "select kind, count(*) as queued from jobs where tenant_id = $1 group by kind"
        queued = {row["kind"]: row["queued"] for row in await services.pools.system.fetch(sql, tenant)}
    assert queued == {"echo.bell": 3}
    assert REGISTRY.get_sample_value("lastlight_relay_reactions_failed_total", {"job": "mute.bell"}) == failed + 3


async def test_the_answers_to_a_batch_are_queued_by_one_statement(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement for each held the stream up: 0.3 ms for every arrival, one after another."""
    counts: list[int] = []

    async def counted(services: Services, connection: Any, wanted: list[Wanted]) -> None:
        counts.append(len(wanted))
        await enqueue_all(services, connection, wanted)

    monkeypatch.setattr(move, "enqueue_all", counted)
    async with open_services(database_settings, ECHO) as services:
        tenant = await new_tenant(services)
        await ring(services, tenant, *range(40))
        async with services.pools.system.acquire() as connection:
            await move_all(services, connection, 40)
        order = [bell.number for bell in await stream_of(services, tenant)]
        sql = """
        select j.args -> 'data' ->> 'number' as number
        from queue.pgqueuer q join jobs j on q.payload = uuid_send(j.tenant_id) || uuid_send(j.id)
        where j.tenant_id = $1 order by q.id
        """
        carried = [int(row["number"]) for row in await services.pools.system.fetch(sql, tenant)]
    assert counts == [40]
    assert carried == order == list(range(40))


async def test_a_batch_is_committed_whole_or_not_at_all(services: Services) -> None:
    """C1 in the relay: whatever fails before its commit, the outbox and the chain stand as before."""
    tenant = await new_tenant(services)
    await ring(services, tenant, 1, 2)
    connection: Any = await asyncpg.connect(services.settings.dsn("system"))
    await connection.execute("set statement_timeout = '2s'")
    blocker: Any = await asyncpg.connect(services.settings.admin_dsn())
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("lock table events in access exclusive mode")
    with pytest.raises(asyncpg.QueryCanceledError):
        await move_all(services, connection, 2)
    await transaction.rollback()
    await blocker.close()
    await connection.execute("reset statement_timeout")
    assert await services.pools.system.fetchval("select count(*) from outbox where tenant_id = $1", tenant) == 2
    assert await services.pools.system.fetchval("select count(*) from audit_entries where tenant_id = $1", tenant) == 0
    await move_all(services, connection, 2)
    await connection.close()
    assert [(event.seq, event.number) for event in await stream_of(services, tenant)] == [(1, 1), (2, 2)]


async def test_a_transaction_that_holds_the_horizon_back_raises_the_alarm(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []

    def note(event: str, **_: Any) -> None:
        errors.append(event)

    monkeypatch.setattr(relay, "HELD_ALARM_SECONDS", 0.2)
    monkeypatch.setattr(relay.log, "error", note)
    tenant = await new_tenant(services)
    async with relaying(services):
        async with system_ctx(services, tenant) as holding:
            await holding.db.execute("select pg_current_xact_id()")
            await ring(services, tenant, 1)
            await until(lambda: (REGISTRY.get_sample_value("lastlight_relay_held_seconds") or 0) > 0.5)
        await settled(services, tenant, 1)
        await until(lambda: REGISTRY.get_sample_value("lastlight_relay_held_seconds") == 0)
    assert len(errors) == 1
    assert "holds events back" in errors[0]
