"""The lists of credits: who has how many, what became of them, and the lots that they are kept as."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.credits.permissions import CREDITS_OWN, CREDITS_READ
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

KINDS = (
    ("bought", "Bought"),
    ("spent", "Spent"),
    ("spend-reversed", "Given back"),
    ("refunded", "Refunded to the card"),
    ("refund-failed", "Refund failed"),
    ("adjusted", "Adjusted"),
    ("gift", "Gift"),
    ("expired", "Expired"),
    ("frozen", "Frozen by a dispute"),
    ("released", "Released"),
    ("disputed", "Lost to a dispute"),
    ("dispute-reversed", "Back from a dispute"),
)
ORIGINS = (("purchase", "Bought by card"), ("adjustment", "Adjustment"), ("gift", "Gift"))


class CreditBalanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest has of one currency."""

    id: UUID
    patron_id: PatronId
    guest: str
    currency: str
    balance: int
    frozen: int
    moved_at: datetime


class CreditEntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history of guests' credits."""

    id: UUID
    at: datetime
    patron_id: PatronId
    guest: str
    kind: str
    amount: int
    tax: int
    balance: int
    froze: int
    frozen: int
    currency: str
    venue: str | None
    venue_id: VenueId | None
    description: str
    payment_id: UUID | None
    reverses: UUID | None
    actor_id: UUID | None
    number: int


class OwnCreditEntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history of one's own credits."""

    id: UUID
    at: datetime
    kind: str
    amount: int
    tax: int
    balance: int
    froze: int
    frozen: int
    currency: str
    venue: str | None
    venue_id: VenueId | None
    description: str
    payment_id: UUID | None
    reverses: UUID | None
    number: int


class CreditLotRow(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that came in together."""

    id: UUID
    created_at: datetime
    patron_id: PatronId
    guest: str
    origin: str
    amount: int
    remaining: int
    frozen: int
    currency: str
    expires_at: datetime | None
    venue: str | None
    venue_id: VenueId | None
    payment_id: UUID | None
    version: int


GUEST = (Column("guest", "Guest", sql="p.name"), ref("patron_id", "Guest id"))
MONEY = (
    Column("amount", "Amount, minor unit", kind="number"),
    Column("tax", "Of it taxes", kind="number", shown=False),
    Column("balance", "Balance after", kind="number"),
    Column("froze", "Frozen by it", kind="number", shown=False),
    Column("frozen", "Of it frozen", kind="number", shown=False),
    Column("currency", "Currency"),
)
# A balance is of the whole business: at a venue are those that moved there.
MOVED_AT_VENUE = """exists (
    select from credit_entries e
    where e.tenant_id = a.tenant_id and e.patron_id = a.patron_id and e.currency = a.currency and e.venue_id {})"""
ENTRY_SOURCE = """credit_entries e
join patrons p on p.tenant_id = e.tenant_id and p.id = e.patron_id
left join venues w on w.tenant_id = e.tenant_id and w.id = e.venue_id"""
ENTRY_END = (
    Column("venue", "Venue", sql="w.name"),
    ref("venue_id", "Venue id"),
    Column("description", "What for"),
    ref("payment_id", "Payment id"),
    ref("reverses", "Gives back"),
)
NUMBER = Column("number", "Number", kind="number", shown=False)
ENTRY_FILTERS = (AT_VENUE, Filter("kind"), Filter("currency"), Filter("at"))

BALANCES = Listing(
    name="credit_balances",
    label="Guests' credits",
    row=CreditBalanceRow,
    permission=CREDITS_READ,
    source="credit_accounts a join patrons p on p.tenant_id = a.tenant_id and p.id = a.patron_id",
    of="a",
    columns=(
        ID,
        *GUEST,
        Column("balance", "Balance, minor unit", kind="number", sort=True),
        Column("frozen", "Of it frozen", kind="number"),
        Column("currency", "Currency"),
        Column("moved_at", "Last change", kind="time", sort=True),
    ),
    filters=(
        Filter("patron_id", "Guest"),
        Filter("venue_id", "Venue", kind="uuid", match=MOVED_AT_VENUE),
        Filter("currency"),
        Filter("in_dispute", "Frozen", sql="(a.frozen > 0)", kind="bool"),
        Filter("balance"),
        Filter("moved_at"),
    ),
    search=("p.name",),
    sort="-moved_at",
)
ENTRIES = Listing(
    name="credit_entries",
    label="Credit entries",
    row=CreditEntryRow,
    permission=CREDITS_READ,
    source=ENTRY_SOURCE,
    of="e",
    columns=(
        ID,
        Column("at", "When", kind="time", sort=True),
        *GUEST,
        Column("kind", "What", kind="enum", choices=KINDS),
        *MONEY,
        *ENTRY_END,
        ref("actor_id", "Done by"),
        NUMBER,
    ),
    filters=(Filter("patron_id", "Guest"), *ENTRY_FILTERS),
    search=("p.name", "e.description"),
    sort="-at",
)
OWN_ENTRIES = Listing(
    name="own_credit_entries",
    label="My credits",
    row=OwnCreditEntryRow,
    permission=CREDITS_OWN,
    source=ENTRY_SOURCE,
    of="e",
    own="e.patron_id",
    own_user="p.user_id",
    columns=(
        ID,
        Column("at", "When", kind="time", sort=True),
        Column("kind", "What", kind="enum", choices=KINDS),
        *MONEY,
        *ENTRY_END,
        NUMBER,
    ),
    filters=ENTRY_FILTERS,
    search=("e.description", "w.name"),
    sort="-at",
)
LOTS = Listing(
    name="credit_lots",
    label="Lots of credits",
    row=CreditLotRow,
    permission=CREDITS_READ,
    source="""credit_lots l
join patrons p on p.tenant_id = l.tenant_id and p.id = l.patron_id
left join venues w on w.tenant_id = l.tenant_id and w.id = l.venue_id""",
    of="l",
    columns=(
        ID,
        Column("created_at", "Came in", kind="time", sort=True),
        *GUEST,
        Column("origin", "From", kind="enum", choices=ORIGINS),
        Column("amount", "Amount, minor unit", kind="number"),
        Column("remaining", "Left", kind="number"),
        Column("frozen", "Of it frozen", kind="number"),
        Column("currency", "Currency"),
        Column("expires_at", "Expires", kind="time"),
        Column("venue", "Venue", sql="w.name"),
        ref("venue_id", "Venue id"),
        ref("payment_id", "Payment id"),
        VERSION,
    ),
    filters=(Filter("patron_id", "Guest"), Filter("origin"), Filter("currency"), Filter("created_at")),
    search=("p.name",),
    sort="-created_at",
)
LISTINGS = (BALANCES, ENTRIES, OWN_ENTRIES, LOTS)
