"""What identity's code asks for."""

from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.auth.looking import IMPERSONATE, PREVIEW

MEMBERS_READ = Permission("members.read", "See the people who work here, with their roles and venues", Scope.VENUE)
MEMBERS_MANAGE = Permission(
    "members.manage", "Add people, change their roles and venues, suspend and remove them", Scope.VENUE
)
MEMBERS_FACTORS_RESET = Permission(
    "members.factors.reset",
    "Reset the second factor of people who work here and hold no more than oneself",
    Scope.VENUE,
)
ROLES_READ = Permission("roles.read", "See the roles and what each may do", Scope.VENUE)
ROLES_MANAGE = Permission("roles.manage", "Create, change and archive roles", Scope.TENANT)
PATRONS_READ = Permission("patrons.read", "See the guests of the business", Scope.TENANT)
PATRONS_MODERATE = Permission(
    "patrons.moderate", "Verify guests, suspend and ban them, and let them back in", Scope.TENANT
)
USERS_READ = Permission("users.read", "See every account of the platform", Scope.PLATFORM)
USERS_MODERATE = Permission(
    "users.moderate", "Suspend and ban accounts on the whole platform, and let them back in", Scope.PLATFORM
)
USERS_FACTORS_RESET = Permission(
    "users.factors.reset", "Reset the second factor of any account of the platform", Scope.PLATFORM
)

PERMISSIONS = (
    MEMBERS_READ,
    MEMBERS_MANAGE,
    MEMBERS_FACTORS_RESET,
    ROLES_READ,
    ROLES_MANAGE,
    PATRONS_READ,
    PATRONS_MODERATE,
    USERS_READ,
    USERS_MODERATE,
    USERS_FACTORS_RESET,
    PREVIEW,
    IMPERSONATE,
)
