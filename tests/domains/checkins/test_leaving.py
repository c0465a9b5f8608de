"""Leaving by a scan at the door: once, at the time of the scan, also when doors without a network send their logs in any order."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.checkins.module import MODULE
from lastlight.domains.checkins.permissions import CHECKINS_OVERRIDE
from lastlight.runtime.settings import Settings
from tests.support.carriers import Carrier, asked, carrier, earlier, offline, send
from tests.support.devices import enrolled
from tests.support.door import Guest, House, opened_house
from tests.support.services import administer


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def visits_of(house: House, guest: Guest) -> list[Any]:
    return await house.sql(
        "select status, opened_at, closed_at, closed_by, close_claimed_at from visits where patron_id = $1 order by opened_at",
        guest.patron_id,
    )


async def long_since(house: House) -> Carrier:
    """A guest whose pass is two hours old."""
    someone = await carrier(house)
    someone.text = await earlier(house, someone)
    return someone


async def member(house: House, *permissions: str) -> UUID:
    """Somebody who works here with a role of these permissions."""
    user_id, role_id = uuid4(), uuid4()
    settings = house.services.settings
    await administer(
        settings, "insert into users (id, email, name) values ($1, $2, 'Kagiso')", user_id, f"{user_id}@example.test"
    )
    await administer(
        settings,
        "insert into roles (tenant_id, id, key, name, permissions) values ($1, $2, $3, $3, $4)",
        house.tenant_id,
        role_id,
        f"r{role_id.hex[:12]}",
        list(permissions),
    )
    await administer(
        settings,
        "insert into memberships (tenant_id, user_id, role_id) values ($1, $2, $3)",
        house.tenant_id,
        user_id,
        role_id,
    )
    return user_id


async def test_a_scan_on_leaving_closes_the_visit_once(house: House) -> None:
    scanner, someone = await enrolled(house, "Out"), await carrier(house)
    await send(house, scanner, asked(scanner, someone.show()))
    leaving = asked(scanner, someone.show(), direction="out")
    [first] = await send(house, scanner, leaving)
    assert (first.result, first.direction, first.patron) == ("left", "out", someone.guest.name)
    [again] = await send(house, scanner, leaving)
    assert (again.result, again.visit_id) == ("left", first.visit_id)
    [visit] = await visits_of(house, someone.guest)
    assert (visit["status"], visit["closed_by"]) == ("closed", "door")
    [twice] = await send(house, scanner, asked(scanner, someone.show(), direction="out"))
    assert (twice.result, twice.refusal) == ("refused", "no-open-visit")
    assert len(await visits_of(house, someone.guest)) == 1


async def test_one_leaves_where_one_is(house: House) -> None:
    other = await house.add_venue(name="The other one")
    scanner, there = await enrolled(house, "Here"), await enrolled(house, "There", place=house.venues.index(other))
    someone = await carrier(house)
    await send(house, scanner, asked(scanner, someone.show()))
    [no] = await send(house, there, asked(there, someone.show(), direction="out"))
    assert (no.result, no.refusal) == ("refused", "no-open-visit")
    assert house.venue.name in no.detail
    assert [visit["status"] for visit in await visits_of(house, someone.guest)] == ["open"]


async def test_an_offline_leaving_counts_from_its_scan(house: House) -> None:
    scanner, someone = await enrolled(house, "Offline out"), await long_since(house)
    came, left = datetime.now(UTC) - timedelta(minutes=90), datetime.now(UTC) - timedelta(minutes=30)
    log = [offline(scanner, someone, came), offline(scanner, someone, left, direction="out")]
    assert [one.result for one in await send(house, scanner, *log)] == ["admitted", "left"]
    [visit] = await visits_of(house, someone.guest)
    assert (visit["opened_at"], visit["closed_at"], visit["close_claimed_at"]) == (came, left, left)
    assert [one.result for one in await send(house, scanner, *log)] == ["admitted", "left"]


async def test_a_leaving_that_is_heard_of_before_its_arrival(house: House) -> None:
    front, back = await enrolled(house, "Front late"), await enrolled(house, "Back soon")
    someone = await long_since(house)
    came, left = datetime.now(UTC) - timedelta(minutes=80), datetime.now(UTC) - timedelta(minutes=20)
    [unknown] = await send(house, back, offline(back, someone, left, direction="out"))
    assert (unknown.result, unknown.refusal) == ("refused", "no-open-visit")
    [late] = await send(house, front, offline(front, someone, came))
    assert late.result == "admitted"
    [visit] = await visits_of(house, someone.guest)
    assert (visit["status"], visit["opened_at"], visit["closed_at"]) == ("closed", came, left)


async def test_an_older_leaving_does_not_end_a_later_visit(house: House) -> None:
    scanner, someone = await enrolled(house, "Came back"), await long_since(house)
    left, came = datetime.now(UTC) - timedelta(minutes=60), datetime.now(UTC) - timedelta(minutes=20)
    [admitted] = await send(house, scanner, offline(scanner, someone, came))
    [older] = await send(house, scanner, offline(scanner, someone, left, direction="out"))
    assert (admitted.result, older.refusal) == ("admitted", "no-open-visit")
    assert [visit["status"] for visit in await visits_of(house, someone.guest)] == ["open"]


async def test_a_question_stays_one_when_the_door_decides_it_after(house: House) -> None:
    scanner, someone = await enrolled(house, "Asked first"), await carrier(house)
    await house.sql("update patrons set status = 'banned' where id = $1", someone.guest.patron_id)
    scan = asked(scanner, someone.show())
    await send(house, scanner, scan)
    decided = type(scan)(
        sequence=scan.sequence, code=scan.code, claimed_at=scan.claimed_at, direction="in", decided="admitted"
    )
    [answer] = await send(house, scanner, decided)
    assert (answer.result, answer.decided) == ("refused", "server")


@pytest.mark.parametrize("permitted", [True, False])
async def test_an_offline_override_names_who_answers_for_it(house: House, permitted: bool) -> None:
    scanner, someone = await enrolled(house, f"By hand {permitted}"), await long_since(house)
    user_id = await member(house, CHECKINS_OVERRIDE.name if permitted else "visits.read")
    at = datetime.now(UTC) - timedelta(minutes=10)
    scan = offline(scanner, someone, at, override_reason="on the list", override_by=user_id)
    [done] = await send(house, scanner, scan)
    assert done.result == "admitted"
    [row] = await house.sql("select override_by, override_reason from checkins where id = $1", done.checkin_id)
    assert (row["override_by"], row["override_reason"]) == (user_id if permitted else None, "on the list")
    flags = await house.sql("select kind from checkin_flags where patron_id = $1", someone.guest.patron_id)
    assert [flag["kind"] for flag in flags] == ([] if permitted else ["override"])


def test_the_door_is_a_way_to_end_a_visit() -> None:
    closers = next(
        column for listing in MODULE.listings for column in listing.columns if column.name == "closed_by"
    ).choices
    assert "door" in {key for key, _ in closers}
