"""Batches in which some are refused: the others are written together, and each gets the word that it would get alone."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.ledger import AccountId, Leg, Transaction, close_account, hold
from lastlight.domains.ledger.chart import BANK, REVENUE
from lastlight.kernel.ids import uuid7
from tests.domains.ledger.test_storms import findings
from tests.support.books import TILL, Books, moving, new_hold

Legs = tuple[tuple[int, int, int], ...]
Plan = Sequence[tuple[int | None, Legs]]
"""Legs between numbers of accounts, some of them asked for under the number of an id that stands or that the plan holds twice."""
SIFT = "ll.ledger_sift(uuid, uuid[], smallint[], uuid[], uuid[], uuid[], bigint[])"
GONE = AccountId(UUID("10" + 30 * "f"))
"""An account that nobody opened, which comes after every guest's: which rule is told depends on the order in which two are moved."""
TOLD_NOTHING = "declare begin return null; end"
"""What the reckoning beforehand is for a negative control: it tells nothing of any batch."""


@dataclass(frozen=True)
class Side:
    """Accounts of every sort: of guests, one with an open hold, one that nobody's money limits, deferred ones, and what takes nothing."""

    accounts: list[AccountId]
    known: list[UUID]
    """Two ids of transactions that stand already, one unit from the first account to the second, and two that nobody has taken."""

    @classmethod
    async def opened(cls, books: Books) -> "Side":
        """With 50 on each account of a guest, of which the third has 20 held."""
        guests = [await books.credits(50) for _ in range(3)]
        free, euros = await books.open(TILL), await books.credits(50, currency="EUR")
        deferred = [await books.open(kind) for kind in (REVENUE, BANK)]
        closed = await books.credits()
        async with books.ctx() as ctx:
            await close_account(ctx, account=closed)
            until = datetime.now(UTC) + timedelta(hours=1)
            await hold(ctx, hold_id=new_hold(), leg=Leg(guests[2], guests[1], 20), expires_at=until, kind="tab")
        known: list[UUID] = [uuid7() for _ in range(2)]
        for key in known:
            await books.move((guests[0], guests[1], 1), key=key)
        return cls([*guests, free, *deferred, euros, closed, GONE], [*known, uuid7(), uuid7()])

    def transactions(self, plan: Plan) -> list[Transaction]:
        """A plan as transactions of these accounts; those with a number are asked for under the id of that number."""
        return [
            moving(
                *((self.accounts[src], self.accounts[dst], amount) for src, dst, amount in legs),
                key=None if number is None else self.known[number],
            )
            for number, legs in plan
        ]

    async def stands(self, books: Books) -> list[tuple[int, ...]]:
        """Sums and versions of its accounts."""
        sql = "select id, dr, cr, version from ledger_accounts where id = any ($1)"
        rows = {row["id"]: row for row in await books.sql(sql, self.accounts)}
        return [tuple(rows[one])[1:] for one in self.accounts if one in rows]


def plans() -> st.SearchStrategy[Plan]:
    """Transactions of a side, a few of them asked for again under an id that stands, a few under one that the batch holds twice."""
    account, amount = st.integers(0, 8), st.one_of(st.integers(1, 40), st.integers(0, 0))
    leg = st.tuples(account, account, amount).filter(lambda leg: leg[0] != leg[1])
    legs = st.lists(leg, min_size=1, max_size=3).map(tuple)
    fresh = st.lists(st.tuples(st.none(), legs), max_size=12)
    again = st.lists(st.sampled_from([(0, ((0, 1, 1),)), (1, ((0, 1, 2),))]), max_size=2, unique=True)
    twice = st.lists(st.tuples(st.integers(2, 3), st.one_of(legs, st.just(((0, 1, 2),)))), max_size=5)
    parts = st.tuples(fresh, again, twice).map(lambda parts: [one for part in parts for one in part])
    return parts.filter(bool).flatmap(st.permutations)


