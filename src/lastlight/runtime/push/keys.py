"""The platform's keys for Web Push (VAPID, RFC 8292): made when first asked for, sealed at rest, replaced without a gap."""

import base64
import time
from email.utils import parseaddr
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.keys.sealed import Sealed
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings

PURPOSE = "push-key"
PROOF_SECONDS = 12 * 3600
"""How long a proof of ours holds; push services take at most a day."""

LOCK = "select pg_advisory_xact_lock(hashtextextended('push keys', 0))"
CURRENT = "select id, public_key, sealed from push_keys where tenant_id = $1 and retired_at is null"
ADD = "insert into push_keys (tenant_id, id, public_key, sealed) values ($1, $2, $3, $4)"
RETIRE = "update push_keys set retired_at = now() where tenant_id = $1 and retired_at is null returning id"


class PushKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it lies in the database."""

    id: UUID
    public_key: str
    sealed: bytes


class PushKeyReplaced(Event, frozen=True, kw_only=True):
    """Browsers subscribe with another key from now on; those that subscribed are still told under theirs."""

    event_name: ClassVar[str] = "push.key_replaced"
    key_id: UUID


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
    ctx.emit(PushKeyReplaced(key_id=key.id), entity=("push_key", key.id), after={"public_key": key.public_key})
    return key


async def _add(ctx: Ctx) -> PushKey:
    private = ec.generate_private_key(ec.SECP256R1())
    key_id = uuid7()
    raw = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    sealed = ctx.services.secrets.encrypt(PURPOSE, raw, key_id.bytes)
    key = PushKey(id=key_id, public_key=base64url(point), sealed=sealed)
    await ctx.db.execute(ADD, PLATFORM, key.id, key.public_key, key.sealed)
    return key


def proof(services: Services, key: PushKey, endpoint: str) -> str:
    """The Authorization header that tells the endpoint's push service that a message comes from us."""
    raw = services.secrets.decrypt(PURPOSE, key.sealed, key.id.bytes)
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + PROOF_SECONDS,
        "sub": contact(services.settings),
    }
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(raw), algorithms=["ES256"])
    return f"vapid t={token}, k={key.public_key}"


def contact(settings: Settings) -> str:
    """Where a push service reaches whoever runs this platform: the sender of its mail."""
    return f"mailto:{parseaddr(settings.mail_from)[1]}"


def base64url(raw: bytes) -> str:
    """Bytes as browsers write them: base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


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
