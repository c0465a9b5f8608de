"""Checking out many guests at once: all or none, who left already is named, nobody else's visit is touched."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains.checkins.schemas import CheckoutsOut
from lastlight.domains.checkins.visits import check_out_guests
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import VisitId
from lastlight.runtime.settings import Settings
from tests.support.door import House, new_house, opened_house

FLOOR: Any = {"visits.checkout": None, "visits.read": None, "venues.read": None}


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def visits_inside(house: House, count: int) -> list[VisitId]:
    return [VisitId((await house.check_in(await house.add_guest())).visit.id) for _ in range(count)]


async def check_out(house: House, visit_ids: list[VisitId], grants: Any = FLOOR) -> CheckoutsOut:
    async with house.as_member(grants) as ctx:
        return await check_out_guests(ctx, visit_ids=visit_ids)


async def statuses(house: House, visit_ids: list[VisitId]) -> list[str]:
    rows = await house.sql("select id, status from visits where id = any($1::uuid[])", visit_ids)
    found = {row["id"]: row["status"] for row in rows}
    return [found[visit_id] for visit_id in visit_ids]


async def test_open_ones_close_and_the_others_are_named(house: House) -> None:
    first, second, third = await visits_inside(house, 3)
    await check_out(house, [second])
    done = await check_out(house, [first, second, third, first])
    assert (sorted(done.closed), done.not_open) == (sorted([first, third]), [second])
    assert await statuses(house, [first, second, third]) == ["closed"] * 3
    told = await house.sql(
        "select count(*) as n from outbox where name = 'visit.closed' and entity_id = any($1::text[])",
        [str(first), str(second), str(third)],
    )
    assert told[0]["n"] == 3


async def test_one_that_is_not_theirs_stops_all_of_it(house: House) -> None:
    mine = await visits_inside(house, 2)
    elsewhere = await new_house(house.services)
    foreign = await visits_inside(elsewhere, 1)
    for stranger in (foreign[0], VisitId(uuid4())):
        with pytest.raises(NotFound):
            await check_out(house, [*mine, stranger])
    assert await statuses(house, mine) == ["open", "open"]
    assert await statuses(elsewhere, foreign) == ["open"]


async def test_a_member_of_another_venue_closes_nothing(house: House) -> None:
    mine = await visits_inside(house, 1)
    other = await house.add_venue()
    only_there = {**FLOOR, "visits.checkout": frozenset({other.id})}
    with pytest.raises(NotFound):
        await check_out(house, mine, only_there)
    assert await statuses(house, mine) == ["open"]


async def test_two_at_once_close_each_visit_once(house: House) -> None:
    inside = await visits_inside(house, 6)
    both = await asyncio.gather(check_out(house, inside), check_out(house, inside[::-1]))
    closed = [visit_id for done in both for visit_id in done.closed]
    assert sorted(closed) == sorted(inside)
    assert sorted(visit_id for done in both for visit_id in done.not_open) == sorted(inside)
