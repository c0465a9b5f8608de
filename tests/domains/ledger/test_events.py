"""RTM-04: what is posted, held and let go is said once, in the same transaction, with what its accounts and remarks name."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.ledger import (
    AccountId,
    Leg,
    TransactionId,
    capture,
    close_account,
    hold,
    keep_account,
    post,
    reopen_account,
    reverse,
    tell_posted,
    void,
)
from lastlight.domains.ledger.batcher import Batcher
from lastlight.domains.ledger.chart import BANK, EXCHANGE, PROVIDER_PENDING
from lastlight.domains.ledger.errors import NotEnough
from lastlight.domains.ledger.holds import expire_holds
from lastlight.kernel.ids import uuid7
from tests.support.books import Books, moving, new_hold

VENUE = UUID("00000000-0000-4000-8000-000000000001")


async def said(books: Books, name: str, key: str, value: UUID) -> list[dict[str, Any]]:
    """The events of a name that carry an id, with what the audit entry keeps of each."""
    sql = (
        "select data, audit, entity_id, venue_id, patron_id, audience from outbox where name = $1 and data ->> $2 = $3"
    )
    rows = await books.sql(sql, name, key, str(value))
    return [dict(row) | {"data": json.loads(row["data"]), "audit": json.loads(row["audit"])} for row in rows]


async def posted(books: Books, transaction: UUID) -> list[dict[str, Any]]:
    return await said(books, "transaction.posted", "transaction_id", transaction)


async def test_a_posting_is_said_once_and_a_replay_says_nothing(books: Books) -> None:
    a, b, key = await books.credits(500), await books.credits(), uuid7()
    meta = {"venue_id": str(VENUE), "order": "7"}
    for fresh in (True, False):
        assert await books.move((a, b, 60), (b, a, 10), key=key, kind="order", meta=meta) is fresh
    [event] = await posted(books, key)
    assert event["data"] == {
        "transaction_id": str(key),
        "kind": "order",
        "amounts": [{"amount": 70, "currency": "ZAR"}],
        "account_ids": [str(a), str(b)],
        "patron_id": str(books.guests[-2]),
        "of_venue_id": str(VENUE),
        "reverses": None,
        "hold_id": None,
    }
    assert (event["audience"], event["venue_id"], event["entity_id"]) == ("ledger.read", None, str(key))
    assert event["patron_id"] is None, "a guest hears of their money from who moved it, not from the books"
    assert event["audit"]["after"] == {"kind": "order", "amounts": ["0.70 ZAR"], "legs": 2}


async def test_what_is_refused_is_not_said(books: Books) -> None:
    a, b, key = await books.credits(5), await books.credits(), uuid7()
    with pytest.raises(NotEnough):
        await books.move((a, b, 6), key=key)
    assert await posted(books, key) == []


async def test_each_currency_has_its_sum(books: Books) -> None:
    rand, euro = await books.open(EXCHANGE), await books.open(EXCHANGE, currency="EUR")
    bank, other, key = await books.open(BANK), await books.open(BANK, currency="EUR"), uuid7()
    await books.move((bank, rand, 2_000), (euro, other, 100), (bank, rand, 5), key=key)
    [event] = await posted(books, key)
    assert event["data"]["amounts"] == [{"amount": 2_005, "currency": "ZAR"}, {"amount": 100, "currency": "EUR"}]
    assert (event["data"]["patron_id"], event["data"]["of_venue_id"]) == (None, None)


@pytest.mark.parametrize("legs", [1, 5])
async def test_saying_it_costs_no_statement_of_its_own(books: Books, legs: int) -> None:
    a, b = await books.credits(500), await books.credits()
    async with books.ctx() as ctx:
        await post(ctx, transaction=moving(*[(a, b, 1)] * legs))
        assert (ctx.db.statements, len(ctx.pending)) == (1, 1)


async def test_a_reversal_names_what_it_takes_back(books: Books) -> None:
    a, b, key, back = await books.credits(100), await books.credits(), uuid7(), TransactionId(uuid7())
    await books.move((a, b, 60), (b, a, 20), key=key)
    for fresh in (True, False):
        async with books.ctx() as ctx:
            assert await reverse(ctx, posted_as=back, of=TransactionId(key), amounts=[5, 0]) is fresh
    [event] = await posted(books, back)
    assert (event["data"]["reverses"], event["data"]["kind"]) == (str(key), "reversal")
    assert event["data"]["amounts"] == [{"amount": 5, "currency": "ZAR"}]
    assert event["data"]["account_ids"] == [str(b), str(a)]


async def test_a_hold_is_said_when_it_is_made_captured_and_let_go(books: Books) -> None:
    a, b, held, key = await books.credits(100), await books.credits(), new_hold(), TransactionId(uuid7())
    until = datetime.now(UTC) + timedelta(minutes=5)
    for _ in range(2):
        async with books.ctx() as ctx:
            await hold(
                ctx, hold_id=held, leg=Leg(a, b, 70), expires_at=until, kind="tab", meta={"venue_id": str(VENUE)}
            )
    for _ in range(2):
        async with books.ctx() as ctx:
            await capture(ctx, posted_as=key, of=held, amount=20, kind="round", last=False)
    for _ in range(2):
        async with books.ctx() as ctx:
            await void(ctx, hold=held)
    [made] = await said(books, "transaction.held", "hold_id", held)
    assert (made["data"]["amount"], made["data"]["of_venue_id"]) == ({"amount": 70, "currency": "ZAR"}, str(VENUE))
    [captured] = await posted(books, key)
    assert (captured["data"]["hold_id"], captured["data"]["amounts"][0]["amount"]) == (str(held), 20)
    [gone] = await said(books, "transaction.released", "hold_id", held)
    assert (gone["data"]["how"], gone["data"]["amount"]["amount"]) == ("void", 50)
    assert (gone["audit"]["before"], gone["audit"]["after"]) == (
        {"state": "open"},
        {"state": "void", "let_go": "0.50 ZAR"},
    )


async def test_holds_whose_time_is_over_are_each_said_once(books: Books) -> None:
    a, b, late = await books.credits(100), await books.credits(), [new_hold() for _ in range(3)]
    over = datetime.now(UTC) - timedelta(minutes=5)
    async with books.ctx() as ctx:
        for one in late:
            await hold(ctx, hold_id=one, leg=Leg(a, b, 10), expires_at=over, kind="tab")
    for ended in (2, 1, 0):
        async with books.ctx() as ctx:
            assert await expire_holds(ctx, limit=2) == ended
    for one in late:
        [gone] = await said(books, "transaction.released", "hold_id", one)
        assert (gone["data"]["how"], gone["data"]["amount"]["amount"]) == ("expired", 10)


async def test_what_a_batch_wrote_is_said_and_what_it_repeated_is_not(books: Books) -> None:
    a, b = await books.credits(500), await books.open(PROVIDER_PENDING)
    first, second, dear = moving((a, b, 1), meta={"venue_id": str(VENUE)}), moving((a, b, 2)), moving((a, b, 9_000))
    async with Batcher(books.services) as batcher:
        words = [
            await batcher.post(books.tenant_id, transaction=one, posted=partial(tell_posted, transaction=one))
            for one in (first, second, first, dear)
        ]
    assert [word if isinstance(word, str) else word.type for word in words] == [
        "posted",
        "posted",
        "replay",
        "not-enough",
    ]
    assert [len(await posted(books, one.id)) for one in (first, second, dear)] == [1, 1, 0]
    assert (await posted(books, first.id))[0]["data"]["of_venue_id"] == str(VENUE)


async def test_many_of_one_unit_of_work_cost_one_look_at_their_accounts(books: Books) -> None:
    a, b = await books.credits(), await books.credits()
    async with books.ctx() as ctx:
        for _ in range(40):
            tell_posted(ctx, transaction=moving((a, b, 1)))
        before = ctx.db.statements
    assert (ctx.db.statements - before, len(ctx.pending)) == (2, 40), "one look, and the outbox"


async def test_closing_and_opening_again_are_said_where_they_changed_something(books: Books) -> None:
    account = await books.credits()
    for act in (close_account, close_account, reopen_account, reopen_account):
        async with books.ctx() as ctx:
            await act(ctx, account=account)
    assert len(await said(books, "ledger_account.closed", "account_id", account)) == 1
    assert len(await said(books, "ledger_account.reopened", "account_id", account)) == 1


async def test_whoever_keeps_a_closed_account_opens_it_again_and_says_so(books: Books) -> None:
    account, other = await books.credits(), await books.credits()
    async with books.ctx() as ctx:
        await close_account(ctx, account=account)
    for kept in (account, account, other):
        async with books.ctx() as ctx:
            assert await keep_account(ctx, account=kept)
    async with books.ctx() as ctx:
        assert not await keep_account(ctx, account=AccountId(uuid4()))
    assert len(await said(books, "ledger_account.reopened", "account_id", account)) == 1
    assert len(await said(books, "ledger_account.reopened", "account_id", other)) == 0
    await books.move((await books.credits(5), account, 5))


async def test_remarks_that_name_no_venue_by_its_id_are_kept_and_stand_for_none(books: Books) -> None:
    a, b, key = await books.credits(5), await books.credits(), uuid4()
    await books.move((a, b, 1), key=key, meta={"venue_id": "the bar"})
    [event] = await posted(books, key)
    [row] = await books.sql("select venue_id, meta from ledger_postings where id = $1", key)
    assert (event["data"]["of_venue_id"], row["venue_id"], json.loads(row["meta"])) == (
        None,
        None,
        {"venue_id": "the bar"},
    )
