"""The lists of payments, refunds, disputes and the provider's events."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.payments.event_words import EVENT_STATES, searched_words
from lastlight.domains.payments.permissions import PAYMENTS_OWN, PAYMENTS_READ
from lastlight.kernel.money import Money
from lastlight.runtime.http.columns import AT_VENUE, ID, VERSION, Column, Filter, money_sql, ref
from lastlight.runtime.http.listing import Listing, of_all_businesses

STATUSES = (
    ("created", "Beginning"),
    ("open", "Waits for a card"),
    ("action", "Waits for the bank"),
    ("processing", "Being processed"),
    ("authorised", "Authorised"),
    ("captured", "Captured"),
    ("settled", "Settled"),
    ("canceled", "Canceled"),
    ("failed", "Failed"),
)
REFUND_STATUSES = (
    ("created", "Beginning"),
    ("pending", "On its way"),
    ("succeeded", "Refunded"),
    ("failed", "Failed"),
    ("canceled", "Canceled"),
)
DISPUTE_STATUSES = (
    ("warning_needs_response", "Inquiry: answer"),
    ("warning_under_review", "Inquiry: under review"),
    ("warning_closed", "Inquiry: closed"),
    ("needs_response", "Answer"),
    ("under_review", "Under review"),
    ("won", "Won"),
    ("lost", "Lost"),
    ("prevented", "Prevented"),
)
SOURCES = (("webhook", "Webhook"), ("sweep", "Sweep"))


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment in a list."""

    id: UUID
    created_at: datetime
    guest: str
    patron_id: UUID | None
    venue: str | None
    venue_id: UUID | None
    purpose: str
    paid: Money
    status: str
    back: Money
    disputed: Money
    card: str
    failure: str
    intent_id: str | None
    captured_at: datetime | None
    settled_at: datetime | None
    version: int


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refund in a list."""

    id: UUID
    created_at: datetime
    guest: str
    patron_id: UUID | None
    payment_id: UUID
    sent: Money
    status: str
    reason: str
    failure: str
    outside: bool
    provider_id: str | None
    ended_at: datetime | None
    version: int


class DisputeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute in a list."""

    id: UUID
    opened_at: datetime
    due_by: datetime | None
    guest: str
    payment_id: UUID
    asked: Money
    reason: str
    status: str
    lost: Money
    answered_at: datetime | None
    ended_at: datetime | None
    version: int


class ProviderEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the card provider, in a list."""

    id: UUID
    received_at: datetime
    kind: str
    state: str
    source: str
    object_id: str
    payment_id: UUID | None
    attempts: int
    error: str
    event_id: str
    happened_at: datetime
    handled_at: datetime | None
    version: int


class CrewProviderEventRow(ProviderEventRow, frozen=True, kw_only=True):
    """An event of the card provider, with the business that it is about."""

    tenant: str
    tenant_id: UUID


def money_column(name: str, label: str, amount: str, currency: str) -> Column:
    """An amount with its currency; exports give it in major units."""
    return Column(name, label, sql=money_sql(amount, currency), kind="money")


PAYMENT_SOURCE = """payments p
left join venues w on w.tenant_id = p.tenant_id and w.id = p.venue_id
left join patrons g on g.tenant_id = p.tenant_id and g.id = p.patron_id"""
PAYMENT_COLUMNS = (
    ID,
    Column("created_at", "Begun", kind="time", sort=True),
    Column("guest", "Guest", sql="coalesce(g.name, '')"),
    ref("patron_id", "Guest id"),
    Column("venue", "Venue", sql="w.name"),
    ref("venue_id", "Venue id"),
    Column("purpose", "For"),
    money_column("paid", "Amount", "p.amount", "p.currency"),
    Column("status", "Status", kind="enum", choices=STATUSES, sort=True),
    money_column("back", "Refunded", "p.refunding + p.refunded", "p.currency"),
    money_column("disputed", "Disputed", "p.disputed", "p.currency"),
    Column("card", "Card", sql="btrim(p.brand || ' ' || p.last4)"),
    Column("failure", "What went wrong"),
    Column("intent_id", "Payment intent", shown=False),
    Column("captured_at", "Captured", kind="time", shown=False),
    Column("settled_at", "Settled", kind="time", shown=False),
    VERSION,
)
PAYMENT_FILTERS = (
    Filter("status"),
    AT_VENUE,
    Filter("patron_id", "Guest"),
    Filter("purpose", "For"),
    Filter("created_at"),
    Filter("amount", "Amount, minor unit", kind="number"),
    Filter("currency", "Currency"),
    Filter("back", "Refunded", sql="(p.refunding + p.refunded > 0)", kind="bool"),
    Filter("disputed", "Disputed", sql="(p.disputed > 0)", kind="bool"),
)
PAYMENTS = Listing(
    name="payments",
    label="Card payments",
    row=PaymentRow,
    permission=PAYMENTS_READ,
    source=PAYMENT_SOURCE,
    of="p",
    columns=PAYMENT_COLUMNS,
    filters=PAYMENT_FILTERS,
    search=("g.name", "p.intent_id", "p.charge_id", "p.last4"),
    sort="-created_at",
)
OWN_PAYMENTS = Listing(
    name="own_payments",
    label="My card payments",
    row=PaymentRow,
    permission=PAYMENTS_OWN,
    source=PAYMENT_SOURCE,
    of="p",
    own="p.patron_id",
    own_user="g.user_id",
    columns=PAYMENT_COLUMNS,
    filters=PAYMENT_FILTERS,
    search=("p.last4",),
    sort="-created_at",
)
REFUNDS = Listing(
    name="refunds",
    label="Refunds to cards",
    row=RefundRow,
    permission=PAYMENTS_READ,
    source="""refunds r
