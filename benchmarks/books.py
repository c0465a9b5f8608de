"""The ledger's books after a long load with crashes: many connections post to the same accounts, backends are ended and killed meanwhile.

Whoever loses their connection posts the same again under the same ids. Then everything is recomputed, as `lastlight verify ledger`
does. Nothing may differ, no transaction may be there twice or be missing, and nobody may have met a deadlock.
"""

import asyncio
import contextlib
import os
import random
import signal
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.ground import Ground, durable_ground
from benchmarks.ledger import ACCOUNTS, DEFERRED, HOT, numbered, opened_bench
from benchmarks.measure import Figure, Stopwatch
from lastlight.domains.ledger.batches import BATCH
from lastlight.domains.ledger.verify import verify_books
from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.db.bounded import GONE
from lastlight.runtime.db.looking import opened_verifier

POSTINGS = 1_000_000
CLIENTS = 8
EACH = 250
"""Transactions of one call."""
KILLS = 4
"""So many times a backend is killed, which restarts the whole server; between two of them three are ended by a command."""
SIZE = "select pg_total_relation_size('ledger_postings')"
BACKENDS = "select pid from pg_stat_activity where usename = 'lastlight_app' and query like '%ledger_post%' and pid <> pg_backend_pid()"
LOST = (*GONE, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError)


@dataclass(slots=True)
class Load:
    """What is posted, by whom, and what they met."""

    ground: Ground
    tenant_id: TenantId
    left: int
    posted: set[UUID] = field(default_factory=set[UUID])
    refused: int = 0
    losses: int = 0
    deadlocks: int = 0
    over: bool = False

    async def client(self, seed: int) -> None:
        """Batch after batch until nothing is left; each until its answer has come."""
        chance = random.Random(seed)  # noqa: S311 - a load, not a secret
        connection: Any = None
        while self.left > 0:
            self.left -= EACH
            batch = _batch(chance)
            while True:
                try:
                    if connection is None or connection.is_closed():
                        connection = await asyncpg.connect(self.ground.settings.dsn("app"))
                    words = await connection.fetchval(BATCH, *batch)
                    break
                except asyncpg.DeadlockDetectedError:
                    self.deadlocks += 1
                except LOST:
                    self.losses += 1
                    await asyncio.sleep(0.05)
            for key, word in zip(batch[0], words, strict=True):
                if word in {"posted", "replay"}:
                    self.posted.add(key)
                else:
                    self.refused += word is not None
        if connection is not None:
            await connection.close()

    async def trouble(self) -> None:
        """End backends while there is work, and kill some: at even shares of the work."""
        whole, chance = self.left, random.Random(0)  # noqa: S311 - an order, not a secret
        for number in range(1, 4 * KILLS):
            while self.left > whole * (1 - number / (4 * KILLS)):
                if self.over:
                    return
                await asyncio.sleep(0.01)
            await self._strike(chance, kill=number % 4 == 0)

    async def _strike(self, chance: random.Random, *, kill: bool) -> None:
        with contextlib.suppress(*LOST):
            admin = await asyncpg.connect(self.ground.settings.admin_dsn())
            working = [row["pid"] for row in await admin.fetch(BACKENDS)]
            if working and kill:
                os.kill(chance.choice(working), signal.SIGKILL)
            elif working:
                await admin.execute("select pg_terminate_backend($1)", chance.choice(working))
            await admin.close()


def _batch(chance: random.Random) -> list[list[Any]]:
    """Transfers of one leg between any accounts; one in eight with the hot account, one in eight with the deferred one."""
    columns: list[list[Any]] = [[] for _ in range(9)]
    for _ in range(EACH):
        pair = [numbered(place) for place in chance.sample(range(1, ACCOUNTS + 1), 2)]
        other = {0: HOT, 1: DEFERRED}.get(chance.randrange(8), pair[1])
        src, dst = (pair[0], other) if chance.random() < 0.5 else (other, pair[0])
        key, amount = uuid7(), chance.choice((1, 7, 40_000_000))
        for column, value in zip(columns, (key, 0, key, "bench", src, dst, amount, None, "{}"), strict=True):
            column.append(value)
    return columns


async def run(*, quick: bool) -> list[Figure]:
    """The books after a million postings, or after a few."""
    async with durable_ground() as ground:
        return await measure(ground, postings=16 * EACH if quick else POSTINGS)


async def measure(ground: Ground, *, postings: int) -> list[Figure]:
    """Post so many with all that trouble, then recompute everything."""
    async with opened_bench(ground, size=1) as bench:
        await _opening(bench.ground, bench.tenant_id)
        load = Load(ground, bench.tenant_id, postings)
        watch = Stopwatch()
        striking = asyncio.create_task(load.trouble())
        await asyncio.gather(*(load.client(seed) for seed in range(1, CLIENTS + 1)))
        load.over = True
        await striking
        seconds = watch.seconds
        return await _recomputed(load, seconds)


async def _opening(ground: Ground, tenant_id: TenantId) -> None:
    """Give the accounts what they begin with by postings, which the books need to be whole."""
    admin = await asyncpg.connect(ground.settings.admin_dsn())
    await admin.execute("update ledger_accounts set cr = 0 where tenant_id = $1", tenant_id)
    await admin.close()
    app = await asyncpg.connect(ground.settings.dsn("app"))
    keys = [uuid7() for _ in range(ACCOUNTS)]
    guests = [numbered(place) for place in range(1, ACCOUNTS + 1)]
    rest = [[0] * ACCOUNTS, keys, ["bench"] * ACCOUNTS, [DEFERRED] * ACCOUNTS, guests, [100_000_000] * ACCOUNTS]
    await app.fetchval(BATCH, keys, *rest, [None] * ACCOUNTS, ["{}"] * ACCOUNTS)
    await app.close()


async def _recomputed(load: Load, seconds: float) -> list[Figure]:
    watch = Stopwatch()
    async with opened_verifier(load.ground.settings) as looker:
        async with looker.transaction(isolation="repeatable_read", readonly=True):
            books = await verify_books(looker, load.tenant_id)
        size = await looker.fetchval(SIZE)
    astray = books.postings - ACCOUNTS - len(load.posted)
    told = {
        "postings": books.postings,
        "per_s": books.postings / seconds,
        "refused": load.refused,
        "connections_lost": load.losses,
        "verified_per_s": books.postings / watch.seconds,
    }
    return [
        Figure("differences found in the books", (float(len(books.findings)),), "lower", limit=0, unit="", told=told),
        Figure("postings twice or missing", (float(abs(astray)),), "lower", limit=0, unit=""),
        Figure("deadlocks", (float(load.deadlocks),), "lower", limit=0, unit=""),
        Figure("bytes a posting, indexes included", (size / books.postings,), "lower", unit="bytes"),
    ]
