"""Many writers at once, and any plan of transactions: what is left is what arithmetic says."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.ledger import AccountId, Transaction
from lastlight.domains.ledger.batches import BATCH
from lastlight.domains.ledger.chart import REVENUE
from lastlight.domains.ledger.verify import verify_books
from lastlight.kernel.ids import uuid7
from lastlight.runtime.settings import Settings
from tests.support.books import Books, moving, opened_books

WRITERS = 16
Legs = tuple[tuple[int, int, int], ...]
Calls = list[tuple[int, Legs]]
"""What is asked for in one batch: numbers of keys, and legs between numbers of accounts."""


@dataclass
class Model:
    """The ledger as arithmetic: balances that begin with 50 and may not fall below nothing; the last account is unbounded."""

    bounded: int
    balances: Counter[int] = field(default_factory=Counter[int])
    known: dict[int, Legs] = field(default_factory=dict[int, Legs])

    def post(self, key: int, legs: Legs) -> str:
        """What becomes of a transaction."""
        if key in self.known:
            return "replay" if self.known[key] == legs else "ledger-id-reused"
        after = self.balances.copy()
        for src, dst, amount in legs:
            after[src] -= amount
            after[dst] += amount
            if src < self.bounded and after[src] < 0:
                return "not-enough"
        self.balances, self.known[key] = after, legs
        return "posted"


def _plans() -> st.SearchStrategy[list[Calls]]:
    account, amount = st.integers(0, 3), st.integers(1, 40)
    leg = st.tuples(account, account, amount).filter(lambda leg: leg[0] != leg[1])
    legs = st.lists(leg, min_size=1, max_size=3).map(tuple)
    return st.lists(st.lists(st.tuples(st.integers(0, 9), legs), min_size=1, max_size=8), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None)
@given(_plans())
async def test_batches_and_single_posts_do_what_arithmetic_says(books: Books, plan: list[Calls]) -> None:
    """Batches here, the same one by one there, and integers: the same answers and the same balances."""
    model = Model(bounded=3, balances=Counter({0: 50, 1: 50, 2: 50}))
    sides = [[*[await books.credits(50) for _ in range(3)], await books.open(REVENUE)] for _ in range(2)]
    keys = [[uuid7() for _ in range(10)] for _ in range(2)]
    begun = await books.balance(sides[0][3])
    for calls in plan:
        expected = [model.post(key, legs) for key, legs in calls]
        together, alone = (_transactions(calls, side, key) for side, key in zip(sides, keys, strict=True))
        assert await books.batch(*together) == expected
        assert [word for one in alone for word in await books.batch(one)] == expected
    for side in sides:
        assert [await books.balance(account) for account in side[:3]] == [model.balances[n] for n in range(3)]
    assert await books.balance(sides[0][3]) == begun + 2 * model.balances[3]


def _transactions(calls: Calls, accounts: list[AccountId], keys: list[UUID]) -> list[Transaction]:
    return [
        moving(*((accounts[src], accounts[dst], amount) for src, dst, amount in legs), key=keys[key])
        for key, legs in calls
    ]


@pytest.mark.parametrize("in_batches", [True, False])
async def test_sixteen_writers_on_shared_keys_write_each_once(database_settings: Settings, in_batches: bool) -> None:
    async with opened_books(database_settings) as books, writers(books) as many:
        a, b = await books.credits(1_000), await books.credits()
        keys = [uuid7() for _ in range(60)]

        async def write(writer: Any, seed: int) -> Counter[str]:
            told: Counter[str] = Counter()
            order = random.Random(seed).sample(keys, len(keys))  # noqa: S311 - an order, not a secret
            for at in range(0, len(order), 6):
                shared = [moving((a, b, 1), key=key) for key in order[at : at + 6]]
                told.update(await (posted if in_batches else singly)(writer, shared))
            return told

        told = await asyncio.gather(*(write(writer, seed) for seed, writer in enumerate(many)))
        assert sum(told, Counter[str]()) == {"posted": 60, "replay": 60 * (WRITERS - 1)}
        assert (await books.balance(a), await books.postings(b)) == (940, 60)
        assert await findings(books) == []


async def test_a_storm_on_one_account_takes_what_is_there_and_no_more(database_settings: Settings) -> None:
    async with opened_books(database_settings) as books, writers(books) as many:
        a, b = await books.credits(100), await books.credits()

        async def take(writer: Any, seed: int) -> Counter[str]:
            wishes = [moving((a, b, 3)) for _ in range(10)]
            return Counter(await posted(writer, wishes) if seed % 2 else await singly(writer, wishes))

        told = sum(await asyncio.gather(*(take(writer, seed) for seed, writer in enumerate(many))), Counter[str]())
        assert told == {"posted": 33, "ledger_accounts_floor": 10 * WRITERS - 33}
        assert (await books.balance(a), await books.balance(b)) == (1, 99)
        assert await findings(books) == []


async def test_writers_who_meet_on_few_accounts_both_ways_never_deadlock(database_settings: Settings) -> None:
    async with opened_books(database_settings) as books, writers(books) as many:
        accounts = [await books.credits(10_000) for _ in range(5)]

        async def write(writer: Any, seed: int) -> int:
            chance = random.Random(seed)  # noqa: S311 - a load, not a secret
            for _ in range(25):
                pairs = [chance.sample(accounts, 2) for _ in range(chance.choice((1, 1, 4)))]
                wishes = [moving((src, dst, 1)) for src, dst in pairs]
                words = await posted(writer, wishes) if seed % 2 else await singly(writer, wishes)
                assert set(words) == {"posted"}
            return 25

        assert sum(await asyncio.gather(*(write(writer, seed) for seed, writer in enumerate(many)))) == 25 * WRITERS
        assert sum([await books.balance(account) for account in accounts]) == 50_000
        assert await findings(books) == []


class writers:  # noqa: N801 - used as a function is
    """Connections of the app's own role, each inside the business."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._open: list[Any] = []

    async def __aenter__(self) -> list[Any]:
        for _ in range(WRITERS):
            connection = await asyncpg.connect(self._books.services.settings.dsn("app"))
            await connection.execute("select set_config('app.tenant_id', $1, false)", str(self._books.tenant_id))
            self._open.append(connection)
        return self._open

    async def __aexit__(self, *gone: object) -> None:
        for connection in self._open:
            await connection.close()


