"""No page that a console leads to reads all of a large table or sums a business up: every statement is explained with a million rows.

tests/support/page_plans.py says how. Those statements are caught as the page sends them, so what a dashboard asks anew is looked at.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from lastlight.modules import MODULES
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings
from tests.database.test_list_orders import FEW
from tests.support.list_plans import connected, fill_lists, tables_of
from tests.support.page_plans import explained
from tests.support.people import People, people

pytestmark = pytest.mark.database
REGISTRY = Registry(MODULES)
LISTINGS = REGISTRY.listings
SMALL = {LISTINGS[name].source.split()[0] for name in FEW} | {"venues", "memberships", "tenants", "devices"}
LARGE = frozenset(tables_of(list(LISTINGS.values())) - SMALL)
WHO = {"management": "manager", "owner": "owner", "staff": "staff", "platform": "super_admin"}
PAGES = sorted({(nav.app, nav.href) for nav in REGISTRY.nav if nav.app in WHO} | {("management", "/api/tonight")})
BORNE = {
    ("/platform", "sos_calls"): "calls for help that are not over, of all businesses: a year has few calls",
    ("/platform", "incidents"): "those that are open, by an index of the open ones: a business has few at a time",
    ("/platform/tenants", "patrons"): "the guests of fifty businesses are counted within an index; the crew alone asks",
}
"""Tables of which a page reads all or very much, by the page's address, and why."""

DROPS = """
select case when c.conname is not null then format('alter table %s drop constraint %I cascade', i.indrelid::regclass, c.conname)
            else format('drop index %s', i.indexrelid::regclass) end as sql
from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.conrelid = i.indrelid and c.contype in ('p', 'u')
where i.indrelid = $1::regclass
"""


@dataclass(frozen=True, slots=True)
class Night:
    """Everybody, a connection past every policy, and the headers of each who asks."""

    people: People
    administrator: Any
    headers: dict[str, dict[str, str]]


@pytest_asyncio.fixture(scope="module")
async def night(database_settings: Settings) -> AsyncGenerator[Night]:
    async with people(database_settings, MODULES) as found:
        administrator = await connected(database_settings.admin_dsn())
        try:
            emails = {role: found.bar.email(role) for role in ("manager", "owner", "staff")}
            emails["super_admin"] = "super_admin@crew.example"
            headers = {app: await found.bearer(emails[role]) for app, role in WHO.items()}
            await fill_lists(administrator, list(LISTINGS.values()), few=SMALL)
            yield Night(found, administrator, headers)
        finally:
            await administrator.close()


async def read_whole(night: Night, app: str, href: str) -> tuple[int, dict[str, str]]:
    """How many statements a page sends, and each large table that it reads whole, with the statement."""
    with explained(LARGE) as asked:
        answer = await night.people.client.get(href, headers=night.headers[app])
    assert answer.status_code == 200, f"{href}: {answer.status_code} {answer.text[:300]}"
    return asked.statements, {table: sql for table, sql in sorted(asked.whole) if (href, table) not in BORNE}


@pytest.mark.parametrize(("app", "href"), PAGES)
async def test_a_page_reads_no_large_table_whole(night: Night, app: str, href: str) -> None:
    statements, whole = await read_whole(night, app, href)
    assert statements
    assert whole == {}


@pytest.mark.parametrize(("href", "table"), [("/manage", "visits"), ("/manage/checkins", "checkins")])
async def test_without_its_indexes_a_page_is_caught(night: Night, href: str, table: str) -> None:
    """Last in this file: the module's own database keeps no index of the table."""
    for row in await night.administrator.fetch(DROPS, table):
        await night.administrator.execute(row["sql"])
    _, whole = await read_whole(night, "management", href)
    assert table in whole
