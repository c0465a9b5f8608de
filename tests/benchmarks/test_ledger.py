"""The benchmark of the ledger works, and it sees a ledger that is slow."""

import asyncpg

from benchmarks.books import EACH
from benchmarks.books import measure as measure_books
from benchmarks.ground import durable_ground
from benchmarks.ledger import against_hordak, measure, opened_bench

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


async def test_it_measures_against_its_peer() -> None:
    async with durable_ground() as ground, opened_bench(ground, size=64) as bench:
        figure = await against_hordak(bench, rounds=1, accounts=8)
    assert figure.value > 0
    assert figure.told["hordak_per_s"] > 0


FORGETFUL = """
create function forget() returns trigger language plpgsql as $$ begin new.amount := new.amount + 1; return new; end $$;
create trigger forget before insert on ledger_postings for each row when (new.amount = 40000000) execute function forget()
"""


async def test_the_books_are_whole_after_a_load_with_crashes_and_a_broken_writer_is_seen() -> None:
    async with durable_ground() as ground:
        differences, astray, deadlocks, size = await measure_books(ground, postings=16 * EACH)
        assert (differences.value, astray.value, deadlocks.value) == (0, 0, 0)
        assert differences.told["connections_lost"] > 0
        assert size.value > 0
    async with durable_ground() as ground:
        admin = await asyncpg.connect(ground.settings.admin_dsn())
        await admin.execute(FORGETFUL)
        await admin.close()
        differences, *_ = await measure_books(ground, postings=4 * EACH)
    assert differences.verdict == "BROKEN"
