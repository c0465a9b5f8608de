"""Amounts of payments: as people type them into dialogs, and whether cards take them."""

from collections.abc import Callable

from lastlight.domains.payments.errors import AmountUnusable
from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import MOST, Money
from lastlight.runtime import processor
from lastlight.ui import amounts, formats


def read_amount(text: str, currency: str, *, most: int, field: str = "amount") -> int:
    """What somebody typed, in minor units, above nothing and at most `most`. Raises Invalid at its field."""
    if not text.strip():
        limit = f", at most {formats.money(most, currency)}" if most < MOST else ""
        raise Invalid(fields={field: f"Give an amount{limit}."})
    try:
        amount = amounts.of_field(text, currency)
    except ValueError as error:
        raise Invalid(fields={field: str(error)}) from error
    if not 0 < amount <= most:
        limit = f", and at most {formats.money(most, currency)}" if most < MOST else ""
        raise Invalid(fields={field: f"Give more than nothing{limit}."})
    return amount


def require_chargeable(money: Money) -> None:
    """See that a card can be charged with an amount. Raises AmountUnusable, which says the bound that it breaks."""
    _asked(processor.check_chargeable, money)


def require_usable(money: Money) -> None:
    """See that a part of a payment can be taken or go back, in multiples of what cards take. Raises AmountUnusable."""
    _asked(processor.to_processor, money)


def _asked(check: Callable[[Money], int], money: Money) -> None:
    try:
        check(money)
    except processor.UnusableAmount as error:
        bounds = {"smallest": error.smallest, "largest": error.largest, "currency": money.currency}
        raise AmountUnusable(error.message, fields={"amount": error.message}, extra=bounds) from None
