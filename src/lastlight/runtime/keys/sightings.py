"""Since when each secret of the environment is as it is: a job notes its fingerprint, never the secret."""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from lastlight.runtime.context import Ctx
from lastlight.runtime.services import Services
from lastlight.runtime.settings import SETTINGS, Setting

NOTE = """
insert into secret_sightings (name, fingerprint) values ($1, $2)
on conflict on constraint secret_sightings_pkey do update set last_seen_at = now()
"""
SEEN = """
select fingerprint, first_seen_at, (select count(*) from secret_sightings e where e.name = s.name) - 1 as earlier
from secret_sightings s where name = $1 and fingerprint = $2
"""


class SecretState(msgspec.Struct, frozen=True, kw_only=True):
    """A secret of the environment without the secret: whether it is set, its fingerprint, and since when."""

    variable: str
    description: str
    set: bool
    fingerprint: str
    since: datetime | None
    earlier: int
    """How often it was another one before."""


class _Seen(msgspec.Struct, frozen=True):
    """When a fingerprint was first seen."""

    fingerprint: str
    first_seen_at: datetime
    earlier: int


def secret_settings() -> tuple[Setting, ...]:
    """The settings that are secrets."""
    return tuple(setting for setting in SETTINGS if setting.secret)


def fingerprint_of(services: Services, setting: Setting) -> str:
    """Eight digits that tell one value from another and nothing of it; empty where it is not set."""
    value: Any = getattr(services.settings, setting.name)
    if not value:
        return ""
    if setting.name == "secret_key":
        return services.secrets.key_id()
    return _digest(setting.name, "\n".join(value) if isinstance(value, tuple) else str(value))  # pyright: ignore[reportUnknownArgumentType] a setting's own strings


@lru_cache(maxsize=64)
def _digest(name: str, value: str) -> str:
    """Slow on purpose: nobody tries a word list against it."""
    return hashlib.scrypt(value.encode(), salt=f"fingerprint:{name}".encode(), n=2**14, r=8, p=1, dklen=4).hex()


async def note_secrets(ctx: Ctx) -> int:
    """Note the fingerprints as they are now; how many there were."""
    noted = 0
    for setting in secret_settings():
        fingerprint = fingerprint_of(ctx.services, setting)
        if fingerprint:
            await ctx.db.execute(NOTE, setting.name, fingerprint)
            noted += 1
    return noted


async def secret_states(ctx: Ctx) -> list[SecretState]:
    """Every secret of the environment, without the secret."""
    return [await _state(ctx, setting) for setting in secret_settings()]


async def _state(ctx: Ctx, setting: Setting) -> SecretState:
    fingerprint = fingerprint_of(ctx.services, setting)
    seen = await ctx.db.row(_Seen, SEEN, setting.name, fingerprint)
    return SecretState(
        variable=setting.variable,
        description=setting.description,
        set=bool(fingerprint),
        fingerprint=fingerprint,
        since=None if seen is None else seen.first_seen_at,
        earlier=0 if seen is None else seen.earlier,
    )
