"""Amounts in fields: in their reader's spelling, back to the same minor units, in either spelling of the decimal mark."""

import pytest
from babel.numbers import get_group_symbol
from hypothesis import given
from hypothesis import strategies as st

from lastlight.kernel.money import MOST, written
from lastlight.ui import amounts
from lastlight.ui.reader import reading_as

LOCALES = ("en-ZA", "en-US", "de", "fr", "de-CH", "ar", "pt-PT")
CURRENCIES = ("JPY", "ZAR", "KWD")


@pytest.mark.parametrize(
    ("locale", "fields"),
    [
        ("en-ZA", ("1234", "12,34", "1,234")),
        ("de", ("1234", "12,34", "1,234")),
        ("en-US", ("1234", "12.34", "1.234")),
    ],
)
def test_a_field_is_filled_in_its_readers_spelling(locale: str, fields: tuple[str, ...]) -> None:
    with reading_as(locale=locale, zone="UTC"):
        assert tuple(amounts.in_field(1234, currency) for currency in CURRENCIES) == fields


@given(st.integers(-MOST, MOST), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_what_a_field_is_filled_with_is_read_back(amount: int, currency: str, locale: str) -> None:
    with reading_as(locale=locale, zone="UTC"):
        assert amounts.of_field(amounts.in_field(amount, currency), currency) == amount


@given(st.integers(-MOST, MOST), st.sampled_from(("JPY", "ZAR")), st.sampled_from(LOCALES))
def test_either_decimal_mark_is_taken(amount: int, currency: str, locale: str) -> None:
    typed = written(amount, currency)
    with reading_as(locale=locale, zone="UTC"):
        assert amounts.of_field(typed, currency) == amounts.of_field(typed.replace(".", ","), currency) == amount


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_what_may_stand_for_thousands_is_never_taken_for_decimals(
    thousands: int, ones: int, currency: str, locale: str
) -> None:
    with reading_as(locale=locale, zone="UTC"):
        mark = get_group_symbol(locale.replace("-", "_"))
        text = f"{thousands}{mark}{ones:03}"
        try:
            read = amounts.of_field(text, currency)
        except ValueError as error:
            assert "Type an amount" in str(error)  # noqa: PT017 - which of the two it is depends on the mark
        else:
            assert read == amounts.of_field(f"{thousands}{ones:03}", currency)


def test_an_example_is_written_as_its_reader_writes() -> None:
    for locale, example in (("de", "150 or 150,50"), ("en-US", "150 or 150.50")):
        with reading_as(locale=locale, zone="UTC"), pytest.raises(ValueError, match=example):
            amounts.of_field("lots", "EUR")
