"""What somebody's role gives them, whoever asks: for what they did before it is heard of."""

from uuid import UUID

from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

HOLDS = """
select exists (
    select from memberships m
    join roles r on r.tenant_id = $1 and r.id = m.role_id
    join users u on u.id = m.user_id
    where m.tenant_id = $1 and m.user_id = $2 and m.status = 'active' and u.status = 'active' and $4 = any(r.permissions)
      and (m.venue_ids is null or $3 = any(m.venue_ids)))
"""


async def holds_permission(ctx: Ctx, *, user_id: UUID, venue_id: UUID, permission: Permission) -> bool:
    """Whether an active member's role gives them a permission at a venue."""
    return await ctx.db.fetchval(HOLDS, ctx.tenant_id, user_id, venue_id, permission.name)
