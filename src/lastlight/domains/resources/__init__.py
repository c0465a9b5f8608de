"""Resources: what a venue lends by the play or the hour - games, rooms, tables - and who has booked them.

A resource is never deleted: it is retired, and its bookings stay. Bookings of one resource cannot overlap: the database
refuses it, the buffer after each included. This is all that other domains may use.
"""

from lastlight.domains.resources.seeding import seed_bookings, seed_resources

__all__ = ["seed_bookings", "seed_resources"]
