"""What may be done with resources and bookings."""

from lastlight.kernel.permissions import Permission, Scope

RESOURCES_READ = Permission("resources.read", "See games, rooms and tables, and how they stand", Scope.VENUE)
RESOURCES_STATUS = Permission("resources.status", "Take a game, room or table out of order, and back", Scope.VENUE)
RESOURCES_MANAGE = Permission("resources.manage", "Create, change and retire games, rooms and tables", Scope.VENUE)
BOOKINGS_READ = Permission("bookings.read", "See bookings and who made them", Scope.VENUE)
BOOKINGS_MANAGE = Permission("bookings.manage", "Book for guests, move, cancel and receive bookings", Scope.VENUE)
BOOKINGS_OWN = Permission("bookings.own", "Book for oneself, and see and cancel one's own bookings", Scope.OWN)

PERMISSIONS = (RESOURCES_READ, RESOURCES_STATUS, RESOURCES_MANAGE, BOOKINGS_READ, BOOKINGS_MANAGE, BOOKINGS_OWN)
