"""What may be done with venues."""

from lastlight.kernel.permissions import Permission, Scope

VENUES_READ = Permission("venues.read", "See venues and how full they are", Scope.VENUE)
VENUES_MANAGE = Permission("venues.manage", "Create, change, pause and archive venues", Scope.VENUE)
VENUES_CODES = Permission("venues.codes", "Show a venue's check-in code and print its poster", Scope.VENUE)
VENUES_KEYS = Permission("venues.keys", "Regenerate a venue's key, so that older codes die", Scope.VENUE)
VENUES_PUBLISH = Permission(
    "venues.publish", "Publish and feature venues, and change their banners and images", Scope.VENUE
)
VENUES_MODERATE = Permission("venues.moderate", "Decide which of the guests' photos are shown", Scope.VENUE)
VENUES_OWN = Permission("venues.own", "See the banners of venues, and send photos as a guest", Scope.OWN)

PERMISSIONS = (VENUES_READ, VENUES_MANAGE, VENUES_CODES, VENUES_KEYS, VENUES_PUBLISH, VENUES_MODERATE, VENUES_OWN)
