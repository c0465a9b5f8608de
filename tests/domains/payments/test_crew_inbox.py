"""The crew's one list of the card provider's events of all businesses, and what the platform's first page says of failures."""

import re
from collections.abc import AsyncGenerator

import pytest

from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.settings import Settings
from tests.support.console_calls import get
from tests.support.payment_things import kept_event, opened
from tests.support.world import Somebody, World, opened_world

pytestmark = pytest.mark.database
ALL = "/platform/provider-events/all"


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as found:
        yield found


@pytest.fixture
def finance(world: World) -> Somebody:
    return world.somebody["crew.finance"]


async def test_one_list_of_all_businesses_by_state_kind_and_business(world: World, finance: Somebody) -> None:
    rows = {
        await kept_event(world, world.a.id, state="failed"): world.a.id,
        await kept_event(world, world.b.id, state="done", kind="charge.refunded"): world.b.id,
        await kept_event(world, PLATFORM, state="ignored", kind="balance.available"): PLATFORM,
    }
    failed, done, nobodys = rows
    shown = {
        "": set(rows),
        "?state=failed": {failed},
        "?kind=charge.refunded": {done},
        "?q=charge.refunded": {done},
        "?q=charge+REFUND": {done},
        f"?tenant_id={world.b.id}": {done},
        f"?tenant_id={PLATFORM}": {nobodys},
    }
    for query, expected in shown.items():
        text = await get(world, f"{ALL}{query}", finance)
        found = {one for one in rows if f'href="/platform/provider-events/{rows[one]}/{one}"' in text}
        assert found == expected, query
    text = await get(world, ALL, finance)
    assert '<small class="u-dim mono">charge.<wbr>refunded</small>' in text
    assert "Charge refunded" in re.sub("<[^>]*>", " ", text)
    assert 'data-export-listing-value="crew_provider_events"' in await get(world, ALL, finance)
    assert ALL in await get(world, "/platform/provider-events", finance)


@pytest.mark.parametrize("role", ["crew.ops", "A.owner", "A.manager", "A.patron"])
async def test_nobody_else_opens_it(world: World, role: str) -> None:
    assert (await world.send("GET", ALL, world.somebody[role])).status_code == 403


async def test_the_first_page_says_what_failed_to_who_may_look(world: World, finance: Somebody) -> None:
    await world.sql("update provider_events set state = 'done', error = ''")
    calm = await get(world, "/platform", finance)
    assert "every payment reached the provider" in calm
    assert "could not be worked off" not in calm
    await kept_event(world, world.a.id, state="failed")
    lost = await opened(world.people.services, world.b.id)
    await world.sql("update payments set status = 'failed', ended_at = now() where id = $1", lost)
    text = await get(world, "/platform", finance)
    for words in (
        "1 event could not be worked off.",
        f"/platform/provider-events/{world.a.id}?state=failed",
        "1 payment never reached the provider.",
        f"{ALL}?state=failed",
    ):
        assert words in text, words
    assert "never reached the provider" not in await get(world, "/platform", world.somebody["crew.ops"])
