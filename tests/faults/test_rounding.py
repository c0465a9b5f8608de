"""M2: wherever an amount is divided, rounded or counted otherwise, the parts are the whole, the same each time, and none is negative."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.credits import receipts
from lastlight.domains.credits.model import Lot, LotId, Use, given_back, taken
from lastlight.domains.taxes.model import Receipt, receipt_of
from lastlight.kernel import tax
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import MOST, Money, digits_of, parsed, written
from lastlight.kernel.tax import WHOLE, Rate
from lastlight.runtime.processor.amounts import from_processor, processor_digits, to_processor
from lastlight.runtime.processor.errors import UnusableAmount
from tests.domains.credits import test_spend_lines as of_spends
from tests.kernel import test_money as of_money
from tests.kernel import test_tax as of_tax
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.naive_rounding import naive_split, naive_tax

CURRENCIES = ("JPY", "KRW", "ZAR", "EUR", "USD", "KWD", "TND", "ISK", "UGX")
"""Of 0, 2 and 3 decimals; the last two are counted with more decimals by the card provider than by us."""
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PRICES = st.integers(0, 10**9)
RATES = st.lists(st.builds(Rate, st.just("tax"), st.integers(0, WHOLE), st.booleans()), max_size=4)
PURSES = st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(-2, 3)), min_size=1, max_size=6)


def a_receipt_is_its_lines_and_taking_back_is_what_was_charged(prices: list[int], rates: list[Rate]) -> None:
    lines = [("drinks", price) for price in prices]
    charged = receipt_of(lines, {"drinks": rates})
    assert charged == receipt_of(lines, {"drinks": rates})
    assert charged.net + charged.tax == charged.gross == sum(line.gross for line in charged.lines)
    assert charged.tax == sum(part.amount for line in charged.lines for part in line.taxes)
    assert min([charged.net, charged.gross, *(part.amount for line in charged.lines for part in line.taxes)]) >= 0
    if all(rate.included for rate in rates):
        assert charged.gross == sum(prices)
    back = [receipt_of([(name, -price)], {"drinks": rates}) for name, price in lines]
    assert _sum(back, "gross") == -charged.gross
    assert (_sum(back, "net"), _sum(back, "tax")) == (-charged.net, -charged.tax)


def _sum(receipts: list[Receipt], name: str) -> int:
    return sum(getattr(one, name) for one in receipts)


def what_lots_give_is_the_amount_and_goes_back_to_them(purse: list[tuple[int, int, int]], share: int) -> None:
    lots = [_lot(place, *one) for place, one in enumerate(purse)]
    free = sum(lot.free for lot in lots)
    amount = 1 + free * share // 1_000
    uses = taken(lots, amount=amount)
    assert (uses is None) == (amount > free)
    if uses is None:
        return
    assert uses == taken(lots[::-1], amount=amount), "it depends on the order in which they are read"
    by_id = {lot.id: lot for lot in lots}
    assert sum(-use.amount for use in uses) == amount
    assert all(0 < -use.amount <= by_id[use.lot_id].free for use in uses)
    missing = {use.lot_id: -use.amount for use in uses}
    for part in (amount // 3, amount // 2, amount - amount // 3 - amount // 2):
        outstanding = [Use(lot_id, left) for lot_id, left in missing.items() if left]
        back = given_back(outstanding, amount=part)
        assert sum(use.amount for use in back) == part
        for use in back:
            assert 0 < use.amount <= missing[use.lot_id]
            missing[use.lot_id] -= use.amount
    assert not any(missing.values())


def _lot(place: int, amount: int, frozen: int, days: int) -> Lot:
    return Lot(
        id=LotId(UUID(int=place + 1)),
        patron_id=PatronId(UUID(int=1)),
        currency="EUR",
        venue_id=None,
        origin="adjustment",
        payment_id=None,
        amount=amount,
        remaining=amount,
        frozen=min(frozen, amount),
        expires_at=None if days < 0 else NOW + timedelta(days=days),
        created_at=NOW,
        version=1,
    )


def an_amount_is_the_same_however_it_is_counted(amount: int, currency: str) -> None:
    assert parsed(written(amount, currency), currency) == amount
    try:
        counted = to_processor(Money(amount, currency))
    except UnusableAmount:
        step = 100 if currency in {"ISK", "UGX"} else 10
        scale = 10 ** (processor_digits(currency) - digits_of(currency))
        assert amount * scale % step, "it was refused and is a multiple"
        return
    assert from_processor(counted, currency) == amount
    assert counted * 10 ** digits_of(currency) == amount * 10 ** processor_digits(currency)


def _again(test: Any) -> Callable[..., None]:
    """What a test of the kernel or of a domain asserts, for more cases than it tries itself."""
    return test.hypothesis.inner_test


TRIED: dict[str, tuple[Callable[..., None], dict[str, Any]]] = {
    "shares": (
        _again(of_money.test_shares_add_up_and_are_within_a_unit_of_what_is_due),
        {
            "total": st.integers(-MOST, MOST),
            "weights": st.lists(st.integers(0, 10**9), min_size=1, max_size=8).filter(any),
        },
    ),
    "lines": (
        _again(of_tax.test_net_and_taxes_are_the_whole_and_what_is_taken_back_is_what_was_charged),
        {"price": of_tax.PRICES, "rates": of_tax.RATES},
    ),
    "rounding": (
        _again(of_tax.test_nothing_is_further_than_its_rounding_from_what_is_due),
        {"price": of_tax.PRICES, "rates": of_tax.RATES},
    ),
    "receipts": (
        a_receipt_is_its_lines_and_taking_back_is_what_was_charged,
        {"prices": st.lists(PRICES, min_size=1, max_size=4), "rates": RATES},
    ),
    "parts": (
        _again(of_spends.test_parts_that_are_given_back_add_up_to_the_whole),
        {
            "prices": of_spends.PRICES,
            "rates": of_spends.RATES,
            "parts": st.lists(st.integers(1, 10**9), max_size=6),
            "currency": st.sampled_from(CURRENCIES),
        },
    ),
    "lots": (what_lots_give_is_the_amount_and_goes_back_to_them, {"purse": PURSES, "share": st.integers(0, 1_001)}),
    "counted": (
        an_amount_is_the_same_however_it_is_counted,
        {"amount": st.integers(0, 10**8), "currency": st.sampled_from(CURRENCIES)},
    ),
}


def tried(name: str, *, seed: int, cases: int) -> int:
    """How many cases of a rule held. AssertionError says which did not."""
    rule, drawn = TRIED[name]
    seen = Counter[str]()

    def case(**named: Any) -> None:
        seen["cases"] += 1
        rule(**named)

    settings = hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        print_blob=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
    )
    hypothesis.seed(seed)(settings(given(**drawn)(case)))()
    return seen["cases"]


@pytest.mark.fault("M2")
@pytest.mark.parametrize("name", TRIED)
def test_parts_are_the_whole(run: FaultRun, name: str) -> None:
    cases = tried(name, seed=run.seed, cases=run.size(quick=300, long=150_000))
    run.report(cases=cases, units_lost=0)


@pytest.mark.control("M2")
@pytest.mark.parametrize("name", ["shares", "lines", "receipts", "parts"])
def test_shares_that_are_rounded_by_themselves_are_found(
    run: FaultRun, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_money, "split", naive_split)
    monkeypatch.setattr(tax, "split", naive_split)
    monkeypatch.setattr(receipts, "split", naive_split)
    must_fail(_found(name, run.seed))


@pytest.mark.control("M2")
@pytest.mark.parametrize("name", ["rounding", "receipts"])
def test_taxes_that_are_cut_or_rounded_down_are_found(
    run: FaultRun, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tax, "_rounded", naive_tax)
    must_fail(_found(name, run.seed))


def _found(name: str, seed: int) -> str:
    try:
        tried(name, seed=seed, cases=500)
    except AssertionError as error:
        return str(error) or "not equal"
    return ""
