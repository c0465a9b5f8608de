"""I1: every operation × role × tenant {own, foreign, absent}: nothing of another business is told, nothing of it is changed."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.db.connection import Db
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.settings import Settings
from tests.contracts import locks, probes
from tests.database.allowed import GLOBAL_TABLES
from tests.database.test_policies import POLICIES
from tests.support.calls import OPERATIONS
from tests.support.fault_runs import FaultRun, database_of, life_of_a_world, must_fail
from tests.support.probes import breaches, loosened, prepare
from tests.support.side_doors import has_pages, try_cursors, try_fields, try_scanners, try_sockets
from tests.support.strangers import Crossing, Found, Walls, crews, strangers, walls_of
from tests.support.world import Somebody, World, opened_world

pytestmark = [pytest.mark.database, pytest.mark.contract]

INSIDE = [op for op in OPERATIONS.values() if not op.public]
WITH_FIELDS = [op for op in INSIDE if probes.fields_with_ids(op) and not crews(op)]
PAGED = [op for op in INSIDE if has_pages(op)]
TELLING = [op for op in INSIDE if op.kind == "api" and op.method == "POST" and not crews(op)]
"""What makes events when somebody of A does it."""
QUICK_ASKERS = ("B.owner", "B.patron", "B.vendor_admin", "crew.super_admin inside B", "crew as B.owner", "anonymous")


@pytest.fixture(scope=life_of_a_world)
async def world(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """Two businesses, somebody of every kind."""
    async with opened_world(database_of(request)) as found:
        yield found


@pytest.fixture
async def walls(world: World) -> Walls:
    """What must stay on tenant A's side."""
    return await walls_of(world)


async def askers_of(world: World, run: FaultRun) -> Sequence[Somebody]:
    """All strangers in the long form, one of each kind in the quick share."""
    everybody = await strangers(world)
    return everybody if run.long else [who for who in everybody if who.name in QUICK_ASKERS]


def share(run: FaultRun, ops: Sequence[Operation], *, quick: int) -> Sequence[Operation]:
    """Every operation in the long form, some of them in the quick share: which, the seed says."""
    return run.rng.sample(ops, run.size(quick=min(quick, len(ops)), long=len(ops)))


async def crossed(world: World, walls: Walls, run: FaultRun, ops: Sequence[Operation]) -> Found:
    """What strangers come upon who try these operations."""
    crossing = Crossing(world, walls, run.rng)
    await strangers(world)
    for op in ops:
        await crossing.visit(op, await askers_of(world, run))
    return crossing.found


@pytest.mark.fault("I1")
async def test_no_operation_tells_or_changes_anything_of_another_business(
    world: World, walls: Walls, run: FaultRun
) -> None:
    found = await crossed(world, walls, run, share(run, INSIDE, quick=10))
    run.report(operations=found.operations, askers=len(await askers_of(world, run)), probes=found.probes)
    run.report(leaks=len(found.leaks))
    assert not found.leaks, probes.said(found.leaks)


@pytest.mark.fault("I1")
async def test_ids_in_fields_cursors_scanners_and_sockets_open_no_side_door(
    world: World, walls: Walls, run: FaultRun
) -> None:
    found = Found()
    await strangers(world)
    for op in share(run, WITH_FIELDS, quick=5):
        await try_fields(world, found, op, await askers_of(world, run))
    for op in share(run, PAGED, quick=4):
        await try_cursors(walls, found, op, await askers_of(world, run))
    await try_scanners(walls, found)
    heard = await try_sockets(walls, found, share(run, TELLING, quick=4))
    run.report(fields=len(WITH_FIELDS), lists=len(PAGED), events=heard, probes=found.probes, leaks=len(found.leaks))
    assert not found.leaks, probes.said(found.leaks)
    assert heard, "A's own socket heard nothing: there was nothing to overhear"


@pytest.mark.fault("I1")
@pytest.mark.parametrize("lock", ["policies", "statements"])
async def test_each_of_the_two_locks_holds_alone(world: World, walls: Walls, run: FaultRun, lock: str) -> None:
    """Policies off: the statements' own predicates hold. Predicates off: the policies hold."""
    ops = [op for op in INSIDE if op.db is None and not crews(op) and probes.named_things(op)]
    chosen = share(run, ops, quick=3)
    everything = await locks.policies(world, "tenant_rows", "guest_rows", "guest_reads")
    if lock == "statements":
        async with locks.without_policies(world, everything):
            found = await crossed(world, walls, run, chosen)
    else:
        await strangers(world)  # signing in reads by the one who is sought, which is no lock of a tenant's
        with locks.without_naming():
            found = await crossed(world, walls, run, chosen)
    run.report(operations=found.operations, probes=found.probes, leaks=len(found.leaks))
    assert not found.leaks, probes.said(found.leaks)


@pytest.mark.control("I1")
async def test_a_statement_without_its_tenant_and_a_table_without_its_policy_are_found(
    world: World, walls: Walls, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table's policies and the tenant of the statements on it are taken away: strangers then read A's venues."""
    op = OPERATIONS["GET /api/venues/{venue_id:uuid}"]
    real: Any = Db.fetchrow

    def loose(self: Db, sql: str, *args: Any) -> Any:
        return real(self, locks.NAMED.sub(r"($\2::uuid is not null)", sql) if "venues" in sql else sql, *args)

    await strangers(world)
    monkeypatch.setattr(Db, "fetchrow", loose)
    async with locks.without_policies(world, await locks.policies(world, table="venues")):
        found = await crossed(world, walls, run, [op])
    run.report(probes=found.probes, leaks=len(found.leaks))
    must_fail(found.leaks)


@pytest.mark.fault("I1")
async def test_every_policy_that_is_taken_away_is_missed(database_settings: Settings, run: FaultRun) -> None:
    """Raw SQL as each kind of reader: nothing gets through as it stands, and something does without each single policy."""
    connection: Any = await asyncpg.connect(database_settings.admin_dsn())
    whole = connection.transaction()
    await whole.start()
    try:
        ground = await prepare(connection)
        policies = await connection.fetch(POLICIES, [*GLOBAL_TABLES])
        chosen = run.rng.sample(policies, run.size(quick=12, long=len(policies)))
        unnoticed: list[str] = []
        for policy in chosen:
            assert await breaches(ground, policy["table_name"]) == []
            one = connection.transaction()
            await one.start()
            await connection.execute(loosened(policy))
            if not await breaches(ground, policy["table_name"]):
                unnoticed.append(f"{policy['table_name']}.{policy['name']}")
            await one.rollback()
    finally:
        await whole.rollback()
        await connection.close()
    run.report(policies=len(policies), removed=len(chosen), caught=len(chosen) - len(unnoticed))
    assert unnoticed == []
