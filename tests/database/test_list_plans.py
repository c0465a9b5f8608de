"""Every list is read by an index: its plans in each order, with each filter, on the first page and the next, with a million rows.

tests/support/list_plans.py says how. The order in which a list first shows, and every filter in it, never reads a whole table and never
sorts more than a page may. An order that somebody has to ask for may, where it stands below with its reason.
"""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from lastlight.modules import MODULES
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings
from tests.database.test_list_orders import FEW
from tests.support.list_plans import complaints, connected, fill_lists, tables_of

pytestmark = pytest.mark.database
LISTINGS = Registry(MODULES).listings
LARGE = tables_of(list(LISTINGS.values())) - {LISTINGS[name].source.split()[0] for name in FEW}
OTHER_TABLES_NAME = "the name stands in another table; an index cannot hold it, and few ask for this order"
CREW_ASKS = "only the crew, over all businesses, and seldom; an index would be written with every row"
BY_HAND = "people write these by hand, some thousands a year in one business; sorting them takes some milliseconds, and few ask for it"
SORTS_ALL = {
    "jobs": {"kind": CREW_ASKS, "created_at by kind": "as kind; jobs that are done are dropped after some days"},
    "outbox": {"recipient": CREW_ASKS},
    "patrons": {
        "last_seen_at": "accounts hold it, which belong to no business; an index would be written with every sign-in"
    },
    "venue_images": {"alt": "a business has some hundred images", "guest": OTHER_TABLES_NAME, "moderation": "as alt"},
    "checkins": {
        "patron": OTHER_TABLES_NAME,
        "venue": OTHER_TABLES_NAME,
        "received_at": "it is arrived_at but for what was sent later; an index would be written with every check-in",
    },
    "checkin_flags": {"patron": OTHER_TABLES_NAME},
    "incidents": dict.fromkeys(("kind", "severity", "status"), BY_HAND),
    "safety_alerts": dict.fromkeys(("kind", "severity", "status"), "as incidents: a night has few"),
    "safety_interventions": dict.fromkeys(("kind", "status"), BY_HAND),
    "shift_plan": dict.fromkeys(("person", "duty", "status"), BY_HAND),
    "shifts": dict.fromkeys(("person", "duty", "status"), BY_HAND),
    "sos_calls": dict.fromkeys(("severity", "status"), "as incidents: a year has few"),
    "tasks": dict.fromkeys(("title", "priority", "status", "assignee", "due_at"), BY_HAND),
    "time_corrections": dict.fromkeys(("person", "started_at", "status", "venue"), BY_HAND),
    "time_entries": dict.fromkeys(("person", "business_day", "worked_seconds", "status"), BY_HAND),
    "crew_checkins": dict.fromkeys(("tenant", "patron", "venue", "received_at"), CREW_ASKS),
    "crew_alerts": dict.fromkeys(("tenant", "venue", "kind", "severity", "status"), CREW_ASKS),
    "crew_provider_events": dict.fromkeys(("tenant", "state"), CREW_ASKS),
    "crew_incidents": dict.fromkeys(("tenant", "number", "venue", "kind", "severity", "status"), CREW_ASKS),
}
"""Orders, by list and column, that sort all rows of a business or of the platform, and why that is borne."""


@pytest_asyncio.fixture(scope="module")
async def administrator(database_settings: Settings) -> AsyncGenerator[Any]:
    connection = await connected(database_settings.admin_dsn())
    try:
        few = {LISTINGS[name].source.split()[0] for name in FEW}
        await fill_lists(connection, list(LISTINGS.values()), few=few)
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("name", sorted(LISTINGS.keys() - FEW.keys()))
async def test_a_list_is_read_by_an_index(administrator: Any, name: str) -> None:
    found = await complaints(administrator, LISTINGS[name], large=LARGE)
    borne = SORTS_ALL.get(name, {})
    assert {order: faults for order, faults in found.items() if order not in borne} == {}


@pytest.mark.parametrize(
    ("indexes", "faults"),
    [
        (("checkins_by_time", "checkins_by_venue", "checkins_of_all"), ("sorts ", "reads all of checkins")),
        (("checkin_flags_of_checkin", "checkin_flags_of_other"), ("counts over a whole business",)),
    ],
)
async def test_without_its_index_a_list_is_complained_about(
    administrator: Any, indexes: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    transaction = administrator.transaction()
    await transaction.start()
    try:
        await administrator.execute(f"drop index {', '.join(indexes)}")
        found = await complaints(administrator, LISTINGS["checkins"], large=LARGE)
    finally:
        await transaction.rollback()
    assert any(fault in found["arrived_at"][0] for fault in faults), found


def test_what_is_borne_is_an_order_of_a_list() -> None:
    for name, borne in SORTS_ALL.items():
        assert {order.split(" by ")[0] for order in borne} <= {
            column.name for column in LISTINGS[name].columns if column.sort
        }
        assert LISTINGS[name].sort.lstrip("-") not in borne
