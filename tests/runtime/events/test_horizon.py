"""The horizon: whatever the order in which transactions commit, a stream keeps the order of their ids and skips none (W5)."""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from lastlight.kernel.ids import TenantId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events import move
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.streams import BellRang, new_tenant, open_services, relaying, ring, settled, stream_of

pytestmark = pytest.mark.database

WRITERS = 10
ROUNDS = 12
PAUSES = (0, 0, 0.002, 0.02, 0.06)
HORIZON = "where o.xid < pg_snapshot_xmin(pg_current_snapshot())"


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with open_services(dataclasses.replace(database_settings, db_pool_size=WRITERS + 2)) as opened:
        yield opened


@dataclass
class Written:
    """What the writers committed: the transaction id of each number, by tenant."""

    xids: dict[TenantId, dict[int, int]] = field(default_factory=dict[TenantId, dict[int, int]])
    started: int = 0

    def next_number(self) -> int:
        self.started += 1
        return self.started


@dataclass
class Seen:
    """What a follower saw: tenant, number in the stream, number of the bell."""

    rows: list[tuple[TenantId, int, int]] = field(default_factory=list[tuple[TenantId, int, int]])


class RolledBackError(Exception):
    """A writer's change of mind."""


async def write(services: Services, tenants: list[TenantId], written: Written, chance: random.Random) -> None:
    """Transactions that take their id, wait, emit, wait, and commit or not."""
    for _ in range(ROUNDS):
        tenant = chance.choice(tenants)
        numbers = [written.next_number() for _ in range(chance.randint(1, 4))]
        with contextlib.suppress(RolledBackError):
            xid = await emit(services, tenant, numbers, pause=chance.choice(PAUSES), fails=chance.random() < 0.15)
            written.xids[tenant].update(dict.fromkeys(numbers, xid))


async def emit(services: Services, tenant: TenantId, numbers: list[int], *, pause: float, fails: bool) -> int:
    """One transaction; its id."""
    async with system_ctx(services, tenant) as ctx:
        xid = int(await ctx.db.fetchval("select pg_current_xact_id()::text"))
        await asyncio.sleep(pause)
        for number in numbers:
            ctx.emit(BellRang(number=number), entity=("bell", uuid4()))
        if fails:
            raise RolledBackError
    return xid


async def follow(services: Services, seen: Seen, stop: asyncio.Event) -> None:
    """Read like a web process's feed: only what lies behind the last position, while the relay writes."""
    position = await services.pools.system.fetchval("select coalesce(max(position), 0) from events")
    sql = "select position, tenant_id, seq, data from events where position > $1 order by position"
    while True:
        last = stop.is_set()
        for row in await services.pools.system.fetch(sql, position):
            position = row["position"]
            seen.rows.append((row["tenant_id"], row["seq"], row["data"]["number"]))
        if last:
            return
        await asyncio.sleep(0.003)


@pytest.mark.parametrize("seed", [1, 2])
async def test_many_writers_that_commit_in_any_order(services: Services, seed: int) -> None:
    tenants = [await new_tenant(services) for _ in range(3)]
    written, seen, stop = Written({tenant: {} for tenant in tenants}), Seen(), asyncio.Event()
    async with relaying(services):
        following = asyncio.create_task(follow(services, seen, stop))
        dice = [random.Random(seed * 100 + n) for n in range(WRITERS)]  # noqa: S311 - a test's dice
        await asyncio.gather(*(write(services, tenants, written, chance) for chance in dice))
        streams = {tenant: await settled(services, tenant, len(written.xids[tenant])) for tenant in tenants}
        stop.set()
        await following
    assert written.started > sum(len(xids) for xids in written.xids.values()), "nobody changed their mind"
    for tenant, stream in streams.items():
        xids = written.xids[tenant]
        assert sorted(event.number for event in stream) == sorted(xids), "each committed event once, and no other"
        assert [event.seq for event in stream] == list(range(1, len(stream) + 1))
        order = [(xids[event.number], event.number) for event in stream]
        assert order == sorted(order), "by transaction id, then as emitted"
        followed = [(seq, number) for where, seq, number in seen.rows if where == tenant]
        assert followed == [(event.seq, event.number) for event in stream], "a follower by position sees the same"


async def test_without_the_horizon_the_same_order_is_lost(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the property above rests on that one condition of the relay's query."""
    assert HORIZON in move.READY
    monkeypatch.setattr(move, "READY", move.READY.replace(HORIZON, ""))
    tenant = await new_tenant(services)
    async with relaying(services):
        async with system_ctx(services, tenant) as early:
            await early.db.execute("select pg_current_xact_id()")
            await ring(services, tenant, 2)
            await settled(services, tenant, 1)
            early.emit(BellRang(number=1), entity=("bell", "1"))
        found = await settled(services, tenant, 2)
    assert [event.number for event in found] == [2, 1]


async def test_an_idle_transaction_holds_back_and_lets_go_when_its_backend_ends(services: Services) -> None:
    """What holds the horizon is ended by hand or by its timeout; then everything behind it comes, and nothing of it."""
    tenant = await new_tenant(services)
    async with relaying(services):
        idle: Any = await asyncpg.connect(services.settings.dsn("app"))
        await idle.execute(f"begin; set local app.tenant_id = '{tenant}'; select pg_current_xact_id()")
        await ring(services, tenant, 1, 2)
        await asyncio.sleep(0.5)
        assert await stream_of(services, tenant) == []
        admin: Any = await asyncpg.connect(services.settings.admin_dsn())
        await admin.execute("select pg_terminate_backend($1)", idle.get_server_pid())
        await admin.close()
        found = await settled(services, tenant, 2)
        idle.terminate()
    assert [(event.seq, event.number) for event in found] == [(1, 1), (2, 2)]
