"""Receipts: sums that are exact, whatever the decimals of the currency, the rates and the number of lines."""

from datetime import date
from fractions import Fraction
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.taxes.model import (
    TaxCategoryId,
    TaxRate,
    TaxRateId,
    applying,
    category_problems,
    code_of,
    read_percent,
    receipt_of,
    require_within,
    write_percent,
)
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.kernel.money import MOST, digits_of, parsed, written
from lastlight.kernel.tax import WHOLE, Rate

NAMES = ("VAT", "State", "City", "Levy")
RATES = st.builds(Rate, st.sampled_from(NAMES), st.integers(0, WHOLE), st.booleans())
SETS = st.lists(RATES, max_size=4, unique_by=lambda rate: rate.name)
RECEIPTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-(10**11), 10**11)), min_size=1, max_size=20)
BY_CATEGORY = st.fixed_dictionaries({"a": SETS, "b": SETS, "c": SETS})
CURRENCIES = st.sampled_from(("JPY", "ZAR", "KWD"))
VENUE, OTHER = VenueId(UUID(int=1)), VenueId(UUID(int=2))
NEW_YEAR = date(2027, 1, 1)


@given(RECEIPTS, BY_CATEGORY, CURRENCIES)
def test_a_receipt_is_exactly_its_lines_and_its_rates(
    lines: list[tuple[str, int]], rates: dict[str, list[Rate]], currency: str
) -> None:
    receipt = receipt_of(lines, rates)
    assert receipt.net + receipt.tax == receipt.gross
    assert receipt.net == sum(line.net for line in receipt.lines)
    assert receipt.gross == sum(line.gross for line in receipt.lines)
    assert receipt.tax == sum(total.amount for total in receipt.rates)
    for line in receipt.lines:
        assert line.net + sum(tax.amount for tax in line.taxes) == line.gross
    for total in receipt.rates:
        key = (total.name, total.millionths, total.included)
        of_it = [
            (line.net, tax.amount)
            for line in receipt.lines
            for tax in line.taxes
            if (tax.name, tax.millionths, tax.included) == key
        ]
        assert (total.net, total.amount) == (sum(net for net, _ in of_it), sum(amount for _, amount in of_it))
    # as people read it, with 0, 2 or 3 decimals, it adds up, too
    read = [parsed(written(amount, currency), currency) for amount in (receipt.net, receipt.tax, receipt.gross)]
    assert read[0] + read[1] == read[2]
    assert len(written(receipt.gross, currency).partition(".")[2]) == digits_of(currency)


@given(RECEIPTS, BY_CATEGORY)
def test_what_is_taken_back_takes_exactly_its_own_taxes(
    lines: list[tuple[str, int]], rates: dict[str, list[Rate]]
) -> None:
    sold = receipt_of(lines, rates)
    back = receipt_of([(category, -price) for category, price in lines], rates)
    assert (back.net, back.tax, back.gross) == (-sold.net, -sold.tax, -sold.gross)
    both = receipt_of([*lines, *((category, -price) for category, price in lines)], rates)
    assert (both.net, both.tax, both.gross) == (0, 0, 0)
    assert all(total.net == 0 and total.amount == 0 for total in both.rates)


@given(RECEIPTS, BY_CATEGORY)
def test_a_receipt_is_no_further_from_what_is_due_than_half_a_unit_for_each_line_and_rate(
    lines: list[tuple[str, int]], rates: dict[str, list[Rate]]
) -> None:
    receipt = receipt_of(lines, rates)
    due = Fraction(0)
    for category, price in lines:
        inside = sum(rate.millionths for rate in rates[category] if rate.included)
        on_top = sum(rate.millionths for rate in rates[category] if not rate.included)
        net = Fraction(price * WHOLE, WHOLE + inside)
        due += price - net + net * on_top / WHOLE
    # the part inside is rounded once; each rate on top once, of a net that is off by half a unit at the most
    slack = sum(Fraction(1, 2) + sum(1 for rate in rates[category] if not rate.included) for category, _ in lines)
    assert abs(receipt.tax - due) <= slack


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=10), st.integers(0, WHOLE))
def test_prices_with_tax_inside_are_what_is_paid(prices: list[int], millionths: int) -> None:
    receipt = receipt_of([("a", price) for price in prices], {"a": [Rate("VAT", millionths)]})
    assert receipt.gross == sum(prices)
    again = receipt_of([("a", line.net) for line in receipt.lines], {"a": [Rate("VAT", millionths, included=False)]})
    for there, back in zip(receipt.lines, again.lines, strict=True):
        assert abs(there.gross - back.gross) <= 1


