"""Seals: whatever was posted between two of them, blocks stay small, hold every posting once and verify."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.ledger.jobs import BLOCKS, seal
from lastlight.runtime.db.looking import opened_verifier
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.domains.ledger.test_storms import findings
from tests.support.books import UNSEALED, Books, opened_books

SHIPPED, SMALL = "offset 200000", "offset 5"
"""Where a block ends, as it is shipped and as it is tried here."""


async def _with_small_blocks(books: Books) -> str:
    """Blocks of five postings and a few more; what puts it back."""
    [function] = await books.sql("select pg_get_functiondef('ll.ledger_seal'::regproc) as text")
    assert SHIPPED in function["text"]
    await books.sql(function["text"].replace(SHIPPED, SMALL))
    return function["text"]


async def _blocks(books: Books) -> list[int]:
    rows = await books.sql("select postings from ledger_seals where tenant_id = $1 order by block", books.tenant_id)
    return [row["postings"] for row in rows]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=8), min_size=1, max_size=3))
async def test_blocks_end_between_transactions_and_hold_all(
    database_settings: Settings, rounds: list[list[int]]
) -> None:
    async with opened_books(database_settings) as books:
        a, b = await books.credits(1_000), await books.credits(1_000)
        shipped = await _with_small_blocks(books)
        try:
            for legs in rounds:
                for many in legs:
                    await books.move(*((a, b, 1) if at % 2 else (b, a, 1) for at in range(many)))
                await books.seal()
        finally:
            await books.sql(shipped)
        blocks = await _blocks(books)
        assert sum(blocks) == 2 + sum(map(sum, rounds))
        assert all(size <= 5 + 9 for size in blocks), "five, and what its last transaction holds"
        assert await findings(books) == []


async def test_one_transaction_of_more_than_a_block_is_a_block(database_settings: Settings) -> None:
    async with opened_books(database_settings) as books:
        a, b = await books.credits(1_000), await books.credits()
        await books.seal()
        shipped = await _with_small_blocks(books)
        try:
            await books.move(*((a, b, 1) for _ in range(40)))
            await books.move((a, b, 1))
            await books.seal()
        finally:
            await books.sql(shipped)
        assert await _blocks(books) == [1, 40, 1]
        assert await findings(books) == []


async def test_one_run_seals_a_few_blocks_and_the_next_goes_on(database_settings: Settings) -> None:
    async with opened_books(database_settings) as books:
        a, b = await books.credits(1_000), await books.credits()
        await books.seal()
        shipped = await _with_small_blocks(books)
        try:
            for _ in range(BLOCKS * 5 + 10):
                await books.move((a, b, 1))
            runs = 0
            while await books.sql(UNSEALED, books.tenant_id):
                before = len(await _blocks(books))
                async with system_ctx(books.services, books.tenant_id, role="system") as ctx:
                    await seal.fn(ctx)
                assert len(await _blocks(books)) - before <= BLOCKS
                runs += 1
                assert runs < 600, "who writes elsewhere on the server holds the horizon back only for a while"
                await asyncio.sleep(0.1)
        finally:
            await books.sql(shipped)
        assert runs >= 2
        assert await findings(books) == []


async def test_a_verification_takes_as_long_as_it_takes(database_settings: Settings) -> None:
    """Whoever looks in by hand has a minute; it has no end, and still changes nothing."""
    async with opened_verifier(database_settings) as connection:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert await connection.fetchval("select current_setting($1)", name) == "0"
        assert await connection.fetchval("show default_transaction_read_only") == "on"
