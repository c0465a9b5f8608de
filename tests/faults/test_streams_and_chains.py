"""The stream keeps its order whatever the order of commits (W5); the audit chain shows every falsification (G1)."""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.audit import retention, verify
from lastlight.runtime.audit.checkpoints import sign_due
from lastlight.runtime.audit.retention import forget_batch
from lastlight.runtime.audit.witness import keep_heads
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events import move
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support import chains
from tests.support.chains import Chain, built_chain
from tests.support.fault_runs import FaultRun, must_fail, until_found
from tests.support.reversals import Written, follow, misplaced, reversed_pairs
from tests.support.services import administer
from tests.support.streams import move_all, new_tenant, open_services, relaying, ring, settled

pytestmark = pytest.mark.database

HORIZON = "where o.xid < pg_snapshot_xmin(pg_current_snapshot())"
AT_ONCE = 5


@pytest.fixture(scope="module")
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with open_services(replace(database_settings, db_pool_size=2 * AT_ONCE + 2)) as opened:
        yield opened


# --- W5: commits out of order -----------------------------------------------------------------------------------------


async def streamed(run: FaultRun, services: Services, *, pairs: int) -> list[str]:
    """Reversed pairs of three tenants under a running relay, and a follower as every web process has one."""
    tenants = [await new_tenant(services) for _ in range(3)]
    written, stop = Written(), asyncio.Event()
    begin = await services.pools.system.fetchval("select coalesce(max(position), 0) from events")

    async def read(position: int) -> list[tuple[int, int]]:
        sql = "select position, data from events where position > $1 order by position"
        rows = await services.pools.system.fetch(sql, max(position, begin))
        return [(row["position"], row["data"]["number"]) for row in rows]

    found: list[str] = []
    async with relaying(services):
        following = asyncio.create_task(follow(read, stop))
        await reversed_pairs(services, tenants, written, pairs=pairs, at_once=AT_ONCE, dice=run.rng)
        for tenant in tenants:
            found += misplaced(written, tenant, await settled(services, tenant, len(written.xids[tenant])))
        stop.set()
        seen = await following
    if sorted(seen) != list(range(1, written.last + 1)):
        found.append(f"a follower saw {len(set(seen))} of {written.last}")
    run.report(reversed=written.reversed, events=written.last, followed=len(seen), broken=len(found))
    return found


@pytest.mark.fault("W5")
async def test_reversed_commits_skip_none(run: FaultRun, services: Services) -> None:
    assert await streamed(run, services, pairs=run.size(quick=60, long=10_000)) == []


