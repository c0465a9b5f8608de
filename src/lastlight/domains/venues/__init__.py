"""Venues: a business's locations.

A venue has a clock (its time zone and the hour at which its business day ends), hours, rules for who may enter, a fence, and
keys that sign the codes at its door. It is never deleted: it is archived, and its history stays. This is all that other
domains may use.
"""

from lastlight.domains.venues.choice import VENUE_COOKIE, chosen_venue
from lastlight.domains.venues.codes import CodeKind, CodeUnreadableError, VenueCode, read_code
from lastlight.domains.venues.events import VenueCreated, VenueUpdated
from lastlight.domains.venues.geofence import Geofence, Point, distance_outside
from lastlight.domains.venues.hours import (
    OpeningHours,
    business_day,
    business_day_span,
    closes_at,
    is_open,
    moment_of,
    next_opening,
    open_spans,
)
from lastlight.domains.venues.keys import open_key, regenerate_key
from lastlight.domains.venues.listed import listed
from lastlight.domains.venues.model import PositionPolicy, Venue, VenueStatus, known_time_zones
from lastlight.domains.venues.permissions import VENUES_KEYS, VENUES_READ
from lastlight.domains.venues.posters import qr_svg
from lastlight.domains.venues.publication import Shown, shown_venues
from lastlight.domains.venues.queries import find_venue, find_venue_by_slug, read_venue, standing_venues
from lastlight.domains.venues.seeding import seed_venues
from lastlight.domains.venues.show import require_shown
from lastlight.domains.venues.show_seeding import seed_shows
from lastlight.domains.venues.spans import BusinessSpans, business_spans
from lastlight.domains.venues.wall_clock import read_wall_clock, write_wall_clock

__all__ = [
    "VENUES_KEYS",
    "VENUES_READ",
    "VENUE_COOKIE",
    "BusinessSpans",
    "CodeKind",
    "CodeUnreadableError",
    "Geofence",
    "OpeningHours",
    "Point",
    "PositionPolicy",
    "Shown",
    "Venue",
    "VenueCode",
    "VenueCreated",
    "VenueStatus",
    "VenueUpdated",
    "business_day",
    "business_day_span",
    "business_spans",
    "chosen_venue",
    "closes_at",
    "distance_outside",
    "find_venue",
    "find_venue_by_slug",
    "is_open",
    "known_time_zones",
    "listed",
    "moment_of",
    "next_opening",
    "open_key",
    "open_spans",
    "qr_svg",
    "read_code",
    "read_venue",
    "read_wall_clock",
    "regenerate_key",
    "require_shown",
    "seed_shows",
    "seed_venues",
    "shown_venues",
    "standing_venues",
    "write_wall_clock",
]
