"""One id twice at the same moment, by whichever functions: the second is a replay, or the id stands for another."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from lastlight.domains.ledger import (
    AccountId,
    HoldId,
    Leg,
    Transaction,
    TransactionId,
    capture,
    hold,
    post,
    reverse,
    void,
)
from lastlight.domains.ledger.chart import BREAKAGE, REVENUE
from lastlight.domains.ledger.errors import PostedMeanwhile
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import uuid7
from lastlight.runtime.db.uow import RETRIED
from lastlight.runtime.settings import Settings
from tests.domains.ledger.test_storms import findings
from tests.support.books import Books, moving, new_hold, opened_books

CALLERS = 16
ROUNDS = 8
Call = Callable[[], Awaitable[str]]


@dataclass
class Doors:
    """The ways to write under an id, each in a unit of work of its own that is run again where it lost a race."""

    books: Books
    again: int = 0
    """How many were run again."""

    async def alone(self, transaction: Transaction) -> str:
        """By `post`."""
        return await self._told(lambda ctx: post(ctx, transaction=transaction))

    async def batched(self, *transactions: Transaction) -> str:
        """By `post_batch`; what became of the last."""
        return (await self.books.batch(*transactions))[-1]

    async def captured(self, key: UUID, held: HoldId, amount: int = 5) -> str:
        """By `capture`."""
        return await self._told(
            lambda ctx: capture(ctx, posted_as=TransactionId(key), of=held, amount=amount, kind="tab")
        )

    async def reversed(self, key: UUID, of: UUID) -> str:
        """By `reverse`."""
        return await self._told(lambda ctx: reverse(ctx, posted_as=TransactionId(key), of=TransactionId(of)))

    async def held(self, key: HoldId, leg: Leg, until: datetime) -> str:
        """By `hold`."""
        return await self._told(lambda ctx: hold(ctx, hold_id=key, leg=leg, expires_at=until, kind="tab"))

    async def voided(self, key: HoldId) -> str:
        """By `void`."""
        return await self._told(lambda ctx: void(ctx, hold=key))

    async def _told(self, act: Callable[[Any], Awaitable[bool]]) -> str:
        for attempt in (1, 2):
            try:
                async with self.books.ctx() as ctx:
                    return "posted" if await act(ctx) else "replay"
            except RETRIED:
                self.again += 1
                if attempt == 2:
                    raise
            except Problem as problem:
                return problem.type
        raise AssertionError("it was asked twice")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Doors]:
    """Books, with a connection for each caller."""
    async with opened_books(replace(settings, db_pool_size=CALLERS + 2)) as books:
        yield Doors(books)


async def at_once(calls: Sequence[Call]) -> Counter[str]:
    """What so many are told that begin together."""
    return Counter(await asyncio.gather(*(call() for call in calls)))


async def test_alone_and_in_batches_at_once_is_one_posting(database_settings: Settings) -> None:
    """The balance pays for one only: who comes second is told of a replay, and not that there is not enough."""
    async with opened(database_settings) as doors:
        for _ in range(ROUNDS):
            a, b, c = await doors.books.credits(5), await doors.books.credits(), await doors.books.credits(50)
            wish = moving((a, b, 5))
            beside = [moving((c, b, 1)) for _ in range(CALLERS)]
            calls: list[Call] = [
                partial(doors.alone, wish) if n % 2 else partial(doors.batched, beside[n], wish) for n in range(CALLERS)
            ]
            assert await at_once(calls) == {"posted": 1, "replay": CALLERS - 1}
            assert (await doors.books.balance(a), await doors.books.postings(a)) == (0, 2)
        assert await findings(doors.books) == []


@pytest.mark.parametrize("legs", [1, 3])
async def test_what_locks_no_account_is_one_posting_too(database_settings: Settings, legs: int) -> None:
    async with opened(database_settings) as doors:
        bank, revenue = await doors.books.open(BREAKAGE), await doors.books.open(REVENUE)
        for _ in range(ROUNDS):
            wish = moving(*((bank, revenue, 5) for _ in range(legs)))
            calls: list[Call] = [
                partial(doors.alone, wish) if n % 2 else partial(doors.batched, moving((bank, revenue, 1)), wish)
                for n in range(CALLERS)
            ]
            assert await at_once(calls) == {"posted": 1, "replay": CALLERS - 1}
        assert await doors.books.balance(revenue) == ROUNDS * (5 * legs + CALLERS // 2)
        assert (doors.again, await findings(doors.books)) == (0, [])


async def test_another_request_under_the_id_is_a_conflict_whoever_is_first(database_settings: Settings) -> None:
    async with opened(database_settings) as doors:
        for _ in range(ROUNDS):
            accounts = [await doors.books.credits(100) for _ in range(CALLERS + 1)]
            key = uuid7()
            wishes = [moving((accounts[n], accounts[n + 1], n + 1), key=key) for n in range(CALLERS)]
            calls: list[Call] = [
                partial(doors.alone if n % 2 else doors.batched, wish) for n, wish in enumerate(wishes)
            ]
            assert await at_once(calls) == {"posted": 1, "ledger-id-reused": CALLERS - 1}
            assert sum([await doors.books.balance(account) for account in accounts]) == 100 * (CALLERS + 1)
        assert await findings(doors.books) == []


async def test_a_capture_and_a_reversal_meet_others_under_their_id(database_settings: Settings) -> None:
    async with opened(database_settings) as doors:
        a, b = await doors.books.credits(1_000), await doors.books.credits()
        for _ in range(ROUNDS):
            held, key = new_hold(), uuid7()
            await doors.held(held, Leg(a, b, 5), datetime.now(UTC) + timedelta(hours=1))
            same: list[Call] = [partial(doors.captured, key, held) for _ in range(CALLERS)]
            assert await at_once(same) == {"posted": 1, "replay": CALLERS - 1}
            await doors.alone(first := moving((a, b, 7)))
            taken = uuid7()
            back: list[Call] = [partial(doors.reversed, taken, first.id) for _ in range(CALLERS)]
            assert await at_once(back) == {"posted": 1, "replay": CALLERS - 1}
            await _mixed(doors, a, b)
        assert await findings(doors.books) == []


async def _mixed(doors: Doors, a: AccountId, b: AccountId) -> None:
    """A capture, a reversal, a post and a batch, all under one id: one of them is done."""
    held, key = new_hold(), uuid7()
    await doors.held(held, Leg(a, b, 5), datetime.now(UTC) + timedelta(hours=1))
    await doors.alone(first := moving((a, b, 3)))
    each: list[Call] = [
        partial(doors.captured, key, held),
        partial(doors.reversed, key, first.id),
        partial(doors.alone, moving((a, b, 1), key=key)),
        partial(doors.batched, moving((b, a, 1), key=key)),
    ]
    told = await at_once(each * (CALLERS // 4))
    assert told["posted"] == 1
    assert told["replay"] == CALLERS // 4 - 1
    assert told["ledger-id-reused"] == CALLERS * 3 // 4
    assert len(await doors.books.sql("select from ledger_postings where id = $1", key)) == 1
    await doors.voided(held)


async def test_holding_and_letting_go_at_once(database_settings: Settings) -> None:
    async with opened(database_settings) as doors:
        a, b = await doors.books.credits(5), await doors.books.credits()
        until = datetime.now(UTC) + timedelta(hours=1)
        for _ in range(ROUNDS):
            key = new_hold()
            setting_aside: list[Call] = [partial(doors.held, key, Leg(a, b, 5), until) for _ in range(CALLERS)]
            assert await at_once(setting_aside) == {"posted": 1, "replay": CALLERS - 1}
            assert await doors.books.available(a) == 0
            letting_go: list[Call] = [partial(doors.voided, key) for _ in range(CALLERS)]
            assert await at_once(letting_go) == {"posted": 1, "replay": CALLERS - 1}
            assert await doors.books.available(a) == 5


async def test_batches_with_the_same_ids_and_no_account_in_common(database_settings: Settings) -> None:
    async with opened(database_settings) as doors:
        for _ in range(ROUNDS):
            pairs = [(await doors.books.credits(100), await doors.books.credits()) for _ in range(CALLERS)]
            keys = [uuid7() for _ in range(6)]
            batches = [[moving((a, b, 1), key=key) for key in keys] for a, b in pairs]
            told = await asyncio.gather(*(doors.books.batch(*batch) for batch in batches))
            assert Counter(word for words in told for word in words) == {
                "posted": len(keys),
                "ledger-id-reused": len(keys) * (CALLERS - 1),
            }


async def test_who_met_a_batch_at_the_key_is_run_again_and_then_told(database_settings: Settings) -> None:
    """The last case, with no chance in it: the other's accounts are others, so that only the key shows it."""
    async with opened(database_settings) as doors, meeting(doors.books) as (batch, waiting):
        a, b, c, d = [await doors.books.credits(10) for _ in range(4)]
        key = uuid7()
        await batch(moving((a, b, 1), key=key))
        second = asyncio.create_task(doors.alone(moving((c, d, 1), key=key)))
        await waiting()
        assert await second == "ledger-id-reused"
        assert doors.again == 1
        assert (await doors.books.balance(c), await doors.books.balance(d)) == (10, 10)


