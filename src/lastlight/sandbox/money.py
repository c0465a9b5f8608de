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
        "usd",
        "uyu",
        "zar",
    ]
)
CURRENCIES = ZERO_DECIMALS | TWO_DECIMALS | THREE_DECIMALS

FEE: Mapping[str, int] = {"basis_points": 290, "fixed": 30, "dispute": 1500}
"""The rule of an account that set none: 2.9 % and 30 minor units a charge, 1,500 a dispute."""


def fee(amount: int, rule: Json | Mapping[str, int]) -> int:
    """The fee of a charge in minor units: the share is rounded half up, the fixed part comes on top."""
    return (amount * int(rule["basis_points"]) + 5_000) // 10_000 + int(rule["fixed"])


def currency(given: str) -> str:
    """The currency's code in lower case."""
    code = given.lower()
    if code not in CURRENCIES:
        raise Refusal(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(sorted(CURRENCIES))}",
            param="currency",
        )
    return code
