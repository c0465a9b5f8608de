"""Devices: enrolled once, heard by their signature alone, missed when they are silent, and gone when they are revoked."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from lastlight.domains.devices.actions import change_device, ping_device, revoke_device
from lastlight.domains.devices.api import hear_device
from lastlight.domains.devices.enrolment import add_device, enrol, issue_code
from lastlight.domains.devices.errors import (
    DeviceClockWrong,
    DeviceNameTaken,
    DeviceNotActive,
    DeviceRevoked,
    DeviceSetAside,
    DeviceUnknown,
    EnrolmentRefused,
)
from lastlight.domains.devices.heartbeats import watch_fleet
from lastlight.domains.devices.model import DeviceChange, DeviceIn, EnrolIn, Heard, HeartbeatIn, RevokeIn
from lastlight.domains.devices.queries import find_device
from lastlight.domains.devices.signing import spoken_for
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.devices import Scanner, enrolled
from tests.support.door import MODULES, House, new_house
from tests.support.phones import Phone
from tests.support.services import opened_services

PATH = "/webhooks/hardware"


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, MODULES) as services:
        yield await new_house(services)


async def beat(
    house: House, scanner: Scanner, sequence: int, *, battery: int = 80, at: datetime | None = None
) -> Heard:
    body = b"{}%d" % sequence
    data = HeartbeatIn(sequence=sequence, sent_at=datetime.now(UTC), battery=battery, firmware="1.4", last_scan_id=9)
    async with system_ctx(house.services, role="system") as ctx:
        return await hear_device.fn(ctx, data, body, scanner.request("POST", PATH, body, at=at))


async def alerts(house: House, scanner: Scanner) -> list[str]:
    rows = await house.sql(
        "select kind from device_alerts where device_id = $1 and cleared_at is null order by kind", scanner.device_id
    )
    return [row["kind"] for row in rows]


async def watch(house: House) -> int:
    async with house.system() as ctx:
        return await watch_fleet(ctx)


async def test_a_code_enrols_once(house: House) -> None:
    async with house.system() as ctx:
        issued = await add_device(ctx, data=DeviceIn(venue_id=house.venue.id, name="Front door"))
    assert issued.device.status == "pending"
    phone = Phone()
    given = EnrolIn(code=issued.code.lower(), public_key=phone.public_key)
    async with system_ctx(house.services, role="system") as ctx:
        done = await enrol(ctx, data=given)
    assert (done.device_id, done.venue_id, done.tenant_id) == (issued.device.id, house.venue.id, house.tenant_id)
    with pytest.raises(EnrolmentRefused):
        async with system_ctx(house.services, role="system") as ctx:
            await enrol(ctx, data=given)
    with pytest.raises(DeviceNameTaken):
        async with house.system() as ctx:
            await add_device(ctx, data=DeviceIn(venue_id=house.venue.id, name="front DOOR"))


@pytest.mark.parametrize("code", ["nobody.ABCDE-FGHJK", "ABCDEFGHJK", "", "."])
async def test_no_code_of_ours(house: House, code: str) -> None:
    with pytest.raises(EnrolmentRefused):
        async with system_ctx(house.services, role="system") as ctx:
            await enrol(ctx, data=EnrolIn(code=code, public_key=Phone().public_key))


async def test_a_code_dies(house: House) -> None:
    async with house.system() as ctx:
        first = await add_device(ctx, data=DeviceIn(venue_id=house.venue.id, name="Code dies"))
    async with house.system() as ctx:
        second = await issue_code(ctx, device_id=first.device.id)
    await house.sql("update devices set code_expires_at = now() where id = $1", first.device.id)
    for code in (first.code, second.code):
        with pytest.raises(EnrolmentRefused):
            async with system_ctx(house.services, role="system") as ctx:
                await enrol(ctx, data=EnrolIn(code=code, public_key=Phone().public_key))
    with pytest.raises(Invalid):
        async with system_ctx(house.services, role="system") as ctx:
            await enrol(ctx, data=EnrolIn(code=second.code, public_key="bm8"))


async def test_a_heartbeat_is_kept_and_an_older_one_is_not(house: House) -> None:
    scanner = await enrolled(house, "Heart")
    assert (await beat(house, scanner, 2, battery=55)).pinged is False
    await beat(house, scanner, 1, battery=90)
    async with house.system() as ctx:
        device = await find_device(ctx, device_id=scanner.device_id)
    assert (device.battery, device.firmware, device.last_scan) == (55, "1.4", 9)


async def test_only_its_own_signature_counts(house: House) -> None:
    scanner = await enrolled(house, "Signed")
    thief = Scanner(scanner.device_id, scanner.tenant_id, Phone())
    elsewhere = Scanner(scanner.device_id, (await new_house(house.services)).tenant_id, scanner.phone)
    nobody = Scanner(uuid4(), scanner.tenant_id, scanner.phone)
    for stranger in (thief, elsewhere, nobody):
        with pytest.raises(DeviceUnknown):
            await beat(house, stranger, 1)
    with pytest.raises(DeviceClockWrong) as wrong:
        await beat(house, scanner, 1, at=datetime.now(UTC) - timedelta(minutes=6))
    assert "now" in wrong.value.extra
    signed = scanner.request("POST", PATH, b"a")
    with pytest.raises(DeviceUnknown):
        async with system_ctx(house.services, role="system") as ctx, spoken_for(ctx, signed, b"b"):
            pass
    [row] = await house.sql("select heartbeat_sequence from device_states where device_id = $1", scanner.device_id)
    assert row["heartbeat_sequence"] == 0


async def test_a_revoked_device_is_silent_at_once(house: House) -> None:
    scanner = await enrolled(house, "Revoked")
    await beat(house, scanner, 1)
    async with house.system() as ctx:
        assert (await revoke_device(ctx, device_id=scanner.device_id, data=RevokeIn(reason="lost"))).status == "revoked"
    with pytest.raises(DeviceUnknown):
        await beat(house, scanner, 2)
    with pytest.raises(DeviceRevoked):
        async with house.system() as ctx:
            await issue_code(ctx, device_id=scanner.device_id)
    with pytest.raises(DeviceNotActive):
        async with house.system() as ctx:
            await ping_device(ctx, device_id=scanner.device_id)


async def test_alerts_are_raised_once_and_cleared(house: House) -> None:
    scanner = await enrolled(house, "Missed")
    await beat(house, scanner, 1, battery=12)
    await watch(house)
    assert await alerts(house, scanner) == ["battery_low"]
    silent = "update device_states set last_seen_at = now() - interval '5 minutes' where device_id = $1"
    await house.sql(silent, scanner.device_id)
    await watch(house)
    await watch(house)
    assert await alerts(house, scanner) == ["battery_low", "offline"]
    await beat(house, scanner, 2, battery=22)
    await watch(house)
    assert await alerts(house, scanner) == ["battery_low"], "two points over the limit do not clear it"
    await beat(house, scanner, 3, battery=60)
    await watch(house)
    assert await alerts(house, scanner) == []
    names = await house.sql(
        "select name from outbox where entity_id = $1 and name like 'device.alert%' order by position",
        str(scanner.device_id),
    )
    assert [row["name"].removeprefix("device.alert_") for row in names] == ["raised", "raised", "cleared", "cleared"]


async def test_maintenance_silences_alerts_and_work(house: House) -> None:
    scanner = await enrolled(house, "Broken")
    await beat(house, scanner, 1, battery=3)
    await watch(house)
    async with house.system() as ctx:
        device = await find_device(ctx, device_id=scanner.device_id)
        change = DeviceChange(maintenance=True, maintenance_reason="new battery")
        await change_device(ctx, device_id=device.id, data=change, version=device.version)
    await watch(house)
    assert await alerts(house, scanner) == []
    assert (await beat(house, scanner, 2)).maintenance is True
    signed = scanner.request("GET", "/x")
    with pytest.raises(DeviceSetAside):
        async with system_ctx(house.services, role="system") as ctx, spoken_for(ctx, signed, b""):
            pass


async def test_a_ping_is_answered_by_the_next_heartbeat(house: House) -> None:
    scanner = await enrolled(house, "Pinged")
    async with house.system() as ctx:
        assert (await ping_device(ctx, device_id=scanner.device_id)).answered_at is None
    assert (await beat(house, scanner, 1)).pinged is True
    assert (await beat(house, scanner, 2)).pinged is False
    async with house.system() as ctx:
        assert (await find_device(ctx, device_id=scanner.device_id)).answered_at is not None


async def test_another_venues_people_see_nothing(house: House) -> None:
    scanner, other = await enrolled(house, "Scoped"), await house.add_venue()
    with pytest.raises(NotFound):
        async with house.as_member({"devices.read": frozenset({other.id})}) as ctx:
            await find_device(ctx, device_id=scanner.device_id)
    with pytest.raises(NotPermitted):
        async with house.as_member({"devices.read": None}) as ctx:
            await ping_device(ctx, device_id=scanner.device_id)
