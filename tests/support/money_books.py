"""What clients of a till were told, compared with its books, with the guests' credits and with what the card provider did."""

import asyncio
import time
from collections import Counter
from typing import Any
from uuid import UUID

from lastlight.runtime import processor
from lastlight.runtime.audit.verify import verify_all
from tests.support.money_trials import Told
from tests.support.purses import findings
from tests.support.tills import CURRENCY, Till

RELAY_SECONDS = 30.0
WRITTEN = {
    "entry": "select id, amount from credit_entries where tenant_id = $1 and kind in ('spent', 'spend-reversed')",
    "adjusted": """select a.id, case when a.status = 'booked' then a.amount else 0 end as amount from adjustments a
                   where a.tenant_id = $1 and a.subject = 'credits'""",
    "moved": "select id, amount from adjustments where tenant_id = $1 and subject = 'ledger' and status = 'booked'",
    "payment": "select id, amount from payments where tenant_id = $1",
    "refunded": "select id, -amount as amount from refunds where tenant_id = $1",
}
BOOKED = {
    "adjusted": "select source_id as id, amount from credit_entries where tenant_id = $1 and kind = 'adjusted'",
    "moved": "select id, amount from ledger_postings where tenant_id = $1 and kind = 'adjustment'",
    "refunded": "select refund_id as id, amount from credit_entries where tenant_id = $1 and kind = 'refunded'",
}
"""What was written of each kind, and what was booked of it."""
TOLD_OF = """
select e.id, count(a.entity_id) as n from credit_entries e
left join audit_entries a on a.tenant_id = $1 and a.name = 'credit.balance' and a.entity_id = e.id::text
where e.tenant_id = $1 group by e.id having count(a.entity_id) <> 1
"""
HELD = """
select code, sum(cr - dr)::bigint as balance from (
    select a.code, case when p.dst = a.id then p.amount else 0 end as cr, case when p.src = a.id then p.amount else 0 end as dr
    from ledger_accounts a join ledger_postings p on p.tenant_id = $1 and a.id in (p.src, p.dst)
    where a.tenant_id = $1 and a.currency = $2
) moves group by code
"""


async def compare(till: Till, told: Told) -> dict[str, list[str]]:
    """What is `lost`, `doubled` or otherwise `broken`; each a list of sentences, empty when all is well."""
    found: dict[str, list[str]] = {"lost": [], "doubled": [], "broken": []}
    await till.settled()
    for kind in WRITTEN:
        await _compare_rows(till, kind, told.rows.get(kind, {}), found)
    await _compare_balance(till, told, found)
    await _compare_provider(till, found)
    await _compare_events(till, found)
    found["broken"] += await findings(till.house)
    async for report in verify_all(till.services.settings):
        found["broken"] += [f"audit of {report.tenant_id}: {finding}" for finding in report.findings]
    return found


async def _rows(till: Till, sql: str) -> dict[UUID, int]:
    return {row["id"]: row["amount"] for row in await till.house.sql(sql, till.house.tenant_id)}


async def _compare_rows(till: Till, kind: str, told: dict[UUID, int], found: dict[str, list[str]]) -> None:
    rows = await _rows(till, WRITTEN[kind])
    found["lost"] += [f"{kind} {row_id} was acknowledged and is not there" for row_id in told.keys() - rows.keys()]
    found["doubled"] += [f"{kind} {row_id} answers no request" for row_id in rows.keys() - told.keys()]
    found["broken"] += [
        f"{kind} {row_id}: {rows[row_id]} instead of {amount}"
        for row_id, amount in told.items()
        if rows.get(row_id, amount) != amount
    ]
    if kind in BOOKED and (booked := await _rows(till, BOOKED[kind])) != {i: a for i, a in rows.items() if a}:
        found["broken"].append(f"{kind}: {len(booked)} are booked of {len(rows)}")


async def _compare_balance(till: Till, told: Told, found: dict[str, list[str]]) -> None:
    bought = "select coalesce(sum(amount), 0)::bigint as n from credit_entries where tenant_id = $1 and kind = 'bought'"
    expected = (await till.house.sql(bought, till.house.tenant_id))[0]["n"] + told.balance
    balance = "select balance from credit_accounts where tenant_id = $1 and patron_id = $2 and currency = $3"
    rows = await till.house.sql(balance, till.house.tenant_id, till.patron_id, CURRENCY)
    if rows[0]["balance"] != expected:
        found["broken"].append(f"the guest has {rows[0]['balance']}, acknowledged were {expected}")


async def _compare_provider(till: Till, found: dict[str, list[str]]) -> None:
    """Each payment is one intent there, each refund one refund; what is kept for us is what the books say."""
    for kind, named, table in (
        ("payment_intent.created", "payment_id", "payments"),
        ("refund.created", "refund_id", "refunds"),
    ):
        made = Counter[str]()
        async for event in processor.list_events(till.services, types=[kind]):
            made[event.data["metadata"][named]] += 1
        ours = {
            str(row["id"])
            for row in await till.house.sql(f"select id from {table} where tenant_id = $1", till.house.tenant_id)
        }
        found["doubled"] += [f"{named} {one} was made {n} times at the provider" for one, n in made.items() if n > 1]
        found["doubled"] += [f"{named} {one} is the provider's alone" for one in made.keys() - ours]
        found["lost"] += [f"{named} {one} never reached the provider" for one in ours - made.keys()]
    rows: list[Any] = await till.house.sql(HELD, till.house.tenant_id, CURRENCY)
    books = {row["code"]: row["balance"] for row in rows}
    kept = sum(one.pending + one.available for one in (await processor.retrieve_balance(till.services)).amounts)
    ours_there = -books.get("provider-pending", 0) - books.get("provider-available", 0)
    if kept != ours_there:
        found["broken"].append(f"the provider keeps {kept}, the books say {ours_there}")
    if books.get("refunds-payable", 0):
        found["broken"].append(f"{books['refunds-payable']} of refunds never left")


async def _compare_events(till: Till, found: dict[str, list[str]]) -> None:
    """Every change of credits has been told once; nothing waits in the outbox."""
    deadline = time.monotonic() + RELAY_SECONDS
    waiting = "select count(*) as n from outbox where tenant_id = $1"
    while (await till.house.sql(waiting, till.house.tenant_id))[0]["n"]:
        if time.monotonic() > deadline:
            found["broken"].append("events wait in the outbox that nobody moves")
            return
        await asyncio.sleep(0.05)
    found["broken"] += [
        f"entry {row['id']} was told {row['n']} times" for row in await till.house.sql(TOLD_OF, till.house.tenant_id)
    ]
