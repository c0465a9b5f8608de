"""Logs that arrive late or meet somebody else: from a door that was moved, set aside or suspended, beside a member's hand."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lastlight.domains.checkins.by_hand import override
from lastlight.domains.checkins.scan_schemas import OverrideIn
from lastlight.domains.devices import DEVICES_MANAGE
from lastlight.domains.devices.actions import change_device, revoke_device
from lastlight.domains.devices.alerts import acknowledge_alert
from lastlight.domains.devices.errors import DeviceSetAside, DeviceUnknown
from lastlight.domains.devices.model import DeviceChange, RevokeIn
from lastlight.domains.devices.queries import find_device
from lastlight.runtime.auth.errors import TenantSuspended
from lastlight.runtime.settings import Settings
from tests.support.carriers import asked, carrier, offline, send
from tests.support.devices import Scanner, enrolled
from tests.support.door import House, opened_house
from tests.support.services import administer


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def change(house: House, scanner: Scanner, data: DeviceChange) -> None:
    async with house.system() as ctx:
        device = await find_device(ctx, device_id=scanner.device_id)
        await change_device(ctx, device_id=scanner.device_id, data=data, version=device.version)


async def until_someone_waits(house: House) -> None:
    """Until a statement of the app waits for another transaction."""
    while not await house.sql(
        "select 1 from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock' and usename = 'lastlight_app'"
    ):
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(("decided", "result"), [("server", "refused"), ("admitted", "double")])
async def test_a_hand_that_is_quicker_refuses_one_scan_and_not_its_batch(
    house: House, decided: str, result: str
) -> None:
    scanner, raced, other = await enrolled(house, f"Raced {decided}"), await carrier(house), await carrier(house)
    now = datetime.now(UTC)
    batch = (offline(scanner, raced, now, decided=decided), offline(scanner, other, now))
    async with asyncio.timeout(20):
        async with house.system() as ctx:
            given = OverrideIn(venue_id=house.venue.id, patron_id=raced.guest.patron_id, reason="the pass did not load")
            await override(ctx, data=given)
            sending = asyncio.create_task(send(house, scanner, *batch))
            await until_someone_waits(house)
        answers = await sending
    assert [one.result for one in answers] == [result, "admitted"]
    assert answers[0].refusal == ("visit-open" if result == "refused" else "")
    rows = await house.sql("select status from visits where patron_id = $1", raced.guest.patron_id)
    assert [row["status"] for row in rows] == ["open"]


async def test_the_log_of_a_scanner_that_was_moved_counts_where_it_was_made(house: House) -> None:
    there, never = await house.add_venue(), await house.add_venue()
    scanner, guest = await enrolled(house, "Moved"), await carrier(house)
    late, lied, asks = await carrier(house), await carrier(house), await carrier(house)
    await change(house, scanner, DeviceChange(venue_id=there.id))
    now = datetime.now(UTC)
    answers = await send(
        house,
        scanner,
        offline(scanner, guest, now, venue_id=house.venue.id),
        offline(scanner, late, now, venue_id=there.id),
        offline(scanner, lied, now, venue_id=never.id),
        asked(scanner, asks.show(), venue_id=house.venue.id),
    )
    assert [one.result for one in answers] == ["admitted"] * 4
    rows = await house.sql(
        """select c.patron_id, c.venue_id, s.venue_id as logged from checkins c join door_scans s on s.checkin_id = c.id
           where c.device_id = $1 order by s.sequence""",
        scanner.device_id,
    )
    assert [row["venue_id"] for row in rows] == [house.venue.id, there.id, there.id, there.id]
    assert [row["logged"] for row in rows] == [row["venue_id"] for row in rows]
    await house.sql(
        "update device_moves set left_at = now() - interval '25 hours' where device_id = $1", scanner.device_id
    )
    old = await carrier(house)
    await send(house, scanner, offline(scanner, old, now, venue_id=house.venue.id))
    [row] = await house.sql("select venue_id from checkins where patron_id = $1", old.guest.patron_id)
    assert row["venue_id"] == there.id, "where it stood days ago does not count any more"


async def test_a_scanner_that_is_set_aside_hands_in_its_log_and_asks_nothing(house: House) -> None:
    scanner, guest, asks = await enrolled(house, "Set aside late"), await carrier(house), await carrier(house)
    before = datetime.now(UTC) - timedelta(seconds=5)
    line = offline(scanner, guest, before)
    await change(house, scanner, DeviceChange(maintenance=True, maintenance_reason="a crack"))
    with pytest.raises(DeviceSetAside):
        await send(house, scanner, line, asked(scanner, asks.show()))
    [answer] = await send(house, scanner, line)
    assert answer.result == "admitted"


async def test_the_devices_of_a_suspended_business_are_told_so(house: House) -> None:
    """Not that they are unknown: such a device forgets its key and what it has not sent."""
    scanner, guest = await enrolled(house, "Suspended"), await carrier(house)
    line = offline(scanner, guest, datetime.now(UTC))
    status = "update tenants set status = $2 where id = $1"
    await administer(house.services.settings, status, house.tenant_id, "suspended")
    try:
        with pytest.raises(TenantSuspended):
            await send(house, scanner, line)
    finally:
        await administer(house.services.settings, status, house.tenant_id, "active")
    [answer] = await send(house, scanner, line)
    assert answer.result == "admitted"


async def revoke(house: House, scanner: Scanner, *, ago: timedelta = timedelta()) -> None:
    async with house.system() as ctx:
        await revoke_device(ctx, device_id=scanner.device_id, data=RevokeIn(reason="lost"))
    await house.sql("update devices set revoked_at = revoked_at - $2::interval where id = $1", scanner.device_id, ago)


async def alerts(house: House, scanner: Scanner) -> list[tuple[str, str, bool]]:
    """Kind, detail, and whether it is open."""
    rows = await house.sql(
        "select kind, detail, cleared_at from device_alerts where device_id = $1 order by id", scanner.device_id
    )
    return [(row["kind"], row["detail"], row["cleared_at"] is None) for row in rows]


async def test_a_revoked_scanner_hands_in_what_it_had_decided_before_and_asks_nothing(house: House) -> None:
    scanner, before, after = await enrolled(house, "Revoked"), await carrier(house), await carrier(house)
    asks, at = await carrier(house), datetime.now(UTC)
    lines = (offline(scanner, before, at - timedelta(seconds=20)), offline(scanner, after, at))
    await revoke(house, scanner, ago=timedelta(seconds=10))
    with pytest.raises(DeviceUnknown):
        await send(house, scanner, *lines, asked(scanner, asks.show()))
    scanner.sequence -= 1
    answers = await send(house, scanner, *lines)
    assert [(one.result, one.refusal) for one in answers] == [("admitted", ""), ("refused", "door-revoked")]
    assert await send(house, scanner, *lines) == [msgspec.structs.replace(one, detail="") for one in answers], (
        "sent again, it is the same"
    )
    assert await alerts(house, scanner) == [("late_log", "its log came after it was revoked", True)]
    rows = await house.sql("select patron_id from checkins where device_id = $1", scanner.device_id)
    assert [row["patron_id"] for row in rows] == [before.guest.patron_id]


async def test_a_day_after_its_revocation_a_scanner_is_not_heard_any_more(house: House) -> None:
    scanner, guest = await enrolled(house, "Long gone"), await carrier(house)
    line = offline(scanner, guest, datetime.now(UTC) - timedelta(seconds=20))
    await revoke(house, scanner, ago=timedelta(hours=25))
    with pytest.raises(DeviceUnknown):
        await send(house, scanner, line)
    assert await house.sql("select 1 from door_scans where device_id = $1", scanner.device_id) == []


async def test_numbers_that_are_missing_are_told_until_they_come(house: House) -> None:
    scanner = await enrolled(house, "Gaps")
    at = datetime.now(UTC)
    first, second, third, fourth = [offline(scanner, await carrier(house), at) for _ in range(4)]
    await send(house, scanner, first)
    assert await alerts(house, scanner) == []
    await send(house, scanner, fourth)
    assert await alerts(house, scanner) == [("gap", "no scans 2 to 3", True)]
    await send(house, scanner, third)
    assert [is_open for _, _, is_open in await alerts(house, scanner)] == [True]
    await send(house, scanner, second)
    assert await alerts(house, scanner) == [("gap", "no scans 2 to 3", False)]


async def test_who_has_looked_at_a_log_closes_its_alert(house: House) -> None:
    scanner = await enrolled(house, "Looked at")
    scanner.next()
    await send(house, scanner, offline(scanner, await carrier(house), datetime.now(UTC)))
    [row] = await house.sql("select id from device_alerts where device_id = $1", scanner.device_id)
    async with house.as_member({DEVICES_MANAGE.name: None}) as ctx:
        seen = await acknowledge_alert(ctx, alert_id=row["id"])
    assert seen.cleared_at == seen.acknowledged_at is not None
    assert await alerts(house, scanner) == [("gap", "no scan 1", False)]
