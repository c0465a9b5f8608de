"""Examples: what an operation's declaration does not say about a call that succeeds. Each is named after the operation's function.

An operation whose parameters are all known to tests/support/things.py and tests/support/examples.py needs none. One module
`given_….py` beside this holds those of a domain; it is named below.
"""

from tests.contracts import (
    example,
    given_credits,
    given_devices,
    given_door,
    given_factors,
    given_identity,
    given_ledger,
    given_looking,
    given_mechanisms,
    given_payments,
    given_places,
    given_safety,
    given_safety_pages,
    given_taxes,
    given_tenancy,
    given_work,
    given_work_pages,
)

MODULES = (
    given_mechanisms,
    given_identity,
    given_factors,
    given_looking,
    given_tenancy,
    given_door,
    given_places,
    given_taxes,
    given_work,
    given_work_pages,
    given_safety,
    given_safety_pages,
    given_devices,
    given_payments,
    given_credits,
    given_ledger,
)
EXAMPLES = example.EXAMPLES
EXAMPLES.update(given_safety.SAFETY_EXAMPLES)
EXAMPLES.update(given_devices.DEVICE_EXAMPLES)
