"""What is read of the books beside the lists: one account, one transaction, and how a business's money stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.balances import Basis, balance
from lastlight.domains.ledger.errors import AccountMissing, TransactionMissing
from lastlight.domains.ledger.events import Amount
from lastlight.domains.ledger.listings import name_of
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.context import Ctx

ONE = """
select a.id, a.code, a.code as name, a.currency, a.side, a.mode, a.floor, a.patron_id, coalesce(g.name, '') as patron,
       a.venue_id, coalesce(w.name, '') as venue, a.opened_at, a.closed_at, a.version, a.mode = 'strict' as counted,
       case a.side when 'credit' then a.dr_pending else a.cr_pending end as held
from ledger_accounts a
left join patrons g on g.tenant_id = a.tenant_id and g.id = a.patron_id
left join venues w on w.tenant_id = a.tenant_id and w.id = a.venue_id
where a.tenant_id = $1 and a.id = $2
"""
LEGS = """
select p.leg, p.kind, p.at, p.effective_at, p.amount, p.currency, p.src, s.code as src_code, coalesce(sg.name, '') as src_patron,
       s.patron_id as src_patron_id, p.dst, d.code as dst_code, coalesce(dg.name, '') as dst_patron, d.patron_id as dst_patron_id,
       p.src_balance, p.dst_balance, p.reverses, p.reverses_leg, p.hold_id, p.venue_id, coalesce(w.name, '') as venue, p.meta,
       coalesce((
           select sum(r.amount) from ledger_postings r
           where r.tenant_id = p.tenant_id and r.reverses = p.id and r.reverses_leg = p.leg
       ), 0)::bigint as taken_back
from ledger_postings p
join ledger_accounts s on s.tenant_id = p.tenant_id and s.id = p.src
join ledger_accounts d on d.tenant_id = p.tenant_id and d.id = p.dst
left join patrons sg on sg.tenant_id = s.tenant_id and sg.id = s.patron_id
left join patrons dg on dg.tenant_id = d.tenant_id and dg.id = d.patron_id
left join venues w on w.tenant_id = p.tenant_id and w.id = p.venue_id
where p.tenant_id = $1 and p.id = $2 order by p.leg
"""
AMONG = "select distinct id from ledger_postings where tenant_id = $1 and id = any ($2::uuid[])"
MOVED = """
select id, sum(case dst when $3 then amount else -amount end)::bigint as moved from ledger_postings
where tenant_id = $1 and id = any ($2::uuid[]) and (src = $3 or dst = $3) group by id
"""
REVERSED_BY = """
select r.id, min(r.at) as at, min(r.kind) as kind from ledger_postings r
where r.tenant_id = $1 and r.reverses = $2 group by r.id order by min(r.at), r.id
"""


class LedgerAccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account and what stands on it at a moment, on its own side."""

    id: AccountId
    code: str
    name: str
    currency: str
    side: Literal["debit", "credit"]
    mode: Literal["strict", "deferred"]
    floor: int | None
    """Least that may be available, in minor units; null: unbounded."""
    patron_id: PatronId | None
    patron: str
    venue_id: VenueId | None
    venue: str
    opened_at: datetime
    closed_at: datetime | None
    version: int | None
    """How many postings have moved it; null where it does not count them."""
    balance: Amount
    available: Amount | None
    """What of it no hold has set aside; told of now only."""
    at: datetime | None
    """The moment; null: now."""
    basis: Basis


class PostedLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A posting: the account that it debited and the one that it credited. Balances are those it left, on each account's own side."""

    leg: int
    amount: Amount
    debit_id: AccountId
    debit: str
    debit_patron_id: PatronId | None
    debit_patron: str
    debit_balance: Amount | None
    credit_id: AccountId
    credit: str
    credit_patron_id: PatronId | None
    credit_patron: str
    credit_balance: Amount | None
    reverses_leg: int | None
    taken_back: Amount
    """What of it later transactions took back."""


class OtherTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """Another transaction that belongs to one."""

    id: UUID
    at: datetime
    kind: str


class TransactionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction with its legs, and what it belongs to."""

    id: UUID
    kind: str
    at: datetime
    effective_at: datetime
    legs: list[PostedLeg]
    totals: list[Amount]
    """The sum of its legs in each currency: as much debited as credited."""
    reverses: UUID | None
    reversed_by: list[OtherTransaction]
    hold_id: UUID | None
    venue_id: VenueId | None
    venue: str
    meta: dict[str, str]
    """Ids of what it was for."""


async def read_account(
    ctx: Ctx, *, account: AccountId, at: datetime | None = None, basis: Basis = "posted"
) -> LedgerAccountOut:
    """The account with its balance, now or as of a moment. Raises AccountMissing."""
    row = await ctx.db.fetchrow(ONE, ctx.tenant_id, account)
    if row is None:
        raise AccountMissing("Nothing was opened under this id.")
    stands = await balance(ctx, account=account, at=at, basis=basis)
    facts = dict(row)
    held, counted = facts.pop("held"), facts.pop("counted")
    facts |= {"name": name_of(row["code"]), "version": row["version"] if counted else None, "at": at, "basis": basis}
    facts |= {"balance": Amount(stands, row["currency"])}
    facts |= {"available": Amount(stands - held, row["currency"]) if at is None else None}
    return msgspec.convert(facts, LedgerAccountOut, from_attributes=True)


async def read_transaction(ctx: Ctx, *, transaction: UUID) -> TransactionOut:
    """A transaction with all its legs, what it takes back and what took it back. Raises TransactionMissing."""
    rows = await ctx.db.fetch(LEGS, ctx.tenant_id, transaction)
    if not rows:
        raise TransactionMissing
    first = rows[0]
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["amount"]
    return TransactionOut(
        id=transaction,
        kind=first["kind"],
        at=first["at"],
        effective_at=first["effective_at"],
        legs=[_leg(row) for row in rows],
        totals=[Amount(amount, currency) for currency, amount in sums.items()],
        reverses=first["reverses"],
        reversed_by=await ctx.db.rows(OtherTransaction, REVERSED_BY, ctx.tenant_id, transaction),
        hold_id=first["hold_id"],
        venue_id=first["venue_id"],
        venue=first["venue"],
        meta=first["meta"],
    )


async def posted_among(ctx: Ctx, *, transactions: Sequence[UUID]) -> set[UUID]:
    """Which of these transactions were posted."""
    return {row["id"] for row in await ctx.db.fetch(AMONG, ctx.tenant_id, list(transactions))}


async def moved_among(ctx: Ctx, *, transactions: Sequence[UUID], account: AccountId) -> dict[UUID, int]:
    """What those of these transactions that touched an account moved there: credits less debits, in minor units."""
    rows = await ctx.db.fetch(MOVED, ctx.tenant_id, list(transactions), account)
    return {row["id"]: row["moved"] for row in rows}


def _leg(row: Any) -> PostedLeg:
    currency = row["currency"]

    def amount(value: int | None) -> Amount | None:
        return None if value is None else Amount(value, currency)

    return PostedLeg(
        leg=row["leg"],
        amount=Amount(row["amount"], currency),
        debit_id=row["src"],
        debit=name_of(row["src_code"]),
        debit_patron_id=row["src_patron_id"],
        debit_patron=row["src_patron"],
        debit_balance=amount(row["src_balance"]),
        credit_id=row["dst"],
        credit=name_of(row["dst_code"]),
        credit_patron_id=row["dst_patron_id"],
        credit_patron=row["dst_patron"],
        credit_balance=amount(row["dst_balance"]),
        reverses_leg=row["reverses_leg"],
        taken_back=Amount(row["taken_back"], currency),
    )