def test_a_receipt_by_hand() -> None:
    vat, levy = Rate("VAT", 160_000), Rate("Levy", 20_000, included=False)
    receipt = receipt_of(
        [("food", 116_000), ("beer", 58_000), ("none", 5_000)], {"food": [vat, levy], "beer": [vat], "none": []}
    )
    assert [(line.net, [tax.amount for tax in line.taxes], line.gross) for line in receipt.lines] == [
        (100_000, [16_000, 2_000], 118_000),
        (50_000, [8_000], 58_000),
        (5_000, [], 5_000),
    ]
    assert [(total.name, total.net, total.amount) for total in receipt.rates] == [
        ("VAT", 150_000, 24_000),
        ("Levy", 100_000, 2_000),
    ]
    assert (receipt.net, receipt.tax, receipt.gross) == (155_000, 26_000, 181_000)


def test_a_receipt_that_json_cannot_hold_is_refused() -> None:
    require_within(receipt_of([("a", MOST)], {"a": []}))
    for lines in ([("a", MOST), ("a", 1)], [("a", MOST + 1), ("a", -MOST)]):
        with pytest.raises(Invalid):
            require_within(receipt_of(lines, {"a": []}))
    with pytest.raises(Invalid):
        require_within(receipt_of([("a", MOST)], {"a": [Rate("VAT", 1_000_000, included=False)]}))


def rate(**fields: object) -> TaxRate:
    given: dict[str, object] = {
        "id": TaxRateId(uuid4()),
        "tax_category_id": TaxCategoryId(UUID(int=9)),
        "category": "food",
        "venue_id": None,
        "name": "VAT",
        "millionths": 150_000,
        "included": True,
        "place": 0,
        "valid_from": date(2026, 1, 1),
        "valid_until": None,
        "withdrawn_at": None,
        "version": 1,
    } | fields
    return msgspec.convert(given, TaxRate)


def test_a_venues_own_rates_stand_instead_of_the_businesss_for_as_long_as_they_do() -> None:
    old = rate(valid_until=date(2026, 12, 31))
    new = rate(millionths=160_000, valid_from=NEW_YEAR)
    own = [
        rate(venue_id=VENUE, name=name, place=place, valid_from=NEW_YEAR, valid_until=NEW_YEAR)
        for place, name in ((1, "State"), (0, "City"))
    ]
    every = [old, new, *own]
    assert applying(every, venue_id=VENUE, day=date(2026, 12, 31)) == [old]
    assert applying(every, venue_id=VENUE, day=NEW_YEAR) == [own[1], own[0]]
    assert applying(every, venue_id=VENUE, day=date(2027, 1, 2)) == [new]
    assert applying(every, venue_id=OTHER, day=NEW_YEAR) == [new]
    assert applying(every, venue_id=None, day=NEW_YEAR) == [new]
    assert applying(every, venue_id=VENUE, day=date(2025, 12, 31)) == []


@pytest.mark.parametrize(
    ("text", "millionths"),
    [("15", 150_000), (" 8.875 % ", 88_750), ("8,1", 81_000), ("0", 0), ("100", WHOLE), ("0.0001", 1)],
)
def test_a_rate_is_read_and_written_in_per_cent(text: str, millionths: int) -> None:
    assert read_percent(text, field="percent") == millionths
    assert read_percent(write_percent(millionths), field="percent") == millionths


@given(st.integers(0, WHOLE))
def test_what_is_written_in_per_cent_is_read_back(millionths: int) -> None:
    assert read_percent(write_percent(millionths), field="percent") == millionths


@pytest.mark.parametrize(
    "text", ["", "lots", "-1", "100.0001", "8.87501", "NaN", "Infinity", "1e1", "1e9999999", "1_5", "٣", "1.2.3"]
)
def test_what_is_no_rate_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_percent(text, field="percent")
    assert list(caught.value.fields) == ["percent"]


def test_a_category_has_a_code_and_a_name() -> None:
    assert category_problems(code="soft-drinks", name="Soft drinks") == {}
    for code in ("", "x", "Food", "food-", "1food", "a" * 41, "untaxed", "food\n"):
        assert list(category_problems(code=code, name="Food")) == ["code"], code
    for name in ("", "   ", "x" * 61):
        assert list(category_problems(code="food", name=name)) == ["name"], name
    assert code_of("Soft drinks & water") == "soft-drinks-water"
    assert code_of("食") == ""
