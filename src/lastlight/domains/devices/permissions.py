"""What may be done with devices."""

from lastlight.kernel.permissions import Permission, Scope

DEVICES_READ = Permission("devices.read", "See scanners and tills, their health and alerts", Scope.VENUE)
DEVICES_MANAGE = Permission(
    "devices.manage", "Enrol, change, ping, revoke and set aside scanners and tills", Scope.VENUE
)

PERMISSIONS = (DEVICES_READ, DEVICES_MANAGE)
