"""Money: decimals of currencies, what people type, and shares that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.kernel.money import MOST, Money, digits_of, parsed, split, written

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
        ("NaN", "ZAR", "decimals"),
        ("Infinity", "JPY", "no decimals"),
        ("1e30", "ZAR", "too large"),
    ],
)
def test_what_is_no_amount_is_refused_with_what_to_do(text: str, currency: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parsed(text, currency)


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
