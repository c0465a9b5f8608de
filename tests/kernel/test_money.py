"""Money: decimals of currencies, what people type, and shares that add up."""

import re
from decimal import Decimal

import pytest
from babel.numbers import list_currencies
from hypothesis import example, given
from hypothesis import strategies as st

from lastlight.kernel.currencies import CURRENCIES as KNOWN
from lastlight.kernel.money import MOST, POINTS, Money, digits_of, parsed, split, written

CURRENCIES = ("ZAR", "JPY", "KWD", "PTS")


@pytest.mark.parametrize(("currency", "text"), [("ZAR", "12.34"), ("JPY", "1234"), ("KWD", "1.234"), ("PTS", "1234")])
def test_an_amount_is_written_with_its_currencys_decimals(currency: str, text: str) -> None:
    assert written(1234, currency) == text
    assert str(Money(-1234, currency)) == f"-{text} {currency}"
    assert written(0, currency) == "0" + ("." + "0" * digits_of(currency) if digits_of(currency) else "")


@given(st.integers(-MOST, MOST), st.sampled_from(CURRENCIES))
def test_what_is_written_is_read_back(amount: int, currency: str) -> None:
    assert parsed(written(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("12", "ZAR", 1200),
        (" 1 200.5 ", "ZAR", 120_050),
        ("1\u00a0000", "JPY", 1000),
        ("-0.001", "KWD", -1),
        ("1 240,50", "ZAR", 124_050),
        ("-1,5", "ZAR", -150),
        ("12.", "ZAR", 1200),
        ("12,", "JPY", 12),
        (".5", "ZAR", 50),
        (",5", "ZAR", 50),
        (".500", "ZAR", 50),
        ("12,34", "ZAR", 1234),
        ("-3.50", "ZAR", -350),
        ("+3", "ZAR", 300),
        ("-0", "ZAR", 0),
        ("12.3400", "ZAR", 1234),
        ("1.0", "JPY", 1),
        ("0" * 5000 + "7", "ZAR", 700),
        ("7." + "0" * 5000, "ZAR", 700),
        ("90071992547409.91", "ZAR", MOST),
    ],
)
def test_what_people_type_is_understood(text: str, currency: str, units: int) -> None:
    assert parsed(text, currency) == units


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("", "ZAR", "Type an amount"),
        ("twelve", "ZAR", "Type an amount"),
        ("1,500", "ZAR", "Type an amount"),
        ("1,500", "KWD", "Type an amount"),
        ("1,2,3", "ZAR", "Type an amount"),
        ("1,5.0", "ZAR", "Type an amount"),
        ("1,5", "JPY", "JPY has no decimals"),
        ("12.345", "ZAR", "ZAR has 2 decimals"),
        ("0.5", "JPY", "JPY has no decimals"),
        ("90071992547409.92", "ZAR", "^This amount is too large.$"),
        ("9" * 1000, "ZAR", "^This amount is too large.$"),
        ("-" + "9" * 100_000 + ".5", "ZAR", "^This amount is too large.$"),
        ("12.34" + "0" * 100 + "1", "ZAR", "ZAR has 2 decimals"),
    ],
)
def test_what_is_no_amount_is_refused_with_what_to_do(text: str, currency: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parsed(text, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("1e9999999", "1e-9999999", "1e5", "1E30", "1e0", "1_240", "_1"),
        *("nan", "NaN", "sNaN", "inf", "-Infinity", "0x10", "٣", "१२", "１２", "²", "1٫5"),
        *(".", ",", "+", "-", "-.", "+-3", "--3", "3-", "1..5", "1.,5", "1.240.500", "1.240,50", "1'240", "1\n2"),
    ],
)
@pytest.mark.parametrize("currency", CURRENCIES)
def test_only_plain_figures_with_one_mark_are_an_amount(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"^Type an amount in digits, such as 150( or 150\.50)?\.$"):
        parsed(text, currency)


