"""The list of adjustments: what waits for a second person, and what became of the others."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.adjustments.permissions import ADJUSTMENTS_READ
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

SUBJECTS = (("credits", "Credits"), ("ledger", "Accounts"))
STATUSES = (("waiting", "Waiting"), ("booked", "Booked"), ("declined", "Declined"), ("withdrawn", "Withdrawn"))


class AdjustmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment in a list."""

    id: UUID
    requested_at: datetime
    status: str
    subject: str
    guest: str | None
    patron_id: PatronId | None
    source: str | None
    destination: str | None
    amount: int
    currency: str
    reason: str
    needs_approval: bool
    requester: str
    requested_by: UUID
    decider: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str
    effective_at: datetime | None
    venue_id: VenueId | None
    version: int


ADJUSTMENTS = Listing(
    name="adjustments",
    label="Adjustments",
    row=AdjustmentRow,
    permission=ADJUSTMENTS_READ,
    source="""adjustments a left join users r on r.id = a.requested_by
left join users d on d.id = a.decided_by
left join patrons p on p.tenant_id = a.tenant_id and p.id = a.patron_id""",
    of="a",
    columns=(
        ID,
        Column("requested_at", "When", kind="time", sort=True),
        Column("status", "Status", kind="enum", choices=STATUSES),
        Column("subject", "What", kind="enum", choices=SUBJECTS),
        Column("guest", "Guest", sql="p.name"),
        ref("patron_id", "Guest id"),
        Column("source", "Debited"),
        Column("destination", "Credited"),
        Column("amount", "Amount, minor unit", kind="number"),
        Column("currency", "Currency"),
        Column("reason", "Why"),
        Column("needs_approval", "Above the limit", kind="bool"),
        Column("requester", "Asked for by", sql="coalesce(r.name, '')"),
        ref("requested_by", "Asked for by, id"),
        Column("decider", "Decided by", sql="d.name"),
        ref("decided_by", "Decided by, id"),
        Column("decided_at", "Decided", kind="time", shown=False),
        Column("decision", "Said with it", shown=False),
        Column("effective_at", "Counts for", kind="time"),
        ref("venue_id", "Venue id"),
        VERSION,
    ),
    filters=(AT_VENUE, Filter("status"), Filter("subject"), Filter("patron_id", "Guest"), Filter("requested_at")),
    search=("p.name", "a.reason", "r.name"),
    sort="-requested_at",
)
LISTINGS = (ADJUSTMENTS,)
