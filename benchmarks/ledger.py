"""The ledger against what the same server can do at most: one row inserted by pgbench, in turns on one durable server.

Uniform moves go between a thousand strict accounts; hot ones all end on the same account, strict or deferred. The batcher is measured as
the platform calls it, from Python, with 32 callers who each wait for their answer; a batch by one connection.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.ground import Ground, durable_ground
from benchmarks.hordak_peer import opened_hordak
from benchmarks.measure import Figure, Stopwatch, Work, interleaved, milliseconds, percentile
from benchmarks.peer import Script, pgbench
from lastlight.domains.ledger import AccountId, Leg, Transaction, TransactionId
from lastlight.domains.ledger.batcher import Batcher
from lastlight.domains.ledger.batches import BATCH
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.db.migrate import migrate
from tests.support.services import make_tenant, opened_services

ACCOUNTS = 1_000
CALLERS = 32
BATCH_OF = 8_000
HOT = UUID("40000000-0000-0000-0000-000000000001")
DEFERRED = UUID("f0000000-0000-0000-0000-000000000001")
REQUEST = "'00000000-0000-4000-8000-000000000001'::uuid"
"""What was asked for is hashed by whoever posts, so that the server makes one id for a posting, as for the row of the limit."""
OPEN = """
insert into ledger_accounts (tenant_id, id, code, currency, side, mode, floor, cr)
select $1::uuid, ('10000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'credits', 'ZAR', 'credit', 'strict', 0, 1000000000
from generate_series(1, $2) n
union all select $1, '40000000-0000-0000-0000-000000000001', 'drawer', 'ZAR', 'credit', 'strict', 0, 0
union all select $1, 'f0000000-0000-0000-0000-000000000001', 'revenue', 'ZAR', 'credit', 'deferred', null, 0
"""
LIMIT = """
create table bench_rows (tenant_id uuid not null, id uuid not null, src uuid not null, dst uuid not null, amount bigint not null,
                         at timestamptz not null default now(), primary key (tenant_id, id));
grant insert on bench_rows to lastlight_app
"""
CHECKS = """
select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint
where contype = 'c' and conrelid in ('ledger_accounts'::regclass, 'ledger_postings'::regclass)
union all
select format('alter domain %s drop constraint %I', contypid::regtype, conname) from pg_constraint
where contypid <> 0 and contypid::regtype::text like 'll.ledger%'
"""
UNGUARDED = """
alter table ledger_postings disable trigger user, disable row level security;
alter table ledger_accounts disable trigger user, disable row level security
"""


def numbered(number: int) -> UUID:
    """The strict account of that number."""
    return UUID(f"10000000-0000-0000-0000-{number:012d}")


STRICT = [numbered(number) for number in range(1, ACCOUNTS + 1)]


def account(name: str) -> str:
    """pgbench's account of that number."""
    return f"('10000000-0000-0000-0000-' || lpad(:{name}, 12, '0'))::uuid"


def inserted() -> Script:
    """One row, with the ids that a posting has: the limit."""
    values = f"values (:tenant, uuidv7(), {account('a')}, {account('b')}, 1)"
    return _of(f"insert into bench_rows (tenant_id, id, src, dst, amount) {values};")


def posted(to: str = "") -> Script:
    """One transaction of one leg in one call."""
    source, destination = account("a"), (to and f"'{to}'::uuid") or account("b")
    legs = f"array[{source}], array[{destination}], array[1::bigint]"
    return _of(f"select ll.ledger_post(uuidv7(), {REQUEST}, 'bench', {legs}) where :tenant::text <> '';")


def _of(line: str) -> Script:
    half = ACCOUNTS // 2
    return Script([f"\\set a random(1, {half})", f"\\set b random({half + 1}, {ACCOUNTS})", line])


@dataclass(slots=True)
class Bench:
    """A business with its books on a durable server."""

    ground: Ground
    services: Any
    tenant_id: TenantId
    size: int
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - a load, not a secret
    rounds: "count[int]" = field(default_factory=count)

    def by(self, script: Script, *, clients: int, share: int = 1) -> Work:
        """A round of a script, or one of a share of the size; transactions a second."""

        async def work() -> float:
            each = max(1, self.size // clients // share)
            given = {"tenant": self.tenant_id}
            pace = await pgbench(
                self.ground, script, folder=self.ground.folder, clients=clients, each=each, variables=given
            )
            return pace.rate

        return work

    def pair(self) -> tuple[UUID, UUID]:
        """Two accounts, by chance."""
        half = ACCOUNTS // 2
        return self.chance.choice(STRICT[:half]), self.chance.choice(STRICT[half:])

    def batched(self, connection: Any, size: int) -> Work:
        """A batch of so many by one connection; transactions a second."""

        async def work() -> float:
            ids, pairs = [uuid4() for _ in range(size)], [self.pair() for _ in range(size)]
            sources, destinations = [a for a, _ in pairs], [b for _, b in pairs]
            ones, kinds = [1] * size, ["bench"] * size
            watch = Stopwatch()
            words = await connection.fetchval(
                BATCH, ids, [0] * size, ids, kinds, sources, destinations, ones, [None] * size, ["{}"] * size
            )
            if set(words) != {"posted"}:
                raise RuntimeError(f"the batch was not posted: {set(words)}")
            return size / watch.seconds

        return work

    def called(self, batcher: Batcher, waits: list[float], *, hot: bool) -> Work:
        """32 callers who wait for each of their transactions; transactions a second."""

        async def caller(times: int) -> None:
            for _ in range(times):
                a, b = self.pair()
                leg = Leg(AccountId(a), AccountId(HOT if hot else b), 1)
                begun = time.perf_counter()
                outcome = await batcher.post(
                    self.tenant_id, transaction=Transaction(TransactionId(uuid7()), "bench", [leg])
                )
                waits.append(time.perf_counter() - begun)
                if outcome != "posted":
                    raise RuntimeError(f"it was not posted: {outcome}")

        async def work() -> float:
            times = max(1, self.size // CALLERS)
            watch = Stopwatch()
            await asyncio.gather(*(caller(times) for _ in range(CALLERS)))
            return times * CALLERS / watch.seconds

        return work


@contextlib.asynccontextmanager
async def opened_bench(ground: Ground, *, size: int) -> AsyncGenerator[Bench]:
    """Books with their accounts, and the table of the limit."""
    settings = ground.settings
    async with opened_services(settings, (LEDGER,)) as services:
        tenant_id = await make_tenant(settings, "bench")
        admin = await asyncpg.connect(settings.admin_dsn())
        database = ground.dsn.rsplit("/", 1)[1]
        await admin.execute(f"alter role lastlight_app in database {database} set app.tenant_id = '{tenant_id}'")
        await admin.execute(OPEN, tenant_id, ACCOUNTS)
        await admin.execute(LIMIT)
        await admin.execute("analyze")
        await admin.close()
        yield Bench(ground, services, tenant_id, size)


async def run(*, quick: bool) -> list[Figure]:
    """All figures of the ledger."""
    size, rounds = (64, 1) if quick else (16_000, 5)
    async with durable_ground() as ground, opened_bench(ground, size=size) as bench:
        against = await against_hordak(bench, rounds=rounds, accounts=16 if quick else ACCOUNTS)
        return [against, *[figure async for figure in measure(bench, rounds=rounds, batch=64 if quick else BATCH_OF)]]


async def against_hordak(bench: Bench, *, rounds: int, accounts: int) -> Figure:
    """The Python API, 32 callers with the batcher, against django-hordak in eight processes."""
    async with opened_hordak(bench.ground, accounts=accounts) as hordak, Batcher(bench.services) as batcher:
        waits: list[float] = []
        found = await interleaved(
            bench.called(batcher, waits, hot=False), lambda: hordak.post(bench.size // 8), rounds=rounds
        )
    told: dict[str, Any] = {"per_s": percentile(found.ours, 0.5), "hordak_per_s": percentile(found.peer, 0.5)}
    return Figure("Python API / django-hordak", found.ratios, aim=20, told=told | milliseconds(waits))


async def measure(bench: Bench, *, rounds: int, batch: int) -> AsyncGenerator[Figure]:
    """The figures, one after the other."""
    limit = bench.by(inserted(), clients=8)
    yield await _ratio("one call, 8 clients / one row", bench.by(posted(), clients=8), limit, rounds, aim=0.50)
    busy = bench.by(inserted(), clients=CALLERS)
    for name, to, share in (("strict", HOT, 4), ("deferred", DEFERRED, 1)):
        work = bench.by(posted(str(to)), clients=CALLERS, share=share)
        yield await _ratio(f"hot {name} account, 32 clients / one row", work, busy, rounds)
    for name, hot, aim in (("uniform", False, 0.70), ("hot", True, 0.90)):
        waits: list[float] = []
        async with Batcher(bench.services) as batcher:
            work = bench.called(batcher, waits, hot=hot)
            yield await _ratio(f"batcher, 32 callers, {name} / one row", work, busy, rounds, aim=aim, waits=waits)
    connection = await asyncpg.connect(bench.ground.settings.dsn("app"))
    work = bench.batched(connection, batch)
    yield await _ratio(f"batches of {batch:,} / one row", work, busy, rounds, aim=2.5)
    await connection.close()
    yield await guards(bench, rounds)


async def guards(bench: Bench, rounds: int) -> Figure:
    """One call with row-level security, the append-only trigger and every check, against one without: two fresh databases side by side."""
    async with (
        opened_beside(bench, "guarded", without="") as guarded,
        opened_beside(bench, "bare", without=UNGUARDED) as bare,
    ):
        found = await interleaved(guarded.by(posted(), clients=8), bare.by(posted(), clients=8), rounds=rounds)
    told = {"per_s": percentile(found.ours, 0.5), "bare_per_s": percentile(found.peer, 0.5)}
    return Figure("guards: with / without", found.ratios, aim=0.85, told=told)


@contextlib.asynccontextmanager
async def opened_beside(bench: Bench, name: str, *, without: str) -> AsyncGenerator[Bench]:
    """Books of their own in another database of the server, without what the statements take away and, if there are any, without checks."""
    ground = replace(bench.ground, dsn=f"{bench.ground.dsn.rsplit('/', 1)[0]}/{name}")
    admin = await asyncpg.connect(bench.ground.dsn)
    await admin.execute(f"create database {name}")
    await admin.close()
    await migrate(ground.settings)
    if without:
        admin = await asyncpg.connect(ground.settings.admin_dsn())
        for row in await admin.fetch(CHECKS):
            await admin.execute(row[0])
        await admin.execute(without)
        await admin.close()
    async with opened_bench(ground, size=bench.size) as opened:
        yield opened


async def _ratio(
    name: str,
    ours: Callable[[], Awaitable[float]],
    peer: Work,
    rounds: int,
    *,
    aim: float | None = None,
    waits: Sequence[float] = (),
) -> Figure:
    found = await interleaved(ours, peer, rounds=rounds)
    told: dict[str, Any] = {"per_s": percentile(found.ours, 0.5), "one_row_per_s": percentile(found.peer, 0.5)}
    return Figure(name, found.ratios, aim=aim, told=told | (milliseconds(waits) if waits else {}))
