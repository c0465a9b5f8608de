"""The lists of tax categories and of every rate there is and was."""

from datetime import date, datetime

import msgspec

from lastlight.domains.taxes.model import TaxCategoryId, TaxRateId
from lastlight.domains.taxes.permissions import TAXES_READ
from lastlight.kernel.ids import VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing


class TaxCategoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A category in a list."""

    id: TaxCategoryId
    code: str
    name: str
    exempt: bool
    archived: bool
    updated_at: datetime
    version: int


class TaxRateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rate in a list; without a venue it applies wherever a venue has none of its own."""

    id: TaxRateId
    tax_category_id: TaxCategoryId
    category: str
    venue_id: VenueId | None
    venue: str | None
    name: str
    millionths: int
    included: bool
    place: int
    valid_from: date
    valid_until: date | None
    withdrawn: bool
    version: int


CATEGORIES = Listing(
    name="tax_categories",
    label="Tax categories",
    row=TaxCategoryRow,
    permission=TAXES_READ,
    source="tax_categories c",
    of="c",
    columns=(
        ID,
        Column("name", "Name", sort=True),
        Column("code", "Code", sort=True),
        Column("exempt", "Exempt", kind="bool"),
        Column("archived", "Archived", sql="(c.archived_at is not null)", kind="bool"),
        Column("updated_at", "Changed", kind="time", sort=True, shown=False),
        VERSION,
    ),
    filters=(Filter("exempt"), Filter("archived")),
    search=("c.name", "c.code"),
    sort="name",
)
RATES = Listing(
    name="tax_rates",
    label="Tax rates",
    row=TaxRateRow,
    permission=TAXES_READ,
    source="""tax_rates r
join tax_categories c on c.tenant_id = r.tenant_id and c.id = r.tax_category_id
left join venues v on v.tenant_id = r.tenant_id and v.id = r.venue_id""",
    of="r",
    columns=(
        ID,
        Column("category", "Category", sql="c.name", sort=True),
        ref("tax_category_id", "Category id"),
        Column("name", "Tax", sort=True),
        Column("millionths", "Rate", kind="number", sort=True),
        Column("venue", "Venue", sql="v.name", sort=True, sort_sql="coalesce(v.name, '')"),
        ref("venue_id", "Venue id"),
        Column("included", "In the price", kind="bool"),
        Column("place", "Place", kind="number", shown=False),
        Column("valid_from", "First day", kind="date", sort=True),
        Column("valid_until", "Last day", kind="date", sort=True, sort_sql="coalesce(r.valid_until, 'infinity'::date)"),
        Column("withdrawn", "Withdrawn", sql="(r.withdrawn_at is not null)", kind="bool"),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("tax_category_id", "Category"),
        Filter("everywhere", "All venues", sql="(r.venue_id is null)", kind="bool"),
        Filter("included"),
        Filter("withdrawn"),
    ),
    search=("r.name", "c.name"),
    sort="-valid_from",
)
LISTINGS = (CATEGORIES, RATES)
