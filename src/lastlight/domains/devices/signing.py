"""A device's signature over its request: who speaks, checked before anything else is looked at.

The headers `X-Device: {tenant id}.{device id}`, `X-Device-Time` (RFC 3339) and `X-Device-Signature`: ECDSA P-256 with SHA-256,
`r || s` as base64url, over the UTF-8 of `lastlight-device-v1\\n{method}\\n{path}\\n{X-Device}\\n{X-Device-Time}\\n{SHA-256 of
the body, hexadecimal}`.
"""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.devices.errors import DeviceClockWrong, DeviceSetAside, DeviceUnknown
from lastlight.domains.devices.model import DeviceKind
from lastlight.kernel.ids import TenantId, VenueId
from lastlight.runtime.auth.actors import check_tenant
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.p256 import is_signed_by, load_public_key

CLOCK_SKEW = timedelta(minutes=5)
"""How far a device's clock may be off; it learns the time from the refusal."""
ALLOWED = """
select d.id, d.venue_id, d.name, d.kind, d.maintenance, d.public_key, s.battery, coalesce(s.charging, false) as charging,
       coalesce(s.firmware, '') as firmware, coalesce(s.queued, 0) as queued, s.last_seen_at, t.status as tenant_status,
       d.revoked_at
from devices d
join tenants t on t.id = d.tenant_id
left join device_states s on s.tenant_id = d.tenant_id and s.device_id = d.id
where d.tenant_id = $1 and d.id = $2 and d.status = 'active'
for share of d
"""
REVOKED = ALLOWED.replace("d.status = 'active'", "d.status = 'revoked' and d.revoked_at > now() - interval '1 day'")
"""One that was revoked in the last day: it may still hand in what it had decided before."""
STOOD = """
select exists (select from device_moves
               where tenant_id = $1 and device_id = $2 and venue_id = $3 and left_at > $4::timestamptz - $5::interval)
"""
MOVED_WITHIN = timedelta(days=1)
"""A device may be moved while it has no network, and hears of it a night later."""


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """The device that signed the request."""

    id: UUID
    venue_id: VenueId
    name: str
    kind: DeviceKind
    maintenance: bool
    public_key: bytes
    battery: int | None
    charging: bool
    firmware: str
    queued: int
    last_seen_at: datetime | None
    tenant_status: str
    revoked_at: datetime | None
    """Of a device that hands in its log and may do nothing else any more."""

    def state(self) -> dict[str, str | int | float | bool | None]:
        """What it last said of itself, to be kept with what it does now."""
        return {
            "name": self.name,
            "battery": self.battery,
            "charging": self.charging,
            "firmware": self.firmware,
            "queued": self.queued,
            "heard_at": None if self.last_seen_at is None else self.last_seen_at.isoformat(),
        }


@asynccontextmanager
async def spoken_for(
    ctx: Ctx, request: RequestInfo, body: bytes, *, working: bool = True, late: bool = False
) -> AsyncGenerator[tuple[Ctx, Speaker]]:
    """A transaction inside the tenant of the device that signed the request; a revocation waits for it, or comes first.

    `late`: one that was revoked in the last day is heard too. Raises DeviceUnknown, DeviceClockWrong, TenantSuspended, and while it is `working` DeviceSetAside.
    """
    tenant_id, device_id = _named(request.headers.get("x-device", ""))
    actor = Actor(
        kind="system", tenant_id=tenant_id, name=f"Device {device_id}", ip=request.ip, user_agent=request.user_agent
    )
    async with system_ctx(ctx.services, tenant_id, actor=actor, request_id=ctx.request_id) as inside:
        speaker = await inside.db.row(Speaker, ALLOWED, tenant_id, device_id)
        if speaker is None and late:
            speaker = await inside.db.row(Speaker, REVOKED, tenant_id, device_id)
        if speaker is None or not _signed(speaker, request, body):
            raise DeviceUnknown
        # said to its own devices only: one that is unknown forgets its key and its log
        check_tenant(speaker.tenant_status)
        _require_time(request.headers.get("x-device-time", ""), inside.now)
        if working and speaker.maintenance:
            raise DeviceSetAside
        yield inside, speaker


async def stood_at(ctx: Ctx, *, speaker: Speaker, venue_id: UUID, at: datetime) -> bool:
    """Whether a device stands at a venue, or took itself to stand there at a moment because it had not heard of its move."""
    if venue_id == speaker.venue_id:
        return True
    return bool(await ctx.db.fetchval(STOOD, ctx.tenant_id, speaker.id, venue_id, at, MOVED_WITHIN))


def request_message(*, method: str, path: str, device: str, at: str, body: bytes) -> bytes:
    """The bytes that a device signs."""
    return f"lastlight-device-v1\n{method}\n{path}\n{device}\n{at}\n{hashlib.sha256(body).hexdigest()}".encode()


def _named(header: str) -> tuple[TenantId, UUID]:
    tenant, _, device = header.partition(".")
    try:
        return TenantId(UUID(tenant)), UUID(device)
    except ValueError:
        raise DeviceUnknown from None


def _signed(speaker: Speaker, request: RequestInfo, body: bytes) -> bool:
    key = load_public_key(bytes(speaker.public_key))
    message = request_message(
        method=request.method,
        path=request.path,
        device=request.headers.get("x-device", ""),
        at=request.headers.get("x-device-time", ""),
        body=body,
    )
    signature = request.headers.get("x-device-signature", "")
    return key is not None and is_signed_by(key, signature=signature, message=message)


def _require_time(text: str, now: datetime) -> None:
    try:
        at = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        at = None
    if at is None or at.tzinfo is None or abs(at - now) > CLOCK_SKEW:
        raise DeviceClockWrong(extra={"now": now.isoformat()})
