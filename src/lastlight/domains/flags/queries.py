"""Reads of feature flags."""

import msgspec

from lastlight.domains.flags.model import Flag, Spread, TenantFlag, falls_on
from lastlight.kernel.errors import NotFound
from lastlight.runtime.context import Ctx

FLAGS = """
select key, description, enabled, percentage, spread, created_at, updated_at, version
from feature_flags where $1::text is null or key = $1 order by key
"""
ANSWERS = """
select f.key, f.spread, coalesce(o.enabled, f.enabled) as enabled, coalesce(o.percentage, f.percentage) as percentage
from feature_flags f
left join tenant_flags o on o.tenant_id = $1 and o.key = f.key
where $2::text is null or f.key = $2
order by f.key
"""
OF_TENANT = """
select f.key, o.enabled, o.percentage, coalesce(o.reason, '') as reason, f.enabled as platform_enabled,
       f.percentage as platform_percentage, f.spread, coalesce(o.version, 0) as version
from feature_flags f
left join tenant_flags o on o.tenant_id = $1 and o.key = f.key
where $2::text is null or f.key = $2
order by f.key
"""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for a business: its own answer where it has one, else the platform's."""

    key: str
    spread: Spread
    enabled: bool
    percentage: int


async def enabled(ctx: Ctx, *, key: str) -> bool:
    """Whether a feature is on for whoever this transaction serves; off where no such flag is."""
    answer = await ctx.db.row(Answer, ANSWERS, ctx.tenant_id, key)
    return answer is not None and _on(ctx, answer)


async def enabled_keys(ctx: Ctx) -> list[str]:
    """The keys of all that is on for whoever this transaction serves."""
    return [answer.key for answer in await ctx.db.rows(Answer, ANSWERS, ctx.tenant_id, None) if _on(ctx, answer)]


async def list_flags(ctx: Ctx) -> list[Flag]:
    """Every flag of the platform, for a caller that has seen to the permission."""
    return await ctx.db.rows(Flag, FLAGS, None)


async def read_flag(ctx: Ctx, *, key: str) -> Flag:
    """A flag of the platform; NotFound when there is none."""
    return await ctx.db.one(Flag, FLAGS, key)


async def list_tenant_flags(ctx: Ctx) -> list[TenantFlag]:
    """Every flag as it stands for the transaction's business."""
    return await ctx.db.rows(TenantFlag, OF_TENANT, ctx.tenant_id, None)


async def read_tenant_flag(ctx: Ctx, *, key: str) -> TenantFlag:
    """A flag as it stands for the transaction's business; NotFound when there is no such flag."""
    found = await ctx.db.row(TenantFlag, OF_TENANT, ctx.tenant_id, key)
    if found is None:
        raise NotFound
    return found


def _on(ctx: Ctx, answer: Answer) -> bool:
    """Where users are rolled out one by one, work without a user counts as its business."""
    by_user = answer.spread == "user" and ctx.actor.user_id is not None
    subject = str(ctx.actor.user_id if by_user else ctx.tenant_id)
    return falls_on(answer.key, subject=subject, enabled=answer.enabled, percentage=answer.percentage)
