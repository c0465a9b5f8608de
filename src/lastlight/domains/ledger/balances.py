"""Balances and statements: as they stand, as of any moment, by when it was posted or for when it counts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import Account, AccountId, find_account
from lastlight.domains.ledger.errors import AccountMissing
from lastlight.runtime.context import Ctx

Basis = Literal["posted", "effective"]

POSTED = "select ll.ledger_balance_at($1, $2)"
EFFECTIVE = "select ll.ledger_balance_effective($1, $2)"
NOW = "select ll.ledger_balance_at($1, 'infinity')"
AROUND = """
select ll.ledger_balance_at($1, $2::timestamptz - interval '1 microsecond') as opening,
       ll.ledger_balance_at($1, $3::timestamptz - interval '1 microsecond') as closing
"""
AROUND_EFFECTIVE = AROUND.replace("ledger_balance_at", "ledger_balance_effective")
STATEMENT = """
select id, leg, seq, kind, at, effective_at, src, dst, amount, meta, reverses, case when src = $1 then -amount else amount end as credit
from ll.ledger_moves($1, $2, $3) limit $4
"""
# Most postings count for the moment in which they were written; the others are few, and lie in an index of their own.
STATEMENT_EFFECTIVE = """
select id, leg, seq, kind, at, effective_at, src, dst, amount, meta, reverses, case when src = $1 then -amount else amount end as credit
from (
    select m.* from ll.ledger_moves($1, $2, $3) m where m.effective_at = m.at
    union all
    select p.* from ledger_postings p
    where p.tenant_id = $5 and p.src = $1 and p.effective_at <> p.at and p.effective_at >= $2 and p.effective_at < $3
    union all
    select p.* from ledger_postings p
    where p.tenant_id = $5 and p.dst = $1 and p.effective_at <> p.at and p.effective_at >= $2 and p.effective_at < $3
) counted order by effective_at, at, seq limit $4
"""
BEGAN = """
select least(t.created_at, (select p.at from ledger_postings p where p.tenant_id = $1 and p.seq > 0 order by p.seq limit 1)) as began
from tenants t where t.id = $1
"""


class Line(msgspec.Struct, frozen=True):
    """A line of a statement; `moved` on the account's own side, `balance` after it."""

    id: UUID
    leg: int
    seq: int
    kind: str
    at: datetime
    effective_at: datetime
    other: AccountId
    moved: int
    balance: int
    meta: dict[str, str]
    reverses: UUID | None


class Statement(msgspec.Struct, frozen=True):
    """What moved on an account from `since` up to `until`, and its balance before and after."""

    account: Account
    since: datetime
    until: datetime
    opening: int
    closing: int
    lines: list[Line]
    whole: bool
    """Whether all lines are here; with more than the most that one statement holds, ask for a shorter time."""


MOST_LINES = 10_000


async def balance(ctx: Ctx, *, account: AccountId, at: datetime | None = None, basis: Basis = "posted") -> int:
    """The balance on the account's own side, in minor units: now, or as of a moment, that moment's postings included.

    `effective` counts each posting for the moment it counts for, however late it was written. Raises AccountMissing.
    """
    if at is None:
        found = await ctx.db.fetchval(NOW, account)
    else:
        found = await ctx.db.fetchval(POSTED if basis == "posted" else EFFECTIVE, account, at)
    if found is None:
        raise AccountMissing
    return found


async def books_began(ctx: Ctx) -> datetime:
    """When the business's books begin: with the business, or with what was written for before."""
    return await ctx.db.fetchval(BEGAN, ctx.tenant_id)


async def statement(
    ctx: Ctx,
    *,
    account: AccountId,
    since: datetime,
    until: datetime,
    limit: int = MOST_LINES,
    basis: Basis = "posted",
) -> Statement:
    """What moved from `since` up to, not with, `until`, in the order it was posted; the first `limit` lines. Raises AccountMissing.

    `effective`: what counts for that time, in that order, however late it was written.
    """
    held = await find_account(ctx, account=account)
    asked = (account, since, until)
    if basis == "posted":
        rows = await ctx.db.fetch(STATEMENT, *asked, limit + 1)
        ends = await ctx.db.fetchrow(AROUND, *asked)
    else:
        rows = await ctx.db.fetch(STATEMENT_EFFECTIVE, *asked, limit + 1, ctx.tenant_id)
        ends = await ctx.db.fetchrow(AROUND_EFFECTIVE, *asked)
    if ends is None:
        raise AccountMissing
    sign = 1 if held.side == "credit" else -1
    lines: list[Line] = []
    running: int = ends["opening"]
    for row in rows[:limit]:
        running += sign * row["credit"]
        other = row["dst"] if row["src"] == account else row["src"]
        same = {name: row[name] for name in ("id", "leg", "seq", "kind", "at", "effective_at", "meta", "reverses")}
        lines.append(Line(**same, other=AccountId(other), moved=sign * row["credit"], balance=running))
    whole = len(rows) <= limit
    return Statement(held, since, until, ends["opening"], running if whole else ends["closing"], lines, whole)
