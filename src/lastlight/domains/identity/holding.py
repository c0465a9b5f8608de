"""What somebody's role gives them, whoever asks: for what they did before it is heard of."""

from uuid import UUID

import msgspec

from lastlight.kernel.ids import UserId
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
HOLDERS = """
select distinct u.id, u.name, u.email
from memberships m
join roles r on r.tenant_id = $1 and r.id = m.role_id
join users u on u.id = m.user_id
where m.tenant_id = $1 and m.status = 'active' and u.status = 'active' and $2 = any(r.permissions)
  and ($3::uuid is null or m.venue_ids is null or $3 = any(m.venue_ids))
order by u.name, u.id
limit 5000
"""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who holds a permission, and where to write to them."""

    id: UserId
    name: str
    email: str


async def holds_permission(ctx: Ctx, *, user_id: UUID, venue_id: UUID, permission: Permission) -> bool:
    """Whether an active member's role gives them a permission at a venue."""
    return await ctx.db.fetchval(HOLDS, ctx.tenant_id, user_id, venue_id, permission.name)


async def holders(ctx: Ctx, *, permission: Permission, venue_id: UUID | None = None) -> list[Holder]:
    """The active members who hold a permission, for a venue or anywhere in the business, with their addresses."""
    return await ctx.db.rows(Holder, HOLDERS, ctx.tenant_id, permission.name, venue_id)
