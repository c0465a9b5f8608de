"""The platform's keys for Web Push (VAPID, RFC 8292): made when first asked for, sealed at rest, replaced without a gap, retired at once
where one leaked."""

from datetime import datetime
from email.utils import parseaddr
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from lastlight.kernel.base64url import encode_base64url
from lastlight.kernel.errors import Conflict, Invalid, NotFound
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, uuid7
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime import clock
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.keys.sealed import Sealed
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings

PUSH_MANAGE = Permission(
    "platform.push.manage", "Replace and retire the keys that prove notifications to be ours", Scope.PLATFORM
)
PURPOSE = "push-key"
ENTITY = ("platform", "keys")
BATCH = 1_000
PROOF_SECONDS = 12 * 3600
"""How long a proof of ours holds; push services take at most a day."""

LOCK = "select pg_advisory_xact_lock(hashtextextended('push keys', 0))"
CURRENT = "select id, public_key, sealed from push_keys where tenant_id = $1 and retired_at is null"
ADD = "insert into push_keys (tenant_id, id, public_key, sealed) values ($1, $2, $3, $4)"
RETIRE = "update push_keys set retired_at = now() where tenant_id = $1 and retired_at is null returning id"
# every tenant: how many browsers anywhere are told under each key
ALL = """
select k.id, k.public_key, k.created_at, k.retired_at,
       (select count(*) from push_subscriptions p where p.tenant_id is not null and p.key_id = k.id) as devices
from push_keys k where k.tenant_id = $1
order by k.retired_at is not null, k.created_at desc, k.id desc limit 100
"""
HOLD = "select id, public_key, retired_at from push_keys where tenant_id = $1 and id = $2 for update"
DESTROY = "delete from push_keys where tenant_id = $1 and id = $2"
# every tenant: browsers that subscribed with a key that is no more, wherever their people are
FORGET = """
delete from push_subscriptions using (
    select tenant_id, id from push_subscriptions where tenant_id is not null and key_id = $1 limit $2
) as gone
where push_subscriptions.tenant_id = gone.tenant_id and push_subscriptions.id = gone.id
"""


class PushKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it lies in the database."""

    id: UUID
    public_key: str
    sealed: bytes


class PushKeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A key of ours: its public half, since when, until when browsers subscribed with it, and how many are told under it."""

    id: UUID
    public_key: str
    created_at: datetime
    retired_at: datetime | None
    """Since when no browser subscribes with it any more; null for the current one."""
    devices: int


class RetiredOut(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is no more, and how many browsers are told again only once they are next opened."""

    devices: int


class PushKeyReplaced(Event, frozen=True, kw_only=True):
    """Browsers subscribe with another key from now on; those that subscribed are still told under theirs."""

    event_name: ClassVar[str] = "push.key_replaced"
    audience: ClassVar[Permission | None] = PUSH_MANAGE
    key_id: UUID


class PushKeyRetired(Event, frozen=True, kw_only=True):
    """An earlier key was destroyed: nothing is sent under it any more, and its browsers subscribe anew when they are next opened."""

    event_name: ClassVar[str] = "push.key_retired"
    audience: ClassVar[Permission | None] = PUSH_MANAGE
    key_id: UUID
    devices: int


class PushKeyCurrent(Conflict):
    """Browsers subscribe with this key just now."""

    type = "push-key-current"
    title = "This is the key that browsers subscribe with"
    default_detail = "Replace it first; then retire it."


async def current_key(ctx: Ctx) -> PushKey:
    """The key that browsers subscribe with; the first to ask makes it. Needs a transaction of the system."""
    found = await ctx.db.row(PushKey, CURRENT, PLATFORM)
    if found is not None:
        return found
    await ctx.db.execute(LOCK)
    return await ctx.db.row(PushKey, CURRENT, PLATFORM) or await _add(ctx)


async def replace_key(ctx: Ctx) -> PushKey:
    """Make another key the current one. Consoles and apps subscribe anew with it the next time they are opened."""
    await ctx.db.execute(LOCK)
    await ctx.db.execute(RETIRE, PLATFORM)
    key = await _add(ctx)
    ctx.emit(PushKeyReplaced(key_id=key.id), entity=ENTITY, after={"public_key": key.public_key})
    return key


async def list_keys(ctx: Ctx) -> list[PushKeyOut]:
    """The platform's keys, the current one first. Needs a transaction of the system."""
    return await ctx.db.rows(PushKeyOut, ALL, PLATFORM)


async def retire_key(ctx: Ctx, *, key_id: UUID, reason: str) -> RetiredOut:
    """Destroy an earlier key, as after a leak. Raises Invalid, NotFound, PushKeyCurrent. Needs a transaction of the system."""
    why = reason.strip()
    if len(why) < 5:
        raise Invalid(fields={"reason": "Say why, in a few words; it stays on record."})
    held = await ctx.db.fetchrow(HOLD, PLATFORM, key_id)
    if held is None:
        raise NotFound
    if held["retired_at"] is None:
        raise PushKeyCurrent
    devices = next((key.devices for key in await list_keys(ctx) if key.id == key_id), 0)
    await ctx.db.execute(DESTROY, PLATFORM, key_id)
    await ctx.enqueue(forget_devices_of_key, key_id=key_id)
    ctx.emit(
        PushKeyRetired(key_id=key_id, devices=devices),
        entity=ENTITY,
        before={"public_key": held["public_key"]},
        after={"devices": devices},
        reason=why,
    )
    return RetiredOut(devices=devices)


@job("push.forget_key", role="system")
async def forget_devices_of_key(job: JobRun, key_id: UUID) -> None:
    """Forget the browsers that subscribed with a key that was destroyed; they come back when they are next opened."""
    await job.in_batches(lambda ctx: ctx.db.execute(FORGET, key_id, BATCH), size=BATCH)


async def _add(ctx: Ctx) -> PushKey:
    private = ec.generate_private_key(ec.SECP256R1())
    key_id = uuid7()
    raw = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    sealed = ctx.services.secrets.encrypt(PURPOSE, raw, key_id.bytes)
    key = PushKey(id=key_id, public_key=encode_base64url(point), sealed=sealed)
    await ctx.db.execute(ADD, PLATFORM, key.id, key.public_key, key.sealed)
    return key


def proof(services: Services, key: PushKey, endpoint: str) -> str:
    """The Authorization header that tells the endpoint's push service that a message comes from us."""
    raw = services.secrets.decrypt(PURPOSE, key.sealed, key.id.bytes)
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(clock.now()) + PROOF_SECONDS,
        "sub": contact(services.settings),
    }
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(raw), algorithms=["ES256"])
    return f"vapid t={token}, k={key.public_key}"


def contact(settings: Settings) -> str:
    """Where a push service reaches whoever runs this platform: the sender of its mail."""
    return f"mailto:{parseaddr(settings.mail_from)[1]}"


def _place(_tenant_id: UUID, key_id: UUID) -> bytes:
    """Binds a sealed key to its row, so that it opens nowhere else."""
    return key_id.bytes


SEALED = Sealed(
    table="push_keys",
    column="sealed",
    label="Keys of notifications",
    purpose=PURPOSE,
    key=("tenant_id", "id"),
    place=_place,
)
