"""Amounts as the processor counts them. It follows ISO 4217 with exceptions, and takes no card payment in some currencies."""

from lastlight.kernel.money import Money, digits_of
from lastlight.runtime.processor.errors import UnusableAmount
from lastlight.ui import formats

_NO_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
"""Counted in whole units. MGA has two decimals elsewhere."""
_THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
"""Counted in thousandths, of which the last digit has to be 0."""
_WHOLE_HUNDREDS = frozenset(["ISK", "UGX"])
"""Counted as if they had two decimals, which have to be 0."""
_TWO_DECIMALS = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "ANG",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CNY",
        "COP",
        "CRC",
        "CVE",
        "CZK",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GIP",
        "GMD",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "JMD",
        "KES",
        "KGS",
        "KHR",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "MAD",
        "MDL",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "SAR",
        "SBD",
        "SCR",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "STD",
        "SZL",
        "THB",
        "TJS",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "USD",
        "UYU",
        "UZS",
        "WST",
        "XCD",
        "XCG",
        "YER",
        "ZAR",
        "ZMW",
    ]
)
CHARGEABLE = _NO_DECIMALS | _THREE_DECIMALS | _WHOLE_HUNDREDS | _TWO_DECIMALS
"""The currencies in which cards are charged. Of another one we would not know how it is counted, so it is refused."""
_LARGEST = {
    "COP": 10**10 - 1, "HUF": 10**10 - 1, "IDR": 10**12 - 1, "INR": 10**9 - 1, "JPY": 10**10 - 1, "LBP": 10**11 - 1,
}  # fmt: skip
"""The largest amount of one payment, as the processor counts, where it is not eight digits; a card's network may take less.

Source: docs.stripe.com/currencies, "Minimum and maximum charge amounts", by the number of digits that it names.
"""
_LEAST = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1_500, "DKK": 250, "EUR": 50, "GBP": 30, "HKD": 400,
    "HUF": 17_500, "INR": 50, "JPY": 50, "MXN": 1_000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300,
    "SGD": 50, "THB": 1_000, "USD": 50,
}  # fmt: skip
"""The smallest amount of one payment, as the processor counts. Elsewhere the bound follows from what our account settles in.

Source: the same page, its table by settlement currency.
"""


def processor_digits(currency: str) -> int:
    """How many decimals the processor counts a currency with. Raises UnusableAmount for one that cards do not take."""
    if currency in _NO_DECIMALS:
        return 0
    if currency in _THREE_DECIMALS:
        return 3
    if currency in CHARGEABLE:
        return 2
    raise UnusableAmount(f"Cards cannot be charged in {currency}.")


def to_processor(money: Money) -> int:
    """An amount as the processor counts it, exactly. Raises UnusableAmount for one that it could not take."""
    amount = _scaled(money.amount, processor_digits(money.currency) - digits_of(money.currency))
    if amount is None or amount % _step(money.currency):
        shown, asked = (
            formats.money(units, money.currency) for units in (_smallest_step(money.currency), money.amount)
        )
        raise UnusableAmount(f"Cards take multiples of {shown}: {asked} is none. Choose another amount.")
    return amount


def from_processor(amount: int, currency: str) -> int:
    """Minor units of what the processor counts, exactly. Raises ValueError where they cannot say it."""
    code = currency.upper()
    if code not in CHARGEABLE:
        raise ValueError(f"it is not known how the processor counts {code}")
    units = _scaled(amount, digits_of(code) - processor_digits(code))
    if units is None:
        raise ValueError(f"{amount} as the processor counts is a fraction of the smallest unit of {code}")
    return units


def usable_part(money: Money) -> int:
    """The largest part of an amount that can be charged to a card or go back to one, in our minor units.

    Nothing in a currency that cards do not take, and nothing of nothing.
    """
    if money.currency not in CHARGEABLE or money.amount <= 0:
        return 0
    return money.amount - money.amount % _smallest_step(money.currency)


def largest_payment(currency: str) -> int:
    """The largest amount of one payment, as the processor counts."""
    return _LARGEST.get(currency, 99_999_999)


def check_chargeable(money: Money) -> int:
    """The amount of one payment as the processor counts it. Raises UnusableAmount that names the bound it breaks."""
    amount = to_processor(money)
    least = max(_LEAST.get(money.currency, 1), _step(money.currency))
    if amount < least:
        smallest = from_processor(least, money.currency)
        shown = formats.money(smallest, money.currency)
        raise UnusableAmount(f"The smallest card payment is {shown}.", smallest=smallest)
    if amount > largest_payment(money.currency):
        most = largest_payment(money.currency)
        largest = from_processor(most // _unit(money.currency) * _unit(money.currency), money.currency)
        shown = formats.money(largest, money.currency)
        raise UnusableAmount(f"The largest card payment is {shown}.", largest=largest)
    return amount


def _step(currency: str) -> int:
    """What an amount has to be a multiple of, as the processor counts."""
    if currency in _WHOLE_HUNDREDS:
        return 100
    return 10 if currency in _THREE_DECIMALS else 1


def _unit(currency: str) -> int:
    """The smallest amount, as the processor counts, that it takes and that our minor units can say."""
    return max(_step(currency), 10 ** max(processor_digits(currency) - digits_of(currency), 0))


def _smallest_step(currency: str) -> int:
    """`_unit` in our minor units."""
    more = digits_of(currency) - processor_digits(currency)
    return max(10**more if more > 0 else 1, _step(currency) // 10 ** max(-more, 0))


def _scaled(amount: int, digits: int) -> int | None:
    """`amount` with so many digits more or fewer; None where digits that are not 0 would be lost."""
    if digits >= 0:
        return amount * 10**digits
    whole, rest = divmod(amount, 10**-digits)
    return None if rest else whole
