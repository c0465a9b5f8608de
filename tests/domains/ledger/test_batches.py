"""Batches: what becomes of each transaction is what would become of it alone."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lastlight.domains.ledger import AccountId, Condition, Transaction, close_account
from lastlight.domains.ledger.chart import BANK, REVENUE
from lastlight.kernel.ids import uuid7
from tests.support.books import Books, moving


async def test_each_stands_or_falls_by_itself(books: Books) -> None:
    a, b, euros = await books.credits(100), await books.credits(), await books.credits(currency="EUR")
    again, other = uuid7(), uuid7()
    await books.move((a, b, 1), key=again)
    told = await books.batch(
        moving((a, b, 50)),
        moving((a, b, 1), key=again),
        moving((a, b, 2), key=again),
        moving((a, b, 60)),
        moving((a, euros, 1)),
        moving(),
        moving((b, a, 50), (a, b, 100)),
        moving((a, b, 1)),
        moving((b, a, 7), key=other),
        moving((b, a, 7), key=other),
        moving((b, a, 8), key=other),
    )
    refused = ["not-enough", "currencies-mixed", "legs-broken", "not-enough"]
    assert told[:3] == ["posted", "replay", "ledger-id-reused"]
    assert told[3:7] == refused
    assert told[7:] == ["posted", "posted", "replay", "ledger-id-reused"]
    assert (await books.balance(a), await books.balance(b)) == (55, 45)


async def test_all_at_once_is_the_same_as_one_by_one(books: Books) -> None:
    """The same moves twice, in one batch and alone: the same balances and versions after each posting."""
    chance = random.Random(5)  # noqa: S311 - a plan, not a secret
    sides = [[await books.credits(1_000) for _ in range(5)] for _ in range(2)]
    for at, accounts in enumerate(sides):
        accounts.append(await books.open(BANK if at else REVENUE))
    plan = [
        [(*chance.sample(range(6), 2), chance.randint(1, 20)) for _ in range(chance.randint(1, 3))] for _ in range(120)
    ]

    def of(accounts: list[object]) -> list[Transaction]:
        return [moving(*((accounts[src], accounts[dst], n) for src, dst, n in legs)) for legs in plan]  # pyright: ignore[reportArgumentType]

    together, alone = of([*sides[0]]), of([*sides[1]])
    assert await books.batch(*together) == ["posted"] * len(plan)
    for one in alone:
        assert await books.batch(one) == ["posted"]

    async def written(transactions: list[Transaction]) -> list[tuple[int, ...]]:
        sql = "select * from ledger_postings where id = any ($1)"
        order = {one.id: n for n, one in enumerate(transactions)}
        rows = sorted(await books.sql(sql, list(order)), key=lambda row: (order[row["id"]], row["leg"]))
        return [
            (row["src_version"], row["src_balance"], row["dst_version"], row["dst_balance"], row["amount"])
            for row in rows
        ]

    assert await written(together) == await written(alone)
    for one, other in zip(*sides, strict=True):
        assert abs(await books.balance(one)) == abs(await books.balance(other))


async def test_a_floor_holds_at_every_step_and_not_only_at_the_end(books: Books) -> None:
    a, b = await books.credits(10), await books.credits(10)
    assert await books.batch(moving((a, b, 11)), moving((b, a, 5)), moving((a, b, 15))) == [
        "not-enough",
        "posted",
        "posted",
    ]
    assert (await books.balance(a), await books.balance(b)) == (0, 20)


async def test_batches_that_share_ids_and_accounts_write_each_once(books: Books) -> None:
    a, b = await books.credits(1_000), await books.credits()
    keys = [uuid7() for _ in range(40)]

    async def client(seed: int) -> list[str]:
        order = random.Random(seed).sample(keys, len(keys))  # noqa: S311 - an order, not a secret
        return await books.batch(*(moving((a, b, 1), key=key) for key in order))

    told = [word for words in await asyncio.gather(*(client(seed) for seed in range(4))) for word in words]
    assert (told.count("posted"), told.count("replay")) == (40, 120)
    assert (await books.balance(a), await books.postings(b)) == (960, 40)


async def test_a_condition_is_for_a_transaction_alone(books: Books) -> None:
    a, b = await books.credits(1), await books.credits()
    with pytest.raises(ValueError, match="alone"):
        await books.batch(moving((a, b, 1), conditions=[Condition(a, least=1)]))


async def test_a_missing_account_in_the_middle_is_refused_by_itself(books: Books) -> None:
    a, b, gone = await books.credits(100), await books.credits(), AccountId(UUID("10" + uuid7().hex[2:]))
    await close(books, closed := await books.credits())
    told = await books.batch(*(moving((a, to, 1)) for to in (b, gone, b, closed, b)), moving((gone, b, 1)))
    assert told == ["posted", "account-missing", "posted", "account-closed", "posted", "account-missing"]
    assert (await books.balance(a), await books.balance(b), await books.postings(gone, closed)) == (97, 3, 0)


async def close(books: Books, account: AccountId) -> None:
    """Close an account."""
    async with books.ctx() as ctx:
        await close_account(ctx, account=account)


async def test_accounts_count_moments_forwards_whichever_way_money_goes(books: Books) -> None:
    """A clock that went back: both accounts keep the later moment, whether the source or the destination was ahead."""
    for ahead in range(4):
        a, b = sorted([await books.credits(10), await books.credits(10)])
        late = datetime.now(UTC) + timedelta(days=1)
        await books.sql("update ledger_accounts set moved_at = $2 where id = $1", (a, b)[ahead % 2], late)
        legs = (a, b, 1) if ahead < 2 else (b, a, 1)
        await books.move(legs)
        rows = await books.sql("select moved_at from ledger_accounts where id = any ($1)", [a, b])
        assert [row["moved_at"] for row in rows] == [late, late]
        rows = await books.sql("select at from ledger_postings where src = any ($1) and dst = any ($1)", [a, b])
        assert [row["at"] for row in rows] == [late]