@given(st.text("0123456789.,+-_eE ٣naif", max_size=40), st.sampled_from(CURRENCIES))
@example("1e9999999", "ZAR")
@example("9" * 5000, "ZAR")
def test_whatever_is_typed_is_read_exactly_or_refused(text: str, currency: str) -> None:
    try:
        units = parsed(text, currency)
    except ValueError as error:
        assert re.match(r"Type an amount in digits|[A-Z]{3} has|This amount is too large\.$", str(error))  # noqa: PT017 - which one depends on the text
        return
    typed = text.replace(" ", "").replace(",", ".")
    assert set(typed) <= set("0123456789.+-")
    assert Decimal(typed) == Decimal(units).scaleb(-digits_of(currency))


@pytest.mark.parametrize(
    ("text", "currency", "decimal", "thousands", "units"),
    [
        ("1,500", "KWD", ",", "\u00a0", 1_500),  # their comma is a decimal mark
        ("1.500", "KWD", ",", "\u00a0", 1_500),  # and nobody there writes thousands with a point
        ("1.500", "KWD", ".", ",", 1_500),
        ("1,500", "KWD", ".", ",", None),
        ("1.500", "KWD", ",", ".", None),
        ("1,500", "KWD", ",", ".", 1_500),
        ("1.000", "ZAR", ",", ".", None),  # not one rand
        ("1.000", "ZAR", ".", ",", None),
        ("1,000", "ZAR", ",", "\u00a0", None),
        ("1.000", "JPY", ",", ".", None),
        ("1.000", "JPY", ".", ",", None),
        ("1\u202f000,5", "ZAR", ",", "\u202f", 100_050),
    ],
)
def test_a_mark_of_thousands_is_never_taken_for_a_decimal_mark(
    text: str, currency: str, decimal: str, thousands: str, units: int | None
) -> None:
    if units is not None:
        assert parsed(text, currency, decimal=decimal, thousands=thousands) == units
        return
    with pytest.raises(ValueError, match=r"Type an amount|decimals"):
        parsed(text, currency, decimal=decimal, thousands=thousands)


@given(st.integers(-MOST, MOST), st.sampled_from(sorted(KNOWN | {POINTS})))
def test_what_is_kept_as_text_is_found_again(amount: int, currency: str) -> None:
    assert Money.kept(str(Money(amount, currency))) == Money(amount, currency)


@pytest.mark.parametrize(
    "text", ["22.30 GMT", "22.30 UTC", "12.00 ABC", "100.00 zar", "5 PTX", "12.3 ZAR", "1.00 EUR."]
)
def test_what_names_no_currency_keeps_no_amount(text: str) -> None:
    assert Money.kept(text) is None


def test_the_known_currencies_are_those_that_have_names() -> None:
    assert set(list_currencies()) == KNOWN, "a new version of Babel: bring kernel/currencies.py in line with it"


def test_two_currencies_do_not_add_up() -> None:
    assert Money(1, "ZAR") + -Money(3, "ZAR") == Money(-2, "ZAR")
    with pytest.raises(ValueError, match="do not add up"):
        _ = Money(1, "ZAR") + Money(1, "USD")


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any))
def test_shares_add_up_and_are_within_a_unit_of_what_is_due(total: int, weights: list[int]) -> None:
    shares, whole = split(total, weights), sum(weights)
    assert sum(shares) == total
    assert all(abs(share * whole - total * weight) < whole for share, weight in zip(shares, weights, strict=True))
    assert split(-total, weights) == [-share for share in shares]
    assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0)


def test_units_left_over_go_to_the_largest_remainders_and_then_to_the_first() -> None:
    assert split(10_000, [70, 20, 10]) == [7_000, 2_000, 1_000]
    assert split(320, [70, 20, 10]) == [224, 64, 32]
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]
    assert split(5, [1, 2, 2]) == [1, 2, 2]
    for weights in ([], [0, 0], [1, -1]):
        with pytest.raises(ValueError, match=r"weights|empty"):
            split(1, weights)
