"""What the clients of a busy night were told, compared with what the database holds: nothing lost, doubled, half or out of order."""

import asyncio
import time
from typing import Any

import asyncpg

from lastlight.runtime.audit.verify import verify_all
from lastlight.runtime.settings import Settings
from tests.support.busy_night import Books, Cast

RELAY_SECONDS = 30.0

CHECKINS = """
select c.id, c.patron_id, v.id as visit_id, v.status from checkins c
left join visits v on v.tenant_id = c.tenant_id and v.checkin_id = c.id where c.tenant_id = $1
"""
ORPHANS = """
select count(*) from visits v where v.tenant_id = $1
  and not exists (select from checkins c where c.tenant_id = v.tenant_id and c.id = v.checkin_id)
"""
TOLD = """
select entity_id, name, count(*) as n from audit_entries
where tenant_id = $1 and name in ('checkin.verified', 'visit.opened', 'task.created') group by 1, 2
"""
EVENTS = """
select name, count(*) as n, count(distinct id) as different from events
where tenant_id = $1 and name in ('checkin.verified', 'visit.opened', 'task.created') group by 1
"""


async def compare(settings: Settings, cast: Cast, books: Books) -> dict[str, list[str]]:
    """What is `lost`, `doubled` or otherwise `broken`; each a list of sentences, empty when all is well."""
    connection = await _connected(settings)
    try:
        found: dict[str, list[str]] = {"lost": [], "doubled": [], "broken": []}
        await _compare_checkins(connection, cast, books, found)
        await _compare_tasks(connection, cast, books, found)
        await _compare_events(connection, cast, found)
    finally:
        await connection.close()
    async for report in verify_all(settings):
        found["broken"] += [f"audit of {report.tenant_id}: {finding}" for finding in report.findings]
    found["broken"] += [f"{count} × {refusal}" for refusal, count in books.refused.items()]
    found["broken"] += ["somebody was never answered"] * bool(books.unanswered)
    return found


async def _connected(settings: Settings) -> Any:
    """An administrator's connection; the server may just be coming back."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return await asyncpg.connect(settings.admin_dsn())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def _compare_checkins(connection: Any, cast: Cast, books: Books, found: dict[str, list[str]]) -> None:
    rows = {row["id"]: row for row in await connection.fetch(CHECKINS, cast.tenant_id)}
    told = {checkin: (guest, visit) for guest, checkin, visit in books.admitted.values()}
    for checkin, (guest, visit) in told.items():
        row = rows.get(checkin)
        if row is None:
            found["lost"].append(f"check-in {checkin} was acknowledged and is not there")
        elif (row["patron_id"], row["visit_id"]) != (guest, visit):
            found["broken"].append(f"check-in {checkin} was acknowledged with another guest or visit")
        elif visit in books.left and row["status"] != "closed":
            found["lost"].append(f"the end of visit {visit} was acknowledged, but it is {row['status']}")
    found["doubled"] += [f"check-in {checkin} answers no request" for checkin in rows.keys() - told.keys()]
    if len(rows) != len({row["visit_id"] for row in rows.values()} - {None}):
        found["broken"].append("check-ins and visits do not pair")
    if orphans := await connection.fetchval(ORPHANS, cast.tenant_id):
        found["broken"].append(f"{orphans} visits without a check-in")


async def _compare_tasks(connection: Any, cast: Cast, books: Books, found: dict[str, list[str]]) -> None:
    rows = await connection.fetch("select id, title from tasks where tenant_id = $1", cast.tenant_id)
    there = {row["id"] for row in rows}
    found["lost"] += [
        f"task {title} was acknowledged and is not there" for title, i in books.tasks.items() if i not in there
    ]
    titles = [row["title"] for row in rows]
    found["doubled"] += [f"task {title} was written more than once" for title in {*titles} if titles.count(title) > 1]


async def _compare_events(connection: Any, cast: Cast, found: dict[str, list[str]]) -> None:
    """Every check-in, visit and task has been told once, in the chain and in the stream; nothing waits in the outbox."""
    if not await _relayed(connection, cast):
        found["broken"].append("events wait in the outbox that nobody moves")
    expected: dict[str, int] = {}
    for name, table in (("checkin.verified", "checkins"), ("visit.opened", "visits"), ("task.created", "tasks")):
        sql = f"select count(*) from {table} where tenant_id = $1"
        expected[name] = await connection.fetchval(sql, cast.tenant_id)
    told = await connection.fetch(TOLD, cast.tenant_id)
    found["broken"] += [f"{row['name']} of {row['entity_id']} stands {row['n']} times" for row in told if row["n"] != 1]
    for name, count in expected.items():
        chained = sum(row["n"] for row in told if row["name"] == name)
        if chained != count:
            found["broken"].append(f"{count} × {name}, but {chained} in the audit")
    for row in await connection.fetch(EVENTS, cast.tenant_id):
        if not row["n"] == row["different"] == expected[row["name"]]:
            found["broken"].append(f"{expected[row['name']]} × {row['name']}, but {row['n']} in the stream")


async def _relayed(connection: Any, cast: Cast) -> bool:
    deadline = time.monotonic() + RELAY_SECONDS
    while await connection.fetchval("select count(*) from outbox where tenant_id = $1", cast.tenant_id):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
