"""What devices sign, over HTTP: nothing counts that another key, another time, another house or a revoked device has signed."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.checkins.passes import step_at, step_message
from lastlight.runtime.settings import Settings
from tests.support.devices import Scanner
from tests.support.people import People, Tenant, people
from tests.support.phones import Phone

SCANS, SNAPSHOT, HARDWARE = "/api/door/scans", "/api/door/snapshot", "/webhooks/hardware"
TABLES = ("door_scans", "checkins", "visits", "device_states", "checkin_flags")


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    async with people(database_settings) as found:
        yield found


async def new_scanner(world: People, tenant: Tenant | None = None, *, place: int = 0) -> Scanner:
    """A scanner of a venue, enrolled over HTTP."""
    house = tenant or world.bar
    owner = await world.bearer(house.email("owner"))
    body = {"venue_id": str(house.venues[place]), "name": f"Door {uuid4().hex}"}
    code = (await world.call("POST", "/api/devices", owner, json=body, status=201))["code"]
    phone = Phone()
    given = await world.call(
        "POST", "/api/devices/enrolment", json={"code": code, "public_key": phone.public_key}, status=201
    )
    return Scanner(device_id=UUID(given["device_id"]), tenant_id=UUID(given["tenant_id"]), phone=phone)


async def shown_pass(world: People, tenant: Tenant | None = None) -> str:
    """What the phone of a new guest shows now."""
    house, phone = tenant or world.bar, Phone()
    guest = await world.bearer((await world.newcomer(house)).email, tenant=house.slug)
    key = await world.call("POST", "/api/patron/keys", guest, json={"public_key": phone.public_key}, status=201)
    given = await world.call("POST", "/api/patron/pass", guest, json={"key_id": key["id"]}, status=201)
    text, step = given["text"], step_at(datetime.now(UTC))
    return f"LL1.{text}.{step}.{phone.sign(step_message(text, step))}"


def scan_body(scanner: Scanner, code: str, **fields: Any) -> bytes:
    scan = {"sequence": scanner.next(), "code": code, "claimed_at": datetime.now(UTC).isoformat()} | fields
    return json.dumps({"scans": [scan]}).encode()


def beat_body(sequence: int = 1) -> bytes:
    return json.dumps({"sequence": sequence, "sent_at": datetime.now(UTC).isoformat(), "battery": 80}).encode()


def signed(scanner: Scanner, method: str, path: str, body: bytes = b"", **more: Any) -> dict[str, Any]:
    """The rest of a request: its signed headers and the body."""
    headers = scanner.headers(method, path, body, **more)
    return {"headers": headers | ({"content-type": "application/json"} if body else {}), "content": body}


async def test_a_device_is_heard_by_its_signature(world: People) -> None:
    scanner = await new_scanner(world)
    body = scan_body(scanner, await shown_pass(world))
    answer = await world.call("POST", SCANS, **signed(scanner, "POST", SCANS, body))
    assert [one["result"] for one in answer["results"]] == ["admitted"]
    house = await world.call("GET", SNAPSHOT, **signed(scanner, "GET", SNAPSHOT))
    assert (house["venue_id"], house["last_sequence"]) == (str(world.bar.venues[0]), 1)
    assert answer["results"][0]["patron_id"] in house["here"]
    beat = beat_body()
    heard = await world.call("POST", HARDWARE, **signed(scanner, "POST", HARDWARE, beat))
    assert heard["maintenance"] is False
    keys = await world.call("GET", "/api/checkin/keys")
    assert keys == house["keys"]


async def test_the_same_request_again_is_the_same_answer(world: People) -> None:
    """Somebody who listened sends it once more: nobody comes in twice, and nothing new is learnt."""
    scanner = await new_scanner(world)
    request = signed(scanner, "POST", SCANS, scan_body(scanner, await shown_pass(world)))
    first = await world.call("POST", SCANS, **request)
    before = await world.rows("door_scans", "checkins", "visits", "checkin_flags")
    again = await world.call("POST", SCANS, **request)
    assert again["results"][0]["checkin_id"] == first["results"][0]["checkin_id"]
    assert await world.rows("door_scans", "checkins", "visits", "checkin_flags") == before


async def test_a_signature_fits_one_request_only(world: People) -> None:
    scanner, other = await new_scanner(world), await new_scanner(world)
    code = await shown_pass(world)
    body, another = scan_body(scanner, code), scan_body(scanner, code)
    good = signed(scanner, "POST", SCANS, body)
    beat = signed(scanner, "POST", HARDWARE, body)
    thief = signed(Scanner(scanner.device_id, scanner.tenant_id, Phone()), "POST", SCANS, body)
    as_other = {**good["headers"], "x-device": f"{scanner.tenant_id}.{other.device_id}"}
    later = {**good["headers"], "x-device-time": (datetime.now(UTC) + timedelta(seconds=1)).isoformat()}
    wrong: list[dict[str, Any]] = [
        {"headers": good["headers"], "content": another},
        {"headers": beat["headers"], "content": body},
        {"headers": thief["headers"], "content": body},
        {"headers": as_other, "content": body},
        {"headers": later, "content": body},
        {"headers": {**good["headers"], "x-device-signature": ""}, "content": body},
        {"headers": {"content-type": "application/json"}, "content": body},
    ]
    before = await world.rows(*TABLES)
    for request in wrong:
        await world.refused("device-unknown", "POST", SCANS, **request)
    await world.refused("device-unknown", "GET", SNAPSHOT, headers=scanner.headers("POST", SNAPSHOT))
    assert await world.rows(*TABLES) == before
    assert (await world.call("POST", SCANS, **good))["results"][0]["result"] == "admitted", "the control"


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_time_that_is_not_now_is_refused_and_the_right_one_told(world: People, minutes: int) -> None:
    scanner = await new_scanner(world)
    body = scan_body(scanner, await shown_pass(world))
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    before = await world.rows(*TABLES)
    refusal = await world.refused("device-clock-wrong", "POST", SCANS, **signed(scanner, "POST", SCANS, body, at=at))
    assert await world.rows(*TABLES) == before
    told = datetime.fromisoformat(refusal["now"])
    await world.call("POST", SCANS, **signed(scanner, "POST", SCANS, body, at=told))


async def test_a_revoked_device_is_nobody_at_once(world: People) -> None:
    scanner, code = await new_scanner(world), await shown_pass(world)
    owner = await world.bearer(world.bar.email("owner"))
    await world.call("POST", HARDWARE, **signed(scanner, "POST", HARDWARE, beat_body()))
    await world.call("POST", f"/api/devices/{scanner.device_id}/revocation", owner, json={"reason": "lost"})
    before = await world.rows(*TABLES)
    for path, body in ((SCANS, scan_body(scanner, code)), (HARDWARE, beat_body(2))):
        await world.refused("device-unknown", "POST", path, **signed(scanner, "POST", path, body))
    await world.refused("device-unknown", "GET", SNAPSHOT, **signed(scanner, "GET", SNAPSHOT))
    assert await world.rows(*TABLES) == before


async def test_a_device_speaks_for_its_own_house_and_venue(world: People) -> None:
    scanner = await new_scanner(world)
    foreign = await shown_pass(world, world.club)
    [answer] = (await world.call("POST", SCANS, **signed(scanner, "POST", SCANS, scan_body(scanner, foreign))))[
        "results"
    ]
    assert (answer["result"], answer["refusal"], answer["patron_id"]) == ("refused", "code-unknown", None)
    elsewhere = Scanner(scanner.device_id, world.club.id, scanner.phone)
    await world.refused("device-unknown", "GET", SNAPSHOT, **signed(elsewhere, "GET", SNAPSHOT))
    second = await new_scanner(world, place=1)
    code = await shown_pass(world)
    await world.call("POST", SCANS, **signed(second, "POST", SCANS, scan_body(second, code)))
    rows = await world.sql("select venue_id from door_scans where device_id = $1", second.device_id)
    assert [row["venue_id"] for row in rows] == [world.bar.venues[1]]
    house = await world.call("GET", SNAPSHOT, **signed(scanner, "GET", SNAPSHOT))
    inside, here = set(house["inside"]), set(house["here"])
    patron = str((await world.sql("select patron_id from door_scans where device_id = $1", second.device_id))[0][0])
    assert patron in inside - here


async def test_a_device_that_was_set_aside_only_reports(world: People) -> None:
    scanner, code = await new_scanner(world), await shown_pass(world)
    owner = await world.bearer(world.bar.email("owner"))
    version = (await world.call("GET", f"/api/devices/{scanner.device_id}", owner))["version"]
    change = {"maintenance": True, "maintenance_reason": "a new battery"}
    path = f"/api/devices/{scanner.device_id}"
    await world.call("PATCH", path, owner, json=change, headers={"If-Match": f'"{version}"'})
    before = await world.rows("door_scans", "visits")
    await world.refused("device-maintenance", "POST", SCANS, **signed(scanner, "POST", SCANS, scan_body(scanner, code)))
    await world.refused("device-maintenance", "GET", SNAPSHOT, **signed(scanner, "GET", SNAPSHOT))
    assert await world.rows("door_scans", "visits") == before
    heard = await world.call("POST", HARDWARE, **signed(scanner, "POST", HARDWARE, beat_body()))
    assert heard["maintenance"] is True


async def test_bad_scans_are_told_by_their_field(world: People) -> None:
    scanner = await new_scanner(world)
    before = await world.rows(*TABLES)
    for fields, place in (({"direction": "up"}, "scans[0].direction"), ({"sequence": 0}, "scans[0].sequence")):
        body = scan_body(scanner, "LL1", **fields)
        refusal = await world.refused("invalid", "POST", SCANS, **signed(scanner, "POST", SCANS, body))
        assert any(place in name for name in refusal["fields"]), refusal
    assert await world.rows(*TABLES) == before
