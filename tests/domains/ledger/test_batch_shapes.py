"""What a batch may not ask for, whoever writes the SQL: nothing is added to a transaction that stands, and one of many that cannot be
written is refused alone."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from lastlight.domains.ledger import AccountId, post
from lastlight.domains.ledger.batcher import Batcher
from lastlight.domains.ledger.errors import AmountTooLarge, LegsBroken
from lastlight.domains.ledger.posting import MOST_LEGS, Transaction
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import uuid7
from lastlight.kernel.money import MOST
from tests.domains.ledger.test_storms import findings
from tests.support.books import TILL, Books, moving

CALL = "select ll.ledger_post_batch($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::timestamptz[], $9::jsonb[])"
CHECKED = "(0 = all (p_legs)) is not true and not ll.ledger_legs_in_order(p_ids, p_legs, p_requests, p_kinds)"
WRONG: tuple[Callable[[list[Any]], list[Any] | None], ...] = (lambda column: column[:2], lambda _: [], lambda _: None)
"""Shorter, empty, missing."""
Row = tuple[Any, ...]


def legs_of(key: UUID, *numbers: int | None, src: AccountId, dst: AccountId, request: UUID | None = None) -> list[Row]:
    """Rows of a transaction, one for each number."""
    return [(key, number, request or key, "test", src, dst, 1, None, {}) for number in numbers]


async def written(books: Books, rows: list[Row]) -> list[str | None]:
    """The words of a call with these rows, as the app's own role."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return (await books.as_app(CALL, *columns))[0][0]


async def test_nothing_is_added_to_a_transaction_that_stands(books: Books) -> None:
    a, b = await books.credits(100), await books.credits()
    key = uuid7()
    await books.move((a, b, 1), key=key)
    [stands] = await books.sql("select request from ledger_postings where id = $1", key)
    other = legs_of(uuid7(), 0, src=a, dst=b)
    for rows in (
        legs_of(key, 1, src=a, dst=b, request=stands["request"]),
        legs_of(key, 1, 2, src=a, dst=b, request=stands["request"]),
        other + legs_of(key, 1, src=a, dst=b, request=stands["request"]),
        legs_of(key, None, src=a, dst=b, request=stands["request"]),
    ):
        await _refused_whole(books, rows)
    assert await written(books, legs_of(key, 0, 1, src=a, dst=b, request=stands["request"])) == ["replay", None]
    assert await written(books, legs_of(key, 0, 1, src=a, dst=b)) == ["ledger_id_reused", None]
    rows = await books.sql("select leg from ledger_postings where id = $1", key)
    assert [row["leg"] for row in rows] == [0]
    assert await findings(books) == []


async def _refused_whole(books: Books, rows: list[Row]) -> None:
    with pytest.raises((asyncpg.CheckViolationError, LegsBroken)) as found:
        await written(books, rows)
    assert getattr(found.value, "constraint_name", "ledger_legs_whole") == "ledger_legs_whole"


async def test_without_the_look_at_the_legs_one_would_be_added(books: Books) -> None:
    """The negative control: it is this condition that refuses it."""
    [function] = await books.sql("select pg_get_functiondef('ll.ledger_post_batch'::regproc) as text")
    blind = function["text"].replace(CHECKED, "false")
    assert blind != function["text"]
    a, b = await books.credits(100), await books.credits()
    await books.move((a, b, 1), key=(key := uuid7()))
    try:
        await books.sql(blind)
        told = await written(books, legs_of(uuid7(), 0, src=a, dst=b) + legs_of(key, 1, src=a, dst=b))
        assert (told, await books.balance(b)) == (["posted", None], 3)
        assert len(await books.sql("select from ledger_postings where id = $1", key)) == 2
    finally:
        await books.sql(function["text"])


@pytest.mark.parametrize(
    ("column", "value"),
    [(0, uuid7()), (0, None), (1, 2), (1, -1), (1, None), (2, uuid7()), (2, None), (3, "other"), (3, None)],
    ids=["id", "no id", "gap", "below", "no number", "request", "no request", "kind", "no kind"],
)
async def test_later_legs_count_up_under_one_id_request_and_kind(books: Books, column: int, value: Any) -> None:
    a, b = await books.credits(100), await books.credits()
    first, second = legs_of(uuid7(), 0, 1, src=a, dst=b)
    wrong = (*second[:column], value, *second[column + 1 :])
    await _refused_whole(books, [*legs_of(uuid7(), 0, src=a, dst=b), first, wrong])
    assert await books.postings(b) == 0
    assert await written(books, [first, second]) == ["posted", None]


