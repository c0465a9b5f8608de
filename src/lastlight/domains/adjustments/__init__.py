"""Adjustments: what is put right by hand, with a reason, and above a limit only with another person's approval.

A subject (guests' credits, the accounts of the ledger) says what booking it moves. An adjustment stays as it was asked for; what became
of it is written beside it.
"""

from lastlight.domains.adjustments.seeding import seed_adjustments

__all__ = ["seed_adjustments"]
