"""The drill of a fleet that falls silent: played with scanners of its own, which are gone when it ends."""

from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lastlight.domains.devices.actions import change_device, ping_device, revoke_device
from lastlight.domains.devices.alerts import acknowledge_alert
from lastlight.domains.devices.enrolment import add_device, take_key
from lastlight.domains.devices.heartbeats import hear, watch_fleet
from lastlight.domains.devices.model import DeviceChange, DeviceIn, HeartbeatIn, RevokeIn
from lastlight.domains.devices.queries import read_device, read_fleet, sum_up
from lastlight.domains.devices.signing import ALLOWED, Speaker
from lastlight.kernel.ids import VenueId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills import Drilling, drill

PLACE = "select id from venues where tenant_id = $1 and status <> 'archived' order by created_at, id limit 1"
SILENCE = (
    "update device_states set last_seen_at = now() - interval '2 days' where tenant_id = $1 and device_id = any($2)"
)
OPEN = """
select id, device_id, kind from device_alerts
where tenant_id = $1 and device_id = any($2) and cleared_at is null order by device_id
"""


@drill("scanner-fleet-offline", runbook="scanner-fleet-offline.md")
async def scanner_fleet_offline(drilling: Drilling) -> None:
    """A venue's scanners fall silent: they are missed, pinged, set aside or revoked, and the rest is back."""
    async with drilling.rehearsal() as ctx:
        with drilling.step("The fleet is looked at"):
            venue_id = await ctx.db.fetchval(PLACE, ctx.tenant_id)
            drilling.prove(venue_id is not None, "This business has no venue.")
            sums = sum_up(await read_fleet(ctx))
            drilling.note(f"{sums.devices} devices, {sums.offline} offline, {sums.battery_low} low on battery now.")
        with drilling.step("Three scanners are enrolled with one-time codes"):
            scanners = [await _enrol(ctx, VenueId(venue_id), number) for number in (1, 2, 3)]
        await _silence(ctx, drilling, scanners)
        await _bring_back(ctx, drilling, scanners)
        await _take_off(ctx, drilling, scanners)


async def _enrol(ctx: Ctx, venue_id: VenueId, number: int) -> UUID:
    issued = await add_device(ctx, data=DeviceIn(venue_id=venue_id, name=f"Drill {number} {uuid7()}"))
    key = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return (await take_key(ctx, code=issued.code.rpartition(".")[2], key=key)).device_id


async def _alerts(ctx: Ctx, scanners: list[UUID]) -> list[Any]:
    return list(await ctx.db.fetch(OPEN, ctx.tenant_id, scanners))


async def _silence(ctx: Ctx, drilling: Drilling, scanners: list[UUID]) -> None:
    with drilling.step("They fall silent, and the next watch misses each of them"):
        await ctx.db.execute(SILENCE, ctx.tenant_id, scanners)
        await watch_fleet(ctx)
        found = await _alerts(ctx, scanners)
        drilling.prove(
            [(row["device_id"], row["kind"]) for row in found] == [(one, "offline") for one in sorted(scanners)],
            f"{len(found)} of {len(scanners)} alerts were raised.",
        )
        drilling.note(f"{len(found)} alerts.")
    with drilling.step("Somebody takes note of the alerts"):
        for row in found:
            alert = await acknowledge_alert(ctx, alert_id=row["id"])
            drilling.prove(alert.acknowledged_at is not None, "An alert does not say that somebody sees to it.")


async def _bring_back(ctx: Ctx, drilling: Drilling, scanners: list[UUID]) -> None:
    with drilling.step("The first is pinged, answers with its next heartbeat, and its alert clears"):
        await ping_device(ctx, device_id=scanners[0])
        speaker = await ctx.db.one(Speaker, ALLOWED, ctx.tenant_id, scanners[0])
        heard = await hear(ctx, speaker=speaker, data=HeartbeatIn(sequence=1, sent_at=ctx.now, battery=80))
        drilling.prove(heard.pinged, "The heartbeat did not answer the ping.")
        await watch_fleet(ctx)
        left = {row["device_id"] for row in await _alerts(ctx, scanners)}
        drilling.prove(left == set(scanners[1:]), "The alert of the scanner that answered did not clear.")


async def _take_off(ctx: Ctx, drilling: Drilling, scanners: list[UUID]) -> None:
    with drilling.step("The second is set aside for maintenance, and raises no alert any more"):
        device = await read_device(ctx, device_id=scanners[1])
        change = DeviceChange(maintenance=True, maintenance_reason="drill")
        await change_device(ctx, device_id=device.id, data=change, version=device.version)
        await watch_fleet(ctx)
        left = {row["device_id"] for row in await _alerts(ctx, scanners)}
        drilling.prove(scanners[1] not in left, "A scanner that was set aside still raises an alert.")
    with drilling.step("The third is lost: it is revoked, and nothing that it signs counts"):
        before = await ctx.db.row(Speaker, ALLOWED, ctx.tenant_id, scanners[2])
        drilling.prove(before is not None, "It could not speak before, so this proves nothing.")
        await revoke_device(ctx, device_id=scanners[2], data=RevokeIn(reason="drill"))
        after = await ctx.db.row(Speaker, ALLOWED, ctx.tenant_id, scanners[2])
        drilling.prove(after is None, "A revoked scanner may still speak.")
        drilling.prove(not await _alerts(ctx, scanners), "An alert of the drill stays open.")
