"""`lastlight verify credits`: recompute every guest's credits from the lots and entries, hold them against the ledger, name what differs."""

from typing import Any
from uuid import UUID

from lastlight.domains.ledger import each_business, findings_of, say_found
from lastlight.runtime.settings import Settings

# every tenant: this is the list of all that have credits
TENANTS = "select distinct tenant_id from credit_accounts order by 1"
COUNTS = """
select (select slug from tenants where id = $1) as slug,
       (select count(*) from credit_accounts where tenant_id = $1) as accounts,
       (select count(*) from credit_lots where tenant_id = $1) as lots,
       (select count(*) from credit_entries where tenant_id = $1) as entries
"""
RULES = {
    "account {id}: balance {balance} and frozen {frozen}, its lots hold {remaining} and {lots_frozen}": """
        select a.id, a.balance, a.frozen, coalesce(sum(l.remaining), 0)::bigint as remaining, coalesce(sum(l.frozen), 0)::bigint as lots_frozen
        from credit_accounts a left join credit_lots l on l.tenant_id = $1 and l.patron_id = a.patron_id and l.currency = a.currency
        where a.tenant_id = $1 group by a.id, a.balance, a.frozen
        having (a.balance, a.frozen) <> (coalesce(sum(l.remaining), 0), coalesce(sum(l.frozen), 0))
    """,
    "account {id}: balance {balance}, the ledger holds {held}": """
        select g.id, coalesce(a.balance, 0) as balance, g.cr - g.dr as held
        from ledger_accounts g left join credit_accounts a on a.tenant_id = $1 and a.id = g.id
        where g.tenant_id = $1 and g.code = 'credits' and g.cr - g.dr <> coalesce(a.balance, 0)
    """,
    "account {id}: {frozen} is frozen, the ledger sets {held} aside for disputes": """
        select a.id, a.frozen, coalesce(sum(h.amount - h.captured), 0)::bigint as held
        from credit_accounts a left join ledger_holds h
          on h.tenant_id = $1 and h.src = a.id and h.kind = 'credits-disputed' and h.state = 'open'
        where a.tenant_id = $1 group by a.id, a.frozen having a.frozen <> coalesce(sum(h.amount - h.captured), 0)
    """,
    "lot {id}: {remaining} left and {frozen} frozen, its entries say {used} and {froze}": """
        select l.id, l.remaining, l.frozen, coalesce(sum(u.amount), 0)::bigint as used, coalesce(sum(u.froze), 0)::bigint as froze
        from credit_lots l left join credit_uses u on u.tenant_id = $1 and u.lot_id = l.id
        where l.tenant_id = $1 group by l.id, l.remaining, l.frozen
        having (l.remaining, l.frozen) <> (coalesce(sum(u.amount), 0), coalesce(sum(u.froze), 0))
    """,
    "entry {id}: {amount} and {froze}, its lots say {used} and {used_froze}": """
        select e.id, e.amount, e.froze, coalesce(sum(u.amount), 0)::bigint as used, coalesce(sum(u.froze), 0)::bigint as used_froze
        from credit_entries e left join credit_uses u on u.tenant_id = $1 and u.entry_id = e.id
        where e.tenant_id = $1 group by e.id, e.amount, e.froze
        having (e.amount, e.froze) <> (coalesce(sum(u.amount), 0), coalesce(sum(u.froze), 0))
    """,
    "entry {id}: number {number} with balance {balance}, counted {place} and {running}": """
        select * from (
            select e.id, e.number, e.balance, e.frozen, row_number() over w as place, sum(e.amount) over w as running, sum(e.froze) over w as froze
            from credit_entries e where e.tenant_id = $1 window w as (partition by e.patron_id, e.currency order by e.number)
        ) c where c.number <> c.place or c.balance <> c.running or c.frozen <> c.froze
    """,
    "account {id}: {entries} entries, there are {there}": """
        select a.id, a.entries, count(e.id) as there from credit_accounts a
        left join credit_entries e on e.tenant_id = $1 and e.patron_id = a.patron_id and e.currency = a.currency
        where a.tenant_id = $1 group by a.id, a.entries having a.entries <> count(e.id)
    """,
    "entry {id}: {kind} of {amount}, which the ledger did not move": """
        select e.id, e.kind, e.amount from credit_entries e
        where e.tenant_id = $1 and e.amount <> 0 and e.kind <> 'bought' and not exists (
            select from ledger_postings p
            join credit_accounts a on a.tenant_id = $1 and a.patron_id = e.patron_id and a.currency = e.currency
            where p.tenant_id = $1 and p.id = e.id and a.id = case when e.amount < 0 then p.src else p.dst end
            having sum(p.amount) = abs(e.amount))
    """,
    "entry {id}: its lines come to {gross} with {taxes} of taxes, it moved {amount} with {tax}; the ledger put {posted} to the taxes": """
        select e.id, e.amount, e.tax, l.gross, l.taxes, coalesce(g.posted, 0)::bigint as posted
        from credit_entries e cross join lateral (
            select sum((i->>'gross')::bigint)::bigint as gross, sum((i->>'gross')::bigint - (i->>'net')::bigint)::bigint as taxes
            from jsonb_array_elements(e.lines) i
        ) l left join lateral (
            select sum(p.amount) as posted from ledger_postings p
            join ledger_accounts a on a.tenant_id = $1 and a.id = case when e.amount < 0 then p.dst else p.src end and a.code = 'tax-payable'
            where p.tenant_id = $1 and p.id = e.id
        ) g on true
        where e.tenant_id = $1 and e.lines is not null
          and (l.gross, l.taxes, coalesce(g.posted, 0)) is distinct from (abs(e.amount), abs(e.tax), abs(e.tax))
    """,
    "spend {id}: of its line {line} more was given back than was paid": """
        select s.id, i.place as line from credit_entries s
        cross join lateral jsonb_array_elements(s.lines) with ordinality i (line, place)
        join credit_entries r on r.tenant_id = $1 and r.reverses = s.id
        where s.tenant_id = $1 and s.lines is not null
        group by s.id, i.place, i.line
        having sum((r.lines->(i.place - 1)::integer->>'net')::bigint) > (i.line->>'net')::bigint
            or sum((r.lines->(i.place - 1)::integer->>'gross')::bigint) > (i.line->>'gross')::bigint
    """,
    "spend {id}: {back} of {spent} was given back": """
        select s.id, -s.amount as spent, sum(r.amount)::bigint as back
        from credit_entries s join credit_entries r on r.tenant_id = $1 and r.reverses = s.id
        where s.tenant_id = $1 group by s.id, s.amount having sum(r.amount) > -s.amount
    """,
    "lot {id}: {amount} came in, its payment {payment_id} brought {captured}": """
        select l.id, l.amount, l.payment_id, p.captured from credit_lots l join payments p on p.tenant_id = $1 and p.id = l.payment_id
        where l.tenant_id = $1 and (l.amount <> p.captured or l.patron_id is distinct from p.patron_id or l.currency <> p.currency)
    """,
}
"""What must hold, as what is said where it does not, and the query that finds it."""


async def run(settings: Settings) -> int:
    """Verify every business's credits and print what differs; the exit code: 0 when all is right, 1 when something is not."""
    wrong = 0
    async for connection, tenant_id in each_business(settings, sql=TENANTS):
        found = await verify_credits(connection, tenant_id)
        wrong += bool(found)
        counts = await connection.fetchrow(COUNTS, tenant_id)
        told = f"guests' accounts: {counts['accounts']}, lots: {counts['lots']}, entries: {counts['entries']}"
        say_found(tenant_id, counts["slug"], found, told)
    return 1 if wrong else 0


async def verify_credits(connection: Any, tenant_id: UUID) -> list[str]:
    """What differs in the credits of a business, inside the transaction given, which must see one snapshot."""
    return await findings_of(connection, tenant_id, rules=RULES)
