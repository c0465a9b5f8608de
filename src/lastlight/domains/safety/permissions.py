"""What may be done about safety."""

from lastlight.kernel.permissions import Permission, Scope

SAFETY_READ = Permission("safety.read", "Hear and see alerts, SOS calls, incidents and broadcasts", Scope.VENUE)
SAFETY_RESPOND = Permission(
    "safety.respond", "Press SOS, answer alerts and SOS calls, record interventions and incidents", Scope.VENUE
)
SAFETY_MANAGE = Permission(
    "safety.manage", "Set thresholds, assign and resolve interventions and incidents", Scope.VENUE
)
SAFETY_BROADCAST = Permission("safety.broadcast", "Tell all staff of a venue something", Scope.VENUE)
SAFETY_LOG = Permission("safety.log", "Read the safety log", Scope.VENUE)
SAFETY_CHECKS = Permission("safety.checks", "Answer the safety checks that one is asked", Scope.OWN)

SAFETY_HELP = Permission("safety.help", "Call the staff for help where one is checked in", Scope.OWN)

PERMISSIONS = (
    SAFETY_READ,
    SAFETY_RESPOND,
    SAFETY_MANAGE,
    SAFETY_BROADCAST,
    SAFETY_LOG,
    SAFETY_CHECKS,
    SAFETY_HELP,
)
