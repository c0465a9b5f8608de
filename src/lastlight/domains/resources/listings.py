"""The lists of resources and bookings: for a tenant's people, and for a guest their own bookings."""

from datetime import datetime

import msgspec

from lastlight.domains.resources.permissions import BOOKINGS_OWN, BOOKINGS_READ, RESOURCES_READ
from lastlight.kernel.ids import BookingId, PatronId, ResourceId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

KINDS = (("game", "Game"), ("room", "Room"), ("table", "Table"))
STATUSES = (
    ("available", "Available"),
    ("maintenance", "In maintenance"),
    ("out_of_order", "Out of order"),
    ("retired", "Retired"),
)
UNITS = (("play", "Play"), ("hour", "Hour"))
BOOKING_STATUSES = (
    ("booked", "Booked"),
    ("arrived", "Arrived"),
    ("done", "Done"),
    ("cancelled", "Cancelled"),
    ("no_show", "No-show"),
)
BOOKERS = (("guest", "Guest"), ("staff", "Staff"))


class ResourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A resource in a list."""

    id: ResourceId
    venue_id: VenueId
    venue: str
    kind: str
    name: str
    zone: str
    capacity: int | None
    price_minor: int | None
    price_unit: str | None
    currency: str
    bookable: bool
    status: str
    status_reason: str
    updated_at: datetime
    version: int


class BookingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A booking in a list."""

    id: BookingId
    venue_id: VenueId
    venue: str
    resource_id: ResourceId
    resource: str
    kind: str
    patron_id: PatronId | None
    guest: str
    party_size: int
    starts_at: datetime
    ends_at: datetime
    status: str
    status_reason: str
    booked_by: str
    price_minor: int | None
    currency: str | None
    created_at: datetime
    version: int


RESOURCE_SOURCE = "resources r join venues v on v.tenant_id = r.tenant_id and v.id = r.venue_id"
BOOKING_SOURCE = """bookings b
join venues v on v.tenant_id = b.tenant_id and v.id = b.venue_id
join resources r on r.tenant_id = b.tenant_id and r.id = b.resource_id
left join patrons p on p.tenant_id = b.tenant_id and p.id = b.patron_id"""

RESOURCE_COLUMNS = (
    ID,
    Column("name", "Name", sort=True),
    Column("kind", "Kind", kind="enum", choices=KINDS, sort=True),
    Column("zone", "Zone", sort=True),
    Column("venue", "Venue", sql="v.name", sort=True),
    ref("venue_id", "Venue id"),
    Column("status", "Status", kind="enum", choices=STATUSES, sort=True),
    Column("status_reason", "Reason"),
    Column("capacity", "People", kind="number", sort=True, sort_sql="coalesce(r.capacity, 0)"),
    Column("price_minor", "Price, minor unit", kind="number", shown=False),
    Column("price_unit", "Paid by the", kind="enum", choices=UNITS),
    Column("currency", "Currency", sql="v.currency", shown=False),
    Column("bookable", "Bookable", kind="bool"),
    Column("updated_at", "Changed", kind="time", sort=True, shown=False),
    VERSION,
)
BOOKING_COLUMNS = (
    ID,
    Column("starts_at", "Begins", kind="time", sort=True),
    Column("ends_at", "Ends", kind="time", sort=True),
    Column("guest", "Guest", sql="coalesce(p.name, b.guest_name)", sort=True),
    ref("patron_id", "Guest id"),
    Column("party_size", "People", kind="number", sort=True),
    Column("resource", "What", sql="r.name", sort=True),
    ref("resource_id", "Resource id"),
    Column("kind", "Kind", sql="r.kind", kind="enum", choices=KINDS),
    Column("venue", "Venue", sql="v.name", sort=True),
    ref("venue_id", "Venue id"),
    Column("status", "Status", kind="enum", choices=BOOKING_STATUSES, sort=True),
    Column("status_reason", "Reason", shown=False),
    Column("booked_by", "Booked by", kind="enum", choices=BOOKERS),
    Column("price_minor", "Price, minor unit", kind="number", shown=False),
    Column("currency", "Currency", shown=False),
    Column("created_at", "Made", kind="time", sort=True, shown=False),
    VERSION,
)
BOOKING_FILTERS = (
    AT_VENUE,
    Filter("resource_id", "What"),
    Filter("patron_id", "Guest"),
    Filter("kind"),
    Filter("status"),
    Filter("booked_by"),
    Filter("starts_at"),
)

RESOURCES = Listing(
    name="resources",
    label="Games, rooms and tables",
    row=ResourceRow,
    permission=RESOURCES_READ,
    source=RESOURCE_SOURCE,
    of="r",
    venue="r.venue_id",
    columns=RESOURCE_COLUMNS,
    filters=(
        AT_VENUE,
        Filter("kind"),
        Filter("status"),
        Filter("zone"),
        Filter("bookable"),
    ),
    search=("r.name", "r.zone"),
    sort="name",
)
BOOKINGS = Listing(
    name="bookings",
    label="Bookings",
    row=BookingRow,
    permission=BOOKINGS_READ,
    source=BOOKING_SOURCE,
    of="b",
    venue="b.venue_id",
    columns=BOOKING_COLUMNS,
    filters=BOOKING_FILTERS,
    search=("p.name", "b.guest_name", "r.name"),
    sort="-starts_at",
)
OWN_BOOKINGS = Listing(
    name="own_bookings",
    label="My bookings",
    row=BookingRow,
    permission=BOOKINGS_OWN,
    source=BOOKING_SOURCE,
    of="b",
    own="b.patron_id",
    own_user="p.user_id",
    columns=BOOKING_COLUMNS,
    filters=BOOKING_FILTERS,
    search=("r.name", "v.name"),
    sort="-starts_at",
)
LISTINGS = (RESOURCES, BOOKINGS, OWN_BOOKINGS)
