"""The benchmark of the ledger works, and it sees a ledger that is slow."""

import asyncpg

from benchmarks.ground import durable_ground
from benchmarks.ledger import measure, opened_bench

SLOW = "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.05); return new; end $$"


async def test_it_measures_each_way_and_sees_a_slow_ledger() -> None:
    async with durable_ground() as ground, opened_bench(ground, size=64) as bench:
        figures = [figure async for figure in measure(bench, rounds=1, batch=64)]
        assert [figure.value > 0 for figure in figures] == [True] * 7
        admin = await asyncpg.connect(ground.settings.admin_dsn())
        await admin.execute(SLOW)
        await admin.execute("create trigger slow before insert on ledger_postings for each row execute function slow()")
        await admin.close()
        slowed = await anext(measure(bench, rounds=1, batch=64))
    assert slowed.verdict == "missed"
    assert slowed.value < figures[0].value
