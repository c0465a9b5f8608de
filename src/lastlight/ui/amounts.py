"""Amounts in the fields of forms: written in their reader's spelling, and read in either."""

from babel.numbers import get_decimal_symbol, get_group_symbol

from lastlight.kernel.money import parsed, written
from lastlight.ui.reader import current_locale


def in_field(amount: int, currency: str) -> str:
    """Minor units as a field takes them: 1240,50 where its reader writes a decimal comma, and never a mark for thousands."""
    return written(amount, currency).replace(".", _decimal())


def of_field(text: str, currency: str) -> int:
    """Minor units of what somebody typed, with a decimal comma or a point; what stands for thousands where they read is refused.

    Raises ValueError with a sentence that says what to type.
    """
    return parsed(text, currency, decimal=_decimal(), thousands=get_group_symbol(current_locale()))


def _decimal() -> str:
    return "," if get_decimal_symbol(current_locale()) == "," else "."
