"""Examples of the operations of devices and of the door."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.checkins.scan_schemas import ScansIn
from lastlight.domains.devices.model import HeartbeatIn
from tests.support.calls import Given
from tests.support.devices import Scanner
from tests.support.examples import example_struct
from tests.support.phones import Phone
from tests.support.things import checkin_flag, device, issued_device, phone_key, venue
from tests.support.world import Somebody, World


async def add_device(world: World, who: Somebody) -> Given:
    """A name that no other device of the venue has."""
    return Given(data={"venue_id": str((who.home or world.a).venues[0]), "name": f"Scanner {uuid4().hex}"})


async def change_device(world: World, who: Somebody) -> Given:
    """Another name."""
    return Given(data={"name": f"Scanner {uuid4().hex}"})


async def enrol_device(world: World, who: Somebody) -> Given:
    """A code that nobody has used."""
    return Given(data={"code": (await issued_device(world, who))["code"], "public_key": Phone().public_key})


async def ping_device(world: World, who: Somebody) -> Given:
    """A device that is enrolled."""
    return Given(path={"device_id": (await _scanner(world, who)).device_id})


async def hear_device(world: World, who: Somebody) -> Given:
    """A heartbeat that its device signed."""
    data = {"sequence": 1, "sent_at": datetime.now(UTC).isoformat()}
    return await _signed(world, who, "/webhooks/hardware", HeartbeatIn, data)


async def take_door_scans(world: World, who: Somebody) -> Given:
    """A scan of something that is no pass: it is answered, and kept."""
    scan = {"sequence": 1, "code": "no pass", "claimed_at": datetime.now(UTC).isoformat()}
    return await _signed(world, who, "/api/door/scans", ScansIn, {"scans": [scan]})


async def read_door_snapshot(world: World, who: Somebody) -> Given:
    """A question that its device signed."""
    return Given(headers=(await _scanner(world, who)).headers("GET", "/api/door/snapshot"))


async def issue_pass(world: World, who: Somebody) -> Given:
    """A guest's own phone."""
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(data={"key_id": str(await phone_key(world, patron))}, who=patron)


async def override_checkin(world: World, who: Somebody) -> Given:
    """A guest who is not in, at the first venue."""
    tenant = who.home or world.a
    await venue(world, who)
    guest = await world.people.newcomer(tenant)
    patron_id = await world.value("select id from patrons where user_id = $1", guest.user_id)
    return Given(data={"venue_id": str(tenant.venues[0]), "patron_id": str(patron_id)})


async def set_door_rules(world: World, who: Somebody) -> Given:
    """A door that codes open too, which needs no scanner."""
    return Given(data={"devices_only": False})


async def device_new_submit(world: World, who: Somebody) -> Given:
    """A name that no other device of the venue has."""
    return await add_device(world, who)


async def device_ping_submit(world: World, who: Somebody) -> Given:
    """A device that is enrolled."""
    return await ping_device(world, who)


async def device_change_submit(world: World, who: Somebody) -> Given:
    """Another name, at the venue where it is."""
    device_id = await device(world, who)
    values = {"venue_id": str((who.home or world.a).venues[0]), "name": f"Scanner {uuid4().hex}", "version": 1}
    return Given(path={"device_id": device_id}, data=values)


async def device_maintenance_submit(world: World, who: Somebody) -> Given:
    """A reason, and no end."""
    return Given(
        path={"device_id": await device(world, who)}, data={"reason": "a new screen", "until": "", "version": 1}
    )


async def device_maintenance_end(world: World, who: Somebody) -> Given:
    """A device that is at work already, which stays so."""
    return Given(path={"device_id": await device(world, who)}, data={"version": 1})


async def device_revocation_submit(world: World, who: Somebody) -> Given:
    """A reason."""
    return Given(data={"reason": "lost"})


async def door_rules_submit(world: World, who: Somebody) -> Given:
    """A door that codes open too, which needs no scanner."""
    return Given(data={"devices_only": "false"})


async def admit_submit(world: World, who: Somebody) -> Given:
    """A guest who is not in, at the first venue."""
    given = await override_checkin(world, who)
    values = {"venue_id": given.data["venue_id"], "reason": "lost phone"}
    return Given(path={"patron_id": given.data["patron_id"]}, data=values)


async def revocation_submit(world: World, who: Somebody) -> Given:
    """A reason."""
    return Given(data={"kind": "revoked", "reason": "another person"})


async def flag_judgement_submit(world: World, who: Somebody) -> Given:
    """A verdict with a reason."""
    return Given(data={"status": "confirmed", "reason": "a lent phone"})


async def take_flag_step(world: World, who: Somebody) -> Given:
    """The flag's own check-in is taken back."""
    given = await flag_step_submit(world, who)
    return Given(path=given.path, data=given.data | {"until": None})


async def flag_step_submit(world: World, who: Somebody) -> Given:
    """The same, as the page sends it."""
    flag_id = await checkin_flag(world, who)
    checkin_id = await world.value("select checkin_id from checkin_flags where id = $1", flag_id)
    values = {"step": "revoke_checkins", "reason": "a lent phone", "until": "", "checkin_ids": [str(checkin_id)]}
    return Given(path={"flag_id": flag_id}, data=values)


DEVICE_EXAMPLES = {
    one.__name__: one
    for one in (
        add_device,
        change_device,
        enrol_device,
        ping_device,
        hear_device,
        take_door_scans,
        read_door_snapshot,
        issue_pass,
        override_checkin,
        set_door_rules,
        device_new_submit,
        device_ping_submit,
        device_change_submit,
        device_maintenance_submit,
        device_maintenance_end,
        device_revocation_submit,
        door_rules_submit,
        admit_submit,
        revocation_submit,
        flag_judgement_submit,
        take_flag_step,
        flag_step_submit,
    )
}


async def _scanner(world: World, who: Somebody) -> Scanner:
    boss, phone = world.somebody["A.owner"], Phone()
    code = (await issued_device(world, who))["code"]
    body = {"code": code, "public_key": phone.public_key}
    given = await world.make("POST", "/api/devices/enrolment", boss, json=body)
    return Scanner(device_id=UUID(given["device_id"]), tenant_id=UUID(given["tenant_id"]), phone=phone)


async def _signed(world: World, who: Somebody, path: str, kind: Any, data: dict[str, Any]) -> Given:
    text = json.dumps(example_struct(kind, data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Given(data=data, headers=(await _scanner(world, who)).headers("POST", path, text.encode()))
