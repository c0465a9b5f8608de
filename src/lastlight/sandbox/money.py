"""Currencies and the fee."""

from collections.abc import Mapping

from lastlight.sandbox.problems import Json, Refusal

ZERO_DECIMALS = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMALS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
TWO_DECIMALS = frozenset(
    [
        "aed",
        "ars",
        "aud",
        "bgn",
        "brl",
        "cad",
        "chf",
        "cny",
        "cop",
        "czk",
        "dkk",
        "egp",
        "eur",
        "gbp",
        "gel",
        "hkd",
        "huf",
        "idr",
        "ils",
        "inr",
        "isk",
        "kes",
        "mad",
        "mxn",
        "myr",
        "ngn",
        "nok",
        "nzd",
        "pen",
        "php",
        "pln",
        "ron",
        "rsd",
        "sar",
        "sek",
        "sgd",
        "thb",
        "try",
        "twd",
        "uah",
        "ugx",
        "usd",
        "uyu",
        "zar",
    ]
)
WHOLE_HUNDREDS = frozenset(["isk", "ugx"])
"""Counted with two decimals, which have to be 0."""
CURRENCIES = ZERO_DECIMALS | TWO_DECIMALS | THREE_DECIMALS

LARGEST: Mapping[str, int] = {
    "cop": 10**10 - 1,
    "huf": 10**10 - 1,
    "idr": 10**12 - 1,
    "inr": 10**9 - 1,
    "jpy": 10**10 - 1,
}
"""The largest amount of a payment where it is not eight digits."""

FEE: Mapping[str, int] = {"basis_points": 290, "fixed": 30, "dispute": 1500}
"""The rule of an account that set none: 2.9 % and 30 minor units a charge, 1,500 a dispute."""


def fee(amount: int, rule: Json | Mapping[str, int], currency: str) -> int:
    """The fee of a charge in minor units: the share is rounded half up, the fixed part comes on top; whole units where there are no others."""
    exact = (amount * int(rule["basis_points"]) + 5_000) // 10_000 + int(rule["fixed"])
    return (exact + 50) // 100 * 100 if currency in WHOLE_HUNDREDS else exact


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse more digits than the currency may have, and the fractions that cards do not take although it is counted in them."""
    most = LARGEST.get(currency, 99_999_999)
    if amount > most:
        raise Refusal(f"This value must be less than or equal to {most}.", code="amount_too_large", param=param)
    step = 100 if currency in WHOLE_HUNDREDS else 10 if currency in THREE_DECIMALS else 1
    if amount % step:
        raise Refusal(
            f"Invalid {param}: amounts of {currency} must be divisible by {step}.",
            code="parameter_invalid_integer",
            param=param,
        )


def currency(given: str) -> str:
    """The currency's code in lower case."""
    code = given.lower()
    if code not in CURRENCIES:
        raise Refusal(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(sorted(CURRENCIES))}",
            param="currency",
        )
    return code


MILLION = 1_000_000


def settlement(settings: Json, currency: str) -> tuple[str, int | None]:
    """The currency that an account settles a payment's in, and what a million minor units are there; None where it is the payment's own."""
    settles_in = settings.get("settles_in") or currency
    return settles_in, None if settles_in == currency else int(settings["rate"])


def exchanged(amount: int, rate: int | None) -> int:
    """Minor units in the currency of settlement, rounded half away from zero; as they are where there is no rate."""
    if rate is None:
        return amount
    units = (2 * abs(amount) * rate + MILLION) // (2 * MILLION)
    return units if amount >= 0 else -units


def written(amount: int, currency: str) -> str:
    """An amount as a bank's page writes it: 10.00 USD."""
    digits = 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    return f"{amount / 10**digits:.{digits}f} {currency.upper()}"