join payments p on p.tenant_id = r.tenant_id and p.id = r.payment_id
left join patrons g on g.tenant_id = r.tenant_id and g.id = r.patron_id""",
    of="r",
    columns=(
        ID,
        Column("created_at", "Begun", kind="time", sort=True),
        Column("guest", "Guest", sql="coalesce(g.name, '')"),
        ref("patron_id", "Guest id"),
        ref("payment_id", "Payment id"),
        money_column("sent", "Amount", "r.amount", "p.currency"),
        Column("status", "Status", kind="enum", choices=REFUND_STATUSES, sort=True),
        Column("reason", "Why"),
        Column("failure", "What went wrong"),
        Column("outside", "Made at the provider's", kind="bool", shown=False),
        Column("provider_id", "Provider's id", shown=False),
        Column("ended_at", "Ended", kind="time", shown=False),
        VERSION,
    ),
    filters=(
        Filter("status"),
        Filter("patron_id", "Guest"),
        Filter("payment_id", "Payment"),
        Filter("created_at"),
    ),
    search=("g.name", "r.provider_id"),
    sort="-created_at",
)
DISPUTES = Listing(
    name="disputes",
    label="Disputes",
    row=DisputeRow,
    permission=PAYMENTS_READ,
    source="""disputes d
join payments p on p.tenant_id = d.tenant_id and p.id = d.payment_id
left join patrons g on g.tenant_id = p.tenant_id and g.id = p.patron_id""",
    of="d",
    columns=(
        ID,
        Column("opened_at", "Opened", kind="time", sort=True),
        Column("due_by", "Answer by", kind="time"),
        Column("guest", "Guest", sql="coalesce(g.name, '')"),
        ref("payment_id", "Payment id"),
        money_column("asked", "Amount", "d.amount", "d.currency"),
        Column("reason", "Why"),
        Column("status", "Status", kind="enum", choices=DISPUTE_STATUSES, sort=True),
        money_column("lost", "Lost", "d.lost", "d.currency"),
        Column("answered_at", "Answered", kind="time", shown=False),
        Column("ended_at", "Decided", kind="time", shown=False),
        VERSION,
    ),
    filters=(
        Filter("status"),
        Filter("payment_id", "Payment"),
        Filter("open", "Undecided", sql="(d.ended_at is null)", kind="bool"),
        Filter("opened_at"),
    ),
    search=("g.name", "d.provider_id"),
    sort="-opened_at",
)
PROVIDER_EVENTS = Listing(
    name="provider_events",
    label="Card provider's events",
    row=ProviderEventRow,
    permission=PAYMENTS_READ,
    source="provider_events e",
    of="e",
    columns=(
        ID,
        Column("received_at", "Received", kind="time", sort=True),
        Column("kind", "What"),
        Column("state", "State", kind="enum", choices=EVENT_STATES, sort=True),
        Column("source", "Came by", kind="enum", choices=SOURCES),
        Column("object_id", "About"),
        ref("payment_id", "Payment id"),
        Column("attempts", "Attempts", kind="number"),
        Column("error", "What went wrong"),
        Column("event_id", "Provider's id", shown=False),
        Column("happened_at", "Happened", kind="time", shown=False),
        Column("handled_at", "Handled", kind="time", shown=False),
        VERSION,
    ),
    filters=(
        Filter("state"),
        Filter("source"),
        Filter("payment_id", "Payment"),
        Filter("kind", "What"),
        Filter("received_at"),
    ),
    search=("e.event_id", "e.object_id", "e.kind", searched_words("e.kind")),
    sort="-received_at",
)
CREW_PROVIDER_EVENTS = of_all_businesses(
    PROVIDER_EVENTS,
    row=CrewProviderEventRow,
    name="crew_provider_events",
    label="Card provider's events of all businesses",
)
LISTINGS = (PAYMENTS, OWN_PAYMENTS, REFUNDS, DISPUTES, PROVIDER_EVENTS, CREW_PROVIDER_EVENTS)
