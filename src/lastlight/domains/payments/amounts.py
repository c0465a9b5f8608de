"""Amounts that people type into the dialogs of a payment."""

from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import parsed, written


def read_amount(text: str, currency: str, *, most: int, field: str = "amount") -> int:
    """What somebody typed, in minor units, above nothing and at most `most`. Raises Invalid at its field."""
    if not text.strip():
        raise Invalid(fields={field: f"Give an amount, at most {written(most, currency)} {currency}."})
    try:
        amount = parsed(text, currency)
    except ValueError as error:
        raise Invalid(fields={field: str(error)}) from error
    if not 0 < amount <= most:
        raise Invalid(fields={field: f"Give more than nothing, and at most {written(most, currency)} {currency}."})
    return amount
