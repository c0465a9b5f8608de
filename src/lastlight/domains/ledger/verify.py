"""`lastlight verify ledger`: recompute every business's books from its postings, and name what differs."""

import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lastlight.runtime.db.looking import opened_verifier
from lastlight.runtime.settings import Settings

SHOWN = 20
"""Most findings named of one query in one business."""

# every tenant: this is the list of all that have books
TENANTS = "select distinct tenant_id from ledger_accounts order by 1"
COUNTS = """
select (select slug from tenants where id = $1) as slug,
       (select count(*) from ledger_accounts where tenant_id = $1) as accounts,
       (select count(*) from ledger_postings where tenant_id = $1) as postings,
       (select count(*) from ledger_seals where tenant_id = $1) as blocks
"""
MOVES = """
with moves as (
    select p.src as account, p.src_version as version, p.src_balance as balance, p.amount as dr, 0::bigint as cr, p.at, p.currency, p.id, p.leg
    from ledger_postings p where p.tenant_id = $1
    union all
    select p.dst, p.dst_version, p.dst_balance, 0, p.amount, p.at, p.currency, p.id, p.leg from ledger_postings p where p.tenant_id = $1
), run as (
    select m.*, a.mode, a.floor, a.currency as expected, row_number() over w as place, lag(m.at) over w as before,
           sum(m.cr - m.dr) over w * case a.side when 'credit' then 1 else -1 end as recomputed
    from moves m left join ledger_accounts a on a.tenant_id = $1 and a.id = m.account
    window w as (partition by m.account order by m.version, m.at)
)
select r.*, broken.rule
from run r cross join lateral (values
    ('missing', r.mode is null),
    ('currency', r.expected <> r.currency),
    ('version', r.mode = 'strict' and r.version is distinct from r.place),
    ('balance', r.mode = 'strict' and r.balance is distinct from r.recomputed),
    ('floor', r.mode = 'strict' and r.recomputed < r.floor),
    ('deferred', r.mode = 'deferred' and (r.version is not null or r.balance is not null)),
    ('order', r.mode = 'strict' and r.at < r.before)
) broken (rule, found)
where broken.found
"""
SAID_OF_MOVES = {
    "missing": "posting {id} leg {leg}: its account {account} does not exist",
    "currency": "posting {id} leg {leg}: account {account} is in another currency",
    "version": "posting {id} leg {leg}: account {account} counts it as {version}, it is number {place}",
    "balance": "posting {id} leg {leg}: account {account} had {recomputed} after it, not {balance}",
    "floor": "posting {id} leg {leg}: account {account} was at {recomputed}, below its floor of {floor}",
    "deferred": "posting {id} leg {leg}: the deferred account {account} carries a balance",
    "order": "posting {id} leg {leg}: it was written before the one that account {account} counts before it",
}
RULES = {
    "account {id}: debits {dr} and credits {cr} in version {version}, the postings say {odr}, {ocr} and {times}": """
        with sums as (
            select account, sum(dr)::bigint as dr, sum(cr)::bigint as cr, count(*) as times from (
                select src as account, amount as dr, 0 as cr from ledger_postings where tenant_id = $1
                union all select dst, 0, amount from ledger_postings where tenant_id = $1
            ) m group by account
        )
        select a.id, a.dr, a.cr, a.version, coalesce(s.dr, 0) as odr, coalesce(s.cr, 0) as ocr, coalesce(s.times, 0) as times
        from ledger_accounts a left join sums s on s.account = a.id
        where a.tenant_id = $1 and a.mode = 'strict'
          and (a.dr, a.cr, a.version) is distinct from (coalesce(s.dr, 0), coalesce(s.cr, 0), coalesce(s.times, 0))
    """,
    "account {id}: {dr_pending} and {cr_pending} are pending, the open holds say {odr} and {ocr}": """
        with held as (
            select account, sum(dr)::bigint as dr, sum(cr)::bigint as cr from (
                select src as account, amount - captured as dr, 0 as cr from ledger_holds where tenant_id = $1 and state = 'open'
                union all select dst, 0, amount - captured from ledger_holds where tenant_id = $1 and state = 'open'
            ) h group by account
        )
        select a.id, a.dr_pending, a.cr_pending, coalesce(h.dr, 0) as odr, coalesce(h.cr, 0) as ocr
        from ledger_accounts a left join held h on h.account = a.id
        where a.tenant_id = $1 and a.mode = 'strict' and (a.dr_pending, a.cr_pending) is distinct from (coalesce(h.dr, 0), coalesce(h.cr, 0))
    """,
    "hold {id}: {captured} is captured, its postings say {posted}": """
        select h.id, h.captured, coalesce(sum(p.amount), 0)::bigint as posted
        from ledger_holds h left join ledger_postings p on p.tenant_id = h.tenant_id and p.hold_id = h.id
        where h.tenant_id = $1 group by h.id, h.captured having h.captured <> coalesce(sum(p.amount), 0)
    """,
    "posting {id} leg {leg}: {reversed} of {amount} was taken back": """
        select p.id, p.leg, p.amount, sum(r.amount)::bigint as reversed
        from ledger_postings p join ledger_postings r on r.tenant_id = p.tenant_id and r.reverses = p.id and r.reverses_leg = p.leg
        where p.tenant_id = $1 group by p.id, p.leg, p.amount having sum(r.amount) > p.amount
    """,
    "posting {id} leg {leg}: what it takes back does not stand": """
        select r.id, r.leg from ledger_postings r left join ledger_postings p
            on p.tenant_id = r.tenant_id and p.id = r.reverses and p.leg = r.reverses_leg and (p.src, p.dst) = (r.dst, r.src)
        where r.tenant_id = $1 and r.reverses is not null and p.id is null
    """,
    "transaction {id}: leg {missing} is missing": """
        select id, min(place) as missing from (
            select id, leg, row_number() over (partition by id order by leg) - 1 as place from ledger_postings where tenant_id = $1
        ) p where leg <> place group by id
    """,
    "sum of account {account_id} to {horizon}: {dr} and {cr}, the postings say {odr} and {ocr}": """
        with steps as (
            select r.account_id, r.horizon, r.dr, r.cr, lag(r.horizon, 1, 0) over (partition by r.account_id order by r.horizon) as since
            from ledger_rollups r where r.tenant_id = $1
        ), told as (
            select s.*, sum(m.dr) over w as odr, sum(m.cr) over w as ocr from steps s cross join lateral (
                select coalesce(sum(d.amount) filter (where d.half = 0), 0)::bigint as dr, coalesce(sum(d.amount) filter (where d.half = 1), 0)::bigint as cr
                from (
                    select 0 as half, p.amount from ledger_postings p
                    where p.tenant_id = $1 and p.src = s.account_id and p.src_version is null and p.xid >= s.since and p.xid < s.horizon
                    union all
                    select 1, p.amount from ledger_postings p
                    where p.tenant_id = $1 and p.dst = s.account_id and p.dst_version is null and p.xid >= s.since and p.xid < s.horizon
                ) d
            ) m window w as (partition by s.account_id order by s.horizon)
        )
        select * from told where (dr, cr) <> (odr, ocr)
    """,
    "block {block}: {found} postings of {postings}, which differ from its seal": """
        with chained as (
            select s.block, s.since, s.horizon, s.postings, s.hash, lag(s.hash) over (order by s.block) as before,
                   lag(s.horizon, 1, 0) over (order by s.block) as ended from ledger_seals s where s.tenant_id = $1
        )
        select c.block, c.postings, b.found from chained c cross join lateral (
            select count(*) as found, string_agg(ll.ledger_posting_digest(p), ''::bytea order by p.xid, p.seq) as digests
            from ledger_postings p where p.tenant_id = $1 and p.xid >= c.since and p.xid < c.horizon
        ) b where c.since <> c.ended or b.found <> c.postings or c.hash is distinct from ll.ledger_block_hash(c.before, b.digests)
    """,
}
"""What must hold, as what is said where it does not, and the query that finds it."""


