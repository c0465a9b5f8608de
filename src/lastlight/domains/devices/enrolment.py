"""Enrolment: a device on a venue's list becomes able to speak by its one-time code and its own public key."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from lastlight.domains.devices.errors import DeviceRevoked, EnrolmentRefused
from lastlight.domains.devices.events import DeviceAdded, DeviceCodeIssued, DeviceEnrolled
from lastlight.domains.devices.model import Device, DeviceIn, EnrolIn, Enrolled, EnrolmentCode
from lastlight.domains.devices.permissions import DEVICES_MANAGE
from lastlight.domains.devices.queries import lock_device, read_device
from lastlight.domains.devices.settings import HEARTBEAT_SECONDS
from lastlight.domains.venues import find_venue
from lastlight.kernel.base64url import decode_base64url
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.p256 import load_public_key

CODE_LIVES = timedelta(minutes=15)
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that nobody takes for one another; 32 of them, so ten are 50 bits."""
INSERT = """
insert into devices (tenant_id, id, venue_id, name, kind, code_hash, code_expires_at) values ($1, $2, $3, $4, $5, $6, $7)
"""
ISSUE = "update devices set code_hash = $3, code_expires_at = $4 where tenant_id = $1 and id = $2"
TENANT = "select id from tenants where slug = $1 and status = 'active'"
ENROL = """
update devices
set status = 'active', public_key = $3, enrolled_at = now(), code_hash = null, code_expires_at = null
where tenant_id = $1 and code_hash = $2 and code_expires_at > now() and status <> 'revoked'
returning id
"""
# A new key counts its heartbeats and scans from one again only where the device is new: its log goes on.
STATE = """
insert into device_states (tenant_id, device_id, last_seen_at) values ($1, $2, now())
on conflict (tenant_id, device_id) do update set last_seen_at = now(), heartbeat_sequence = 0
"""


async def add_device(ctx: Ctx, *, data: DeviceIn) -> EnrolmentCode:
    """Put a device on a venue's list, with a one-time code for it; the name must be free there."""
    await find_venue(ctx, venue_id=data.venue_id, permission=DEVICES_MANAGE)
    if not data.name.strip():
        raise Invalid(fields={"name": "Give the device a name, such as the door where it stands."})
    code, expires_at = _new_code(), ctx.now + CODE_LIVES
    device_id = uuid7()
    await ctx.db.execute(
        INSERT, ctx.tenant_id, device_id, data.venue_id, data.name.strip(), data.kind, _hash(code), expires_at
    )
    ctx.emit(
        DeviceAdded(device_id=device_id, venue_id=data.venue_id, kind=data.kind),
        entity=("device", device_id),
        venue_id=data.venue_id,
        after={"name": data.name.strip(), "kind": data.kind},
    )
    return await _issued(ctx, await read_device(ctx, device_id=device_id), code)


async def issue_code(ctx: Ctx, *, device_id: UUID) -> EnrolmentCode:
    """A new one-time code for a device; the older one dies, and the device's key holds until the code is used."""
    device = await lock_device(ctx, device_id=device_id, permission=DEVICES_MANAGE)
    if device.status == "revoked":
        raise DeviceRevoked
    code = _new_code()
    await ctx.db.execute(ISSUE, ctx.tenant_id, device_id, _hash(code), ctx.now + CODE_LIVES)
    return await _issued(ctx, await read_device(ctx, device_id=device_id), code)


async def enrol(ctx: Ctx, *, data: EnrolIn) -> Enrolled:
    """A device gives its public key against its code, once. EnrolmentRefused for every code that does not hold."""
    key = decode_base64url(data.public_key)
    if key is None or load_public_key(key) is None:
        raise Invalid(fields={"public_key": "Send an ECDSA P-256 public key (SPKI) as base64url."})
    slug, _, code = data.code.strip().rpartition("#")[2].rpartition(".")
    tenant_id = await ctx.db.fetchval(TENANT, slug.lower())
    if tenant_id is None:
        raise EnrolmentRefused
    actor = Actor(kind="system", tenant_id=TenantId(tenant_id), name="A device that enrols", ip=ctx.actor.ip)
    async with system_ctx(ctx.services, TenantId(tenant_id), actor=actor, request_id=ctx.request_id) as inside:
        return await take_key(inside, code=code, key=key)


async def take_key(ctx: Ctx, *, code: str, key: bytes) -> Enrolled:
    """Keep a device's own public key (SPKI) against its code, inside its tenant; EnrolmentRefused for a code that does not hold."""
    device_id = await ctx.db.fetchval(ENROL, ctx.tenant_id, _hash(code.upper().replace("-", "")), key)
    if device_id is None:
        raise EnrolmentRefused
    await ctx.db.execute(STATE, ctx.tenant_id, device_id)
    device = await read_device(ctx, device_id=device_id)
    ctx.emit(
        DeviceEnrolled(device_id=device.id, venue_id=device.venue_id),
        entity=("device", device.id),
        venue_id=device.venue_id,
        after={"status": "active", "key": hashlib.sha256(key).hexdigest()},
    )
    return Enrolled(
        tenant_id=ctx.tenant_id,
        device_id=device.id,
        venue_id=device.venue_id,
        venue=device.venue,
        name=device.name,
        kind=device.kind,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        now=ctx.now,
    )


async def _issued(ctx: Ctx, device: Device, code: str) -> EnrolmentCode:
    slug = await ctx.db.fetchval("select slug from tenants where id = $1", ctx.tenant_id)
    expires_at = ctx.now + CODE_LIVES
    ctx.emit(
        DeviceCodeIssued(device_id=device.id, venue_id=device.venue_id, expires_at=expires_at),
        entity=("device", device.id),
        venue_id=device.venue_id,
    )
    return EnrolmentCode(device=device, code=f"{slug}.{code[:5]}-{code[5:]}", expires_at=expires_at)


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(10))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
