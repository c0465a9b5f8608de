"""Money in minor units: what a currency divides into, amounts as people write them, and sums split without losing a unit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lastlight.kernel.currencies import CURRENCIES

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF PTS",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_EXCEPTIONS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
POINTS = "PTS"
"""Loyalty points are kept like a currency without minor units."""
_KEPT = re.compile(r"(-?\d{1,20}(?:\.\d{2,3})?) ([A-Z]{3})", re.ASCII)
_TYPED = re.compile(r"([+-]?)(?=[.,]?\d)(\d*)(?:([.,])(\d*))?", re.ASCII)
"""A sign, and figures with at most one mark before, between or after them."""
_SPACES = re.compile("[ \u00a0\u202f]")
"""What people put between thousands."""
MOST = 2**53 - 1
"""The largest amount in minor units: what JSON's readers hold exactly (RFC 8259, section 6)."""


def digits_of(currency: str) -> int:
    """How many decimals a currency (ISO 4217, or PTS) is written with: 0, 2 or 3."""
    return _EXCEPTIONS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of a currency."""

    amount: int
    currency: str

    def __str__(self) -> str:
        return f"{written(self.amount, self.currency)} {self.currency}"

    @classmethod
    def kept(cls, text: str) -> "Money | None":
        """The amount that a text such as 12.34 ZAR keeps, exactly as `str` writes it; None for every other text.

        Its last word has to be a currency that exists, or PTS: 22.30 GMT is a time.
        """
        found = _KEPT.fullmatch(text)
        if found is None:
            return None
        digits, currency = found.groups()
        if currency not in CURRENCIES and currency != POINTS:
            return None
        money = cls(int(digits.replace(".", "")), currency)
        return money if str(money) == text else None

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return Money(self.amount + other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)


def written(amount: int, currency: str) -> str:
    """Minor units with the currency's decimals and a point, as CSV and forms take them: 1234 in ZAR is 12.34."""
    digits = digits_of(currency)
    sign, units = "-" if amount < 0 else "", str(abs(amount)).rjust(digits + 1, "0")
    return f"{sign}{units[:-digits]}.{units[-digits:]}" if digits else f"{sign}{units}"


def parsed(text: str, currency: str, *, decimal: str = ".", thousands: str = ",") -> int:
    """Minor units of what somebody typed: 12.34 or 12,34 in ZAR is 1234. Raises ValueError with a sentence that says what to type.

    `decimal` and `thousands` are the marks of who typed it. Between figures and three more a mark may stand for thousands: it is a
    decimal mark only where the currency has three decimals and they do not write thousands with it.
    """
    digits, found = digits_of(currency), _TYPED.fullmatch(_SPACES.sub("", text.strip()))
    such = "Type an amount in digits, such as 150" + (f" or 150{decimal}50." if digits else ".")
    if found is None:
        raise ValueError(such)
    sign, whole, mark, part = found.groups(default="")
    ambiguous = whole != "" and len(part) == 3
    if ambiguous and mark == thousands != decimal:
        raise ValueError(such)
    if len(part.rstrip("0")) > digits or (ambiguous and digits != 3):
        raise ValueError(f"{currency} has {digits} decimals." if digits else f"{currency} has no decimals.")
    units = (whole + part[:digits].ljust(digits, "0")).lstrip("0") or "0"
    if len(units) > len(str(MOST)) or int(units) > MOST:  # the length first: Python does not read thousands of digits
        raise ValueError("This amount is too large.")
    return int(sign + units)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` (minor units, of either sign) by weights ≥ 0 so that the shares add up to it.

    Largest remainders: each gets ⌊total·w/W⌋, the units left over go to the largest remainders, ties to the lowest index; a negative
    total is shared as its positive is. Raises ValueError where no weight is above zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("shares need weights of zero or more, and one above zero")
    if total < 0:
        return [-share for share in split(-total, weights)]
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
