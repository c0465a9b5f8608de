"""The lists of the ledger: accounts, entries (each posting as its debit and its credit) and holds."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.chart import BY_CODE, CHART
from lastlight.domains.ledger.events import Amount
from lastlight.domains.ledger.permissions import LEDGER_READ
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.columns import AT_VENUE, ID, Column, Filter, money_sql, ref
from lastlight.runtime.http.listing import Listing

CODES = tuple((kind.code, kind.name) for kind in CHART)
SIDES = (("debit", "Debit"), ("credit", "Credit"))
OWNERS = (("business", "The business"), ("venue", "A venue"), ("patron", "A guest"))
HOLD_STATES = (("open", "Open"), ("captured", "Captured"), ("void", "Let go"), ("expired", "Expired"))
BALANCES = """
select u.id, ll.ledger_balance_at(u.id, 'infinity') as balance from unnest($1::uuid[]) u (id)
"""


def name_of(code: str) -> str:
    """What an account's code is called in the chart; the code itself where the chart does not know it."""
    return BY_CODE[code].name if code in BY_CODE else code


class LedgerAccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a list; balance and what of it is available on its own side."""

    id: AccountId
    code: str
    name: str
    currency: str
    side: Literal["debit", "credit"]
    mode: str
    owner: str
    patron_id: PatronId | None
    patron: str
    venue_id: VenueId | None
    venue: str
    balance: Amount
    available: Amount
    closed: bool
    opened_at: datetime
    closed_at: datetime | None


class LedgerEntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One half of a posting: what it did to one of its two accounts."""

    id: str
    at: datetime
    effective_at: datetime
    transaction_id: UUID
    leg: int
    kind: str
    account_id: AccountId
    account: str
    side: Literal["debit", "credit"]
    amount: Amount
    debit: Amount | None
    credit: Amount | None
    balance: Amount | None
    """Of the account on its own side, after it; null where the account is summed up only when it is asked for."""
    other_id: AccountId
    other: str
    patron_id: PatronId | None
    patron: str
    venue_id: VenueId | None
    venue: str
    currency: str
    reverses: UUID | None
    hold_id: UUID | None
    meta: dict[str, str]


class LedgerHoldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A hold in a list."""

    id: UUID
    opened_at: datetime
    kind: str
    state: str
    src: AccountId
    src_code: str
    dst: AccountId
    dst_code: str
    amount: Amount
    captured: Amount
    currency: str
    patron_id: PatronId | None
    patron: str
    expires_at: datetime
    ended_at: datetime | None


async def _with_balances(ctx: Ctx, rows: list[LedgerAccountRow]) -> list[LedgerAccountRow]:
    """The names of the chart, and the balances of a page's deferred accounts, which their rows do not carry."""
    deferred = [row.id for row in rows if row.mode == "deferred"]
    known = {row["id"]: row["balance"] for row in await ctx.db.fetch(BALANCES, deferred)} if deferred else {}
    found: list[LedgerAccountRow] = []
    for row in rows:
        summed = Amount(known[row.id], row.currency) if row.id in known else None
        found.append(
            msgspec.structs.replace(
                row, name=name_of(row.code), balance=summed or row.balance, available=summed or row.available
            )
        )
    return found


