"""Roles that require a second factor: they give nothing to a session that has not shown one, and nobody is locked out by it."""

from uuid import UUID

import msgspec

from lastlight.domains.identity.events import RoleChanged
from lastlight.domains.identity.factor_errors import SecondFactorFirst
from lastlight.domains.identity.members import TOP_ROLES
from lastlight.domains.identity.roles import StoredRole, lock_role, read_role, require_within
from lastlight.domains.identity.schemas import RoleOut
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.kernel.errors import Stale
from lastlight.runtime.context import Ctx

NOBODY_CAN = "No owner of all venues has a second factor yet. One of them sets it up first, under Account, Security."


class _State(msgspec.Struct, frozen=True):
    """Whether the present session has shown a second factor, and how many who hold the role for all venues have one."""

    shown: bool
    holders: int


async def require_second_factor(ctx: Ctx, *, role_id: UUID, required: bool, version: int) -> RoleOut:
    """Say whether a role requires a second factor, from its holders' next request. Raises GrantsTooMuch, SecondFactorFirst, Stale.

    Whoever requires one has shown their own. Of an owner's role it is required only once an owner of all venues has one: everybody
    sets one up by themselves, with their password, so an owner without one is led to it and not locked out.
    """
    role = await lock_role(ctx, role_id=role_id)
    if role.version != version:
        raise Stale
    require_within(ctx, permissions=role.permissions, venue_ids=None)
    before = (await read_role(ctx, role_id=role.id)).second_factor
    if required and not before:
        await _require_own(ctx, role)
    if required != before:
        await ctx.db.execute(
            "update roles set second_factor = $3 where tenant_id = $1 and id = $2", ctx.tenant_id, role.id, required
        )
        await bump_sessions(ctx, role_id=role.id, tenant_id=ctx.tenant_id)
        ctx.emit(
            RoleChanged(role_id=role.id, name=role.name),
            entity=("role", role.id),
            before={"second_factor": before},
            after={"second_factor": required},
        )
    return await read_role(ctx, role_id=role.id)


async def _require_own(ctx: Ctx, role: StoredRole) -> None:
    state = await ctx.db.one(
        _State,
        """select coalesce((select second_factor_at is not null from sessions where id = $3), false) as shown,
                  (select count(*) from memberships m join users u on u.id = m.user_id
                   where m.tenant_id = $1 and m.role_id = $2 and m.status = 'active' and m.venue_ids is null and u.status = 'active'
                     and (exists (select from authenticators a where a.user_id = u.id and a.confirmed_at is not null)
                          or exists (select from passkeys p where p.user_id = u.id))) as holders""",
        ctx.tenant_id,
        role.id,
        ctx.actor.session_id,
    )
    if not state.shown:
        raise SecondFactorFirst
    if role.key in TOP_ROLES and not state.holders:
        raise SecondFactorFirst(NOBODY_CAN)
