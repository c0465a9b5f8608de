"""What identity's code asks for."""

from lastlight.kernel.permissions import Permission, Scope

MEMBERS_READ = Permission("members.read", "See the people who work here, with their roles and venues", Scope.VENUE)
MEMBERS_MANAGE = Permission(
    "members.manage", "Add people, change their roles and venues, suspend and remove them", Scope.VENUE
)
ROLES_READ = Permission("roles.read", "See the roles and what each may do", Scope.VENUE)
ROLES_MANAGE = Permission("roles.manage", "Create, change and archive roles", Scope.TENANT)
PATRONS_READ = Permission("patrons.read", "See the guests of the business", Scope.TENANT)

PERMISSIONS = (MEMBERS_READ, MEMBERS_MANAGE, ROLES_READ, ROLES_MANAGE, PATRONS_READ)
