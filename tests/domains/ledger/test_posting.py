"""Posting: what balances is written once, what does not is refused whole."""

import asyncio
import hashlib
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg.pgproto import pgproto

from lastlight.domains.ledger import AccountId, Condition, account_id, close_account, reopen_account, transaction_id
from lastlight.domains.ledger.chart import BANK, CREDITS, PROVIDER_PENDING, REVENUE, AccountKind
from lastlight.domains.ledger.errors import (
    AccountClosed,
    AccountMissing,
    AccountMoved,
    AccountNotEmpty,
    CurrenciesMixed,
    IdReused,
    LegsBroken,
    NotEnough,
)
from lastlight.kernel.errors import Conflict, Problem
from lastlight.kernel.ids import uuid7
from tests.support.books import TILL, Books, moving


async def refused(work: Coroutine[Any, Any, Any], kind: type[Problem]) -> None:
    with pytest.raises(kind):
        await work


async def test_a_posting_moves_once_and_both_accounts_say_so(books: Books) -> None:
    a, b = await books.credits(500), await books.credits()
    key = uuid7()
    assert await books.move((a, b, 200), key=key)
    assert not await books.move((a, b, 200), key=key)
    assert (await books.balance(a), await books.balance(b)) == (300, 200)
    [row] = await books.sql("select * from ledger_postings where id = $1", key)
    assert (row["src_version"], row["src_balance"], row["dst_version"], row["dst_balance"]) == (2, 300, 1, 200)
    assert (row["currency"], row["amount"], row["kind"], row["effective_at"]) == ("ZAR", 200, "test", row["at"])


async def test_an_id_stands_for_one_request_for_good(books: Books) -> None:
    a, b = await books.credits(500), await books.credits()
    key = transaction_id(books.tenant_id, "order 7")
    assert key == transaction_id(books.tenant_id, "order 7") != transaction_id(books.tenant_id, "order 8")
    await books.move((a, b, 10), key=key, meta={"order": "7"})
    for other in (moving((a, b, 11), key=key, meta={"order": "7"}), moving((a, b, 10), key=key, meta={"order": "8"})):
        assert await books.batch(other) == ["ledger-id-reused"]
        await refused(books.move((a, b, other.legs[0].amount), key=key, meta=other.meta), IdReused)
    assert await books.balance(b) == 10


def test_what_a_request_hashes_to_stays_for_good() -> None:
    """Ids never expire, so that what was asked for years ago still has to be told from something else; whichever class carries the ids."""
    src, dst = "10000000-0000-4000-8000-00000000000a", "f0000000-0000-4000-8000-00000000000b"
    more: dict[str, Any] = {"meta": {"b": "2", "a": "é"}, "effective_at": datetime(2026, 11, 21, 22, tzinfo=UTC)}
    found = {
        moving((AccountId(make(src)), AccountId(make(dst)), 12), kind="sale", **more).request()
        for make in (UUID, pgproto.UUID)
    }
    told = f'["sale",[["{src}","{dst}",12]],{{"a":"é","b":"2"}},"2026-11-21T22:00:00+00:00"]'
    assert found == {UUID(bytes=hashlib.sha256(told.encode()).digest()[:16])}


async def test_an_account_has_one_id_here_and_in_the_database(books: Books) -> None:
    guest = await books.guest()
    opened = await books.open(CREDITS, patron_id=guest)
    assert (
        opened == account_id(books.tenant_id, CREDITS, "ZAR", owner=guest) == await books.open(CREDITS, patron_id=guest)
    )
    assert str(opened).startswith("10")
    assert str(await books.open(BANK)).startswith("f0")
    with pytest.raises(ValueError, match="belongs to a patron"):
        await books.open(CREDITS)


async def test_no_account_falls_below_its_floor(books: Books) -> None:
    a, b = await books.credits(500), await books.credits()
    await refused(books.move((a, b, 501)), NotEnough)
    await refused(books.move((a, b, 400), (b, a, 100), (a, b, 300)), NotEnough)
    assert (await books.balance(a), await books.balance(b)) == (500, 0)
    assert await books.move((a, b, 500))


async def test_what_is_no_transaction_is_refused(books: Books) -> None:
    a, b = await books.credits(500), await books.credits()
    for legs in ([], [(a, b, 0)], [(a, b, -1)], [(a, a, 1)], [(a, b, 1), (b, b, 1)]):
        await refused(books.move(*legs), LegsBroken)
        assert await books.batch(moving(*legs)) == ["legs-broken"]
    euros = await books.credits(currency="EUR")
    await refused(books.move((a, euros, 1)), CurrenciesMixed)
    await refused(books.move((a, b, 1), (a, await books.open(BANK, currency="EUR"), 1)), CurrenciesMixed)
    missing = account_id(books.tenant_id, CREDITS, "JPY", owner=books.guests[0])
    await refused(books.move((a, missing, 1)), AccountMissing)
    await refused(books.move((missing, a, 1)), AccountMissing)
    await refused(books.move((a, account_id(books.tenant_id, REVENUE, "JPY"), 1)), AccountMissing)
    assert await books.balance(a) == 500


async def test_another_business_has_no_such_account(books: Books) -> None:
    async with books.ctx() as ctx:
        other = Books(ctx.services, (await books.sql("select id from tenants where kind = 'platform'"))[0]["id"])
    a = await books.credits(500)
    stranger = await other.open(BANK)
    await refused(books.move((a, stranger, 1)), AccountMissing)
    await refused(other.move((a, stranger, 1)), AccountMissing)
    assert await books.balance(a) == 500