async def test_who_waited_for_a_batch_with_the_same_request_is_a_replay(database_settings: Settings) -> None:
    async with opened(database_settings) as doors, meeting(doors.books) as (batch, waiting):
        a, b = await doors.books.credits(10), await doors.books.credits()
        wish = moving((a, b, 10))
        await batch(wish)
        second = asyncio.create_task(doors.alone(wish))
        await waiting()
        assert (await second, doors.again) == ("replay", 0)


async def test_without_looking_under_the_lock_the_second_is_refused(database_settings: Settings) -> None:
    """The negative control: looked for before the lock alone, as it was, the id is not seen, and the answer is wrong."""
    async with opened(database_settings) as doors, meeting(doors.books) as (batch, waiting):
        [written] = await doors.books.sql("select pg_get_functiondef('ll.ledger_leg'::regproc) as text")
        blind = written["text"].replace("p_at is not null or ll.ledger_first(t, p_id, p_request)", "true")
        assert blind != written["text"]
        try:
            await doors.books.sql(blind)
            a, b = await doors.books.credits(10), await doors.books.credits()
            wish = moving((a, b, 10))
            await batch(wish)
            second = asyncio.create_task(doors.alone(wish))
            await waiting()
            assert await second == "not-enough"
        finally:
            await doors.books.sql(written["text"])


