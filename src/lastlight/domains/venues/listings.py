"""The list of venues, for a tenant's people and, across tenants, for the platform's crew."""

from datetime import datetime

import msgspec

from lastlight.domains.venues.permissions import VENUES_READ
from lastlight.kernel.ids import BannerId, ImageId, PatronId, TenantId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing, of_all_businesses

STATUSES = (("active", "Active"), ("paused", "Paused"), ("archived", "Archived"))
POLICIES = (("off", "Not asked"), ("when_given", "Checked when given"), ("required", "Required"))


class VenueRow(msgspec.Struct, frozen=True, kw_only=True):
    """A venue in a list."""

    id: VenueId
    tenant_id: TenantId
    name: str
    slug: str
    status: str
    status_reason: str
    city: str
    capacity: int | None
    age_limit: int | None
    tags: list[str]
    time_zone: str
    currency: str
    position_policy: str
    has_geofence: bool
    created_at: datetime
    updated_at: datetime
    version: int


class CrewVenueRow(VenueRow, frozen=True, kw_only=True):
    """A venue as the crew sees it: with its tenant."""

    tenant: str


COLUMNS = (
    ID,
    ref("tenant_id", "Business id"),
    Column("name", "Venue", sort=True),
    Column("slug", "Short name", sort=True, shown=False),
    Column("status", "Status", kind="enum", choices=STATUSES, sort=True),
    Column("status_reason", "Reason", shown=False),
    Column("city", "City", sql="coalesce(v.address->>'city', '')", sort=True),
    Column("capacity", "Capacity", kind="number", sort=True, sort_sql="coalesce(v.capacity, 0)"),
    Column("age_limit", "Age limit", kind="number"),
    Column("tags", "Tags", kind="list"),
    Column("time_zone", "Time zone", shown=False),
    Column("currency", "Currency", shown=False),
    Column("position_policy", "Position", kind="enum", choices=POLICIES, shown=False),
    Column("has_geofence", "Geofence", sql="v.geofence is not null", kind="bool", shown=False),
    Column("created_at", "Created", kind="time", sort=True),
    Column("updated_at", "Changed", kind="time", sort=True, shown=False),
    VERSION,
)
FILTERS = (
    Filter("status"),
    Filter("city", sql="v.address->>'city'"),
    Filter("created_at"),
)

VENUES = Listing(
    name="venues",
    label="Venues",
    row=VenueRow,
    permission=VENUES_READ,
    source="venues v",
    of="v",
    venue="v.id",
    columns=COLUMNS,
    filters=FILTERS,
    search=("v.name", "v.slug", "v.address->>'city'"),
    sort="name",
)
CREW_VENUES = of_all_businesses(VENUES, row=CrewVenueRow, name="crew_venues", label="Venues of all businesses")


class BannerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A banner in a list."""

    id: BannerId
    venue_id: VenueId
    venue: str
    title: str
    body: str
    link: str
    image_id: ImageId | None
    place: int
    starts_at: datetime
    ends_at: datetime
    live: bool
    version: int


BANNERS = Listing(
    name="venue_banners",
    label="Banners",
    row=BannerRow,
    permission=VENUES_READ,
    source="venue_banners b join venues v on v.tenant_id = b.tenant_id and v.id = b.venue_id",
    of="b",
    venue="b.venue_id",
    where="b.removed_at is null",
    columns=(
        ID,
        Column("title", "Banner", sort=True),
        Column("body", "Text", shown=False),
        Column("link", "Link", shown=False),
        ref("image_id", "Image id"),
        Column("place", "Place", kind="number", sort=True, shown=False),
        Column("venue", "Venue", sql="v.name", sort=True),
        ref("venue_id", "Venue id"),
        Column("starts_at", "From", kind="time", sort=True),
        Column("ends_at", "Until", kind="time", sort=True),
        Column("live", "Shown now", sql="(b.starts_at <= now() and b.ends_at > now())", kind="bool"),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("live"),
        Filter("starts_at"),
    ),
    search=("b.title", "b.body"),
    sort="-starts_at",
)


IMAGE_STATES = (("awaited", "Awaited"), ("uploaded", "Being resized"), ("ready", "Ready"), ("failed", "Failed"))
DECISIONS = (("waiting", "Waiting"), ("approved", "Shown"), ("rejected", "Refused"))


class ImageRow(msgspec.Struct, frozen=True, kw_only=True):
    """An image in a list: one of the venue's own, or a guest's photo."""

    id: ImageId
    venue_id: VenueId
    venue: str
    patron_id: PatronId | None
    guest: str
    alt: str
    state: str
    state_reason: str
    moderation: str
    moderation_reason: str
    width: int | None
    height: int | None
    created_at: datetime
    version: int


IMAGES = Listing(
    name="venue_images",
    label="Images of venues",
    row=ImageRow,
    permission=VENUES_READ,
    source="""venue_images i join venues v on v.tenant_id = i.tenant_id and v.id = i.venue_id
left join patrons p on p.tenant_id = i.tenant_id and p.id = i.patron_id""",
    of="i",
    venue="i.venue_id",
    where="i.removed_at is null",
    columns=(
        ID,
        Column("alt", "Shows", sort=True),
        Column("guest", "From", sql="coalesce(p.name, '')", sort=True),
        ref("patron_id", "Guest id"),
        Column("venue", "Venue", sql="v.name", sort=True),
        ref("venue_id", "Venue id"),
        Column("moderation", "Decision", kind="enum", choices=DECISIONS, sort=True),
        Column("moderation_reason", "Why", shown=False),
        Column("state", "State", kind="enum", choices=IMAGE_STATES, shown=False),
        Column("state_reason", "What went wrong", shown=False),
        Column("width", "Width", kind="number", shown=False),
        Column("height", "Height", kind="number", shown=False),
        Column("created_at", "Sent", kind="time", sort=True),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("moderation"),
        Filter("state"),
        Filter("of_guest", "From guests", sql="i.patron_id is not null", kind="bool"),
        Filter("created_at"),
    ),
    search=("i.alt", "p.name"),
    sort="-created_at",
)
