"""Entries of one account, guest or venue are found by indexes that are theirs, in books of many guests."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from lastlight.domains.ledger.chart import BANK
from lastlight.domains.ledger.listings import ENTRIES
from lastlight.kernel.ids import uuid7
from lastlight.kernel.paging import Cursor
from lastlight.runtime.http.listing_sql import build
from lastlight.runtime.settings import Settings
from tests.support.books import Books, opened_books

ACCOUNTS = """
insert into ledger_accounts (tenant_id, id, code, currency, side, mode)
select $1, overlay(md5(n::text) placing '10' from 1 for 2)::uuid, 'credits', 'ZAR', 'credit', 'strict' from generate_series(1, 2000) n
"""
FILL = """
insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, src_version, src_balance, dst, amount, at, effective_at, meta)
select $1, uuidv7(), 0, uuidv7(), 'order', 'ZAR', overlay(md5((1 + n % 2000)::text) placing '10' from 1 for 2)::uuid, n, 0, $2, 5,
       now() - (60000 - n) * interval '1 minute', now(), jsonb_build_object('venue_id', md5((n % 50)::text)::uuid)
from generate_series(1, 60000) n
"""


@pytest.fixture(scope="module")
async def filled(database_settings: Settings) -> AsyncGenerator[tuple[Books, Any]]:
    """A business with two thousand guests, each with thirty postings, all against one deferred account."""
    async with opened_books(database_settings) as books:
        bank = await books.open(BANK)
        await books.sql(ACCOUNTS, books.tenant_id)
        await books.sql(FILL, books.tenant_id, bank)
        await books.sql("analyze ledger_postings")
        await books.sql("analyze ledger_accounts")
        yield books, bank


async def plan(books: Books, cursor: Cursor | None = None, **given: Any) -> list[dict[str, Any]]:
    """The scans of the postings in the plan for a page, as the app's own role reads it."""
    async with books.ctx() as ctx:
        statement = build(ENTRIES, ctx, ENTRIES.parse(**given), paged=True, cursor=cursor)
        sql = f"explain (analyze, buffers, format json) {statement.head} {statement.tail} {statement.order} limit 51"
        [row] = await ctx.db.connection.fetch(sql, *statement.parameters)
    told = row[0] if not isinstance(row[0], str) else json.loads(row[0])
    found: list[dict[str, Any]] = []
    waiting = [told[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name") == "ledger_postings" or str(node.get("Index Name", "")).startswith(
            "ledger_postings"
        ):
            found.append(node)
    return found


def read(scans: list[dict[str, Any]]) -> int:
    """How many postings were taken up, those that were thrown away again included."""
    return sum(
        (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"]
        for scan in scans
        if scan["Node Type"] != "Bitmap Index Scan"
    )


async def test_the_newest_entries_are_read_from_the_end(filled: tuple[Books, Any]) -> None:
    scans = await plan(filled[0])
    assert {scan["Index Name"] for scan in scans} == {"ledger_postings_by_seq"}
    assert read(scans) < 60


async def test_a_page_deep_in_the_books_is_found_at_once(filled: tuple[Books, Any]) -> None:
    books = filled[0]
    [row] = await books.sql(
        "select seq from ledger_postings where tenant_id = $1 order by seq offset 20000 limit 1", books.tenant_id
    )
    scans = await plan(books, Cursor("-at", str(row["seq"]), "0"))
    assert {scan["Index Name"] for scan in scans} == {"ledger_postings_by_seq"}
    assert read(scans) < 60


async def test_a_guests_entries_are_found_by_the_accounts(filled: tuple[Books, Any]) -> None:
    books, bank = filled
    seldom, other = await books.credits(), await books.credits()
    await books.move((bank, seldom, 5), (seldom, other, 1))
    wanted: tuple[dict[str, Any], ...] = ({"account_id": [str(seldom)]}, {"patron_id": [str(books.guests[-2])]})
    for given in wanted:
        scans = await plan(books, **given)
        assert {scan["Node Type"] for scan in scans} == {"Bitmap Heap Scan", "Bitmap Index Scan"}, given
        assert read(scans) == 2, given


async def test_a_venues_entries_are_found_by_the_venue(filled: tuple[Books, Any]) -> None:
    books, bank = filled
    venue, guest = uuid7(), await books.credits()
    await books.move((bank, guest, 1), meta={"venue_id": str(venue)})
    scans = await plan(books, venue_id=[str(venue)])
    assert {scan["Index Name"] for scan in scans} == {"ledger_postings_of_venue"}
    assert read(scans) == 1


async def test_days_long_ago_are_found_without_reading_what_came_since(filled: tuple[Books, Any]) -> None:
    books = filled[0]
    [row] = await books.sql("select min(at) as first from ledger_postings where tenant_id = $1", books.tenant_id)
    scans = await plan(books, at_to=row["first"].isoformat(), sort="at")
    assert read(scans) < 20_000
