"""The card provider's events in words: on the owners' list, its filter and its search, and on the page of one."""

import re
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from lastlight.domains.payments.event_words import EVENT_KINDS, KIND_WORDS
from lastlight.runtime.settings import Settings
from lastlight.sandbox.events import EVENTS
from tests.support.console_calls import get
from tests.support.payment_things import kept_event
from tests.support.world import Somebody, World, opened_world

HOME = "/owner/provider-events"


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as found:
        yield found


@pytest.fixture
def owner(world: World) -> Somebody:
    return world.somebody["A.owner"]


def test_each_event_has_words_of_its_own_that_sql_can_hold() -> None:
    words = [kind.words for kind in EVENT_KINDS]
    assert len(set(words)) == len(words) == len(KIND_WORDS)
    assert set(EVENTS) <= KIND_WORDS.keys()
    assert [one for pair in EVENT_KINDS for one in pair if not re.fullmatch(r"[A-Za-z _.-]+", one)] == []


@pytest.mark.database
async def test_the_owners_list_speaks_plainly_and_is_searched_and_filtered_by_both_names(
    world: World, owner: Somebody
) -> None:
    decided, unknown, refund = [
        await kept_event(world, world.a.id, kind=kind)
        for kind in ("charge.dispute.closed", "radar.warning.raised", "refund.created")
    ]
    text = await get(world, HOME, owner)
    assert re.search(r'Dispute decided<br><small class="u-dim mono">charge\.<wbr>dispute\.<wbr>closed</small>', text)
    assert '<span class="mono">radar.<wbr>warning.<wbr>raised</span>' in text
    assert re.search(r'href="[^"]*kind=charge\.dispute\.closed"[^>]*>Dispute decided', text), "the filter's choices"
    for query, found in {
        "q=dispute+decided": {decided},
        "q=dispute.closed": {decided},
        "q=Refund+begun": {refund},
        "q=radar": {unknown},
        "kind=charge.dispute.closed": {decided},
        "q=nothing+like+it": set[UUID](),
    }.items():
        text = await get(world, f"{HOME}?{query}", owner)
        assert {one for one in (decided, unknown, refund) if f'href="{HOME}/{one}"' in text} == found, query


@pytest.mark.database
async def test_the_page_of_an_event_is_headed_by_its_words_and_says_its_name(world: World, owner: Somebody) -> None:
    text = await get(world, f"{HOME}/{await kept_event(world, world.a.id, kind='charge.dispute.closed')}", owner)
    assert re.search(r"<h1[^>]*>\s*Dispute decided", text)
    assert "charge.dispute.closed" in text
