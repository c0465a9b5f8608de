"""The micro-batcher: many callers, few calls, and each learns what became of their own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from lastlight.domains.ledger import batcher as the_batcher
from lastlight.domains.ledger.batcher import Batcher
from lastlight.domains.ledger.errors import NotEnough
from lastlight.kernel.errors import Busy
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx
from tests.support.books import Books, moving


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
    real = the_batcher.post_batch

    async def broken(ctx: Ctx, **given: Any) -> Any:
        await real(ctx, **given)
        raise asyncpg.DiskFullError

    monkeypatch.setattr(the_batcher, "post_batch", broken)
    wishes = [moving((a, b, 1)), moving((a, b, 2))]
    failed = await asyncio.gather(
        *(batcher.post(books.tenant_id, transaction=wish) for wish in wishes), return_exceptions=True
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
    real, losses = the_batcher.post_batch, iter(range(2))

    async def loses_twice(ctx: Ctx, **given: Any) -> Any:
        done = await real(ctx, **given)
        if next(losses, None) is not None:
            raise asyncpg.DeadlockDetectedError
        return done

    monkeypatch.setattr(the_batcher, "post_batch", loses_twice)
    assert await batcher.post(books.tenant_id, transaction=moving((a, b, 3))) == "posted"
    assert (batcher.calls, await books.balance(b)) == (3, 3)
    losses = iter(range(100))
    with pytest.raises(Busy):
        await batcher.post(books.tenant_id, transaction=moving((a, b, 3)))
    assert await books.balance(b) == 3


async def test_a_closed_one_takes_nothing_and_has_finished_what_it_took(books: Books) -> None:
    a, b = await books.credits(10), await books.credits()
    async with Batcher(books.services, most=1) as made:
        under_way = [asyncio.create_task(made.post(books.tenant_id, transaction=moving((a, b, 1)))) for _ in range(3)]
        await asyncio.sleep(0)
    assert [task.result() for task in under_way] == ["posted"] * 3
    assert made.calls == 3
    with pytest.raises(Busy):
        await made.post(books.tenant_id, transaction=moving((a, b, 1)))
