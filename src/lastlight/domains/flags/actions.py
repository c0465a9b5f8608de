"""Writes of feature flags: one function per verb."""

from typing import Any

import msgspec
from msgspec import UNSET

from lastlight.domains.flags.errors import FlagAlive, FlagAsked, FlagKilled
from lastlight.domains.flags.events import (
    FlagChanged,
    FlagCreated,
    FlagKill,
    FlagRemoved,
    FlagRevival,
    TenantFlagChanged,
)
from lastlight.domains.flags.model import Flag, TenantFlag
from lastlight.domains.flags.permissions import FLAGS_MANAGE
from lastlight.domains.flags.queries import read_flag, read_tenant_flag
from lastlight.domains.flags.schemas import FlagChange, FlagIn, TenantFlagIn
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.runtime.context import Ctx

INSERT = "insert into feature_flags (key, description, enabled, percentage, spread) values ($1, $2, $3, $4, $5)"
LOCK = "select 1 from feature_flags where key = $1 for update"
UPDATE = "update feature_flags set description = $2, enabled = $3, percentage = $4, spread = $5 where key = $1"
DELETE = "delete from feature_flags where key = $1"
KILL = "update feature_flags set killed_at = now(), killed_reason = $2 where key = $1"
REVIVE = "update feature_flags set killed_at = null, killed_reason = '' where key = $1"
SET_OWN = """
insert into tenant_flags (tenant_id, key, enabled, percentage, reason) values ($1, $2, $3, $4, $5)
on conflict on constraint tenant_flags_pkey
do update set enabled = excluded.enabled, percentage = excluded.percentage, reason = excluded.reason
"""
CLEAR_OWN = "delete from tenant_flags where tenant_id = $1 and key = $2"
NAMES = ("description", "enabled", "percentage", "spread")


async def create_flag(ctx: Ctx, *, data: FlagIn) -> Flag:
    """Add a flag."""
    ctx.require(FLAGS_MANAGE)
    await ctx.db.execute(INSERT, data.key, data.description.strip(), data.enabled, data.percentage, data.spread)
    ctx.emit(FlagCreated(key=data.key), entity=("flag", data.key), after=msgspec.to_builtins(data))
    return await read_flag(ctx, key=data.key)


async def change_flag(ctx: Ctx, *, key: str, data: FlagChange, version: int) -> Flag:
    """Change the platform's answer; Stale when it is no longer the version that was read."""
    before = await _lock(ctx, key)
    if before.version != version:
        raise Stale
    given = {name: value for name in NAMES if (value := getattr(data, name)) is not UNSET}
    wanted = msgspec.structs.replace(before, **given)
    if wanted == before:
        return before
    await ctx.db.execute(UPDATE, key, wanted.description.strip(), wanted.enabled, wanted.percentage, wanted.spread)
    after = await read_flag(ctx, key=key)
    ctx.emit(
        FlagChanged(key=key, enabled=after.enabled, percentage=after.percentage, version=after.version),
        entity=("flag", key),
        before=_facts(before),
        after=_facts(after),
    )
    return after


async def kill_flag(ctx: Ctx, *, key: str, reason: str, version: int) -> Flag:
    """Switch a feature off for everybody at once, whatever businesses answer. Raises FlagKilled, Stale."""
    before = await _lock(ctx, key)
    if before.version != version:
        raise Stale
    if before.killed_at is not None:
        raise FlagKilled
    if not reason.strip():
        raise Invalid(fields={"reason": "Say what it does; people look here before they switch it on again."})
    await ctx.db.execute(KILL, key, reason.strip())
    ctx.emit(
        FlagKill(key=key),
        entity=("flag", key),
        before={"killed": False},
        after={"killed": True},
        reason=reason.strip(),
    )
    return await read_flag(ctx, key=key)


async def revive_flag(ctx: Ctx, *, key: str, version: int) -> Flag:
    """Let a killed flag count again as it stands. Raises FlagAlive, Stale."""
    before = await _lock(ctx, key)
    if before.version != version:
        raise Stale
    if before.killed_at is None:
        raise FlagAlive
    await ctx.db.execute(REVIVE, key)
    ctx.emit(FlagRevival(key=key), entity=("flag", key), before={"killed": True}, after={"killed": False})
    return await read_flag(ctx, key=key)


async def remove_flag(ctx: Ctx, *, key: str, version: int) -> None:
    """Remove a flag with every business's own answer: whoever asks for it finds it off. Raises FlagAsked, Stale."""
    before = await _lock(ctx, key)
    if before.version != version:
        raise Stale
    if key in ctx.services.registry.flags:
        raise FlagAsked
    await ctx.db.execute(DELETE, key)
    ctx.emit(FlagRemoved(key=key), entity=("flag", key), before=_facts(before))


async def set_tenant_flag(ctx: Ctx, *, key: str, data: TenantFlagIn, version: int) -> TenantFlag:
    """Give the transaction's business an answer of its own; version 0 where it has none yet."""
    before = await _lock_own(ctx, key, version)
    if not data.reason.strip():
        raise Invalid(fields={"reason": "Say why this business differs."})
    await ctx.db.execute(SET_OWN, ctx.tenant_id, key, data.enabled, data.percentage, data.reason.strip())
    return await _tell_own(ctx, before, reason=data.reason.strip())


async def clear_tenant_flag(ctx: Ctx, *, key: str, version: int) -> None:
    """Take the business's own answer away: the platform's counts again."""
    before = await _lock_own(ctx, key, version)
    if before.enabled is None:
        raise NotFound
    await ctx.db.execute(CLEAR_OWN, ctx.tenant_id, key)
    await _tell_own(ctx, before, reason="")


async def _lock(ctx: Ctx, key: str) -> Flag:
    ctx.require(FLAGS_MANAGE)
    if not await ctx.db.fetchval(LOCK, key):
        raise NotFound
    return await read_flag(ctx, key=key)


async def _lock_own(ctx: Ctx, key: str, version: int) -> TenantFlag:
    """The flag's own row is the lock: a business's answer may not exist yet."""
    await _lock(ctx, key)
    before = await read_tenant_flag(ctx, key=key)
    if before.version != version:
        raise Stale
    return before


async def _tell_own(ctx: Ctx, before: TenantFlag, *, reason: str) -> TenantFlag:
    after = await read_tenant_flag(ctx, key=before.key)
    ctx.emit(
        TenantFlagChanged(key=after.key, enabled=after.enabled, percentage=after.percentage),
        entity=("flag", after.key),
        before={"enabled": before.enabled, "percentage": before.percentage},
        after={"enabled": after.enabled, "percentage": after.percentage},
        reason=reason,
    )
    return after


def _facts(flag: Flag) -> dict[str, Any]:
    return {name: getattr(flag, name) for name in NAMES}
