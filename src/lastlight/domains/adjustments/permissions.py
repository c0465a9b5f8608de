"""Who puts money right by hand, and who has to agree."""

from lastlight.kernel.permissions import Permission, Scope

ADJUSTMENTS_READ = Permission("adjustments.read", "See what was put right by hand, and what waits", Scope.TENANT)
ADJUSTMENTS_APPROVE = Permission(
    "adjustments.approve", "Agree to adjustments that others ask for, or decline them", Scope.TENANT
)
LEDGER_ADJUST = Permission("ledger.adjust", "Move money between accounts of the business by hand", Scope.TENANT)

PERMISSIONS = (ADJUSTMENTS_READ, ADJUSTMENTS_APPROVE, LEDGER_ADJUST)
