"""What may be done with feature flags."""

from lastlight.kernel.permissions import Permission, Scope

FLAGS_READ = Permission("flags.read", "See the platform's feature flags, and where businesses differ", Scope.PLATFORM)
FLAGS_MANAGE = Permission("flags.manage", "Switch features on and off, for all or for a business", Scope.PLATFORM)

PERMISSIONS = (FLAGS_READ, FLAGS_MANAGE)
