"""Batches whose transactions go one by one: nobody waits for each other in a circle, and the words are those of any other batch."""

import asyncio
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings

from lastlight.domains.ledger import AccountId, Transaction
from lastlight.domains.ledger.batches import BATCH
from lastlight.domains.ledger.chart import BANK, REVENUE
from lastlight.kernel.ids import uuid7
from tests.domains.ledger.test_refused_in_batches import Plan, Side, plans
from tests.domains.ledger.test_storms import findings, posted, writers
from tests.support.books import Books, moving

EACH = BATCH.replace("ll.ledger_post_batch(", "ll.ledger_write_each($10, ")
WRITER = (
    "ll.ledger_write_each(uuid, uuid[], smallint[], uuid[], text[], uuid[], uuid[], bigint[], timestamptz[], jsonb[])"
)
BEFORE = Path(__file__).parents[3] / "migrations/0052_ledger_guards.sql"
WAITING = """
select from pg_stat_activity where pid = any ($1) and wait_event_type = 'Lock' having count(*) = cardinality($1)
"""


async def test_two_who_ask_for_the_same_ids_in_other_orders_wait_for_each_other_and_both_are_answered(
    books: Books,
) -> None:
    assert await _crossed(books) == [["posted", "replay", "posted"], ["replay", "replay", "replay"]]
    assert await findings(books) == []


async def test_in_the_order_that_they_were_given_they_would_lose(books: Books) -> None:
    """The negative control: the writer as it was, of which one is the victim of a deadlock."""
    [function] = await books.sql(f"select pg_get_functiondef('{WRITER}'::regprocedure) as text")
    text = BEFORE.read_text(encoding="utf-8")
    before = text[text.index("create or replace function ll.ledger_write_each(") :].partition("end $$;")
    try:
        await books.sql(before[0] + before[1])
        with pytest.raises(asyncpg.DeadlockDetectedError):
            await _crossed(books)
    finally:
        await books.sql(function["text"])


async def _crossed(books: Books) -> list[list[str]]:
    """Two batches of the same three ids of which a third writes one, until both wait; the words, those of who wrote first before."""
    revenue, bank = await books.open(REVENUE), await books.open(BANK)
    with_itself, first, held, last = sorted(uuid7() for _ in range(4))

    def moved(key: UUID) -> Transaction:
        return moving((revenue, bank, 1), key=key)

    def wishes(*keys: UUID) -> list[Transaction]:
        return [*map(moved, keys), moving((bank, bank, 1), key=with_itself)]

    async with writers(books) as (one, other, third, looker, *_):
        async with third.transaction():
            assert await posted(third, [moved(held)]) == ["posted"]
            calls = [
                asyncio.create_task(posted(one, wishes(first, held, last))),
                asyncio.create_task(posted(other, wishes(last, held, first))),
            ]
            pids = [one.get_server_pid(), other.get_server_pid()]
            async with asyncio.timeout(20):
                while not await looker.fetch(WAITING, pids):
                    await asyncio.sleep(0.01)
        told = await asyncio.gather(*calls, return_exceptions=True)
    words: list[list[str]] = []
    for answer in told:
        if isinstance(answer, BaseException):
            raise answer
        assert answer.pop() == "ledger_postings_two_accounts"
        words.append(answer)
    return sorted(words)


@settings(max_examples=40, deadline=None)
@given(plans())
async def test_the_words_and_sums_are_those_of_one_by_one(books: Books, plan: Plan) -> None:
    side = await Side.opened(books)
    await _compared(books, side, side.transactions(plan))


async def test_a_lower_account_that_is_missing_comes_before_a_floor(books: Books) -> None:
    """An account is moved before one of a higher id, whichever of them is the source."""
    poor = await books.credits()
    below, above = (AccountId(UUID(int=poor.int + step)) for step in (-1, 1))
    wishes = [moving((poor, below, 1)), moving((poor, above, 1)), moving((below, poor, 1)), moving((above, poor, 1))]
    missing, short = "ledger_account_missing", "ledger_accounts_floor"
    assert await _compared(books, Side([poor], []), wishes) == [missing, short, missing, missing]


async def _compared(books: Books, side: Side, wishes: list[Transaction]) -> list[str]:
    """The words of a batch, after they and the sums were seen to be those of its transactions one by one."""
    columns = [list(column) for column in zip(*(row for one in wishes for row in _rows(one)), strict=True)]
    connection = await asyncpg.connect(books.services.settings.admin_dsn())
    seen: list[tuple[list[str], list[tuple[int, ...]]]] = []
    try:
        for sql, more in ((BATCH, ()), (EACH, (books.tenant_id,))):
            trial = connection.transaction()
            await trial.start()
            await connection.execute("select set_config('app.tenant_id', $1, true)", str(books.tenant_id))
            words = await connection.fetchval(sql, *columns, *more)
            sums = await connection.fetch(SUMS, books.tenant_id, side.accounts)
            seen.append(([word for word in words if word], [tuple(row) for row in sums]))
            await trial.rollback()
    finally:
        await connection.close()
    assert seen[0] == seen[1]
    return seen[0][0]


SUMS = "select dr, cr, version from ledger_accounts where tenant_id = $1 and id = any ($2) order by id"


def _rows(one: Transaction) -> list[tuple[object, ...]]:
    request = one.request()
    return [
        (one.id, leg, request, one.kind, each.src, each.dst, each.amount, None, "{}")
        for leg, each in enumerate(one.legs)
    ]
