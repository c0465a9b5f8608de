"""Amounts go to the processor and come back exactly, in every currency that there is, or are refused before anything is sent."""

import pytest
from babel.numbers import list_currencies
from hypothesis import given
from hypothesis import strategies as st

from lastlight.kernel.money import MOST, POINTS, Money, digits_of
from lastlight.runtime.processor import (
    CHARGEABLE,
    UnusableAmount,
    check_chargeable,
    from_processor,
    to_processor,
    usable_part,
)
from lastlight.runtime.processor.amounts import largest_payment, processor_digits

EVERY = sorted({*list_currencies(), POINTS, *CHARGEABLE})
"""All currencies of ISO 4217, with those that are no more, and points."""


@given(st.sampled_from(EVERY), st.integers(-MOST, MOST))
def test_what_goes_comes_back_and_is_worth_the_same(currency: str, amount: int) -> None:
    money = Money(amount, currency)
    try:
        sent = to_processor(money)
    except UnusableAmount:
        if currency in CHARGEABLE:
            assert amount % {"MGA": 100}.get(currency, 10), "only a fraction is refused"
        return
    assert from_processor(sent, currency.lower()) == amount
    assert sent * 10 ** digits_of(currency) == amount * 10 ** processor_digits(currency), "the same in whole units"


@given(st.sampled_from(sorted(CHARGEABLE)), st.integers(-(10**9), 10**9))
def test_what_comes_goes_back_or_is_not_understood(currency: str, counted: int) -> None:
    try:
        units = from_processor(counted, currency)
    except ValueError:
        assert currency in {"ISK", "UGX"}
        assert counted % 100
        return
    if currency in {"BHD", "JOD", "KWD", "OMR", "TND"} and counted % 10:
        with pytest.raises(UnusableAmount):
            to_processor(Money(units, currency))
    else:
        assert to_processor(Money(units, currency)) == counted


STEPPED = [code for code in sorted(CHARGEABLE) if usable_part(Money(1, code)) == 0]
"""The currencies in which cards do not take each amount that our minor units can say."""


def test_the_currencies_with_steps_are_those_that_the_processor_names() -> None:
    assert STEPPED == ["BHD", "JOD", "KWD", "MGA", "OMR", "TND"]


@given(st.sampled_from(STEPPED) | st.sampled_from(EVERY), st.integers(-MOST, MOST))
def test_the_usable_part_is_taken_and_nothing_between_it_and_the_whole_is(currency: str, amount: int) -> None:
    part = usable_part(Money(amount, currency))
    assert 0 <= part <= max(amount, 0)
    if part:
        assert to_processor(Money(part, currency)) > 0
    for more in range(part + 1, min(amount, part + 200) + 1):
        with pytest.raises(UnusableAmount):
            to_processor(Money(more, currency))
    assert amount - part < 100 or currency not in CHARGEABLE or amount <= 0


@given(st.sampled_from(STEPPED), st.lists(st.integers(0, 10**7), min_size=1, max_size=8), st.data())
def test_an_amount_that_cards_take_is_spread_over_usable_parts_to_the_last_unit(
    currency: str, lots: list[int], data: st.DataObject
) -> None:
    """As a refund is spread over purchases: what is usable of each, one after the other."""
    usable = [usable_part(Money(one, currency)) for one in lots]
    wanted = left = usable_part(Money(data.draw(st.integers(0, sum(usable))), currency))
    parts: list[int] = []
    for most in usable:
        parts.append(min(left, most))
        left -= parts[-1]
    assert (sum(parts), left) == (wanted, 0)
    for part in parts:
        assert usable_part(Money(part, currency)) == part


@given(st.sampled_from(sorted(CHARGEABLE)), st.integers(1, MOST))
def test_each_payment_is_within_the_bounds_that_its_refusal_names(currency: str, amount: int) -> None:
    refusal = refused(Money(amount, currency))
    if refusal is None:
        assert 1 <= check_chargeable(Money(amount, currency)) <= largest_payment(currency)
    elif refusal.smallest is not None:
        assert amount < refusal.smallest
        assert refused(Money(refusal.smallest, currency)) is None, "the bound itself is taken"
    elif refusal.largest is not None:
        assert amount > refusal.largest
        assert refused(Money(refusal.largest, currency)) is None


def refused(money: Money) -> UnusableAmount | None:
    """Why an amount cannot be charged."""
    try:
        check_chargeable(money)
    except UnusableAmount as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    ("money", "sent"),
    [
        (Money(1234, "ZAR"), 1234),
        (Money(500, "JPY"), 500),
        (Money(1200, "MGA"), 12),
        (Money(5, "ISK"), 500),
        (Money(7000, "UGX"), 700_000),
        (Money(5120, "KWD"), 5120),
        (Money(-500, "ISK"), -50_000),
    ],
)
def test_known_amounts(money: Money, sent: int) -> None:
    assert to_processor(money) == sent


@pytest.mark.parametrize(
    ("money", "sentence"),
    [
        (Money(5124, "KWD"), "Cards take multiples of KWD\u00a00,010: KWD\u00a05,124 is none. Choose another amount."),
        (Money(1250, "MGA"), "Cards take multiples of MGA\u00a01,00: MGA\u00a012,50 is none. Choose another amount."),
        (Money(100, POINTS), "Cards cannot be charged in PTS."),
        (Money(100, "LYD"), "Cards cannot be charged in LYD."),
        (Money(49, "USD"), "The smallest card payment is US$0,50."),
        (Money(0, "ZAR"), "The smallest card payment is R\u00a00,01."),
        (Money(0, "ISK"), "The smallest card payment is ISK\u00a01."),
        (Money(-100, "ZAR"), "The smallest card payment is R\u00a00,01."),
        (Money(100_000_000, "ZAR"), "The largest card payment is R\u00a0999\u00a0999,99."),
        (Money(1_000_000, "UGX"), "The largest card payment is UGX\u00a0999\u00a0999."),
        (Money(100_000_000, "KWD"), "The largest card payment is KWD\u00a099\u00a0999,990."),
        (Money(10**12, "IDR"), "The largest card payment is IDR\u00a09\u00a0999\u00a0999\u00a0999,99."),
        (Money(10**9, "INR"), "The largest card payment is ₹9\u00a0999\u00a0999,99."),
        (Money(10**10, "JPY"), "The largest card payment is JP¥9\u00a0999\u00a0999\u00a0999."),
        (Money(10_000_000_000, "MGA"), "The largest card payment is MGA\u00a099\u00a0999\u00a0999,00."),
    ],
)
def test_a_refusal_says_what_would_do(money: Money, sentence: str) -> None:
    with pytest.raises(UnusableAmount) as refusal:
        check_chargeable(money)
    assert refusal.value.message == sentence
