"""Taxes: what is contained and what is added, by one rule of rounding."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.kernel.tax import WHOLE, Rate, Taxed, taxed

RATES = st.lists(st.builds(Rate, st.just("tax"), st.integers(0, WHOLE), st.booleans()), max_size=5)
PRICES = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("price", "rates", "expected"),
    [
        (11_500, [Rate("VAT", 150_000)], Taxed(10_000, (1_500,), 11_500)),
        (100, [Rate("VAT", 150_000)], Taxed(87, (13,), 100)),
        (1_000, [Rate("Sales tax", 88_750, included=False)], Taxed(1_000, (89,), 1_089)),
        (
            1_000,
            [Rate("State", 60_000, included=False), Rate("City", 28_750, included=False)],
            Taxed(1_000, (60, 29), 1_089),
        ),
        (12_000, [Rate("VAT", 150_000), Rate("Levy", 50_000)], Taxed(10_000, (1_500, 500), 12_000)),
        (
            11_500,
            [Rate("VAT", 150_000), Rate("Service", 100_000, included=False)],
            Taxed(10_000, (1_500, 1_000), 12_500),
        ),
        (500, [], Taxed(500, (), 500)),
        (500, [Rate("Zero-rated", 0)], Taxed(500, (0,), 500)),
        (10, [Rate("Half", 50_000, included=False)], Taxed(10, (1,), 11)),
        (-10, [Rate("Half", 50_000, included=False)], Taxed(-10, (-1,), -11)),
    ],
)
def test_a_line_is_taxed_by_the_rule(price: int, rates: list[Rate], expected: Taxed) -> None:
    assert taxed(price, rates) == expected


@given(PRICES, RATES)
def test_net_and_taxes_are_the_whole_and_what_is_taken_back_is_what_was_charged(price: int, rates: list[Rate]) -> None:
    line = taxed(price, rates)
    assert line.net + sum(line.taxes) == line.gross
    if all(rate.included for rate in rates):
        assert line.gross == price
    back = taxed(-price, rates)
    assert (back.net, back.taxes, back.gross) == (-line.net, tuple(-tax for tax in line.taxes), -line.gross)


@given(PRICES, RATES)
def test_nothing_is_further_than_its_rounding_from_what_is_due(price: int, rates: list[Rate]) -> None:
    line = taxed(price, rates)
    whole = sum(rate.millionths for rate in rates if rate.included)
    inside = sum(tax for rate, tax in zip(rates, line.taxes, strict=True) if rate.included)
    assert abs(Fraction(price * whole, WHOLE + whole) - inside) <= Fraction(1, 2)
    for rate, tax in zip(rates, line.taxes, strict=True):
        if rate.included:
            due = Fraction(inside * rate.millionths, whole) if whole else Fraction(0)
            assert abs(due - tax) < 1
        else:
            assert abs(Fraction(line.net * rate.millionths, WHOLE) - tax) <= Fraction(1, 2)


@pytest.mark.parametrize("millionths", [-1, WHOLE + 1])
def test_a_rate_beyond_all_is_refused(millionths: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 100 %"):
        Rate("tax", millionths)


def test_a_price_is_what_its_net_amount_comes_to_again_within_a_unit_for_each_rate() -> None:
    """What is taken out of a price and put on top of it again differ by the roundings, and by no more."""
    for millionths in (0, 25_000, 88_750, 150_000, 190_000, WHOLE):
        for price in (0, 1, 99, 100, 12_345, -12_345, 10**9):
            inside = taxed(price, [Rate("tax", millionths)])
            on_top = taxed(inside.net, [Rate("tax", millionths, included=False)])
            assert abs(on_top.gross - price) <= 1
