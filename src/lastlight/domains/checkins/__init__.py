"""Check-ins and visits: the door.

A check-in is one verified arrival: a fact that is never edited. It opens a visit, which ends by the guest's check-out, by
staff, or when its time is over; a guest has one open visit at most in a business. Times that a phone claims count only with
its proof; the claimed and the received time are both kept. This is all that other domains may use.
"""

from lastlight.domains.checkins.claims import Proof, read_claim
from lastlight.domains.checkins.entrance_seeding import seed_entrance
from lastlight.domains.checkins.errors import ClaimInFuture, ClaimTooLate, ClaimUnsigned
from lastlight.domains.checkins.events import VisitClosed, VisitOpened, VisitTimedOut
from lastlight.domains.checkins.flags import count_open_flags
from lastlight.domains.checkins.model import Checkin, Visit
from lastlight.domains.checkins.patron import read_home
from lastlight.domains.checkins.permissions import (
    CHECKINS_READ,
    CHECKINS_VERIFY,
    FLAGS_READ,
    PATRONS_FIND,
    VISITS_CHECKOUT,
    VISITS_CORRECT,
    VISITS_OWN,
    VISITS_READ,
)
from lastlight.domains.checkins.queries import count_inside, find_checkin, find_visit, open_visit
from lastlight.domains.checkins.schemas import ClaimedAt, Home
from lastlight.domains.checkins.seeding import seed_history
from lastlight.domains.checkins.tonight import FeedLine, Occupancy, Tonight, VenueTonight, read_occupancy, read_tonight
from lastlight.domains.checkins.visits import claimed_time

__all__ = [
    "CHECKINS_READ",
    "CHECKINS_VERIFY",
    "FLAGS_READ",
    "PATRONS_FIND",
    "VISITS_CHECKOUT",
    "VISITS_CORRECT",
    "VISITS_OWN",
    "VISITS_READ",
    "Checkin",
    "ClaimInFuture",
    "ClaimTooLate",
    "ClaimUnsigned",
    "ClaimedAt",
    "FeedLine",
    "Home",
    "Occupancy",
    "Proof",
    "Tonight",
    "VenueTonight",
    "Visit",
    "VisitClosed",
    "VisitOpened",
    "VisitTimedOut",
    "claimed_time",
    "count_inside",
    "count_open_flags",
    "find_checkin",
    "find_visit",
    "open_visit",
    "read_claim",
    "read_home",
    "read_occupancy",
    "read_tonight",
    "seed_entrance",
    "seed_history",
]
