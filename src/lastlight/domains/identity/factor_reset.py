"""Resetting somebody's second factor for them: a lost phone, without a recovery code. Nobody resets that of somebody who holds more.

A business resets for people who work for it alone; whoever also works elsewhere is the platform's to help. The platform's crew resets
for everybody, and among themselves for those who hold no more. One's own is removed under Account, Security, with a code.
"""

from typing import ClassVar
from uuid import UUID

import msgspec

from lastlight.domains.identity.jobs import mail_factors_reset
from lastlight.domains.identity.members import read_member
from lastlight.domains.identity.permissions import MEMBERS_FACTORS_RESET, MEMBERS_READ, USERS_READ
from lastlight.domains.identity.roles import require_within
from lastlight.domains.identity.second_factor_check import Factors, factors_of, forget_factors
from lastlight.domains.identity.session_ends import revoke_all
from lastlight.kernel.errors import Invalid, NotFound, Problem
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, MembershipId, TenantId, UserId, VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

PERSON = "select id, name from users where id = $1 and status <> 'closed' for update"
# every tenant: whoever works elsewhere, too, holds what this business cannot judge
HELD = """
select m.id, m.tenant_id, m.venue_ids, r.permissions, r.name as role
from memberships m
join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
where m.user_id = $1 and m.status <> 'ended'
order by m.tenant_id, m.id limit 1000
"""


class MemberFactorReset(Event, frozen=True, kw_only=True):
    """Somebody's second factor was reset by somebody else; they sign in with their password and set one up anew."""

    event_name: ClassVar[str] = "member.second_factor_reset"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    member_id: UUID
    user_id: UUID


class UserFactorReset(Event, frozen=True, kw_only=True):
    """The platform's crew reset the second factor of an account."""

    event_name: ClassVar[str] = "user.second_factor_reset"
    audience: ClassVar[Permission | None] = USERS_READ
    user_id: UUID


class NoFactorHeld(Problem):
    """There is nothing to reset."""

    type = "no-second-factor"
    status = 409
    title = "This person has no second factor"
    default_detail = "Their password alone signs them in; there is nothing to reset."


class OwnFactor(Problem):
    """One's own goes with the password and a code, so that a session left open cannot take it away."""

    type = "own-second-factor"
    status = 409
    title = "This is your own second factor"
    default_detail = "Remove it under Account, Security, with your password and a code."


class WorksElsewhere(Problem):
    """The account is not this business's alone."""

    type = "works-elsewhere"
    status = 409
    title = "This person works elsewhere, too"
    default_detail = "Their second factor guards other businesses as well. Ask the platform's support to reset it."


class FactorResetOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions of the person ended by it."""

    sessions_ended: int


class _Person(msgspec.Struct, frozen=True):
    """Whose second factor it is."""

    id: UserId
    name: str


class _Held(msgspec.Struct, frozen=True):
    """A role of theirs, anywhere."""

    id: MembershipId
    tenant_id: TenantId
    venue_ids: list[VenueId] | None
    permissions: list[str]
    role: str


async def factors_of_member(ctx: Ctx, *, member_id: UUID) -> Factors:
    """What somebody who works here could show. Needs a transaction of the system; raises NotFound."""
    return await factors_of(ctx, user_id=(await read_member(ctx, member_id=member_id)).user_id)


async def reset_member_factors(ctx: Ctx, *, member_id: UUID, reason: str) -> FactorResetOut:
    """Reset the second factor of somebody who works here, and end their sessions. Needs a transaction of the system.

    Raises Invalid, NotFound, GrantsTooMuch, OwnFactor, WorksElsewhere, NoFactorHeld.
    """
    why = _reason(reason)
    member = await read_member(ctx, member_id=member_id)
    person, roles = await _hold(ctx, member.user_id)
    if ctx.tenant_id != PLATFORM and any(role.tenant_id != ctx.tenant_id for role in roles):
        raise WorksElsewhere
    _require_no_more(ctx, [role for role in roles if role.tenant_id == ctx.tenant_id])
    ended = await _reset(ctx, person)
    ctx.emit(
        MemberFactorReset(member_id=member.id, user_id=person.id),
        entity=("member", member.id),
        before={"second_factor": True},
        after={"second_factor": False, "sessions_ended": ended},
        reason=why,
    )
    return FactorResetOut(sessions_ended=ended)


async def reset_account_factors(ctx: Ctx, *, user_id: UUID, reason: str) -> FactorResetOut:
    """Reset the second factor of an account, as the platform's crew. Needs a transaction of the system.

    Raises Invalid, NotFound, GrantsTooMuch, OwnFactor, NoFactorHeld.
    """
    why = _reason(reason)
    person, roles = await _hold(ctx, user_id)
    _require_no_more(ctx, [role for role in roles if role.tenant_id == PLATFORM])
    ended = await _reset(ctx, person)
    before, after = {"second_factor": True}, {"second_factor": False, "sessions_ended": ended}
    ctx.emit(UserFactorReset(user_id=person.id), entity=("user", person.id), before=before, after=after, reason=why)
    for role in roles:
        ctx.emit(
            MemberFactorReset(member_id=role.id, user_id=person.id),
            entity=("member", role.id),
            before=before,
            after=after,
            reason="by the platform's crew",
            tenant_id=role.tenant_id,
        )
    return FactorResetOut(sessions_ended=ended)


async def _hold(ctx: Ctx, user_id: UUID) -> tuple[_Person, list[_Held]]:
    """The person and every role of theirs; their account is held, so that two do not reset it at once."""
    if user_id == ctx.actor.user_id:
        raise OwnFactor
    person = await ctx.db.row(_Person, PERSON, user_id)
    if person is None:
        raise NotFound
    return person, await ctx.db.rows(_Held, HELD, user_id)


def _require_no_more(ctx: Ctx, roles: list[_Held]) -> None:
    for role in roles:
        wanted = role.permissions
        if role.tenant_id != PLATFORM:
            wanted = [*wanted, MEMBERS_FACTORS_RESET.name]
        require_within(ctx, permissions=wanted, venue_ids=role.venue_ids)


async def _reset(ctx: Ctx, person: _Person) -> int:
    found = await factors_of(ctx, user_id=person.id)
    if not found.held and not found.recovery_codes:
        raise NoFactorHeld
    await forget_factors(ctx, user_id=person.id)
    ended = await revoke_all(ctx, user_id=person.id, why="their second factor was reset")
    await ctx.enqueue(mail_factors_reset, user_id=person.id, by=ctx.actor.name, crew=ctx.actor.kind == "crew")
    return ended


def _reason(reason: str) -> str:
    why = " ".join(reason.split())
    if len(why) < 5:
        raise Invalid(fields={"reason": "Say why, and how you know that it is them; it stays on record."})
    return why


FACTOR_RESET_ERRORS: tuple[type[Problem], ...] = (NoFactorHeld, OwnFactor, WorksElsewhere)
FACTOR_RESET_EVENTS: tuple[type[Event], ...] = (MemberFactorReset, UserFactorReset)
