"""What a history says of a change: what became different, in words."""

from collections.abc import Iterator, Mapping

import pytest

from lastlight.runtime.audit.history import changes_of
from lastlight.ui.reader import reading_as


@pytest.fixture(autouse=True)
def in_johannesburg() -> Iterator[None]:
    with reading_as(locale="en-ZA", zone="Africa/Johannesburg"):
        yield


def said(after: Mapping[str, object]) -> str:
    return (changes_of(None, after)[1] or "").replace("\u00a0", " ")


def test_only_what_became_different_is_said() -> None:
    before = {"status": "open", "intent_id": "pi_1", "captured": ""}
    after = {"status": "captured", "intent_id": "pi_1", "captured": "100.00 ZAR"}
    assert changes_of(before, after) == ("status: open", "status: captured\ncaptured: R\u00a0100,00")


def test_what_began_or_ended_is_said_whole() -> None:
    facts = {"name": "Entry", "exempt": False, "note": None}
    assert changes_of(None, facts) == (None, "name: Entry\nexempt: no")
    assert changes_of(facts, None) == ("name: Entry\nexempt: no", None)


def test_a_field_that_came_or_went_is_said_on_its_side() -> None:
    assert changes_of({"refunding": "5.00 ZAR"}, {"refunded": "5.00 ZAR"}) == (
        "refunding: R\u00a05,00",
        "refunded: R\u00a05,00",
    )


def test_nothing_different_says_nothing() -> None:
    assert changes_of({"each_time": True}, {"each_time": True}) == (None, None)


def test_amounts_are_said_in_the_readers_spelling() -> None:
    facts = {"captured": "1240.50 USD", "amounts": ["-0.70 ZAR", "5 JPY", "1.234 KWD"]}
    assert said(facts) == "captured: US$1 240,50\namounts: −R 0,70, JP¥5, KWD 1,234"
    with reading_as(locale="en-US", zone="UTC"):
        assert said(facts) == "captured: $1,240.50\namounts: −ZAR 0.70, ¥5, KWD 1.234"


def test_an_amount_in_minor_units_is_said_with_its_currency() -> None:
    assert said({"subject": "credits", "amount": -10_000, "currency": "ZAR"}) == "subject: credits\namount: −R 100,00"
    assert said({"price": {"amount": 35_000, "currency": "ZAR"}}) == "price: R 350,00"
    before, after = ({"amount": one, "currency": "ZAR"} for one in (500, 700))
    assert changes_of(before, after) == ("amount: R\u00a05,00", "amount: R\u00a07,00")


@pytest.mark.parametrize(
    "name",
    [
        "12.3 ZAR",
        "012.00 ZAR",
        "5.00 JPY",
        "100.00 zar",
        "Room 12.00 ZAR",
        "-0.00 ZAR",
        "9" * 70 + ".00 ZAR",
        "22.30 GMT",
    ],
)
def test_what_is_no_kept_amount_stays_as_it_was_typed(name: str) -> None:
    assert said({"name": name}) == f"name: {name}"