@pytest.mark.control("W5")
async def test_without_the_horizon_the_order_is_lost(
    run: FaultRun, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HORIZON in move.READY
    monkeypatch.setattr(move, "READY", move.READY.replace(HORIZON, ""))
    must_fail(await until_found(lambda: streamed(run, services, pairs=30)))


async def skipped(run: FaultRun, services: Services) -> int:
    """How many events a relay of the simple kind misses, which takes what lies behind the last row that it saw."""
    tenant, written, stop = await new_tenant(services), Written(), asyncio.Event()

    async def read(position: int) -> list[tuple[int, int]]:
        sql = "select position as place, data from outbox where tenant_id = $1 and position > $2 order by position"
        rows = await services.pools.system.fetch(sql, tenant, position)
        return [(row["place"], row["data"]["number"]) for row in rows]

    following = asyncio.create_task(follow(read, stop))
    await reversed_pairs(services, [tenant], written, pairs=30, at_once=AT_ONCE, dice=run.rng)
    stop.set()
    seen = await following
    run.report(events=written.last, followed=len(seen))
    await services.pools.system.execute("delete from outbox where tenant_id = $1", tenant)
    return written.last - len(set(seen))


@pytest.mark.control("W5")
async def test_who_reads_behind_the_last_id_skips(run: FaultRun, services: Services) -> None:
    must_fail(await until_found(lambda: skipped(run, services)))


# --- G1: the audit chain ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def chain(services: Services) -> AsyncGenerator[Chain]:
    async with built_chain(services) as built:
        assert await built.findings() == []
        yield built


async def edits(run: FaultRun, chain: Chain, *, rounds: int) -> list[str]:
    """Each column of the chain's tables, in each of its places, changed as often as there are rounds."""
    columns = [
        column
        for column in await chain.admin.fetch(chains.COLUMNS)
        if (column["table_name"], column["name"]) not in chains.SAYS_NOTHING
    ]
    missed: list[str] = []
    tried, dice = 0, run.rng
    for _ in range(rounds):
        for column, (place, seq) in itertools.product(columns, chain.places.items()):
            findings = await chains.edit_one(chain, column, seq, dice)
            tried += findings is not None
            if findings == []:
                missed.append(f"{column['table_name']}.{column['name']} of {place}")
    run.report(edits=tried, missed=len(missed))
    return missed


@pytest.mark.fault("G1")
async def test_an_edited_column_is_found_wherever_it_stands(run: FaultRun, chain: Chain) -> None:
    assert await edits(run, chain, rounds=run.size(quick=1, long=40)) == []


@pytest.mark.control("G1")
@pytest.mark.parametrize("blind", ["_check_entry", "_check_checkpoint", "_check_tail"])
async def test_a_blinder_verification_misses_some(
    run: FaultRun, chain: Chain, monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    async def nothing(*_: object) -> None: ...

    def follows(report: Any, row: Any) -> None:
        report.seq, report.head = row["seq"], row["hash"]

    def silent(*_: object) -> None: ...

    stand_in = {"_check_entry": follows, "_check_checkpoint": silent, "_check_tail": nothing}
    monkeypatch.setattr(verify, blind, stand_in[blind])
    must_fail(await edits(run, chain, rounds=1))


async def restructured(run: FaultRun, chain: Chain, *, number: int) -> list[str]:
    """Entries cut, reordered, slipped in; chains rewritten with right hashes as far as a signature reaches."""
    missed: list[str] = []
    dice = run.rng
    for _ in range(number):
        name, findings = await _restructure(chain, dice)
        if not findings:
            missed.append(name)
    run.report(restructured=number, missed=len(missed))
    return missed


async def _restructure(chain: Chain, dice: random.Random) -> tuple[str, list[str]]:
    first = dice.randint(1, chain.length)
    last = min(chain.length, first + dice.choice((0, 0, 1, 5, 100)))
    other = dice.choice([seq for seq in range(1, chain.length + 1) if seq != first])
    under_seal = dice.randint(1, chain.signed[-1])
    match dice.randrange(6):
        case 0:
            return f"cut {first} to {last}", await chains.delete_some(chain, first, last)
        case 1 if last < chain.length:
            return f"closed the gap of {first} to {last}", await chains.close_the_gap(chain, first, last)
        case 2:
            return f"swapped {first} and {other}", await chains.swap(chain, first, other)
        case 3 if first < chain.length:
            return f"slipped in behind {first}", await chains.insert(chain, first, like=other)
        case 4:
            bare = dice.random() < 0.5
            return f"rewrote from {under_seal} on", await chains.rewrite(chain, under_seal, unsigned=bare)
        case _:
            bare = dice.random() < 0.5
            return f"cut off behind {under_seal - 1}", await chains.cut_tail(chain, under_seal - 1, unsigned=bare)


@pytest.mark.fault("G1")
async def test_cut_reordered_and_rewritten_chains_are_found(run: FaultRun, chain: Chain) -> None:
    assert await restructured(run, chain, number=run.size(quick=40, long=4_000)) == []
    assert await chain.findings() == [], "all of it was undone"


@pytest.mark.control("G1")
async def test_without_the_witness_a_tail_cut_with_its_checkpoints_passes(
    run: FaultRun, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "witness", None)
    must_fail(await restructured(run, chain, number=40))


@pytest.mark.fault("G1")
async def test_what_is_written_after_a_cut_does_not_hide_it(run: FaultRun, services: Services) -> None:
    """A chain that was cut off with every trace goes on and is signed anew: the head kept before stays, and says so."""
    async with built_chain(services) as cut:
        assert cut.witness is not None
        async with cut.admin.transaction():
            await cut.admin.execute("set local session_replication_role = replica")
            await chains.cut_off(cut, 3, unsigned=True)
        await ring(services, cut.tenant, *range(100, 140))
        mover: Any = await asyncpg.connect(services.settings.dsn("system"))
        await move_all(services, mover, 40)
        heads = await sign_due(mover, services.secrets, every_entries=1, every_seconds=0)
        differing = await keep_heads(mover, cut.witness, [head for head in heads if head.tenant_id == cut.tenant])
        await mover.close()
        findings = await cut.findings()
        run.report(differing=differing, findings=len(findings))
        assert differing == 1
        assert [finding for finding in findings if "kept outside the database" in finding] == findings != []


@pytest.mark.control("G1")
async def test_without_signatures_a_rewritten_chain_passes(
    run: FaultRun, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "CHECKPOINTS", verify.CHECKPOINTS.replace("order by seq", "and false"))
    monkeypatch.setattr(chain, "witness", None)
    must_fail(await restructured(run, chain, number=30))


# --- G1: retention ----------------------------------------------------------------------------------------------------


async def forgotten_on_time(run: FaultRun, services: Services, *, entries: int, within: float = 1.0) -> list[str]:
    """Entries whose three years end about now: each is emptied by the first run after its moment, by none before it."""
    tenant = await new_tenant(services)
    await ring(services, tenant, *range(entries))
    spread = "update outbox set at = now() - interval '3 years' + ($2::float8 * interval '1 second') where tenant_id = $1 and data ->> 'number' = $3"
    for number in range(entries):
        await administer(
            services.settings,
            spread,
            tenant,
            within * (run.rng.uniform(-1, 1) if number % 3 else (number % 2) * 2 - 1),
            str(number),
        )
    connection: Any = await asyncpg.connect(services.settings.dsn("system"))
    await move_all(services, connection, entries)
    await connection.close()
    kept = "select seq, payload is null and salt is null as gone, at < $2::timestamptz - interval '3 years' as due from audit_entries where tenant_id = $1"
    found: list[str] = []
    looks = states = 0
    while states < entries and looks < 400:
        async with system_ctx(services, role="system") as ctx:
            await forget_batch(ctx)
            rows = await ctx.db.fetch(kept, tenant, ctx.now)
        looks += 1
        states = sum(row["gone"] for row in rows)
        found += [
            f"entry {row['seq']} is {'gone' if row['gone'] else 'there'}" for row in rows if row["gone"] != row["due"]
        ]
        await asyncio.sleep(0.02)
    async with services.pools.system.acquire() as reader, reader.transaction(isolation="repeatable_read"):
        report = await verify.verify_tenant(reader, services.secrets, tenant)
    found += report.findings
    run.report(entries=entries, looks=looks, forgotten=report.forgotten, wrong=len(found))
    return found if report.forgotten == entries else [*found, "some were never forgotten"]


@pytest.mark.fault("G1")
async def test_retention_is_exact_and_leaves_the_chain_whole(run: FaultRun, services: Services) -> None:
    assert await forgotten_on_time(run, services, entries=run.size(quick=12, long=300)) == []


@pytest.mark.control("G1")
async def test_a_day_too_early_is_found(run: FaultRun, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    early = retention.FORGET.replace(
        "now() - make_interval(years => $2)", "now() + interval '1 day' - make_interval(years => $2)"
    )
    monkeypatch.setattr(retention, "FORGET", early)
    must_fail(await forgotten_on_time(run, services, entries=6, within=3600))
