"""The lists of resources and bookings: for a tenant's people, and for a guest their own bookings."""

from datetime import datetime

import msgspec

from lastlight.domains.resources.permissions import BOOKINGS_OWN, BOOKINGS_READ, RESOURCES_READ
from lastlight.kernel.ids import BookingId, PatronId, ResourceId, VenueId
from lastlight.runtime.http.listing import Column, Filter, Listing

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
    Column(name="id", sql="r.id", label="Id", kind="uuid", shown=False),
    Column(name="name", sql="r.name", label="Name", sort=True),
    Column(name="kind", sql="r.kind", label="Kind", kind="enum", choices=KINDS, sort=True),
    Column(name="zone", sql="r.zone", label="Zone", sort=True),
    Column(name="venue", sql="v.name", label="Venue", sort=True),
    Column(name="venue_id", sql="r.venue_id", label="Venue id", kind="uuid", shown=False),
    Column(name="status", sql="r.status", label="Status", kind="enum", choices=STATUSES, sort=True),
    Column(name="status_reason", sql="r.status_reason", label="Reason"),
    Column(
        name="capacity",
        sql="r.capacity",
        label="People",
        kind="number",
        sort=True,
        sort_sql="coalesce(r.capacity, 0)",
    ),
    Column(name="price_minor", sql="r.price_minor", label="Price, minor unit", kind="number", shown=False),
    Column(name="price_unit", sql="r.price_unit", label="Paid by the", kind="enum", choices=UNITS),
    Column(name="currency", sql="v.currency", label="Currency", shown=False),
    Column(name="bookable", sql="r.bookable", label="Bookable", kind="bool"),
    Column(name="updated_at", sql="r.updated_at", label="Changed", kind="time", sort=True, shown=False),
    Column(name="version", sql="r.version", label="Version", kind="number", shown=False),
)
BOOKING_COLUMNS = (
    Column(name="id", sql="b.id", label="Id", kind="uuid", shown=False),
    Column(name="starts_at", sql="b.starts_at", label="Begins", kind="time", sort=True),
    Column(name="ends_at", sql="b.ends_at", label="Ends", kind="time", sort=True),
    Column(name="guest", sql="coalesce(p.name, b.guest_name)", label="Guest", sort=True),
    Column(name="patron_id", sql="b.patron_id", label="Guest id", kind="uuid", shown=False),
    Column(name="party_size", sql="b.party_size", label="People", kind="number", sort=True),
    Column(name="resource", sql="r.name", label="What", sort=True),
    Column(name="resource_id", sql="b.resource_id", label="Resource id", kind="uuid", shown=False),
    Column(name="kind", sql="r.kind", label="Kind", kind="enum", choices=KINDS),
    Column(name="venue", sql="v.name", label="Venue", sort=True),
    Column(name="venue_id", sql="b.venue_id", label="Venue id", kind="uuid", shown=False),
    Column(name="status", sql="b.status", label="Status", kind="enum", choices=BOOKING_STATUSES, sort=True),
    Column(name="status_reason", sql="b.status_reason", label="Reason", shown=False),
    Column(name="booked_by", sql="b.booked_by", label="Booked by", kind="enum", choices=BOOKERS),
    Column(name="price_minor", sql="b.price_minor", label="Price, minor unit", kind="number", shown=False),
    Column(name="currency", sql="b.currency", label="Currency", shown=False),
    Column(name="created_at", sql="b.created_at", label="Made", kind="time", sort=True, shown=False),
    Column(name="version", sql="b.version", label="Version", kind="number", shown=False),
)
BOOKING_FILTERS = (
    Filter(name="venue_id", sql="b.venue_id", label="Venue", kind="uuid"),
    Filter(name="resource_id", sql="b.resource_id", label="What", kind="uuid"),
    Filter(name="patron_id", sql="b.patron_id", label="Guest", kind="uuid"),
    Filter(name="kind", sql="r.kind", label="Kind", kind="enum", choices=KINDS),
    Filter(name="status", sql="b.status", label="Status", kind="enum", choices=BOOKING_STATUSES),
    Filter(name="booked_by", sql="b.booked_by", label="Booked by", kind="enum", choices=BOOKERS),
    Filter(name="starts_at", sql="b.starts_at", label="Begins", kind="time"),
)

RESOURCES = Listing(
    name="resources",
    label="Games, rooms and tables",
    row=ResourceRow,
    permission=RESOURCES_READ,
    source=RESOURCE_SOURCE,
    tenant="r.tenant_id",
    venue="r.venue_id",
    key="r.id",
    columns=RESOURCE_COLUMNS,
    filters=(
        Filter(name="venue_id", sql="r.venue_id", label="Venue", kind="uuid"),
        Filter(name="kind", sql="r.kind", label="Kind", kind="enum", choices=KINDS),
        Filter(name="status", sql="r.status", label="Status", kind="enum", choices=STATUSES),
        Filter(name="zone", sql="r.zone", label="Zone"),
        Filter(name="bookable", sql="r.bookable", label="Bookable", kind="bool"),
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
    tenant="b.tenant_id",
    venue="b.venue_id",
    key="b.id",
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
    tenant="b.tenant_id",
    own="b.patron_id",
    own_user="p.user_id",
    key="b.id",
    columns=BOOKING_COLUMNS,
    filters=BOOKING_FILTERS,
    search=("r.name", "v.name"),
    sort="-starts_at",
)
LISTINGS = (RESOURCES, BOOKINGS, OWN_BOOKINGS)
