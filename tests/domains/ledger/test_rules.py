"""What the database refuses by itself, whoever writes: the rules of accounts and postings, each by its name."""

import re
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.kernel.ids import uuid7
from tests.support.books import TILL, Books, moving

ACCOUNT = {
    "code": "'till'",
    "currency": "'ZAR'",
    "side": "'credit'",
    "mode": "'strict'",
    "floor": "null",
    "dr": "0",
    "cr": "0",
    "dr_pending": "0",
    "cr_pending": "0",
    "version": "0",
    "patron_id": "null",
    "venue_id": "null",
}
STRICT, DEFERRED = "10", "f0"


async def refusal(books: Books, sql: str, *args: Any) -> str | None:
    """The rule that the database names when the administrator, whom no policy holds, tries this."""
    with pytest.raises(asyncpg.CheckViolationError) as found:
        await books.sql(sql, *args)
    return found.value.constraint_name  # pyright: ignore[reportAttributeAccessIssue] the driver sets it


@pytest.mark.parametrize(
    ("first", "given", "rule"),
    [
        (STRICT, {"code": "'Till'"}, "ledger_accounts_code_shape"),
        (STRICT, {"currency": "'zar'"}, "ledger_accounts_currency_shape"),
        (STRICT, {"side": "'left'"}, "ledger_accounts_side_known"),
        (STRICT, {"mode": "'loose'"}, "ledger_accounts_mode_known"),
        (STRICT, {"mode": "'deferred'"}, "ledger_accounts_class_is_mode"),
        (DEFERRED, {}, "ledger_accounts_class_is_mode"),
        (DEFERRED, {"mode": "'deferred'", "floor": "0"}, "ledger_accounts_deferred_is_unbounded"),
        (DEFERRED, {"mode": "'deferred'", "version": "1"}, "ledger_accounts_deferred_is_unbounded"),
        (DEFERRED, {"mode": "'deferred'", "cr": "1"}, "ledger_accounts_deferred_is_unbounded"),
        (STRICT, {"dr": "-1"}, "ledger_accounts_counts_up"),
        (STRICT, {"cr_pending": "-1"}, "ledger_accounts_counts_up"),
        (STRICT, {"version": "-1"}, "ledger_accounts_counts_up"),
        (STRICT, {"floor": "0", "dr": "1"}, "ledger_accounts_floor"),
        (STRICT, {"floor": "0", "dr_pending": "1"}, "ledger_accounts_floor"),
        (STRICT, {"side": "'debit'", "floor": "-5", "cr": "6"}, "ledger_accounts_floor"),
    ],
)
async def test_no_account_is_opened_against_its_rules(
    books: Books, first: str, given: dict[str, str], rule: str
) -> None:
    columns = ACCOUNT | given
    sql = f"insert into ledger_accounts (tenant_id, id, {', '.join(columns)}) values ($1, $2, {', '.join(columns.values())})"
    assert await refusal(books, sql, books.tenant_id, UUID(first + uuid7().hex[2:])) == rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("dr = dr + 501", "ledger_accounts_floor"),
        ("dr_pending = 501", "ledger_accounts_floor"),
        ("floor = 501", "ledger_accounts_floor"),
        ("side = 'debit'", "ledger_accounts_floor"),
        ("cr = -1", "ledger_accounts_counts_up"),
    ],
)
async def test_no_account_is_changed_against_its_rules(books: Books, change: str, rule: str) -> None:
    account = await books.credits(500)
    sql = f"update ledger_accounts set {change} where tenant_id = $1 and id = $2"
    assert await refusal(books, sql, books.tenant_id, account) == rule
    assert await books.balance(account) == 500


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("amount = 0", "ledger_postings_amount_positive"),
        ("leg = -1", "ledger_postings_leg_counts"),
        ("kind = 'Sale'", "ledger_postings_kind_shape"),
        ("meta = '[]'", "ledger_postings_meta_object"),
        ("dst = src", "ledger_postings_two_accounts"),
        ("src_balance = null", "ledger_postings_versions_whole"),
        ("reverses_leg = 0", "ledger_postings_reversal_whole"),
    ],
)
async def test_no_posting_is_written_against_its_rules(books: Books, change: str, rule: str) -> None:
    a, b = await books.credits(10), await books.credits()
    await books.move((a, b, 1), key=(key := uuid7()))
    name, value = change.split(" = ")
    copied = ["request", "kind", "currency", "src", "src_version", "src_balance", "dst", "dst_version", "dst_balance"]
    copied += ["amount", "at", "effective_at", "meta", "leg", "reverses_leg", "reverses"]
    shown = ", ".join(value if column == name else column for column in copied)
    sql = f"insert into ledger_postings (tenant_id, id, {', '.join(copied)}) select tenant_id, $2, {shown} from ledger_postings where tenant_id = $3 and id = $1"
    assert await refusal(books, sql, key, uuid7(), books.tenant_id) == rule


