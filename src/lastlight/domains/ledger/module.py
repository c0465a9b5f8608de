"""What the ledger brings to the platform."""

from lastlight.domains.ledger import jobs
from lastlight.domains.ledger.errors import CONSTRAINTS, ERRORS
from lastlight.runtime.module import Module

MODULE = Module(
    name="ledger",
    summary="The double-entry ledger: accounts, postings, holds, reversals, balances as of any time.",
    errors=ERRORS,
    constraints=CONSTRAINTS,
    jobs=(jobs.seal, jobs.expire),
)
