"""What may be done with payments."""

from lastlight.kernel.permissions import Permission, Scope

PAYMENTS_READ = Permission("payments.read", "See card payments, refunds and disputes", Scope.TENANT)
PAYMENTS_REFUND = Permission("payments.refund", "Refund card payments, and answer disputes", Scope.TENANT)
PAYMENTS_MANAGE = Permission(
    "payments.manage", "Retry and void card payments, and replay the provider's events", Scope.TENANT
)
PAYMENTS_OWN = Permission("payments.own", "Pay by card, and see one's own payments", Scope.OWN)

PERMISSIONS = (PAYMENTS_READ, PAYMENTS_REFUND, PAYMENTS_MANAGE, PAYMENTS_OWN)
