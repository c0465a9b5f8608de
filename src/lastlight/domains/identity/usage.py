"""Figures of a tenant's use, counted inside that tenant."""

from lastlight.runtime.context import Ctx


async def count_members(ctx: Ctx) -> int:
    """How many people hold a role."""
    return await ctx.db.fetchval(
        "select count(distinct user_id) from memberships where tenant_id = $1 and status = 'active'", ctx.tenant_id
    )


async def count_patrons(ctx: Ctx) -> int:
    """How many guests the business has."""
    return await ctx.db.fetchval("select count(*) from patrons where tenant_id = $1", ctx.tenant_id)