@asynccontextmanager
async def meeting(books: Books) -> AsyncGenerator[tuple[Any, Any]]:
    """A batch that is written and not committed; and: wait until somebody waits for it, then commit it."""
    connection = await asyncpg.connect(books.services.settings.dsn("app"))
    await connection.execute("begin")
    await connection.execute("select set_config('app.tenant_id', $1, true)", str(books.tenant_id))

    async def batch(wish: Transaction) -> None:
        [leg] = wish.legs
        sql = "select ll.ledger_post_batch(array[$1::uuid], array[0::smallint], array[$2::uuid], array['test'], array[$3::uuid], array[$4::uuid], array[$5::bigint], array[null::timestamptz], array['{}'::jsonb])"
        assert await connection.fetchval(sql, wish.id, wish.request(), leg.src, leg.dst, leg.amount) == ["posted"]

    async def waiting() -> None:
        blocked = "select count(*) from pg_stat_activity where $1 = any (pg_blocking_pids(pid))"
        for _ in range(1_000):
            if (await books.sql(blocked, connection.get_server_pid()))[0][0]:
                await connection.execute("commit")
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nobody waited")

    try:
        yield batch, waiting
    finally:
        await connection.close()


def test_the_problem_is_one_that_is_run_again() -> None:
    assert issubclass(PostedMeanwhile, RETRIED)
