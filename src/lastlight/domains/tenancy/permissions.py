"""What tenancy's code asks for."""

from lastlight.kernel.permissions import Permission, Scope

TENANT_READ = Permission("tenant.read", "See the details of the business and its modules", Scope.TENANT)
TENANT_MANAGE = Permission("tenant.manage", "Change the details of the business", Scope.TENANT)
TENANTS_READ = Permission("tenants.read", "See every business on the platform", Scope.PLATFORM)
TENANTS_DECIDE = Permission("tenants.decide", "Approve and reject registrations", Scope.PLATFORM)
TENANTS_MANAGE = Permission(
    "tenants.manage", "Suspend and reactivate businesses, change their plan and modules", Scope.PLATFORM
)
TENANTS_ENTER = Permission(
    "tenants.enter", "Go inside a business with a reason, for an hour, on its record", Scope.PLATFORM
)

PERMISSIONS = (TENANT_READ, TENANT_MANAGE, TENANTS_READ, TENANTS_DECIDE, TENANTS_MANAGE, TENANTS_ENTER)