async def test_the_owner_writes_no_posting_against_its_rules_either(books: Books) -> None:
    """As the role that the functions run as, which the policies hold to the business, too."""
    a, b = await books.credits(10), await books.credits()
    await books.move((a, b, 1), key=(key := uuid7()))
    copied = (
        "request, kind, currency, src_version, src_balance, dst_version, dst_balance, amount, at, effective_at, leg"
    )
    sql = f"insert into ledger_postings (tenant_id, id, src, dst, meta, {copied}) select tenant_id, $2, src, {{0}}, {{1}}, {copied} from ledger_postings where id = $1"
    connection = await asyncpg.connect(books.services.settings.admin_dsn())
    await connection.execute("set role lastlight_owner")
    await connection.execute("select set_config('app.tenant_id', $1, false)", str(books.tenant_id))
    for columns, rule in ((("src", "'{}'"), "two_accounts"), (("dst", "'[]'"), "meta_object")):
        with pytest.raises(asyncpg.CheckViolationError) as found:
            await connection.execute(sql.format(*columns), key, uuid7())
        assert found.value.constraint_name == f"ledger_postings_{rule}"  # pyright: ignore[reportAttributeAccessIssue] the driver sets it
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(
            "alter table ledger_postings disable trigger ledger_postings_stand; update ledger_postings set amount = 2"
        )
    await connection.close()
    assert await books.balance(b) == 1


async def test_the_venue_of_a_posting_is_the_one_that_its_remarks_name(books: Books) -> None:
    a, b = await books.credits(10), await books.credits()
    venue = uuid7()
    cases: list[tuple[dict[str, str], UUID | None]] = [
        ({"venue_id": str(venue)}, venue),
        ({"venue_id": "the bar"}, None),
        ({"reason": "x"}, None),
        ({}, None),
    ]
    alone = uuid7()
    for meta, expected in cases:
        alone, batched = uuid7(), uuid7()
        await books.move((a, b, 1), key=alone, meta=meta)
        assert await books.batch(moving((a, b, 1), key=batched, meta=meta)) == ["posted"]
        rows = await books.sql("select venue_id from ledger_postings where id = any ($1)", [alone, batched])
        assert [row["venue_id"] for row in rows] == [expected] * 2
    [kept] = await books.sql(
        """insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, dst, amount, at, effective_at, venue_id)
           select tenant_id, $2, 0, $2, kind, currency, src, dst, 1, at, at, $3 from ledger_postings where id = $1 returning venue_id""",
        alone,
        uuid7(),
        venue,
    )
    assert kept["venue_id"] is None


async def test_without_the_trigger_nothing_would_hold_the_floor(books: Books) -> None:
    """The negative control: it is this trigger that holds it."""
    account = await books.credits(500)
    connection = await asyncpg.connect(books.services.settings.admin_dsn())
    change = "update ledger_accounts set dr = dr + 501 where tenant_id = $1 and id = $2"
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("set local session_replication_role = replica")
    assert await connection.execute(change, books.tenant_id, account) == "UPDATE 1"
    await transaction.rollback()
    await connection.close()


async def test_an_account_that_carries_sums_does_not_become_deferred(books: Books) -> None:
    await books.credits(500)
    till = await books.open(TILL)
    sql = "update ledger_accounts set mode = 'deferred' where tenant_id = $1 and id = $2"
    assert await refusal(books, sql, books.tenant_id, till) == "ledger_accounts_deferred_is_unbounded"


async def test_a_guest_s_account_does_not_become_deferred(books: Books) -> None:
    guest, at = await books.guest(), UUID("f0" + uuid7().hex[2:])
    columns = ACCOUNT | {"mode": "'deferred'", "patron_id": "$3"}
    sql = f"insert into ledger_accounts (tenant_id, id, {', '.join(columns)}) values ($1, $2, {', '.join(columns.values())})"
    assert await refusal(books, sql, books.tenant_id, at, guest) == "ledger_accounts_guests_are_strict"


async def test_an_account_has_one_owner(books: Books) -> None:
    account, venue = await books.credits(), uuid7()
    opened = "insert into venues (tenant_id, id, slug, name, time_zone, currency) values ($1, $2, $3, $3, 'UTC', 'ZAR')"
    await books.sql(opened, books.tenant_id, venue, f"v{venue.hex}")
    sql = "update ledger_accounts set venue_id = $3 where tenant_id = $1 and id = $2"
    assert await refusal(books, sql, books.tenant_id, account, venue) == "ledger_accounts_one_owner"


KINDS = st.text(st.sampled_from("abz09-AZ_ \n'éα{`/:"), max_size=4) | st.text(max_size=3)


@settings(max_examples=20, deadline=None)
@given(st.lists(KINDS.filter(lambda kind: "\0" not in kind), min_size=20, max_size=60), st.integers(37, 42))
async def test_a_kind_is_spelled_as_codes_are(books: Books, kinds: list[str], length: int) -> None:
    """The rule says without a regular expression what this one says."""
    kinds = [*kinds, "a" * length, "a-1", "ab", "a", "1a", "-a", ""]
    sql = "select pg_input_is_valid(kind, 'll.ledger_kind') as stands from unnest($1::text[]) with ordinality k (kind, n) order by n"
    told = [row["stands"] for row in await books.sql(sql, kinds)]
    assert told == [re.fullmatch("[a-z][a-z0-9-]{1,39}", kind) is not None for kind in kinds]


async def test_a_kind_of_another_shape_is_refused_by_both_ways_to_post(books: Books) -> None:
    a, b = await books.credits(10), await books.credits()
    assert await books.batch(moving((a, b, 1), kind="Sale"), moving((a, b, 1))) == ["conflict", "posted"]
    assert await books.balance(b) == 1
