"""A venue's keys: made here, sealed at rest, opened only to sign a code or to check one."""

import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec

from lastlight.domains.venues.errors import KeysExhausted
from lastlight.domains.venues.events import VenueKeyRegenerated
from lastlight.domains.venues.permissions import VENUES_KEYS
from lastlight.domains.venues.queries import lock_venue
from lastlight.runtime.context import Ctx
from lastlight.runtime.keys.sealed import Sealed
from lastlight.runtime.secrets import Secrets

PURPOSE = "venue-key"
LARGEST_NUMBER = 65_535

CURRENT = """
select number, secret, created_at, retires_at from venue_keys
where tenant_id = $1 and venue_id = $2 and retires_at is null and revoked_at is null
"""
INSERT = "insert into venue_keys (tenant_id, venue_id, number, secret) values ($1, $2, $3, $4)"
RETIRE = """
update venue_keys set retires_at = least(retires_at, $3)
where tenant_id = $1 and venue_id = $2 and revoked_at is null and (retires_at is null or retires_at > now())
"""
REVOKE = """
update venue_keys set revoked_at = now()
where tenant_id = $1 and venue_id = $2 and revoked_at is null and (retires_at is null or retires_at > now())
"""
LAST_NUMBER = "select coalesce(max(number), 0) from venue_keys where tenant_id = $1 and venue_id = $2"


class VenueKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it lies in the database: its secret is sealed."""

    number: int
    secret: bytes
    created_at: datetime
    retires_at: datetime | None = None


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """A regeneration: the new key's number, and when the codes of the older ones die."""

    key_number: int
    older_die_at: datetime


async def current_key(ctx: Ctx, *, venue_id: UUID) -> VenueKey:
    """The key that signs today's codes."""
    return await ctx.db.one(VenueKey, CURRENT, ctx.tenant_id, venue_id)


async def regenerate_key(ctx: Ctx, *, venue_id: UUID, grace_minutes: int = 0) -> KeyChange:
    """Sign with a new key from now on; older codes die at once, or when the grace time is over."""
    ctx.require(VENUES_KEYS, venue_id)
    await lock_venue(ctx, venue_id=venue_id)
    last = await ctx.db.fetchval(LAST_NUMBER, ctx.tenant_id, venue_id)
    if last >= LARGEST_NUMBER:
        raise KeysExhausted
    die_at = ctx.now + timedelta(minutes=grace_minutes)
    if grace_minutes:
        await ctx.db.execute(RETIRE, ctx.tenant_id, venue_id, die_at)
    else:
        await ctx.db.execute(REVOKE, ctx.tenant_id, venue_id)
    await add_key(ctx, venue_id=venue_id, number=last + 1)
    ctx.emit(
        VenueKeyRegenerated(venue_id=venue_id, key_number=last + 1, older_die_at=die_at),
        entity=("venue", venue_id),
        venue_id=venue_id,
        before={"key_number": last},
        after={"key_number": last + 1, "grace_minutes": grace_minutes},
    )
    return KeyChange(key_number=last + 1, older_die_at=die_at)


async def add_key(ctx: Ctx, *, venue_id: UUID, number: int) -> None:
    """Make and seal a key; the caller has seen to the older ones."""
    sealed = ctx.services.secrets.encrypt(PURPOSE, secrets.token_bytes(32), _place(ctx.tenant_id, venue_id, number))
    await ctx.db.execute(INSERT, ctx.tenant_id, venue_id, number, sealed)


def open_key(ctx: Ctx, *, venue_id: UUID, number: int, sealed: bytes, tenant_id: UUID | None = None) -> bytes:
    """The key itself; opened once in a process, since a busy door checks hundreds of codes with it."""
    return _opened(ctx.services.secrets, bytes(sealed), _place(tenant_id or ctx.tenant_id, venue_id, number))


@lru_cache(maxsize=4096)
def _opened(keeper: Secrets, sealed: bytes, place: bytes) -> bytes:
    return keeper.decrypt(PURPOSE, sealed, place)


def _place(tenant_id: UUID, venue_id: UUID, number: int) -> bytes:
    """Binds a sealed key to its row, so that it opens nowhere else."""
    return tenant_id.bytes + venue_id.bytes + number.to_bytes(4, "big")


SEALED = Sealed(
    table="venue_keys",
    column="secret",
    label="Keys of venues",
    purpose=PURPOSE,
    key=("tenant_id", "venue_id", "number"),
    place=_place,
)