@settings(max_examples=40, deadline=None)
@given(plans())
async def test_each_gets_the_word_that_it_would_get_alone(books: Books, plan: Plan) -> None:
    together, alone = await Side.opened(books), await Side.opened(books)
    words = await books.batch(*together.transactions(plan))
    assert words == [word for one in alone.transactions(plan) for word in await books.batch(one)]
    assert await together.stands(books) == await alone.stands(books)


@pytest.mark.parametrize("many", [40, 400])
async def test_what_stands_is_written_together(books: Books, many: int) -> None:
    words, moments = await _mixed(books, many)
    assert words.count("not-enough") == words.count("replay") == words.count("account-missing") == many // 4
    assert (words.count("posted"), moments) == (many // 4, 1)
    assert await findings(books) == []


async def test_one_by_one_would_be_seen(books: Books) -> None:
    """The negative control: where nothing is told beforehand, each has a moment of its own, and the same words."""
    [function] = await books.sql(f"select pg_get_functiondef('{SIFT}'::regprocedure) as text")
    head = function["text"].partition("AS $function$")[0]
    try:
        await books.sql(f"{head} AS $function$ {TOLD_NOTHING} $function$")
        words, moments = await _mixed(books, 40)
    finally:
        await books.sql(function["text"])
    assert (words.count("posted"), moments) == (10, 10)


async def _mixed(books: Books, many: int) -> tuple[list[str], int]:
    """A batch of four sorts in any order; the words, and at how many moments what stands was written."""
    rich, poor, till = await books.credits(10_000), await books.credits(1), await books.open(TILL)
    gone, keys = AccountId(UUID("10" + uuid7().hex[2:])), [uuid7() for _ in range(many // 4)]
    assert set(await books.batch(*(moving((rich, till, 1), key=key) for key in keys))) == {"posted"}
    fresh = [moving((rich, till, 2)) for _ in keys]
    batch = [
        *fresh,
        *(moving((rich, till, 1), key=key) for key in keys),
        *(moving((rich, till, 1), (poor, till, 2)) for _ in keys),
        *(moving((till, gone, 1)) for _ in keys),
    ]
    random.Random(many).shuffle(batch)  # noqa: S311 - an order, not a secret
    words = await books.batch(*batch)
    rows = await books.sql("select distinct at from ledger_postings where id = any ($1)", [one.id for one in fresh])
    assert (await books.balance(rich), await books.balance(poor)) == (10_000 - 3 * len(keys), 1)
    return words, len(rows)


@pytest.mark.parametrize("many", [40, 400])
async def test_an_id_twice_is_written_together_with_its_neighbours(books: Books, many: int) -> None:
    """The first of an id that is not refused is posted; then it is a replay, or an id that stands for something else."""
    rich, poor, till = await books.credits(10_000), await books.credits(1), await books.open(TILL)
    keys = [uuid7() for _ in range(many // 4)]
    tries = [moving((poor, till, 2), key=key) for key in keys]
    writers = [moving((rich, till, 3), key=key) for key in keys]
    words = await books.batch(*tries, *writers, *writers, *tries)
    each = len(keys)
    assert words == ["not-enough"] * each + ["posted"] * each + ["replay"] * each + ["ledger-id-reused"] * each
    rows = await books.sql(
        "select count(*) as rows, count(distinct at) as moments from ledger_postings where id = any ($1)", keys
    )
    assert [tuple(row) for row in rows] == [(each, 1)]
    assert (await books.balance(rich), await books.balance(poor)) == (10_000 - 3 * each, 1)
    assert await findings(books) == []


async def test_what_is_told_of_no_batch_beforehand_goes_one_by_one(books: Books) -> None:
    """An account with itself, beside an id twice of which the first is refused."""
    a, b, key = await books.credits(5), await books.credits(), uuid7()
    told = await books.batch(
        moving((a, b, 6), key=key),
        moving((a, b, 5), key=key),
        moving((a, b, 5), key=key),
        moving((b, a, 1)),
        moving((b, b, 1)),
    )
    assert told == ["not-enough", "posted", "replay", "posted", "legs-broken"]
    assert (await books.balance(a), await books.balance(b)) == (1, 4)