async def test_a_closed_account_takes_nothing_and_only_an_empty_one_is_closed(books: Books) -> None:
    a, b = await books.credits(500), await books.credits()
    async with books.ctx() as ctx:
        await close_account(ctx, account=b)
    await refused(books.move((a, b, 1)), AccountClosed)
    assert await books.batch(moving((a, b, 1))) == ["account-closed"]
    async with books.ctx() as ctx:
        await reopen_account(ctx, account=b)
    await books.move((a, b, 1))
    for account in (b, await books.open(BANK)):
        with pytest.raises(AccountNotEmpty):
            async with books.ctx() as ctx:
                await close_account(ctx, account=account)


async def test_conditions_are_looked_at_under_the_lock(books: Books) -> None:
    a, b = await books.credits(500), await books.credits()
    await refused(books.move((a, b, 1), conditions=[Condition(a, least=501)]), NotEnough)
    await refused(books.move((a, b, 1), conditions=[Condition(a, version=7)]), AccountMoved)
    await refused(
        books.move((a, b, 1), conditions=[Condition(account_id(books.tenant_id, REVENUE, "JPY"))]), AccountMissing
    )
    assert await books.move((a, b, 1), conditions=[Condition(a, least=500, version=1), Condition(b, version=0)])
    await refused(books.move((a, b, 1), conditions=[Condition(b, version=0)]), AccountMoved)


async def test_nothing_is_written_past_the_functions(books: Books) -> None:
    """As the app's own role, whatever it says."""
    a, b = await books.credits(500), await books.credits()
    said = [
        "update ledger_accounts set dr = 0",
        "delete from ledger_accounts",
        "insert into ledger_accounts (tenant_id, id, code, currency, side, mode) select tenant_id, uuidv7(), code, currency, side, mode from ledger_accounts",
        "update ledger_postings set amount = 1",
        "delete from ledger_postings",
        "truncate ledger_postings",
        "insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, dst, amount, at, effective_at) select tenant_id, uuidv7(), leg, request, kind, currency, src, dst, amount, at, effective_at from ledger_postings",
        "insert into ledger_rollups select * from ledger_rollups",
        "insert into ledger_seals select * from ledger_seals",
        "update ledger_holds set state = 'open'",
        "select ll.ledger_leg(null, null, 0::smallint, null, 'x', null, null, 1, now(), null, '{}', null, null, null)",
        "select ll.ledger_set_aside(null, null, null, 1)",
        "select ll.ledger_roll_up()",
    ]
    for sql in said:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await books.as_app(sql)
    assert (await books.balance(a), await books.balance(b)) == (500, 0)


async def test_not_even_the_owner_edits_what_is_written(books: Books) -> None:
    await books.move((await books.open(BANK), await books.credits(), 5))
    await books.seal()
    for table in ("ledger_postings", "ledger_rollups", "ledger_seals"):
        for sql in (f"update {table} set tenant_id = tenant_id", f"delete from {table}"):
            with pytest.raises(asyncpg.PostgresError, match=r"append-only"):
                await books.sql(sql)


async def test_sixteen_who_repeat_three_hundred_requests_write_each_once(books: Books) -> None:
    a, b = await books.credits(10_000), await books.credits()
    keys = [uuid7() for _ in range(60)]

    async def client() -> int:
        return sum([await books.move((a, b, 1), key=key) for key in keys])

    assert sum(await asyncio.gather(*(client() for _ in range(4)))) == 60
    assert (await books.balance(a), await books.postings(b)) == (9_940, 60)


async def test_a_storm_of_overdrafts_lets_exactly_as_many_through_as_there_is_money_for(books: Books) -> None:
    a, b, sales = await books.credits(17), await books.credits(), await books.open(REVENUE)

    async def spend(to: Any) -> bool:
        try:
            return await books.move((a, to, 1))
        except NotEnough:
            return False

    assert sum(await asyncio.gather(*(spend(to) for to in (b, sales) * 20))) == 17
    assert (await books.balance(a), await books.balance(b) + await books.balance(sales)) == (0, 17)


async def test_those_who_move_both_ways_at_once_do_not_stop_each_other(books: Books) -> None:
    accounts = [await books.credits(1_000) for _ in range(4)]

    async def move(n: int) -> None:
        one, two, three = (accounts[(n + step) % 4] for step in (0, 1, 3))
        await books.move((one, two, 2), (two, three, 1), (three, one, 1))

    before = (await books.sql("select deadlocks from pg_stat_database where datname = current_database()"))[0][0]
    await asyncio.gather(*(move(n) for n in range(80)))
    assert sum([await books.balance(account) for account in accounts]) == 4_000
    after = (await books.sql("select deadlocks from pg_stat_database where datname = current_database()"))[0][0]
    assert after == before


async def test_a_deferred_account_is_exact_while_many_write_and_it_is_summed_up(books: Books) -> None:
    bank, till = await books.open(PROVIDER_PENDING, currency="USD"), await books.open(TILL, currency="USD")
    guests = [await books.credits(currency="USD") for _ in range(4)]

    async def sums() -> None:
        for _ in range(6):
            await books.as_system("select ll.ledger_roll_up()")

    await asyncio.gather(sums(), *(books.move((bank, guests[n % 4], n)) for n in range(1, 61)))
    await books.move((till, bank, 30))
    assert await books.balance(bank) == sum(range(1, 61)) - 30
    assert sum([await books.balance(guest) for guest in guests]) == sum(range(1, 61))


async def test_a_guests_account_is_always_strict(books: Books) -> None:
    """Entries of a guest are looked for among those that carry versions."""
    vague = AccountKind("vague", "A guest's that carries no balance", "credit", "patron")
    with pytest.raises(Conflict) as refused_by:
        await books.open(vague, patron_id=await books.guest())
    assert refused_by.value.extra == {"constraint": "ledger_accounts_guests_are_strict"}
