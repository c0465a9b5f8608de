"""Taxes: what items are for the tax office, the rates on them by venue and business day, and the taxes of a receipt.

`quote` answers for orders, credits, door fees and invoices: per line and per rate, net, taxes and gross, every sum exact. Rounding is
of kernel/tax: each line and rate by itself, halves away from zero; a receipt sums its lines and is never rounded again.

A business that set up nothing sells: the category `untaxed` is always there and bears no tax, and is what an item has until somebody
says otherwise; `standard` means the rates written on the venue until the business makes a category of that code. Every other
category without a rate is refused (TaxNotSetUp), for a guessed tax is wrong either way. This is all that other domains may use.
"""

from lastlight.domains.taxes.errors import TaxNotSetUp
from lastlight.domains.taxes.model import STANDARD, UNTAXED, LineTax, RateTotal, TaxedLine
from lastlight.domains.taxes.permissions import TAXES_READ
from lastlight.domains.taxes.quoting import quote, require_category, tax_choices
from lastlight.domains.taxes.schemas import Line, Quote
from lastlight.domains.taxes.seeding import seed_taxes

__all__ = [
    "STANDARD",
    "TAXES_READ",
    "UNTAXED",
    "Line",
    "LineTax",
    "Quote",
    "RateTotal",
    "TaxNotSetUp",
    "TaxedLine",
    "quote",
    "require_category",
    "seed_taxes",
    "tax_choices",
]