@pytest.mark.parametrize("place", range(9))
async def test_arrays_are_of_one_length_and_counted_from_one(books: Books, place: int) -> None:
    """An array that is shorter, missing, or counted from elsewhere would be read as another batch by one way to write than by the other."""
    a, b = await books.credits(100), await books.credits()
    columns: list[Any] = [list(column) for column in zip(*legs_of(uuid7(), 0, 1, 2, src=a, dst=b), strict=True)]
    for wrong in WRONG:
        with pytest.raises((asyncpg.CheckViolationError, LegsBroken)):
            await books.as_app(CALL, *columns[:place], wrong(columns[place]), *columns[place + 1 :])
    shifted = CALL.replace(
        f"${place + 1}::", f"array_replace(array_fill(null::text, array[3], array[0]), null, ${place + 1}::text)::"
    )
    with pytest.raises((asyncpg.CheckViolationError, LegsBroken)):
        await books.as_app(shifted, *columns[:place], _text(columns[place][0]), *columns[place + 1 :])
    assert await books.postings(b) == 0
    assert await written(books, legs_of(uuid7(), 0, 1, 2, src=a, dst=b)) == ["posted", None, None]


def _text(value: Any) -> str:
    return "2020-01-01 00:00Z" if value is None else str(value)


async def test_an_account_that_would_hold_too_much_stops_nobody_else(books: Books) -> None:
    """More than a bigint in the middle of a batch, under and over the largest amount of one posting."""
    a, b, till = await books.credits(100), await books.credits(), await books.open(TILL)
    full = await books.credits()
    most = 2**63 - 1 - 5
    await books.sql("update ledger_accounts set cr = $2, dr = $2 where id = $1", full, most)
    rows: list[Row] = [
        legs_of(uuid7(), 0, src=a, dst=b)[0],
        (uuid7(), 0, uuid7(), "test", till, full, 6, None, {}),
        (uuid7(), 0, uuid7(), "test", till, full, 5, None, {}),
        (uuid7(), 0, uuid7(), "test", till, full, MOST + 1, None, {}),
        (uuid7(), 0, uuid7(), "test", till, b, MOST + 1, None, {}),
        (uuid7(), 0, uuid7(), "test", till, b, 2**63 - 1, None, {}),
        legs_of(uuid7(), 0, src=a, dst=b)[0],
    ]
    within = "ledger_postings_amount_within"
    assert await written(books, rows) == ["posted", within, "posted", within, within, within, "posted"]
    assert (await books.balance(a), await books.balance(b), await books.balance(full)) == (98, 2, 5)
    await books.sql("update ledger_accounts set cr = 5, dr = 0 where id = $1", full)
    assert await findings(books) == []


def unwritable(a: AccountId, b: AccountId) -> list[tuple[Transaction, type[Problem]]]:
    """Transactions that no row can hold, and what becomes of them."""
    return [
        (moving((a, b, MOST + 1)), AmountTooLarge),
        (moving((a, b, 2**63)), AmountTooLarge),
        (moving((a, b, -(2**63) - 1)), LegsBroken),
        (moving((a, b, 1), kind="a\0b"), LegsBroken),
        (moving((a, b, 1), meta={"reason": "a\0b"}), LegsBroken),
        (moving((a, b, 1), meta={"rea\0son": "b"}), LegsBroken),
        (moving((a, b, 1), meta={"reason": "é\0"}), LegsBroken),
        (moving((a, b, 1), meta={"reason": "\ud800"}), LegsBroken),
        (moving(*((a, b, 1) for _ in range(MOST_LEGS + 1))), LegsBroken),
    ]


async def test_what_no_row_can_hold_is_refused_alone(books: Books) -> None:
    a, b = await books.credits(100), await books.credits()
    wrong = unwritable(a, b)
    told = await books.batch(moving((a, b, 1)), *(one for one, _ in wrong), moving((a, b, 2)))
    assert told == ["posted", *(problem.type for _, problem in wrong), "posted"]
    for one, problem in wrong:
        with pytest.raises(problem):
            async with books.ctx() as ctx:
                await post(ctx, transaction=one)
    assert await books.balance(b) == 3


async def test_the_batcher_refuses_it_to_its_caller_alone(books: Books) -> None:
    a, b = await books.credits(100), await books.credits()
    async with Batcher(books.services) as batcher:
        for one, problem in unwritable(a, b):
            assert isinstance(await batcher.post(books.tenant_id, transaction=one), problem)
        assert batcher.calls == 0
        assert await batcher.post(books.tenant_id, transaction=moving((a, b, 1), meta={"reason": "é"})) == "posted"
    assert await books.balance(b) == 1
