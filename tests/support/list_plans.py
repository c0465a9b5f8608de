"""How PostgreSQL would read every list: each order, each filter, the first page and the next, with a million rows in each table.

The tables hold a few thousand made-up rows; their statistics say that there are three hundred times as many, so the plans are those of
a large table at the price of a small one.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from lastlight.kernel.ids import PLATFORM, PatronId, TenantId, UserId, VenueId
from lastlight.kernel.paging import Cursor
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.http.listing import Filter, Listing
from lastlight.runtime.http.listing_sql import Statement, build
from tests.support.filling import fill, filled_id, loosen

ROWS = 300
TENANTS = tuple(TenantId(filled_id(place, 1)) for place in range(1, 7))
SOMEBODY = filled_id(1, 5)
SCALE = 300
MANY = 20_000
"""More rows than a page may sort: a tenth of what the largest tenant has."""
DEAR = 500.0
"""A figure of one row that costs more than this is read without an index."""
TABLES = re.compile(r"(?:^|from |join )(\w+) \w+")
ENLARGE = """
update pg_class set reltuples = reltuples * $2::float4
where oid = any ($1::regclass[]) or oid in (select indexrelid from pg_index where indrelid = any ($1::regclass[]))
"""
MADE_UP = {
    "time": "2026-11-10T00:00:00Z",
    "date": "2026-11-10",
    "number": "5",
    "money": "5",
    "bool": "true",
    "duration": "5",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads lists, and by which role of the database."""

    name: str
    actor: Actor
    role: str


def tables_of(listings: Sequence[Listing[Any]]) -> set[str]:
    """The tables that lists are read from."""
    return {name for listing in listings for name in TABLES.findall(listing.source)}


async def fill_lists(connection: Any, listings: Sequence[Listing[Any]], *, few: set[str]) -> None:
    """Rows in every table of the lists; all but `few` of them count as large."""
    await loosen(connection)
    choices: dict[str, dict[str, Sequence[str]]] = defaultdict(dict)
    for listing in listings:
        for item in listing.filters:
            if item.kind == "enum" and re.fullmatch(r"\w+\.\w+", item.sql):
                choices[listing.source.split()[0]][item.sql.split(".")[1]] = [value for value, _ in item.choices]
    tables = tables_of(listings)
    for table in sorted(tables):
        # composed: a table of the listings; were it vacuumed meanwhile, its real size would be known again
        await connection.execute(f"alter table {table} set (autovacuum_enabled = off)")
        given = {"payload": ["{}"], "status": ["active", "closed"], **choices[table]}
        await fill(connection, table, tenants=TENANTS, rows=ROWS, choices=given)
    await connection.execute("analyze")
    await connection.execute(ENLARGE, sorted(tables - few), float(SCALE))


def readers(listing: Listing[Any]) -> list[Reader]:
    """Who reads a list: the crew everywhere, guests their own, members all venues or some."""
    held = listing.permission.name if listing.permission else ""
    everywhere = Grants({held: None} if held else {})
    if listing.cross_tenant:
        crew = Actor(kind="crew", user_id=UserId(SOMEBODY), tenant_id=PLATFORM, grants=everywhere)
        return [Reader("crew", crew, "lastlight_platform")]
    at_home = Actor(user_id=UserId(SOMEBODY), tenant_id=TENANTS[0], kind="member", grants=everywhere)
    if listing.own:
        guest = Actor(
            kind="patron",
            user_id=UserId(SOMEBODY),
            patron_id=PatronId(SOMEBODY),
            tenant_id=TENANTS[0],
            grants=everywhere,
        )
        return [Reader("guest", guest, "lastlight_app")]
    found = [Reader("member", at_home, "lastlight_app")]
    if held and (listing.venue or listing.venues):
        some = Grants({held: frozenset(VenueId(filled_id(1, number)) for number in (2, 3))})
        at_some = Actor(user_id=UserId(SOMEBODY), tenant_id=TENANTS[0], kind="member", grants=some)
        found.append(Reader("member of two venues", at_some, "lastlight_app"))
    return found