@dataclass(slots=True)
class Books:
    """What was found in the books of a business."""

    tenant_id: UUID
    slug: str
    accounts: int
    postings: int
    blocks: int
    findings: list[str] = field(default_factory=list[str])


async def run(settings: Settings) -> int:
    """Verify every business's books and print what differs; the exit code: 0 when all is right, 1 when something is not."""
    wrong = 0
    async for books in verify_all(settings):
        wrong += bool(books.findings)
        told = f"accounts: {books.accounts}, postings: {books.postings}, sealed blocks: {books.blocks}"
        say_found(books.tenant_id, books.slug, books.findings, told)
    return 1 if wrong else 0


def say_found(tenant_id: UUID, slug: str, findings: list[str], told: str) -> None:
    """Print what was found in one business, and that it holds or differs."""
    business = f"tenant {slug} ({tenant_id})"
    sys.stdout.writelines(f"{business}: {finding}\n" for finding in findings)
    sys.stdout.write(f"{business}: {'differs' if findings else 'holds'}, {told}\n")


async def verify_all(settings: Settings) -> AsyncIterator[Books]:
    """The books of each business in turn, read as the looker, which can change nothing."""
    async for connection, tenant_id in each_business(settings, sql=TENANTS):
        yield await verify_books(connection, tenant_id)


async def each_business(settings: Settings, *, sql: str) -> AsyncIterator[tuple[Any, UUID]]:
    """The businesses that a query names, each in a transaction of the looker's that sees one snapshot."""
    async with opened_verifier(settings) as connection:
        for row in await connection.fetch(sql):
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection, row["tenant_id"]


async def verify_books(connection: Any, tenant_id: UUID) -> Books:
    """Recompute the books of a business inside the transaction given, which must see one snapshot."""
    counts = await connection.fetchrow(COUNTS, tenant_id)
    books = Books(tenant_id, counts["slug"], counts["accounts"], counts["postings"], counts["blocks"])
    for row in await _first(connection, MOVES, tenant_id, books.findings):
        books.findings.append(SAID_OF_MOVES[row["rule"]].format(**row))
    books.findings += await findings_of(connection, tenant_id, rules=RULES)
    return books


async def findings_of(connection: Any, tenant_id: UUID, *, rules: Mapping[str, str]) -> list[str]:
    """What breaks rules: each is a sentence about a row that its query gives for a tenant."""
    found: list[str] = []
    for said, sql in rules.items():
        found += [said.format(**row) for row in await _first(connection, sql, tenant_id, found)]
    return found


async def _first(connection: Any, sql: str, tenant_id: UUID, findings: list[str]) -> list[Any]:
    """The first that a query finds; that there are more is a finding too."""
    cursor = await connection.cursor(sql, tenant_id)
    found: list[Any] = await cursor.fetch(SHOWN + 1)
    if len(found) > SHOWN:
        findings.append(f"the next {SHOWN} are the first of more")
    return found[:SHOWN]
