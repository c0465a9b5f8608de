"""TRE-02, TRE-03, CRE-04: the books as they are read: lists, one account, one transaction, the summary, and who may."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.ledger.chart import BANK, CHART, REVENUE, TAX_PAYABLE
from lastlight.domains.ledger.listings import ACCOUNTS, ENTRIES
from lastlight.kernel.ids import uuid7
from lastlight.modules import MODULES
from lastlight.runtime.settings import Settings
from tests.support.books import Books
from tests.support.people import People, people

OWNER, STRANGER = "owner@bar.example", "owner@club.example"
HOUSE = len([kind for kind in CHART if kind.owner == "business"])


@dataclass
class Evening:
    """A business where a guest has bought 100.00 and spent 23.00 at a venue, 3.00 of it tax."""

    people: People
    books: Books
    guest: UUID
    credits: Any
    bank: Any
    sales: Any
    bought: UUID
    order: UUID
    headers: dict[str, str]

    async def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        """What the owner is answered."""
        return await self.people.call("GET", path, self.headers, status=status, params=query)


@pytest.fixture(scope="module")
async def evening(database_settings: Settings) -> AsyncGenerator[Evening]:
    async with people(database_settings, MODULES) as world:
        books = Books(world.services, world.bar.id)
        account = await books.credits()
        guest = books.guests[-1]
        bank, sales, tax = await books.open(BANK), await books.open(REVENUE), await books.open(TAX_PAYABLE)
        bought, order = uuid7(), uuid7()
        await books.move((bank, account, 10_000), key=bought, kind="credits-bought")
        meta = {"venue_id": str(world.bar.venues[0])}
        await books.move((account, sales, 2_000), (account, tax, 300), key=order, kind="order", meta=meta)
        headers = await world.bearer(OWNER)
        yield Evening(world, books, guest, account, bank, sales, bought, order, headers)


async def test_each_posting_is_its_debit_and_its_credit(evening: Evening) -> None:
    found = (await evening.get("/api/ledger/entries", transaction_id=str(evening.order)))["items"]
    said = [(row["account"], row["side"], row["amount"]["amount"], row["debit"] is None) for row in found]
    assert said == [
        ("tax-payable", "credit", 300, True),
        ("credits", "debit", 300, False),
        ("revenue", "credit", 2_000, True),
        ("credits", "debit", 2_000, False),
    ]
    assert [row["balance"] and row["balance"]["amount"] for row in found] == [None, 7_700, None, 8_000]
    assert {row["venue_id"] for row in found} == {str(evening.people.bar.venues[0])}
    assert len({row["id"] for row in found}) == 4


FOUND_BY: list[tuple[Callable[[Evening], dict[str, Any]], int]] = [
    (lambda e: {"account_id": str(e.credits)}, 3),
    (lambda e: {"account_id": [str(e.credits), str(e.bank)]}, 4),
    (lambda e: {"account_id": str(e.sales)}, 1),
    (lambda e: {"patron_id": str(e.guest)}, 3),
    (lambda e: {"patron_id": str(uuid4())}, 0),
    (lambda e: {"venue_id": str(e.people.bar.venues[0])}, 4),
    (lambda e: {"venue_id": str(e.people.bar.venues[1])}, 0),
    (lambda e: {"kind": "order"}, 4),
    (lambda e: {"side": "debit"}, 3),
    (lambda e: {"currency": "EUR"}, 0),
    (lambda e: {"amount_from": 2_000, "amount_to": 10_000}, 2),
    (lambda e: {"at_to": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}, 0),
    (lambda e: {"at_from": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}, 6),
    (lambda e: {"q": "revenue"}, 1),
]


@pytest.mark.parametrize(("query", "expected"), FOUND_BY)
async def test_entries_are_found_by(evening: Evening, query: Any, expected: int) -> None:
    assert len((await evening.get("/api/ledger/entries", **query(evening)))["items"]) == expected


@pytest.mark.parametrize("sort", ["at", "-at"])
async def test_pages_of_entries_meet_without_a_gap_in_the_middle_of_a_posting(evening: Evening, sort: str) -> None:
    whole = [row["id"] for row in (await evening.get("/api/ledger/entries", sort=sort))["items"]]
    seen: list[str] = []
    after = ""
    while after is not None:
        page = await evening.get("/api/ledger/entries", sort=sort, limit=1, after=after)
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
    assert (seen, len(seen)) == (whole, 6)


async def test_accounts_are_listed_with_exact_balances_for_two_statements(evening: Evening) -> None:
    assert await evening.people.run_scheduled("ledger.seal", evening.people.bar.id) >= 0
    found = {row["id"]: row for row in (await evening.get("/api/ledger/accounts"))["items"]}
    assert found[str(evening.bank)]["balance"] == {"amount": 10_000, "currency": "ZAR"}
    assert found[str(evening.sales)]["balance"]["amount"] == 2_000
    theirs = found[str(evening.credits)]
    assert (theirs["name"], theirs["owner"], theirs["patron"]) == ("Guests' credits", "patron", "Guest")
    assert (theirs["balance"]["amount"], theirs["available"]["amount"]) == (7_700, 7_700)
    for limit in (1, 50):
        async with evening.books.ctx() as ctx:
            await ACCOUNTS.page(ctx, ACCOUNTS.parse(limit=limit))
            assert ctx.db.statements <= 2
            before = ctx.db.statements
            await ENTRIES.page(ctx, ENTRIES.parse(limit=limit))
            assert ctx.db.statements - before == 1


async def test_an_account_is_read_now_and_as_of_a_moment(evening: Evening) -> None:
    path = f"/api/ledger/accounts/{evening.credits}"
    now = await evening.get(path)
    assert (now["balance"], now["version"], now["at"]) == ({"amount": 7_700, "currency": "ZAR"}, 3, None)
    [row] = await evening.people.sql("select at from ledger_postings where id = $1", evening.bought)
    then = await evening.get(path, at=row["at"].isoformat())
    assert (then["balance"]["amount"], then["available"]) == (10_000, None)
    long_ago = await evening.get(path, at="2020-01-01T00:00:00Z", basis="effective")
    assert long_ago["balance"]["amount"] == 0
    missing = await evening.get(f"/api/ledger/accounts/{uuid4()}", status=404)
    assert missing["detail"] == "Nothing was opened under this id."


async def test_a_statement_runs_from_what_stood_before_to_what_stands_after(evening: Evening) -> None:
    found = await evening.get(f"/api/ledger/accounts/{evening.credits}/statement")
    assert (found["opening"]["amount"], found["closing"]["amount"], found["whole"]) == (0, 7_700, True)
    assert [(line["debit"] or line["credit"])["amount"] for line in found["lines"]] == [10_000, 2_000, 300]
    assert [line["balance"]["amount"] for line in found["lines"]] == [10_000, 8_000, 7_700]
    assert [line["other"] for line in found["lines"]] == ["Bank", "Sales", "Tax to hand on"]
    short = await evening.get(f"/api/ledger/accounts/{evening.credits}/statement", limit=1)
    assert (len(short["lines"]), short["whole"], short["closing"]["amount"]) == (1, False, 7_700)
    wrong = {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    refused = await evening.get(f"/api/ledger/accounts/{evening.credits}/statement", status=422, **wrong)
    assert refused["type"].endswith("/invalid")


async def test_a_transaction_tells_its_legs_and_what_took_them_back(evening: Evening) -> None:
    one = await evening.get(f"/api/ledger/transactions/{evening.order}")
    assert [(leg["debit"], leg["credit"], leg["amount"]["amount"]) for leg in one["legs"]] == [
        ("Guests' credits", "Sales", 2_000),
        ("Guests' credits", "Tax to hand on", 300),
    ]
    assert (one["totals"], one["reversed_by"]) == ([{"amount": 2_300, "currency": "ZAR"}], [])
    assert one["venue"] == (await evening.get(f"/api/venues/{evening.people.bar.venues[0]}"))["name"]
    assert (await evening.get(f"/api/ledger/transactions/{uuid4()}", status=404))["type"].endswith(
        "/transaction-missing"
    )


async def test_the_summary_knows_what_guests_hold_without_reading_their_accounts(evening: Evening) -> None:
    found = await evening.get("/api/ledger/summary")
    [rand] = [one for one in found["currencies"] if one["currency"] == "ZAR"]
    lines = {line["code"]: line for line in rand["lines"]}
    assert {code: lines[code]["balance"] for code in ("bank", "credits", "revenue", "tax-payable")} == {
        "bank": 10_000,
        "credits": 7_700,
        "revenue": 2_000,
        "tax-payable": 300,
    }
    assert (lines["credits"]["today"], lines["credits"]["week"], lines["credits"]["account_id"]) == (7_700, 7_700, None)
    sides = {"debit": 0, "credit": 0}
    for line in rand["lines"]:
        sides[line["side"]] += line["balance"]
    assert sides["debit"] == sides["credit"]


async def test_only_who_may_reads_the_books_and_a_guest_sees_nothing_of_them(evening: Evening) -> None:
    world = evening.people
    paths = [
        "/api/ledger/summary",
        "/api/ledger/accounts",
        "/api/ledger/entries",
        "/api/ledger/holds",
        f"/api/ledger/accounts/{evening.credits}",
        f"/api/ledger/accounts/{evening.credits}/statement",
        f"/api/ledger/transactions/{evening.order}",
    ]
    for who in ("manager", "vendor_admin", "staff", "patron", "regular"):
        headers = await world.bearer(f"{who}@bar.example")
        for path in paths:
            await world.refused("not-permitted", "GET", path, headers)
    stranger = await world.bearer(STRANGER)
    for path in paths[1:4]:
        ids = {row["id"] for row in (await world.call("GET", path, stranger))["items"]}
        assert ids & {row["id"] for row in (await evening.get(path))["items"]} == set()
    for path in paths[4:]:
        assert (await world.call("GET", path, stranger, status=404))["status"] == 404


async def test_an_account_is_closed_by_who_may_and_only_when_it_is_empty(evening: Evening) -> None:
    world, empty = evening.people, await evening.books.credits()
    home = "/api/ledger/accounts"
    await world.refused("account-not-empty", "POST", f"{home}/{evening.credits}/closure", evening.headers)
    await world.refused("account-missing", "POST", f"{home}/{uuid4()}/closure", evening.headers)
    manager = await world.bearer("manager@bar.example")
    await world.refused("not-permitted", "POST", f"{home}/{empty}/closure", manager)
    assert (await world.call("POST", f"{home}/{empty}/closure", evening.headers))["closed_at"] is not None
    assert (await world.call("POST", f"{home}/{empty}/reopening", evening.headers))["closed_at"] is None


async def test_what_the_crew_reads_of_a_business_is_on_its_record(evening: Evening) -> None:
    world = evening.people
    home = f"/platform/tenants/{world.bar.id}/ledger"
    finance, sql = await world.bearer("finance@crew.example"), "select data, tenant_id from outbox where name = $1"
    paths = ["", "/entries", "/accounts", "/holds", f"/accounts/{evening.credits}", f"/transactions/{evening.order}"]
    for seen, path in enumerate(paths, start=1):
        answer = await world.client.get(home + path, headers=finance)
        assert answer.status_code == 200, answer.text
        assert "data-export-listing-value" not in answer.text, "what the crew exports is the platform's own"
        rows = await world.sql(sql, "ledger.read_by_crew")
        assert (len(rows), {row["tenant_id"] for row in rows}) == (seen, {world.bar.id})
    for who in ("ops@crew.example", "moderator@crew.example", OWNER):
        answer = await world.client.get(home, headers=await world.bearer(who))
        assert answer.status_code == 403


async def test_pages_show_the_books(evening: Evening) -> None:
    shown = {
        "/owner/ledger": ["R\u00a0100,00", "Tax to hand on"],
        f"/owner/ledger/entries?account_id={evening.credits}": ["credits: Guest", "R\u00a0100,00"],
        f"/owner/ledger/accounts/{evening.credits}": ["R\u00a077,00", "R\u00a080,00", "Credits bought"],
        f"/owner/ledger/accounts/{evening.credits}?at=2020-01-01T00:00": ["R\u00a00,00"],
        f"/owner/ledger/accounts/{evening.credits}?at=yesterday": ["Give a date and a time, such as"],
        f"/owner/ledger/transactions/{evening.order}": ["R\u00a023,00", "R\u00a03,00"],
        "/owner/ledger/holds": ["Nothing here yet"],
    }
    for path, words in shown.items():
        answer = await evening.people.client.get(path, headers=evening.headers)
        assert answer.status_code == 200, f"{path}: {answer.text[:400]}"
        assert [word for word in words if word not in answer.text] == [], path


async def test_a_business_has_its_chart_once_it_is_approved_or_a_venue_takes_another_currency(evening: Evening) -> None:
    world = evening.people
    sql = "select currency, count(*) as n from ledger_accounts where tenant_id = $1 group by 1 order by 1"
    assert await world.sql(sql, world.club.id) == []
    assert await world.run_scheduled("ledger.open_chart", world.club.id) == HOUSE
    assert await world.run_scheduled("ledger.open_chart", world.club.id) == 0
    await world.sql("update venues set currency = 'JPY' where id = $1", world.club.venues[0])
    assert await world.run_scheduled("ledger.open_chart", world.club.id) == HOUSE
    assert [tuple(row) for row in await world.sql(sql, world.club.id)] == [("JPY", HOUSE), ("ZAR", HOUSE)]
    reactions = world.services.registry.jobs_of_event
    for event in ("tenant.approved", "tenant.changed", "venue.created", "venue.updated"):
        assert "ledger.open_chart" in {job.name for job in reactions[event]}
