"""The micro-batcher: many callers, few calls, and each learns what became of their own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from lastlight.domains.ledger import Condition
from lastlight.domains.ledger import batcher as the_batcher
from lastlight.domains.ledger.batcher import Batcher
from lastlight.domains.ledger.batches import post_rows_alone, rows_of
from lastlight.domains.ledger.errors import AccountMissing, NotEnough
from lastlight.domains.ledger.posting import post
from lastlight.kernel.errors import Busy, Unsure
from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.context import Ctx
from tests.support.books import Books, moving
from tests.support.services import make_tenant


@pytest.fixture
async def batcher(books: Books) -> AsyncGenerator[Batcher]:
    async with Batcher(books.services) as made:
        yield made


async def test_many_callers_share_few_calls(books: Books, batcher: Batcher) -> None:
    a, b = await books.credits(1_000), await books.credits()
    told: list[Ctx] = []
    outcomes = await asyncio.gather(
        *(batcher.post(books.tenant_id, transaction=moving((a, b, n % 3 + 1)), posted=told.append) for n in range(300))
    )
    assert outcomes == ["posted"] * 300
    assert batcher.calls <= 3
    assert len(told) == 300
    assert (await books.balance(a), await books.balance(b)) == (400, 600)


@pytest.mark.parametrize(
    ("waiting", "took", "paused", "halves"),
    [
        (32, 0.001, 0.001, True),
        (the_batcher.SPLIT, 0.001, 0.001, True),
        (the_batcher.SPLIT - 1, 0.001, 0.001, False),
        (32, 0.010, 0.001, False),
        (32, 0.001, the_batcher.PAUSE_SECONDS, False),
    ],
)
def test_halves_are_for_those_who_need_as_long_as_the_database(
    waiting: int, took: float, paused: float, halves: bool
) -> None:
    assert the_batcher.in_halves(waiting=waiting, took=took, paused=paused) == halves


def test_halves_go_together_again_where_the_call_takes_much_longer() -> None:
    told = [the_batcher.together_again(took=took, gathered=0.001) for took in (0.001, 0.004, 0.005)]
    assert told == [False, False, True]


@pytest.mark.parametrize(
    ("halves", "together", "calls"),
    [(True, False, range(20, 24)), (False, False, range(10, 13)), (True, True, range(10, 15))],
)
async def test_those_who_come_again_and_again_go_in_halves_or_together(
    batcher: Batcher, monkeypatch: pytest.MonkeyPatch, halves: bool, together: bool, calls: range
) -> None:
    first = iter([halves])

    def at_first(**_: float) -> bool:
        return next(first, False)

    def at_any_time(**_: float) -> bool:
        return together

    monkeypatch.setattr(the_batcher, "in_halves", at_first)
    monkeypatch.setattr(the_batcher, "together_again", at_any_time)
    books = Books(batcher.services, await make_tenant(batcher.services.settings, f"t{uuid7().hex[-12:]}"))
    a, b = await books.credits(1_000), await books.credits()

    async def caller() -> None:
        for _ in range(10):
            assert await batcher.post(books.tenant_id, transaction=moving((a, b, 1))) == "posted"

    await asyncio.gather(*(caller() for _ in range(32)))
    assert batcher.calls in calls
    assert await books.balance(b) == 320


async def test_conditions_are_refused_to_the_caller_who_gave_them(books: Books, batcher: Batcher) -> None:
    a, b = await books.credits(10), await books.credits()
    conditional = moving((a, b, 1), conditions=[Condition(a, least=1)])
    with pytest.raises(ValueError, match="posted alone"):
        await batcher.post(books.tenant_id, transaction=conditional)
    assert (batcher.calls, await books.balance(b)) == (0, 0)


async def test_each_learns_what_became_of_their_own(books: Books, batcher: Batcher) -> None:
    a, b = await books.credits(10), await books.credits()
    key, told = uuid7(), list[Ctx]()
    first, again, too_much = await asyncio.gather(
        batcher.post(books.tenant_id, transaction=moving((a, b, 4), key=key), posted=told.append),
        batcher.post(books.tenant_id, transaction=moving((a, b, 4), key=key), posted=told.append),
        batcher.post(books.tenant_id, transaction=moving((a, b, 7)), posted=told.append),
    )
    assert (first, again) == ("posted", "replay")
    assert isinstance(too_much, NotEnough)
    assert len(told) == 1
    assert await books.balance(b) == 4


async def test_a_caller_who_leaves_stops_nobody(books: Books, batcher: Batcher) -> None:
    a, b = await books.credits(10), await books.credits()
    first = asyncio.create_task(batcher.post(books.tenant_id, transaction=moving((a, b, 1))))
    await asyncio.sleep(0)
    leaver = asyncio.create_task(batcher.post(books.tenant_id, transaction=moving((a, b, 2))))
    stayer = asyncio.create_task(batcher.post(books.tenant_id, transaction=moving((a, b, 4))))
    await asyncio.sleep(0)
    leaver.cancel()
    with suppress(asyncio.CancelledError):
        await leaver
    assert [await first, await stayer] == ["posted", "posted"]
    assert await books.balance(b) == 5


async def test_a_call_that_fails_is_told_to_all_who_were_in_it_and_to_nobody_else(
    books: Books, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await books.credits(10), await books.credits()
    real = the_batcher.post_rows

    async def broken(ctx: Ctx, **given: Any) -> Any:
        await real(ctx, **given)
        raise asyncpg.DiskFullError

    monkeypatch.setattr(the_batcher, "post_rows", broken)
    wishes, told = [moving((a, b, 1)), moving((a, b, 2))], list[Ctx]()
    failed = await asyncio.gather(
        *(batcher.post(books.tenant_id, transaction=wish, posted=told.append) for wish in wishes),
        return_exceptions=True,
    )
    assert [type(error) for error in failed] == [asyncpg.DiskFullError] * 2
    monkeypatch.undo()
    assert await books.balance(b) == 0
    assert await batcher.post(books.tenant_id, transaction=wishes[0]) == "posted"
    assert await books.balance(b) == 1


async def test_a_call_that_lost_is_made_again_and_not_for_ever(
    books: Books, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await books.credits(10), await books.credits()
    real, losses = the_batcher.post_rows, iter(range(2))

    async def loses_twice(ctx: Ctx, **given: Any) -> Any:
        done = await real(ctx, **given)
        if next(losses, None) is not None:
            raise asyncpg.DeadlockDetectedError
        return done

    monkeypatch.setattr(the_batcher, "post_rows", loses_twice)
    told: list[Ctx] = []
    assert await batcher.post(books.tenant_id, transaction=moving((a, b, 3)), posted=told.append) == "posted"
    assert (batcher.calls, await books.balance(b)) == (3, 3)
    losses = iter(range(100))
    with pytest.raises(Busy):
        await batcher.post(books.tenant_id, transaction=moving((a, b, 3)), posted=told.append)
    assert await books.balance(b) == 3


async def test_a_single_statement_that_lost_is_run_again(
    books: Books, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await books.credits(10), await books.credits()
    real, losses = the_batcher.post_rows_alone, iter(range(2))

    async def loses_twice(*given: Any, **more: Any) -> Any:
        if next(losses, None) is not None:
            raise asyncpg.DeadlockDetectedError
        return await real(*given, **more)

    monkeypatch.setattr(the_batcher, "post_rows_alone", loses_twice)
    assert await batcher.post(books.tenant_id, transaction=moving((a, b, 3))) == "posted"
    assert (batcher.calls, await books.balance(b)) == (3, 3)
    losses = iter(range(100))
    with pytest.raises(Busy):
        await batcher.post(books.tenant_id, transaction=moving((a, b, 3)))
    assert await books.balance(b) == 3


async def test_a_connection_lost_over_the_call_leaves_it_unsure_and_it_may_be_posted_again(
    books: Books, batcher: Batcher
) -> None:
    """The backend is ended while the call waits for an account that somebody else holds."""
    a, b = await books.credits(10), await books.credits()
    wish = moving((a, b, 3))
    async with books.ctx() as ctx:
        await post(ctx, transaction=moving((a, b, 1)))
        called = asyncio.create_task(batcher.post(books.tenant_id, transaction=wish))
        await _ended(books)
        with pytest.raises(Unsure):
            await called
    assert await books.balance(b) == 1
    assert await batcher.post(books.tenant_id, transaction=wish) == "posted"
    assert await books.balance(b) == 4


async def _ended(books: Books) -> None:
    """Somebody's backend that waits for a lock in a call of the batcher was ended."""
    sql = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like '%ledger_post_batch%'
    """
    for _ in range(600):
        if await books.sql(sql):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no call came to wait")


async def test_a_call_alone_enters_its_own_business_and_leaves_nothing_behind(books: Books, batcher: Batcher) -> None:
    """The tenant of a call ends with it: the connection's next statement sees no business."""
    a, b = await books.credits(10), await books.credits()
    pool = books.services.pools.by_name("app")
    assert await batcher.post(books.tenant_id, transaction=moving((a, b, 1))) == "posted"
    assert await pool.fetchval("select coalesce(current_setting('app.tenant_id', true), '')") == ""
    assert await pool.fetchval("select count(*) from ledger_accounts") == 0
    other = TenantId(uuid7())
    [outcome] = await post_rows_alone(books.services, other, batch=[rows_of(moving((a, b, 1)))])
    assert isinstance(outcome, AccountMissing)
    assert await books.balance(b) == 1


async def test_a_closed_one_takes_nothing_and_has_finished_what_it_took(books: Books) -> None:
    a, b = await books.credits(10), await books.credits()
    async with Batcher(books.services, most=1) as made:
        under_way = [asyncio.create_task(made.post(books.tenant_id, transaction=moving((a, b, 1)))) for _ in range(3)]
        await asyncio.sleep(0)
    assert [task.result() for task in under_way] == ["posted"] * 3
    assert made.calls == 3
    with pytest.raises(Busy):
        await made.post(books.tenant_id, transaction=moving((a, b, 1)))
