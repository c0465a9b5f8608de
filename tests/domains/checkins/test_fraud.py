"""Fraud at the door: found at its limits and not below them, found once, with both sides, and dealt with step by step."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lastlight.domains.checkins.by_hand import revoke_checkin
from lastlight.domains.checkins.cases import read_case
from lastlight.domains.checkins.detection import Rules, distance_km, is_impossible, judge_doors, judge_travel
from lastlight.domains.checkins.errors import (
    DeviceRequired,
    FlagResolved,
    FlagStepDone,
    NobodyToTell,
    NothingToRevoke,
)
from lastlight.domains.checkins.flag_schemas import FlagCase, Step, StepIn
from lastlight.domains.checkins.flags import resolve_flag
from lastlight.domains.checkins.playbook import take_step as take
from lastlight.domains.checkins.scan_schemas import ResolutionIn, RevocationIn
from lastlight.domains.devices.door_rules import set_door_rules
from lastlight.domains.devices.model import DoorRulesIn
from lastlight.domains.venues.geofence import Point
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.runtime.settings import Settings
from tests.support.carriers import Carrier, asked, carrier, offline, send
from tests.support.devices import Scanner, enrolled
from tests.support.door import Guest, House, opened_house

RULES = Rules(fastest_kmh=200, nearest_km=5, clone_seconds=60)
HERE = Point(lat=-26.1467, lon=28.0436)
POINTS = st.builds(Point, lat=st.floats(-90, 90), lon=st.floats(-180, 180))


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def take_step(house: House, flag_id: UUID, step: Step, **fields: Any) -> FlagCase:
    async with house.system() as ctx:
        given: dict[str, Any] = {"reason": "a copied pass"} | fields
        return await take(ctx, flag_id=flag_id, data=StepIn(step=step, **given))


async def flags_of(house: House, guest: Guest) -> Sequence[Any]:
    return await house.sql("select * from checkin_flags where patron_id = $1 order by raised_at, id", guest.patron_id)


async def arrival(house: House, guest: Guest, *, place: int, minutes_ago: float) -> UUID:
    """A check-in of the past whose visit is over."""
    rows = await house.sql(
        """with arrival as (
               insert into checkins (tenant_id, venue_id, patron_id, method, key_number, nonce, arrived_at, business_day)
               values ($1, $2, $3, 'screen', 1, $5, now() - make_interval(secs => $4 * 60), current_date) returning *)
           insert into visits (tenant_id, venue_id, patron_id, checkin_id, status, closed_at, closed_by, opened_at, times_out_at,
                               business_day)
           select tenant_id, venue_id, patron_id, id, 'closed', arrived_at, 'guest', arrived_at, now(), business_day from arrival
           returning checkin_id""",
        house.tenant_id,
        house.venues[place].id,
        guest.patron_id,
        float(minutes_ago),
        uuid4().bytes,
    )
    return rows[0]["checkin_id"]


async def far_away(house: House, *, kilometres: float) -> int:
    """A venue so far north of the first one; its place in the list."""
    await house.add_venue(position=Point(lat=HERE.lat + kilometres / 111.19492664455873, lon=HERE.lon))
    return len(house.venues) - 1


async def judge(house: House, *checkins: UUID) -> list[int]:
    found: list[int] = []
    for checkin_id in checkins:
        async with house.system() as ctx:
            found.append(await judge_travel(ctx, checkin_id=checkin_id))
    return found


async def watch_doors(house: House, guest: Guest) -> None:
    for row in await house.sql("select id from door_scans where patron_id = $1", guest.patron_id):
        async with house.system() as ctx:
            await judge_doors(ctx, scan_id=row["id"])


@pytest.mark.parametrize(
    ("kilometres", "seconds", "impossible"),
    [
        (200.0, 3600, False),  # just as fast as is allowed
        (200.1, 3600, True),
        (200.0, 3599, True),
        (4.99, 0, False),  # too near to be judged
        (5.0, 0, True),
        (5.0, 90, False),
        (5.0, 89, True),
    ],
)
def test_the_limit_of_travel(kilometres: float, seconds: float, impossible: bool) -> None:
    assert is_impossible(kilometres, seconds, RULES) is impossible


@given(kilometres=st.floats(0, 20_000), seconds=st.floats(0, 1e6), more=st.floats(0, 1e6), speed=st.integers(20, 2000))
def test_more_time_and_more_speed_make_travel_possible(
    kilometres: float, seconds: float, more: float, speed: int
) -> None:
    assume(not is_impossible(kilometres, seconds, RULES))
    assert not is_impossible(kilometres, seconds + more, RULES)
    faster = Rules(fastest_kmh=max(speed, RULES.fastest_kmh), nearest_km=RULES.nearest_km, clone_seconds=0)
    assert not is_impossible(kilometres, seconds, faster)


@given(one=POINTS, other=POINTS, third=POINTS)
def test_distance_is_a_distance(one: Point, other: Point, third: Point) -> None:
    there, back = distance_km(one, other), distance_km(other, one)
    by_third = (distance_km(one, third) or 0) + (distance_km(third, other) or 0)
    assert there is not None
    assert there == pytest.approx(back)
    assert 0 <= there <= 20_016
    assert there <= by_third + 1e-3
    assert distance_km(one, one) == pytest.approx(0, abs=1e-3)
    assert distance_km(one, None) is None


async def test_a_pair_is_flagged_once_whichever_is_judged_first_and_never_again(house: House) -> None:
    place, guest = await far_away(house, kilometres=100), await house.add_guest()
    first = await arrival(house, guest, place=0, minutes_ago=60)
    second = await arrival(house, guest, place=place, minutes_ago=50)
    assert await judge(house, first, second, first) == [1, 1, 1], "both see it"
    [flag] = await flags_of(house, guest)
    assert (flag["checkin_id"], flag["other_checkin_id"], flag["venue_id"]) == (second, first, house.venues[place].id)
    assert (flag["kilometres"], flag["seconds_apart"]) == (pytest.approx(100, rel=1e-3), 600)
    async with house.system() as ctx:
        await resolve_flag(ctx, flag_id=flag["id"], data=ResolutionIn(status="dismissed", reason="a shared taxi"))
    await judge(house, second, first)
    assert [row["status"] for row in await flags_of(house, guest)] == ["dismissed"], "a mistake is not found again"


async def test_the_businesss_own_speed_decides(house: House) -> None:
    place, guest = await far_away(house, kilometres=100), await house.add_guest()
    await arrival(house, guest, place=0, minutes_ago=60)
    second = await arrival(house, guest, place=place, minutes_ago=20)  # 150 km/h
    assert await judge(house, second) == [0]
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, 'checkins.travel_max_kmh', '120')",
        house.tenant_id,
    )
    try:
        assert await judge(house, second) == [1]
    finally:
        await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)


async def test_a_late_arrival_between_two_is_judged_with_both(house: House) -> None:
    place, guest = await far_away(house, kilometres=300), await house.add_guest()
    first = await arrival(house, guest, place=0, minutes_ago=60)
    last = await arrival(house, guest, place=0, minutes_ago=20)
    assert await judge(house, first, last) == [0, 0]
    between = await arrival(house, guest, place=place, minutes_ago=40)
    assert await judge(house, between) == [2]
    pairs = {(row["other_checkin_id"], row["checkin_id"]) for row in await flags_of(house, guest)}
    assert pairs == {(first, between), (between, last)}


async def test_what_was_taken_back_says_nothing_about_where_the_guest_was(house: House) -> None:
    place, guest = await far_away(house, kilometres=300), await house.add_guest()
    wrong = await arrival(house, guest, place=place, minutes_ago=60)
    async with house.system() as ctx:
        await revoke_checkin(ctx, checkin_id=wrong, data=RevocationIn(kind="false_positive", reason="a friend's"))
    right = await arrival(house, guest, place=0, minutes_ago=50)
    assert await judge(house, right, wrong) == [0, 0]
    assert list(await flags_of(house, guest)) == []


async def two_doors(house: House, name: str) -> tuple[Scanner, Scanner, Carrier]:
    return await enrolled(house, f"{name} A"), await enrolled(house, f"{name} B"), await carrier(house)


@pytest.mark.parametrize(("seconds", "found"), [(59, 1), (60, 1), (61, 0)])
async def test_a_pass_at_two_scanners_within_the_window_is_a_copy(house: House, seconds: int, found: int) -> None:
    one, other, someone = await two_doors(house, f"Window {seconds}")
    at = datetime.now(UTC) - timedelta(seconds=100)
    await send(house, one, offline(one, someone, at))
    await send(house, other, offline(other, someone, at + timedelta(seconds=seconds), decided="refused"))
    await watch_doors(house, someone.guest)
    await watch_doors(house, someone.guest)
    flags = [row for row in await flags_of(house, someone.guest) if row["kind"] == "cloned_code"]
    assert len(flags) == found
    for flag in flags:
        assert (flag["seconds_apart"], flag["other_scan_id"] is not None) == (seconds, True)
        async with house.system() as ctx:
            case = await read_case(ctx, flag_id=flag["id"])
        assert [side.device for side in case.sightings] == [f"Window {seconds} A", f"Window {seconds} B"]


async def test_the_log_that_comes_late_shows_the_copy_too(house: House) -> None:
    one, other, someone = await two_doors(house, "Late")
    at = datetime.now(UTC) - timedelta(seconds=40)
    await send(house, other, offline(other, someone, at + timedelta(seconds=30)))
    await watch_doors(house, someone.guest)
    await send(house, one, offline(one, someone, at))
    await watch_doors(house, someone.guest)
    assert "cloned_code" in {row["kind"] for row in await flags_of(house, someone.guest)}


async def test_the_same_scanner_twice_and_a_guest_who_left_are_no_copies(house: House) -> None:
    one, other, someone = await two_doors(house, "Honest")
    at = datetime.now(UTC) - timedelta(seconds=90)
    await send(house, one, offline(one, someone, at))
    await send(house, one, offline(one, someone, at + timedelta(seconds=20), direction="out"))
    await send(house, other, offline(other, someone, at + timedelta(seconds=40)))
    await watch_doors(house, someone.guest)
    assert [row["kind"] for row in await flags_of(house, someone.guest)] == []
    turned_away = await carrier(house)
    await send(house, one, offline(one, turned_away, at, decided="refused"))
    await send(house, other, offline(other, turned_away, at + timedelta(seconds=20)))
    await watch_doors(house, turned_away.guest)
    assert [row["kind"] for row in await flags_of(house, turned_away.guest)] == []


async def test_a_window_of_nothing_turns_the_search_off(house: House) -> None:
    one, other, someone = await two_doors(house, "Off")
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, 'checkins.clone_window_seconds', '0')",
        house.tenant_id,
    )
    try:
        at = datetime.now(UTC) - timedelta(seconds=60)
        await send(house, one, offline(one, someone, at))
        await send(house, other, offline(other, someone, at + timedelta(seconds=30), decided="refused"))
        await watch_doors(house, someone.guest)
    finally:
        await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)
    assert list(await flags_of(house, someone.guest)) == []


async def test_a_device_says_how_it_was_when_it_let_a_guest_in(house: House) -> None:
    scanner, someone = await enrolled(house, "Told"), await carrier(house)
    await house.sql(
        "update device_states set battery = 41, firmware = '2.0', queued = 3 where device_id = $1", scanner.device_id
    )
    [done] = await send(house, scanner, asked(scanner, someone.show()))
    [row] = await house.sql(
        "select device->>'battery' as b, device->>'firmware' as f, device->>'name' as n from checkins where id = $1",
        done.checkin_id,
    )
    assert (row["b"], row["f"], row["n"]) == ("41", "2.0", "Told")


async def test_a_door_that_only_scanners_open_refuses_codes_and_takes_passes(house: House) -> None:
    strict = await house.add_venue(name="Strict")
    scanner = await enrolled(house, "Strict door", place=len(house.venues) - 1)
    async with house.system() as ctx:
        await set_door_rules(ctx, venue_id=strict.id, data=DoorRulesIn(devices_only=True))
    guest = await house.add_guest()
    with pytest.raises(DeviceRequired):
        await house.check_in(guest, code=await house.code(venue=strict))
    assert await house.sql("select 1 from checkins where patron_id = $1", guest.patron_id) == []
    someone = await carrier(house)
    [done] = await send(house, scanner, asked(scanner, someone.show()))
    assert done.result == "admitted"
    async with house.system() as ctx:
        await set_door_rules(ctx, venue_id=strict.id, data=DoorRulesIn(devices_only=False))
    assert (await house.check_in(guest, code=await house.code(venue=strict))).visit.status == "open"


async def flagged(house: House) -> tuple[Guest, UUID]:
    """A guest with a travel flag."""
    place, guest = await far_away(house, kilometres=300), await house.add_guest("Sipho Ndlovu")
    await arrival(house, guest, place=0, minutes_ago=60)
    second = await arrival(house, guest, place=place, minutes_ago=30)
    await judge(house, second)
    [flag] = await flags_of(house, guest)
    return guest, flag["id"]


async def add_finance(house: House, *, permission: str = "fraud.hear") -> str:
    """A member whose role lets them hear of fraud; their address."""
    email = f"{uuid4().hex}@example.test"
    await house.sql(
        """with person as (insert into users (email, name) values ($2, 'Naledi Books') returning id),
                role as (insert into roles (tenant_id, key, name, permissions) values ($1, $4, $4, array[$3]) returning id)
           insert into memberships (tenant_id, user_id, role_id) select $1, person.id, role.id from person, role""",
        house.tenant_id,
        email,
        permission,
        uuid4().hex,
    )
    return email


async def test_the_playbook_is_taken_step_by_step(house: House) -> None:
    guest, flag_id = await flagged(house)
    async with house.system() as ctx:
        case = await read_case(ctx, flag_id=flag_id)
    assert [side.venue for side in case.sightings] == [house.venue.name, house.venues[-1].name]
    assert case.kmh == pytest.approx(600, rel=1e-3)
    [before] = await house.sql("select max(number) as n from venue_keys where venue_id = $1", case.flag.venue_id)
    await take_step(house, flag_id, "renew_codes")
    [after] = await house.sql("select max(number) as n from venue_keys where venue_id = $1", case.flag.venue_id)
    assert after["n"] == before["n"] + 1
    await take_step(house, flag_id, "revoke_checkins", checkin_ids=[case.flag.checkin_id])
    status = await house.sql("select status from visits where patron_id = $1 order by opened_at", guest.patron_id)
    assert [row["status"] for row in status] == ["closed", "voided"]
    email = await add_finance(house)
    await take_step(house, flag_id, "tell_finance")
    mails = await house.sql("select subject, body_text from outgoing_mail where recipient = $1", email)
    assert [mail["subject"] for mail in mails] == [f"Fraud at the door of {house.venues[-1].name}"]
    assert f"/manage/flags/{flag_id}" in mails[0]["body_text"]
    assert "Sipho" not in mails[0]["body_text"], "a mail names no guest"
    until = datetime.now(UTC) + timedelta(days=30)
    done = await take_step(house, flag_id, "bar_guest", standing="suspended", until=until)
    assert done.patron_status == "suspended"
    assert [step.step for step in done.steps] == ["renew_codes", "revoke_checkins", "tell_finance", "bar_guest"]
    told = await house.sql(
        "select name from outbox where entity_id = $1 and name like 'checkin.f%' order by position", str(flag_id)
    )
    names = [row["name"] for row in told if row["name"] != "checkin.flagged"]
    assert names.count("checkin.flag_step_taken") == 4
    assert names.count("checkin.fraud_reported") == 1


async def test_a_step_is_taken_once_also_when_two_press_at_once(house: House) -> None:
    _, flag_id = await flagged(house)

    async def press() -> str:
        try:
            await take_step(house, flag_id, "renew_codes")
        except FlagStepDone:
            return "late"
        return "done"

    assert sorted(await asyncio.gather(press(), press())) == ["done", "late"]
    [keys] = await house.sql(
        "select max(number) as n from venue_keys k join checkin_flags f on f.venue_id = k.venue_id where f.id = $1",
        flag_id,
    )
    assert keys["n"] == 2


async def test_a_refused_step_changes_nothing(house: House) -> None:
    guest, flag_id = await flagged(house)
    other_guest, _ = await flagged(house)
    [foreign] = await house.sql("select id from checkins where patron_id = $1 limit 1", other_guest.patron_id)
    with pytest.raises(Invalid):
        await take_step(house, flag_id, "revoke_checkins", checkin_ids=[foreign["id"]])
    with pytest.raises(Invalid):
        await take_step(house, flag_id, "renew_codes", reason="   ")
    with pytest.raises(Invalid):
        await take_step(house, flag_id, "bar_guest", standing="suspended")  # a suspension needs an end
    await take_step(house, flag_id, "revoke_checkins")
    async with house.system() as ctx:
        await resolve_flag(ctx, flag_id=flag_id, data=ResolutionIn(status="dismissed", reason="a mistake"))
    with pytest.raises(FlagResolved):
        await take_step(house, flag_id, "renew_codes")
    rows = await house.sql("select step from checkin_flag_steps where flag_id = $1", flag_id)
    assert [row["step"] for row in rows] == ["revoke_checkins"]
    [patron] = await house.sql("select status from patrons where id = $1", guest.patron_id)
    assert patron["status"] == "active"


async def test_nothing_left_to_revoke_is_said(house: House) -> None:
    _, flag_id = await flagged(house)
    async with house.system() as ctx:
        case = await read_case(ctx, flag_id=flag_id)
        for side in case.sightings:
            assert side.checkin_id is not None
            await revoke_checkin(
                ctx, checkin_id=side.checkin_id, data=RevocationIn(kind="revoked", reason="by hand before")
            )
    with pytest.raises(NothingToRevoke):
        await take_step(house, flag_id, "revoke_checkins")


async def test_each_step_asks_for_its_own_permission_and_venue(house: House) -> None:
    _, flag_id = await flagged(house)
    steps: tuple[Step, ...] = ("renew_codes", "revoke_checkins", "bar_guest")
    for step in steps:
        with pytest.raises(NotPermitted):
            async with house.as_member({"checkins.flags.resolve": None, "checkins.flags.read": None}) as ctx:
                await take(ctx, flag_id=flag_id, data=StepIn(step=step, reason="why"))
    with pytest.raises(NotFound):
        async with house.as_member({"checkins.flags.resolve": frozenset({house.venue.id})}) as ctx:
            await take(ctx, flag_id=flag_id, data=StepIn(step="tell_finance", reason="why"))
    assert await house.sql("select 1 from checkin_flag_steps where flag_id = $1", flag_id) == []


async def test_nobody_to_tell_is_a_refusal(fresh_database: Settings) -> None:
    async with opened_house(fresh_database) as alone:
        _, flag_id = await flagged(alone)
        await add_finance(alone, permission="checkins.read")
        with pytest.raises(NobodyToTell):
            await take_step(alone, flag_id, "tell_finance")
        assert await alone.count("outgoing_mail") == 0
        assert await alone.count("checkin_flag_steps") == 0
