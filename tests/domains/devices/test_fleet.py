"""The fleet over time: heartbeats worth keeping, alerts taken note of, maintenance that ends, doors that only scanners open, races."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lastlight.domains.devices.actions import change_device, ping_device, revoke_device
from lastlight.domains.devices.alerts import acknowledge_alert, alerts_of
from lastlight.domains.devices.api import hear_device
from lastlight.domains.devices.door_rules import read_door_rules, set_door_rules
from lastlight.domains.devices.errors import DeviceAlertOver, DeviceNotActive, DeviceUnknown, NoScannerYet
from lastlight.domains.devices.heartbeats import watch_fleet
from lastlight.domains.devices.listings import HEARTBEATS
from lastlight.domains.devices.model import Device, DeviceChange, DoorRulesIn, HeartbeatIn, RevokeIn
from lastlight.domains.devices.queries import find_device, read_fleet, read_heartbeats
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.devices import Scanner, enrolled
from tests.support.door import MODULES, House, new_house
from tests.support.services import opened_services

PATH = "/webhooks/hardware"


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, MODULES) as services:
        yield await new_house(services)


async def beat(
    house: House, scanner: Scanner, *, battery: int | None = 80, firmware: str = "1.4", queued: int = 0
) -> None:
    sequence = scanner.next()
    body = b"{}%d" % sequence
    data = HeartbeatIn(sequence=sequence, sent_at=datetime.now(UTC), battery=battery, firmware=firmware, queued=queued)
    async with system_ctx(house.services, role="system") as ctx:
        await hear_device.fn(ctx, data, body, scanner.request("POST", PATH, body))


async def kept(house: House, scanner: Scanner) -> list[tuple[int | None, str, int]]:
    async with house.system() as ctx:
        found = await read_heartbeats(ctx, device_id=scanner.device_id)
    return [(each.battery, each.firmware, each.queued) for each in found.items]


async def change(house: House, scanner: Scanner, data: DeviceChange) -> Device:
    async with house.system() as ctx:
        before = await find_device(ctx, device_id=scanner.device_id)
        return await change_device(ctx, device_id=before.id, data=data, version=before.version)


async def open_alert(house: House, scanner: Scanner) -> UUID:
    rows = await house.sql(
        """insert into device_alerts (tenant_id, device_id, venue_id, kind)
           select tenant_id, id, venue_id, 'offline' from devices where id = $1 returning id""",
        scanner.device_id,
    )
    return rows[0]["id"]


async def test_a_heartbeat_is_remembered_when_it_tells_something_new(house: House) -> None:
    scanner = await enrolled(house, "Remembers")
    for battery, firmware, queued in ((80, "1.4", 0), (78, "1.4", 0), (75, "1.4", 0), (75, "1.5", 0), (74, "1.5", 3)):
        await beat(house, scanner, battery=battery, firmware=firmware, queued=queued)
    assert await kept(house, scanner) == [(74, "1.5", 3), (75, "1.5", 0), (75, "1.4", 0), (80, "1.4", 0)]
    await house.sql(
        "update device_heartbeats set heard_at = heard_at - interval '6 minutes' where device_id = $1",
        scanner.device_id,
    )
    await beat(house, scanner, battery=74, firmware="1.5", queued=2)
    await beat(house, scanner, battery=74, firmware="1.5", queued=1)
    assert (await kept(house, scanner))[:2] == [(74, "1.5", 2), (74, "1.5", 3)], "one in five minutes, and no more"


async def test_heartbeats_are_paged_by_key_and_are_of_one_device(house: House) -> None:
    scanner, other = await enrolled(house, "Paged"), await enrolled(house, "Another")
    await beat(house, other, battery=5)
    for battery in (80, 70, 60, 50, 40):
        await beat(house, scanner, battery=battery)
    found: list[int | None] = []
    after = ""
    async with house.system() as ctx:
        while True:
            query = HEARTBEATS.parse(limit=2, after=after, device_id=[str(other.device_id)])
            page = await read_heartbeats(ctx, device_id=scanner.device_id, query=query)
            assert len(page.items) <= 2
            found += [each.battery for each in page.items]
            if page.next is None:
                break
            after = page.next
    assert found == [40, 50, 60, 70, 80]


async def test_a_device_without_a_battery_is_remembered_once(house: House) -> None:
    scanner = await enrolled(house, "Wired")
    await beat(house, scanner, battery=None)
    await beat(house, scanner, battery=None)
    await beat(house, scanner, battery=50)
    assert [battery for battery, _, _ in await kept(house, scanner)] == [50, None]


async def test_maintenance_ends_by_itself(house: House) -> None:
    scanner = await enrolled(house, "Repaired")
    until = datetime.now(UTC) + timedelta(hours=1)
    set_aside = await change(
        house, scanner, DeviceChange(maintenance=True, maintenance_reason="new screen", maintenance_until=until)
    )
    assert (set_aside.maintenance, set_aside.maintenance_until) == (True, until)
    renamed = await change(house, scanner, DeviceChange(name="Repaired soon"))
    assert renamed.maintenance_until == until, "another change leaves the end as it is"
    async with house.system() as ctx:
        await watch_fleet(ctx)
        assert (await find_device(ctx, device_id=scanner.device_id)).maintenance
    await house.sql(
        "update devices set maintenance_until = now() - interval '1 second' where id = $1", scanner.device_id
    )
    async with house.system() as ctx:
        await watch_fleet(ctx)
        after = await find_device(ctx, device_id=scanner.device_id)
    assert (after.maintenance, after.maintenance_reason, after.maintenance_until) == (False, "", None)


async def test_maintenance_does_not_end_in_the_past(house: House) -> None:
    scanner = await enrolled(house, "Past")
    with pytest.raises(Invalid) as refused:
        await change(
            house,
            scanner,
            DeviceChange(
                maintenance=True,
                maintenance_reason="why not",
                maintenance_until=datetime.now(UTC) - timedelta(minutes=1),
            ),
        )
    assert list(refused.value.fields) == ["maintenance_until"]
    async with house.system() as ctx:
        assert (await find_device(ctx, device_id=scanner.device_id)).maintenance is False


async def test_an_alert_is_acknowledged_once_and_only_while_it_is_open(house: House) -> None:
    scanner = await enrolled(house, "Noted")
    alert_id = await open_alert(house, scanner)
    async with house.system() as ctx:
        first = await acknowledge_alert(ctx, alert_id=alert_id)
    async with house.system() as ctx:
        second = await acknowledge_alert(ctx, alert_id=first.id)
        assert [alert.id for alert in await alerts_of(ctx, device_id=scanner.device_id)] == [first.id]
    assert second.acknowledged_at == first.acknowledged_at is not None
    told = await house.sql(
        "select count(*) as n from outbox where entity_id = $1 and name = 'device.alert_acknowledged'",
        str(scanner.device_id),
    )
    assert told[0]["n"] == 1
    await house.sql("update device_alerts set cleared_at = now(), acknowledged_at = null where id = $1", first.id)
    with pytest.raises(DeviceAlertOver):
        async with house.system() as ctx:
            await acknowledge_alert(ctx, alert_id=first.id)


async def test_another_venues_people_do_not_take_note(house: House) -> None:
    scanner, other = await enrolled(house, "Elsewhere"), await house.add_venue()
    alert_id = await open_alert(house, scanner)
    with pytest.raises(NotFound):
        async with house.as_member({"devices.manage": frozenset({other.id})}) as ctx:
            await acknowledge_alert(ctx, alert_id=alert_id)
    with pytest.raises(NotPermitted):
        async with house.as_member({"devices.read": None}) as ctx:
            await acknowledge_alert(ctx, alert_id=alert_id)


async def test_the_fleet_counts_each_device_once_by_what_is_worst(house: House) -> None:
    venue = await house.add_venue(name="Counted")
    place = len(house.venues) - 1
    good, silent, low, aside, gone = [await enrolled(house, f"Counted {n}", place=place) for n in range(5)]
    for scanner, kinds in ((silent, ("offline", "battery_low")), (low, ("battery_low",))):
        for kind in kinds:
            await house.sql(
                """insert into device_alerts (tenant_id, device_id, venue_id, kind)
                   select tenant_id, id, venue_id, $2 from devices where id = $1""",
                scanner.device_id,
                kind,
            )
    await beat(house, good, queued=4)
    await change(house, aside, DeviceChange(maintenance=True, maintenance_reason="paint"))
    async with house.system() as ctx:
        await revoke_device(ctx, device_id=gone.device_id, data=RevokeIn(reason="lost"))
        fleet = {each.venue_id: each for each in await read_fleet(ctx)}
        (alone,) = await read_fleet(ctx, venue_id=venue.id)
    mine = fleet[venue.id]
    assert mine == alone
    counts = (mine.devices, mine.good, mine.offline, mine.battery_low, mine.maintenance, mine.pending, mine.queued)
    assert counts == (4, 1, 1, 1, 1, 0, 4)


async def test_a_door_that_only_scanners_open_needs_one(house: House) -> None:
    venue = await house.add_venue(name="Strict")
    with pytest.raises(NoScannerYet):
        async with house.system() as ctx:
            await set_door_rules(ctx, venue_id=venue.id, data=DoorRulesIn(devices_only=True))
    await enrolled(house, "Strict door", place=len(house.venues) - 1)
    async with house.system() as ctx:
        await set_door_rules(ctx, venue_id=venue.id, data=DoorRulesIn(devices_only=True))
        await set_door_rules(ctx, venue_id=venue.id, data=DoorRulesIn(devices_only=True))
        rules = await read_door_rules(ctx, venue_id=venue.id)
    assert (rules.devices_only, rules.scanners) == (True, 1)
    told = await house.sql(
        "select count(*) as n from outbox where entity_id = $1 and name = 'door.rules_changed'", str(venue.id)
    )
    assert told[0]["n"] == 2, "who said it again is on record, too"


async def test_two_revocations_at_once_are_one(house: House) -> None:
    scanner = await enrolled(house, "Revoked twice")

    async def revoke(reason: str) -> Device:
        async with house.system() as ctx:
            return await revoke_device(ctx, device_id=scanner.device_id, data=RevokeIn(reason=reason))

    first, second = await asyncio.gather(revoke("lost"), revoke("stolen"))
    assert first.revoked_at == second.revoked_at is not None
    assert first.revoked_reason == second.revoked_reason
    told = await house.sql(
        "select count(*) as n from outbox where entity_id = $1 and name = 'device.revoked'", str(scanner.device_id)
    )
    assert told[0]["n"] == 1


async def test_a_ping_and_a_revocation_at_once_end_in_a_revoked_device(house: House) -> None:
    scanner = await enrolled(house, "Pinged and gone")

    async def ping() -> str:
        try:
            async with house.system() as ctx:
                await ping_device(ctx, device_id=scanner.device_id)
        except DeviceNotActive:
            return "late"
        return "asked"

    async def revoke() -> str:
        async with house.system() as ctx:
            return (await revoke_device(ctx, device_id=scanner.device_id, data=RevokeIn(reason="lost"))).status

    asked, status = await asyncio.gather(ping(), revoke())
    names = [
        row["name"]
        for row in await house.sql(
            "select name from outbox where entity_id = $1 and name in ('device.pinged', 'device.revoked') order by position",
            str(scanner.device_id),
        )
    ]
    assert status == "revoked"
    assert names == (["device.pinged", "device.revoked"] if asked == "asked" else ["device.revoked"])
    with pytest.raises(DeviceUnknown):
        await beat(house, scanner)
