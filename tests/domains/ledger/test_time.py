"""Balances and statements as of any moment, reversals, holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lastlight.domains.ledger import capture, find_hold, hold, reverse, statement, void
from lastlight.domains.ledger.balances import Basis
from lastlight.domains.ledger.chart import PROVIDER_PENDING, REVENUE
from lastlight.domains.ledger.errors import (
    AccountMissing,
    HoldEnded,
    HoldMissing,
    HoldTooSmall,
    IdReused,
    NotEnough,
    ReversedAlready,
)
from lastlight.domains.ledger.holds import expire_holds
from lastlight.domains.ledger.posting import Leg, TransactionId
from lastlight.kernel.ids import uuid7
from tests.support.books import TILL, Books, new_hold

SOON = timedelta(minutes=10)
BASES: tuple[Basis, ...] = ("posted", "effective")


def as_id(value: Any) -> TransactionId:
    return TransactionId(value)


@pytest.mark.parametrize("kind", ["strict", "deferred"])
async def test_a_balance_is_told_as_of_every_moment(books: Books, kind: str) -> None:
    account = await books.credits() if kind == "strict" else await books.open(PROVIDER_PENDING, currency="NOK")
    till = await books.open(TILL, currency="ZAR" if kind == "strict" else "NOK")
    start = datetime.now(UTC)
    expected = [(start - timedelta(days=1), 0)]
    running, side = 0, 1 if kind == "strict" else -1
    for step in range(12):
        amount = step + 1 if step % 3 else 40
        legs = (till, account, amount) if step % 3 != 2 else (account, till, amount)
        running += amount if step % 3 != 2 else -amount
        key = uuid7()
        await books.move(legs, key=key)
        [row] = await books.sql("select at from ledger_postings where id = $1", key)
        expected.append((row["at"], side * running))
        if step in {3, 8}:
            await books.as_system("select ll.ledger_roll_up()")
    for at, told in expected:
        assert await books.balance(account, at) == told
        assert await books.balance(account, at, basis="effective") == told
    assert await books.balance(account) == side * running
    async with books.ctx() as ctx:
        since, until = expected[4][0], expected[9][0]
        shown = await statement(ctx, account=account, since=since, until=until)
    assert (shown.opening, shown.closing, shown.whole) == (expected[3][1], expected[8][1], True)
    assert [line.balance for line in shown.lines] == [told for _, told in expected[4:9]]
    assert shown.opening + sum(line.moved for line in shown.lines) == shown.closing
    assert {line.other for line in shown.lines} == {till}


@pytest.mark.parametrize("kind", ["strict", "deferred"])
async def test_a_statement_holds_what_counts_for_its_time(books: Books, kind: str) -> None:
    """What was written now for last week is in last week's statement, and not in today's; read by posting it is the other way round."""
    currency = "ZAR" if kind == "strict" else "SEK"
    account = await books.credits() if kind == "strict" else await books.open(REVENUE, currency=currency)
    till = await books.open(TILL, currency=currency)
    now = datetime.now(UTC)
    days = {0: 100, 9: 7, 8: 5}
    for back, amount in days.items():
        await books.move((till, account, amount), effective_at=now - timedelta(days=back) if back else None)
    week = (now - timedelta(days=10), now - timedelta(days=7))
    today = (now - timedelta(days=1), now + timedelta(days=1))
    told: dict[tuple[str, str], tuple[int, list[int], int]] = {}
    async with books.ctx() as ctx:
        for name, (since, until) in {"week": week, "today": today}.items():
            for basis in BASES:
                shown = await statement(ctx, account=account, since=since, until=until, basis=basis)
                assert [line.balance for line in shown.lines][-1:] in ([], [shown.closing])
                told[name, basis] = (shown.opening, [line.moved for line in shown.lines], shown.closing)
        short = await statement(ctx, account=account, since=week[0], until=week[1], limit=1, basis="effective")
    assert told == {
        ("week", "posted"): (0, [], 0),
        ("week", "effective"): (0, [7, 5], 12),
        ("today", "posted"): (0, [100, 7, 5], 112),
        ("today", "effective"): (12, [100], 112),
    }
    assert ([line.moved for line in short.lines], short.closing, short.whole) == ([7], 12, False)


async def test_what_is_written_later_counts_for_the_moment_that_it_names(books: Books) -> None:
    account, till = await books.credits(), await books.open(TILL)
    now = datetime.now(UTC)
    await books.move((till, account, 100))
    await books.move((till, account, 7), effective_at=now - timedelta(days=2))
    await books.move((account, till, 30), effective_at=now + timedelta(days=2))
    days = {-3: (0, 0), -1: (0, 7), 1: (77, 107), 3: (77, 77)}
    for day, (posted, effective) in days.items():
        at = now + timedelta(days=day)
        assert (await books.balance(account, at), await books.balance(account, at, basis="effective")) == (
            posted,
            effective,
        )


async def test_an_account_that_was_never_opened_has_no_balance(books: Books) -> None:
    for at in (None, datetime.now(UTC)):
        with pytest.raises(AccountMissing):
            await books.balance(uuid7(), at)  # pyright: ignore[reportArgumentType] an id that is no account's


async def test_a_transaction_is_taken_back_in_parts_and_never_more_than_it_moved(books: Books) -> None:
    a, b, c = await books.credits(100), await books.credits(), await books.credits()
    original = as_id(uuid7())
    await books.move((a, b, 60), (b, c, 20), key=original)

    async def take(amounts: list[int] | None, key: TransactionId | None = None) -> bool:
        async with books.ctx() as ctx:
            return await reverse(ctx, posted_as=key or as_id(uuid7()), of=original, amounts=amounts)

    key = as_id(uuid7())
    assert [await take([10, 5], key), await take([10, 5], key)] == [True, False]
    with pytest.raises(IdReused):
        await take([10, 6], key)
    assert [await books.balance(one) for one in (a, b, c)] == [50, 35, 15]
    with pytest.raises(ReversedAlready):
        await take([51, 0])
    with pytest.raises(ReversedAlready):
        await take([0, 16])
    assert await take(None)
    assert [await books.balance(one) for one in (a, b, c)] == [100, 0, 0]
    with pytest.raises(ReversedAlready):
        await take(None)
    with pytest.raises(ReversedAlready):
        async with books.ctx() as ctx:
            await reverse(ctx, posted_as=as_id(uuid7()), of=as_id(uuid7()))


async def test_what_was_spent_since_is_not_taken_back(books: Books) -> None:
    a, b, c = await books.credits(100), await books.credits(), await books.credits()
    original = as_id(uuid7())
    await books.move((a, b, 60), key=original)
    await books.move((b, c, 1))
    with pytest.raises(NotEnough):
        async with books.ctx() as ctx:
            await reverse(ctx, posted_as=as_id(uuid7()), of=original)
    assert [await books.balance(one) for one in (a, b, c)] == [40, 59, 1]


async def test_what_is_held_is_not_available_and_is_captured_in_parts(books: Books) -> None:
    a, b = await books.credits(100), await books.credits()
    held, until = new_hold(), datetime.now(UTC) + SOON
    for fresh in (True, False):
        async with books.ctx() as ctx:
            assert await hold(ctx, hold_id=held, leg=Leg(a, b, 70), expires_at=until, kind="tab") is fresh
    with pytest.raises(IdReused):
        async with books.ctx() as ctx:
            await hold(ctx, hold_id=held, leg=Leg(a, b, 71), expires_at=until, kind="tab")
    assert (await books.balance(a), await books.available(a), await books.balance(b)) == (100, 30, 0)
    with pytest.raises(NotEnough):
        await books.move((a, b, 31))
    first, last = as_id(uuid7()), as_id(uuid7())
    for fresh in (True, False):
        async with books.ctx() as ctx:
            assert await capture(ctx, posted_as=first, of=held, amount=20, kind="round", last=False) is fresh
    assert (await books.balance(a), await books.available(a), await books.balance(b)) == (80, 30, 20)
    with pytest.raises(HoldTooSmall):
        async with books.ctx() as ctx:
            await capture(ctx, posted_as=last, of=held, amount=51, kind="round")
    async with books.ctx() as ctx:
        assert await capture(ctx, posted_as=last, of=held, amount=40, kind="round")
    assert (await books.balance(a), await books.available(a), await books.balance(b)) == (40, 40, 60)
    with pytest.raises(HoldEnded):
        async with books.ctx() as ctx:
            await capture(ctx, posted_as=as_id(uuid7()), of=held, amount=1, kind="round")
    async with books.ctx() as ctx:
        assert ((found := await find_hold(ctx, hold=held)).state, found.captured) == ("captured", 60)


async def test_a_hold_is_let_go_by_hand_or_when_its_time_is_over(books: Books) -> None:
    a, b = await books.credits(100), await books.credits()
    by_hand, late = new_hold(), new_hold()
    now = datetime.now(UTC)
    async with books.ctx() as ctx:
        await hold(ctx, hold_id=by_hand, leg=Leg(a, b, 40), expires_at=now + SOON, kind="tab")
        await hold(ctx, hold_id=late, leg=Leg(a, b, 50), expires_at=now - SOON, kind="tab")
    assert await books.available(a) == 10
    for fresh in (True, False):
        async with books.ctx() as ctx:
            assert await void(ctx, hold=by_hand) is fresh
    assert await books.available(a) == 50
    for ended in (1, 0):
        async with books.ctx() as ctx:
            assert await expire_holds(ctx, limit=10) == ended
    assert (await books.available(a), await books.balance(a), await books.balance(b)) == (100, 100, 0)
    for gone, problem in ((late, HoldEnded), (new_hold(), HoldMissing)):
        with pytest.raises(problem):
            async with books.ctx() as ctx:
                await void(ctx, hold=gone)
