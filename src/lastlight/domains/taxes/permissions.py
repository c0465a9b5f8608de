"""What may be done with taxes."""

from lastlight.kernel.permissions import Permission, Scope

TAXES_READ = Permission("taxes.read", "See tax categories and rates, and reckon the taxes of an amount", Scope.TENANT)
TAXES_MANAGE = Permission("taxes.manage", "Make tax categories, and start and end tax rates", Scope.TENANT)

PERMISSIONS = (TAXES_READ, TAXES_MANAGE)