def orders(listing: Listing[Any]) -> list[str]:
    """Every order of a list; that in which it first shows comes first."""
    every = [way + column.name for column in listing.columns if column.sort for way in ("", "-")]
    return sorted(every, key=lambda order: order != listing.sort)


def filtered(listing: Listing[Any]) -> Iterator[dict[str, Any]]:
    """No filter, then each by itself."""
    yield {}
    for item in listing.filters:
        yield _filtered_by(item)


def _filtered_by(item: Filter) -> dict[str, Any]:
    match item.kind:
        case "time":
            return {f"{item.name}_from": "2026-11-01T00:00:00Z"}
        case "number":
            return {f"{item.name}_from": 5}
        case "uuid":
            return {item.name: [str(filled_id(1, 2))]}
        case "enum":
            return {item.name: [item.choices[-1][0]]}
        case "bool":
            return {item.name: True}
        case _:
            return {item.name: "one"}


async def complaints(connection: Any, listing: Listing[Any], *, large: set[str]) -> dict[str, list[str]]:
    """For each order (`arrived_at`, `arrived_at by method`) that reads or sorts too much: what it does, for whom and by which filter. The first order with each filter."""
    found: dict[str, list[str]] = defaultdict(list)
    for reader in readers(listing):
        ctx = Ctx(actor=reader.actor, tenant_id=reader.actor.tenant_id, db=_NOTHING, now=_NOTHING, services=_NOTHING)
        for order in orders(listing):
            for given in filtered(listing) if order == listing.sort else [{}]:
                query = listing.parse(sort=order, **given)
                first = build(listing, ctx, query, paged=True)
                following = build(
                    listing, ctx, query, paged=True, cursor=await _cursor(connection, listing, order, first)
                )
                for page, statement in (("first page", first), ("next page", following)):
                    for fault in await _faults(connection, reader, statement, large):
                        place = ", ".join([reader.name, page, *given])
                        found[" by ".join([order.lstrip("-"), *given])].append(f"{fault} ({place})")
    return found


_NOTHING: Any = None


async def _cursor(connection: Any, listing: Listing[Any], order: str, first: Statement) -> Cursor:
    """Where a real second page begins; made up where there is none."""
    rows = await connection.fetch(f"{first.head} {first.tail} {first.order} limit 2", *first.parameters)
    if rows:
        return Cursor(order, rows[-1]["_sort"], str(rows[-1]["_key"]))
    kind = next(column.sort_kind or column.kind for column in listing.columns if column.name == order.lstrip("-"))
    return Cursor(order, MADE_UP.get(kind, "x"), "7" if listing.key.endswith((".seq", ".half")) else str(SOMEBODY))


async def _faults(connection: Any, reader: Reader, statement: Statement, large: set[str]) -> list[str]:
    sql = f"{statement.head} {statement.tail} {statement.order} limit 51"
    patron = str(reader.actor.patron_id or "")
    found: list[str] = []
    async with connection.transaction():
        for name, value in (("tenant", reader.actor.tenant_id), ("user", SOMEBODY), ("patron", patron)):
            await connection.execute("select set_config($1, $2, true)", f"app.{name}_id", str(value))
        await connection.execute(f"set local role {reader.role}")
        for way in ("", ", generic_plan"):
            text = await connection.fetchval(f"explain (format json{way}) {sql}", *statement.parameters)
            found += _faults_of(json.loads(text)[0]["Plan"], large)
    return found


def _faults_of(plan: dict[str, Any], large: set[str]) -> list[str]:
    found: list[str] = []
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in large:
        found.append(f"reads all of {plan['Relation Name']}")
    if plan["Node Type"] == "Sort" and plan["Plans"][0]["Plan Rows"] > MANY:
        found.append(f"sorts {plan['Plans'][0]['Plan Rows']} rows")
    if (
        plan["Node Type"] == "Aggregate"
        and plan.get("Subplan Name", "").startswith("SubPlan")
        and plan["Total Cost"] > DEAR
    ):
        found.append("counts over a whole business for each row")
    for child in plan.get("Plans", ()):
        found += _faults_of(child, large)
    return found


async def connected(dsn: str) -> Any:
    """A connection of the administrator's."""
    return await asyncpg.connect(dsn)
