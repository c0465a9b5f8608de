"""Spends with lines: what was paid for and its taxes, and giving back to the last minor unit of each tax."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains import ledger
from lastlight.domains.credits.errors import CreditsShort, SpendReversed
from lastlight.domains.credits.model import SpentLine
from lastlight.domains.credits.receipts import SpendLine, gross_of, left_of, part_of, tax_of
from lastlight.domains.taxes import LineTax, TaxNotSetUp
from lastlight.domains.taxes.model import receipt_of
from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import parsed, written
from lastlight.kernel.tax import WHOLE, Rate
from tests.support.door import House
from tests.support.purses import Purse, findings, new_purse

RATES = st.lists(
    st.builds(Rate, st.sampled_from(("VAT", "State", "City")), st.integers(0, WHOLE), st.booleans()),
    max_size=3,
    unique_by=lambda rate: rate.name,
)
PRICES = st.lists(st.integers(1, 10**9), min_size=1, max_size=6)
VAT = """
insert into tax_rates (tenant_id, tax_category_id, name, millionths, included, place, valid_from)
select tenant_id, id, $3, $4, $5, $6, '2020-01-01' from tax_categories where tenant_id = $1 and code = $2
"""


def spent_lines(prices: Sequence[int], rates: Sequence[Rate]) -> list[SpentLine]:
    """The lines of a spend, each of one piece."""
    receipt = receipt_of([("a", price) for price in prices], {"a": rates})
    return [
        SpentLine(
            description="It",
            category="a",
            quantity=1,
            price=price,
            net=line.net,
            taxes=line.taxes,
            gross=line.gross,
        )
        for price, line in zip(prices, receipt.lines, strict=True)
    ]


def amounts(lines: Sequence[SpentLine]) -> list[list[int]]:
    return [[line.net, *(tax.amount for tax in line.taxes)] for line in lines]


@given(PRICES, RATES, st.lists(st.integers(1, 10**9), max_size=8), st.sampled_from(("JPY", "ZAR", "KWD")))
def test_parts_that_are_given_back_add_up_to_the_whole(
    prices: list[int], rates: list[Rate], parts: list[int], currency: str
) -> None:
    lines = spent_lines(prices, rates)
    whole = gross_of(lines)
    assert whole == sum(line.net for line in lines) + tax_of(lines)
    back: list[list[SpentLine]] = []
    given_back = 0
    for part in [*parts, whole]:
        amount = min(part, whole - given_back)
        if not amount:
            break
        given = part_of(left_of(lines, back=back), amount=amount)
        assert gross_of(given) == amount == sum(line.net for line in given) + tax_of(given)
        assert all(share >= 0 for line in amounts(given) for share in line)
        back.append(given)
        given_back += amount
        left = left_of(lines, back=back)
        assert all(share >= 0 for line in amounts(left) for share in line)
        assert gross_of(left) == whole - given_back
    assert given_back == whole
    sums = [[sum(shares) for shares in zip(*line, strict=True)] for line in zip(*map(amounts, back), strict=True)]
    assert sums == amounts(lines)
    # as people read it, with 0, 2 or 3 decimals, it adds up, too
    read = [parsed(written(amount, currency), currency) for amount in (whole, whole - tax_of(lines), tax_of(lines))]
    assert read[0] == read[1] + read[2]


@given(st.integers(1, 10**9), st.integers(1, WHOLE), st.data())
def test_a_part_holds_its_share_of_the_tax_to_one_unit(price: int, rate: int, data: st.DataObject) -> None:
    [line] = spent_lines([price], [Rate("VAT", rate)])
    amount = data.draw(st.integers(1, line.gross))
    [part] = part_of([line], amount=amount)
    assert abs(part.taxes[0].amount * line.gross - line.taxes[0].amount * amount) < line.gross


@pytest.fixture(scope="module")
async def taxed(house: House) -> House:
    """The business with two categories: one whose price holds its tax, and one with a levy on top."""
    for code in ("drinks", "rooms"):
        await house.sql("insert into tax_categories (tenant_id, code, name) values ($1, $2, $2)", house.tenant_id, code)
    await house.sql(VAT, house.tenant_id, "drinks", "VAT", 150_000, True, 0)
    await house.sql(VAT, house.tenant_id, "rooms", "VAT", 150_000, True, 0)
    await house.sql(VAT, house.tenant_id, "rooms", "Levy", 20_000, False, 1)
    return house


async def on(house: House, kind: ledger.AccountKind) -> int:
    async with house.system() as ctx:
        account = await ledger.open_account(ctx, kind=kind, currency="ZAR")
        return await ledger.balance(ctx, account=account)


def drinks(amount: int = 1_150, quantity: int = 1) -> SpendLine:
    return SpendLine(description="Lemonade", amount=amount, quantity=quantity, category="drinks")


async def buy(purse: Purse, *lines: SpendLine, **more: Any) -> Any:
    return await purse.spend(more.pop("amount", None), lines=list(lines), **more)


async def test_the_entry_keeps_its_lines_and_the_ledger_puts_taxes_to_what_is_handed_on(taxed: House) -> None:
    purse = await new_purse(taxed, 10_000)
    before = await on(taxed, ledger.ORDER_CLEARING), await on(taxed, ledger.TAX_PAYABLE)
    room = SpendLine(description="Room, an hour", amount=2_300, category="rooms")
    entry = await buy(purse, drinks(quantity=2), room, SpendLine(description="Deposit", amount=100))
    assert (entry.amount, entry.tax) == (-(2_300 + 2_340 + 100), -(300 + 300 + 40))
    assert entry.lines is not None
    assert [(line.description, line.quantity, line.price, line.net, line.gross) for line in entry.lines] == [
        ("Lemonade", 2, 1_150, 2_000, 2_300),
        ("Room, an hour", 1, 2_300, 2_000, 2_340),
        ("Deposit", 1, 100, 100, 100),
    ]
    assert entry.lines[1].taxes == [
        LineTax(name="VAT", millionths=150_000, included=True, amount=300),
        LineTax(name="Levy", millionths=20_000, included=False, amount=40),
    ]
    after = await on(taxed, ledger.ORDER_CLEARING), await on(taxed, ledger.TAX_PAYABLE)
    assert (after[0] - before[0], after[1] - before[1]) == (4_100, 640)
    assert await purse.standing() == (10_000 - 4_740, 0)


async def test_parts_of_it_take_their_taxes_back_and_the_last_takes_the_rest(taxed: House) -> None:
    purse = await new_purse(taxed, 10_000)
    before = await on(taxed, ledger.ORDER_CLEARING), await on(taxed, ledger.TAX_PAYABLE)
    entry = await buy(purse, drinks(1_000), drinks(333), SpendLine(description="Deposit", amount=7))
    parts = [await purse.reverse(entry, amount) for amount in (1, 333, 500)]
    parts.append(await purse.reverse(entry))
    assert [part.amount for part in parts] == [1, 333, 500, 506]
    assert sum(part.tax for part in parts) == -entry.tax == 173
    assert all(part.lines is not None and gross_of(part.lines) == part.amount for part in parts)
    assert (await on(taxed, ledger.ORDER_CLEARING), await on(taxed, ledger.TAX_PAYABLE)) == before
    with pytest.raises(SpendReversed):
        await purse.reverse(entry, 1)
    assert await purse.standing() == (10_000, 0)
    assert await findings(taxed) == []


async def test_parts_asked_for_at_once_never_give_back_a_tax_twice(taxed: House) -> None:
    purse = await new_purse(taxed, 5_000)
    entry = await buy(purse, drinks(997), drinks(3))

    async def tried(amount: int) -> Any:
        try:
            return await purse.reverse(entry, amount)
        except SpendReversed:
            return None

    made = [one for one in await asyncio.gather(*(tried(300) for _ in range(8))) if one]
    assert [one.amount for one in made] == [300, 300, 300]
    last = await purse.reverse(entry)
    assert sum(one.tax for one in [*made, last]) == -entry.tax
    assert await findings(taxed) == []


async def test_what_does_not_fit_is_refused_and_nothing_moves(taxed: House) -> None:
    purse = await new_purse(taxed, 1_000)
    refusals: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (Invalid, "amount", {"lines": [drinks(500)], "amount": 499}),
        (Invalid, "amount", {"lines": [], "amount": None}),
        (Invalid, "lines[0].category", {"lines": [SpendLine(description="?", amount=1, category="none")]}),
        (TaxNotSetUp, "", {"lines": [SpendLine(description="?", amount=1, category="standard")]}),
        (CreditsShort, "", {"lines": [drinks(1_001)]}),
    ]
    for kind, field, asked in refusals:
        with pytest.raises(kind) as refusal:
            await purse.spend(asked.pop("amount", None), **asked)
        assert not field or field in getattr(refusal.value, "fields", {})
    assert await purse.standing() == (1_000, 0)
    assert await purse.entries() == [("bought", 1_000, 1_000)]


async def test_a_line_that_was_changed_afterwards_is_found(taxed: House) -> None:
    purse = await new_purse(taxed, 1_000)
    entry = await buy(purse, drinks(500))
    owner = taxed.sql
    await owner("alter table credit_entries disable trigger credit_entries_append_only")
    try:
        await owner("update credit_entries set lines = jsonb_set(lines, '{0,net}', '400') where id = $1", entry.id)
        [found] = await findings(taxed)
        assert str(entry.id) in found
        assert "its lines come to 500 with 100 of taxes" in found
    finally:
        await owner(
            "update credit_entries set lines = jsonb_set(lines, '{0,net}', $2::text::jsonb) where id = $1",
            entry.id,
            str(500 + entry.tax),
        )
        await owner("alter table credit_entries enable trigger credit_entries_append_only")
    assert await findings(taxed) == []
