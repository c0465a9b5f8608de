"""What may be done with guests' credits. A guest's balance is of the whole business, so that only charging is a venue's."""

from lastlight.kernel.permissions import Permission, Scope

CREDITS_READ = Permission("credits.read", "See guests' credits and what became of them", Scope.TENANT)
CREDITS_CHARGE = Permission("credits.charge", "Take payment in credits at a venue, and give it back", Scope.VENUE)
CREDITS_ADJUST = Permission("credits.adjust", "Put a guest's credits right, with a reason", Scope.TENANT)
CREDITS_OWN = Permission("credits.own", "Buy credits, and see one's own", Scope.OWN)

PERMISSIONS = (CREDITS_READ, CREDITS_CHARGE, CREDITS_ADJUST, CREDITS_OWN)
