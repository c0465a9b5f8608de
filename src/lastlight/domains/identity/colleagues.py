"""Who works where: what other domains ask before they give somebody something to do."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx

COLLEAGUES = """
select distinct u.id, u.name
from memberships m
join users u on u.id = m.user_id
where m.tenant_id = $1 and m.status = 'active' and u.status = 'active'
  and ($2::uuid[] is null or m.venue_ids is null or m.venue_ids && $2) and ($3::uuid is null or m.user_id = $3)
order by u.name, u.id
limit 1000
"""


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works at a venue."""

    id: UserId
    name: str


async def colleagues(ctx: Ctx, *, venue_ids: Sequence[UUID] | None) -> list[Colleague]:
    """The active members who work at one of some venues, or anywhere in the business, by name."""
    return await ctx.db.rows(Colleague, COLLEAGUES, ctx.tenant_id, None if venue_ids is None else list(venue_ids), None)


async def works_at(ctx: Ctx, *, user_id: UUID, venue_id: UUID) -> bool:
    """Whether somebody is an active member of the business for a venue."""
    return await ctx.db.fetchrow(COLLEAGUES, ctx.tenant_id, [venue_id], user_id) is not None


async def require_colleague(ctx: Ctx, *, user_id: UUID, venue_id: UUID, field: str) -> None:
    """Refuse, at the field that named them, somebody who does not work at the venue."""
    if not await works_at(ctx, user_id=user_id, venue_id=venue_id):
        raise Invalid(fields={field: "Choose somebody who works at this venue."})