async def posted(writer: Any, transactions: list[Transaction]) -> list[str]:
    """The database's words for a batch of transactions of one leg."""
    [*legs] = (one.legs[0] for one in transactions)
    n = len(legs)
    return await writer.fetchval(
        BATCH,
        [one.id for one in transactions],
        [0] * n,
        [one.request() for one in transactions],
        [one.kind for one in transactions],
        [leg.src for leg in legs],
        [leg.dst for leg in legs],
        [leg.amount for leg in legs],
        [None] * n,
        ["{}"] * n,
    )


async def singly(writer: Any, transactions: list[Transaction]) -> list[str]:
    """The same, each by a call of its own."""
    words: list[str] = []
    for one in transactions:
        [leg] = one.legs
        try:
            new = await writer.fetchval(
                "select ll.ledger_post($1, $2, $3, $4, $5, $6)",
                one.id,
                one.request(),
                one.kind,
                [leg.src],
                [leg.dst],
                [leg.amount],
            )
        except asyncpg.CheckViolationError as error:
            words.append(str(error.constraint_name))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType] the driver sets it
        else:
            words.append("posted" if new else "replay")
    return words


async def findings(books: Books) -> list[str]:
    """What `lastlight verify ledger` finds in these books."""
    looker = await asyncpg.connect(books.services.settings.dsn("looker"))
    async with looker.transaction(isolation="repeatable_read", readonly=True):
        found = await verify_books(looker, books.tenant_id)
    await looker.close()
    return found.findings