OWN_SIDE = "case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end"
PENDING = "case a.side when 'credit' then a.dr_pending else a.cr_pending end"
OWNER = "case when a.patron_id is not null then 'patron' when a.venue_id is not null then 'venue' else 'business' end"
ACCOUNTS = Listing(
    name="ledger_accounts",
    label="Accounts",
    row=LedgerAccountRow,
    permission=LEDGER_READ,
    source="""ledger_accounts a
left join patrons g on g.tenant_id = a.tenant_id and g.id = a.patron_id
left join venues w on w.tenant_id = a.tenant_id and w.id = a.venue_id""",
    of="a",
    columns=(
        ID,
        Column("code", "Account", kind="enum", choices=CODES, sort=True),
        Column("name", "Name", sql="a.code", shown=False),
        Column("owner", "Of", sql=OWNER, kind="enum", choices=OWNERS),
        Column("patron", "Guest", sql="coalesce(g.name, '')", shown=False),
        ref("patron_id", "Guest id"),
        Column("venue", "Venue", sql="coalesce(w.name, '')", shown=False),
        ref("venue_id", "Venue id"),
        Column("currency", "Currency", sort=True),
        Column("side", "Side", kind="enum", choices=SIDES, shown=False),
        Column("mode", "Mode", shown=False),
        Column("balance", "Balance", sql=money_sql(OWN_SIDE, "a.currency"), kind="money"),
        Column(
            "available",
            "Available",
            sql=money_sql(f"{OWN_SIDE} - {PENDING}", "a.currency"),
            kind="money",
        ),
        Column("closed", "Closed", sql="a.closed_at is not null", kind="bool"),
        Column("opened_at", "Opened", kind="time", sort=True),
        Column("closed_at", "Closed at", kind="time", shown=False),
    ),
    filters=(
        Filter("code"),
        Filter("owner"),
        Filter("currency"),
        Filter("patron_id", "Guest"),
        AT_VENUE,
        Filter("closed"),
        Filter("opened_at"),
    ),
    search=("a.code", "g.name", "w.name"),
    sort="code",
    after_page=_with_balances,
)
# An account's postings lie in one of two indexes for each side, by whether the account carries versions: each part names one of them.
OF_ACCOUNT = " or ".join(
    f"p.{end} {{}} and p.{end}_version is {there}null" for end in ("src", "dst") for there in ("not ", "")
)
GUESTS = (
    "any (array(select x.id from ledger_accounts x where x.tenant_id = (select ll.tenant_id()) and x.patron_id {}))"
)
# A guest's account carries versions, which the database holds to. Without the other parts the planner sees that these are few rows.
OF_GUEST = " or ".join(f"p.{end} = {GUESTS} and p.{end}_version is not null" for end in ("src", "dst"))
POSTED = money_sql("p.amount", "p.currency")
ENTRIES = Listing(
    name="ledger_entries",
    label="Ledger entries",
    row=LedgerEntryRow,
    permission=LEDGER_READ,
    source="""ledger_postings p
cross join lateral (values (0::bigint, 'debit', p.src, p.src_balance, p.dst), (1, 'credit', p.dst, p.dst_balance, p.src))
    e (half, side, account_id, balance, other_id)
join ledger_accounts a on a.tenant_id = p.tenant_id and a.id = e.account_id
join ledger_accounts o on o.tenant_id = p.tenant_id and o.id = e.other_id
left join patrons g on g.tenant_id = p.tenant_id and g.id = a.patron_id
left join venues w on w.tenant_id = p.tenant_id and w.id = p.venue_id""",
    of="p",
    key="e.half",
    where="p.seq > 0",
    columns=(
        Column("id", "Entry", sql="p.id || '.' || p.leg || '.' || e.side", shown=False),
        Column("at", "Posted", kind="time", sort=True, sort_sql="p.seq", sort_kind="number"),
        Column("effective_at", "Counts for", kind="time", shown=False),
        Column("account", "Account", sql="a.code"),
        ref("account_id", "Account id", sql="e.account_id"),
        Column("patron", "Guest", sql="coalesce(g.name, '')"),
        ref("patron_id", "Guest id", sql="a.patron_id"),
        Column("kind", "What"),
        Column("venue", "Venue", sql="coalesce(w.name, '')"),
        ref("venue_id", "Venue id"),
        Column("other", "Against", sql="o.code", shown=False),
        ref("other_id", "Against (id)", sql="e.other_id"),
        Column("side", "Side", sql="e.side", kind="enum", choices=SIDES, shown=False),
        Column("debit", "Debit", sql=f"case e.side when 'debit' then {POSTED} end", kind="money"),
        Column("credit", "Credit", sql=f"case e.side when 'credit' then {POSTED} end", kind="money"),
        Column("amount", "Amount", sql=POSTED, kind="money", shown=False),
        Column(
            "balance",
            "Balance",
            sql=f"case when e.balance is not null then {money_sql('e.balance', 'p.currency')} end",
            kind="money",
        ),
        Column("currency", "Currency", shown=False),
        ref("transaction_id", "Transaction id", sql="p.id"),
        Column("leg", "Leg", kind="number", shown=False),
        ref("reverses", "Reverses"),
        ref("hold_id", "Hold"),
        Column("meta", "Remarks", shown=False),
    ),
    filters=(
        Filter("account_id", "Account", match=f"({OF_ACCOUNT}) and e.account_id {{}}"),
        Filter("patron_id", "Guest", match=f"({OF_GUEST}) and a.patron_id {{}}"),
        Filter("venue_id", "Venue", match="p.venue_id is not null and p.venue_id {}"),
        Filter("transaction_id", "Transaction"),
        Filter("kind"),
        Filter("side"),
        Filter("currency"),
        Filter("at", sql="p.at", kind="time"),
        Filter("amount", sql="p.amount", kind="number"),
    ),
    search=("p.kind", "a.code", "g.name", "w.name"),
    sort="-at",
)
HOLDS = Listing(
    name="ledger_holds",
    label="Holds",
    row=LedgerHoldRow,
    permission=LEDGER_READ,
    source="""ledger_holds h
join ledger_accounts s on s.tenant_id = h.tenant_id and s.id = h.src
join ledger_accounts d on d.tenant_id = h.tenant_id and d.id = h.dst
left join patrons g on g.tenant_id = h.tenant_id and g.id = coalesce(s.patron_id, d.patron_id)""",
    of="h",
    columns=(
        ID,
        Column("opened_at", "Held", kind="time", sort=True),
        Column("kind", "For"),
        Column("patron", "Guest", sql="coalesce(g.name, '')"),
        ref("patron_id", "Guest id", sql="coalesce(s.patron_id, d.patron_id)"),
        Column("src_code", "From", sql="s.code"),
        ref("src", "From (id)"),
        Column("dst_code", "To", sql="d.code"),
        ref("dst", "To (id)"),
        Column("state", "State", kind="enum", choices=HOLD_STATES),
        Column("amount", "Amount", sql=money_sql("h.amount", "s.currency"), kind="money"),
        Column("captured", "Captured", sql=money_sql("h.captured", "s.currency"), kind="money"),
        Column("currency", "Currency", sql="s.currency", shown=False),
        Column("expires_at", "Held until", kind="time", sort=True),
        Column("ended_at", "Ended", kind="time", shown=False),
    ),
    filters=(
        Filter("state"),
        Filter("account_id", "Account", kind="uuid", match="h.src {} or h.dst {}"),
        Filter("patron_id", "Guest", match=f"h.src = {GUESTS} or h.dst = {GUESTS}"),
        Filter("kind"),
        Filter("opened_at"),
        Filter("expires_at"),
    ),
    search=("h.kind", "g.name"),
    sort="-opened_at",
)
LISTINGS = (ACCOUNTS, ENTRIES, HOLDS)
