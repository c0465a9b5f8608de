"""Every list that grows is read in the order in which it first shows from an index, not sorted each time."""

import re
from typing import Any

import asyncpg
import pytest

from lastlight.modules import MODULES
from lastlight.runtime.http.listing import Listing
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings

LISTINGS = Registry(MODULES).listings
FEW = {
    "crew_devices": "what a business puts up",
    "crew_venues": "what a business puts up",
    "devices": "what a business puts up",
    "drill_runs": "a few a month",
    "feature_flags": "what the platform rolls out",
    "members": "who works at one business",
    "resources": "what a business puts up",
    "roles": "what a business makes of them",
    "task_recurrences": "what a business plans",
    "tax_categories": "what a business sets up",
    "tax_rates": "what a business sets up",
    "tenants": "the platform's businesses",
    "venue_banners": "what a business announces",
    "venues": "what a business puts up",
}
"""Lists of a few hundred rows at the most, and why; sorting those costs nothing."""
ORDERS = """
select c.relname as name, array_agg(a.attname::text order by k.place) as columns
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
cross join lateral unnest(i.indkey) with ordinality as k (attnum, place)
join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
group by i.indexrelid, c.relname
"""


async def indexes(settings: Settings) -> set[tuple[str, ...]]:
    """The tables' indexes: the table, then the first two columns."""
    connection: Any = await asyncpg.connect(settings.admin_dsn())
    try:
        rows = await connection.fetch(ORDERS)
    finally:
        await connection.close()
    return {(row["name"], *row["columns"][:length]) for row in rows for length in (1, 2)}


def order_of(listing: Listing[Any]) -> tuple[str, str]:
    """The table that a list is of, and the column of it that sorts it first."""
    column = next(one for one in listing.columns if one.name == listing.sort.lstrip("-"))
    return listing.source.split()[0], re.sub(r"^\w+\.", "", column.sort_sql or column.sql)


async def test_a_list_that_grows_has_an_index_in_its_order(database_settings: Settings) -> None:
    there = await indexes(database_settings)
    missing: list[str] = []
    for listing in LISTINGS.values():
        table, column = order_of(listing)
        # the tenant of accounts is the platform, whatever the row
        wanted = (table, column) if listing.cross_tenant or "." not in listing.tenant else (table, "tenant_id", column)
        if listing.name not in FEW and wanted not in there:
            missing.append(f"{listing.name}: {wanted[0]} ({', '.join(wanted[1:])})")
    assert missing == []


@pytest.mark.parametrize("name", sorted(FEW))
def test_a_list_of_few_rows_is_one(name: str) -> None:
    assert name in LISTINGS
