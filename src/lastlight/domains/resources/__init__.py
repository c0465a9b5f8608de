"""Resources: what a venue lends by the play or the hour - games, rooms, tables - and who has booked them.

A resource is never deleted: it is retired, and its bookings stay. Bookings of one resource cannot overlap: the database
refuses it, the buffer after each included. This is all that other domains may use.
"""

from lastlight.domains.resources.listings import OWN_BOOKINGS, BookingRow
from lastlight.domains.resources.permissions import BOOKINGS_OWN
from lastlight.domains.resources.seeding import seed_bookings, seed_resources

__all__ = ["BOOKINGS_OWN", "OWN_BOOKINGS", "BookingRow", "seed_bookings", "seed_resources"]
