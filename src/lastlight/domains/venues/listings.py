"""The list of venues, for a tenant's people and, across tenants, for the platform's crew."""

from datetime import datetime

import msgspec

from lastlight.domains.venues.permissions import VENUES_READ
from lastlight.kernel.ids import BannerId, ImageId, PatronId, TenantId, VenueId
from lastlight.runtime.http.listing import Column, Filter, Listing

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
    Column(name="id", sql="v.id", label="Id", kind="uuid", shown=False),
    Column(name="tenant_id", sql="v.tenant_id", label="Business id", kind="uuid", shown=False),
    Column(name="name", sql="v.name", label="Venue", sort=True),
    Column(name="slug", sql="v.slug", label="Short name", sort=True, shown=False),
    Column(name="status", sql="v.status", label="Status", kind="enum", choices=STATUSES, sort=True),
    Column(name="status_reason", sql="v.status_reason", label="Reason", shown=False),
    Column(name="city", sql="coalesce(v.address->>'city', '')", label="City", sort=True),
    Column(
        name="capacity",
        sql="v.capacity",
        label="Capacity",
        kind="number",
        sort=True,
        sort_sql="coalesce(v.capacity, 0)",
    ),
    Column(name="age_limit", sql="v.age_limit", label="Age limit", kind="number"),
    Column(name="tags", sql="v.tags", label="Tags", kind="list"),
    Column(name="time_zone", sql="v.time_zone", label="Time zone", shown=False),
    Column(name="currency", sql="v.currency", label="Currency", shown=False),
    Column(
        name="position_policy", sql="v.position_policy", label="Position", kind="enum", choices=POLICIES, shown=False
    ),
    Column(name="has_geofence", sql="v.geofence is not null", label="Geofence", kind="bool", shown=False),
    Column(name="created_at", sql="v.created_at", label="Created", kind="time", sort=True),
    Column(name="updated_at", sql="v.updated_at", label="Changed", kind="time", sort=True, shown=False),
    Column(name="version", sql="v.version", label="Version", kind="number", shown=False),
)
CREW_COLUMNS = (Column(name="tenant", sql="t.name", label="Business", sort=True), *COLUMNS)
FILTERS = (
    Filter(name="status", sql="v.status", label="Status", kind="enum", choices=STATUSES),
    Filter(name="city", sql="v.address->>'city'", label="City"),
    Filter(name="created_at", sql="v.created_at", label="Created", kind="time"),
)

VENUES = Listing(
    name="venues",
    label="Venues",
    row=VenueRow,
    permission=VENUES_READ,
    source="venues v",
    tenant="v.tenant_id",
    venue="v.id",
    key="v.id",
    columns=COLUMNS,
    filters=FILTERS,
    search=("v.name", "v.slug", "v.address->>'city'"),
    sort="name",
)
CREW_VENUES = Listing(
    name="crew_venues",
    label="Venues of all businesses",
    row=CrewVenueRow,
    permission=VENUES_READ,
    source="venues v join tenants t on t.id = v.tenant_id",
    tenant="v.tenant_id",
    venue="v.id",
    key="v.id",
    columns=CREW_COLUMNS,
    filters=(*FILTERS, Filter(name="tenant_id", sql="v.tenant_id", label="Business", kind="uuid")),
    search=("v.name", "v.slug", "v.address->>'city'", "t.name"),
    sort="name",
    cross_tenant=True,
)


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
    tenant="b.tenant_id",
    venue="b.venue_id",
    key="b.id",
    where="b.removed_at is null",
    columns=(
        Column(name="id", sql="b.id", label="Id", kind="uuid", shown=False),
        Column(name="title", sql="b.title", label="Banner", sort=True),
        Column(name="body", sql="b.body", label="Text", shown=False),
        Column(name="link", sql="b.link", label="Link", shown=False),
        Column(name="image_id", sql="b.image_id", label="Image id", kind="uuid", shown=False),
        Column(name="place", sql="b.place", label="Place", kind="number", sort=True, shown=False),
        Column(name="venue", sql="v.name", label="Venue", sort=True),
        Column(name="venue_id", sql="b.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="starts_at", sql="b.starts_at", label="From", kind="time", sort=True),
        Column(name="ends_at", sql="b.ends_at", label="Until", kind="time", sort=True),
        Column(name="live", sql="(b.starts_at <= now() and b.ends_at > now())", label="Shown now", kind="bool"),
        Column(name="version", sql="b.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="venue_id", sql="b.venue_id", label="Venue", kind="uuid"),
        Filter(name="live", sql="(b.starts_at <= now() and b.ends_at > now())", label="Shown now", kind="bool"),
        Filter(name="starts_at", sql="b.starts_at", label="From", kind="time"),
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
    tenant="i.tenant_id",
    venue="i.venue_id",
    key="i.id",
    where="i.removed_at is null",
    columns=(
        Column(name="id", sql="i.id", label="Id", kind="uuid", shown=False),
        Column(name="alt", sql="i.alt", label="Shows", sort=True),
        Column(name="guest", sql="coalesce(p.name, '')", label="From", sort=True),
        Column(name="patron_id", sql="i.patron_id", label="Guest id", kind="uuid", shown=False),
        Column(name="venue", sql="v.name", label="Venue", sort=True),
        Column(name="venue_id", sql="i.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="moderation", sql="i.moderation", label="Decision", kind="enum", choices=DECISIONS, sort=True),
        Column(name="moderation_reason", sql="i.moderation_reason", label="Why", shown=False),
        Column(name="state", sql="i.state", label="State", kind="enum", choices=IMAGE_STATES, shown=False),
        Column(name="state_reason", sql="i.state_reason", label="What went wrong", shown=False),
        Column(name="width", sql="i.width", label="Width", kind="number", shown=False),
        Column(name="height", sql="i.height", label="Height", kind="number", shown=False),
        Column(name="created_at", sql="i.created_at", label="Sent", kind="time", sort=True),
        Column(name="version", sql="i.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="venue_id", sql="i.venue_id", label="Venue", kind="uuid"),
        Filter(name="moderation", sql="i.moderation", label="Decision", kind="enum", choices=DECISIONS),
        Filter(name="state", sql="i.state", label="State", kind="enum", choices=IMAGE_STATES),
        Filter(name="of_guest", sql="i.patron_id is not null", label="From guests", kind="bool"),
        Filter(name="created_at", sql="i.created_at", label="Sent", kind="time"),
    ),
    search=("i.alt", "p.name"),
    sort="-created_at",
)
