"""Members: who holds which role for which venues. Nobody gives what they lack, and somebody always remains an owner."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.identity.accounts import create_user
from lastlight.domains.identity.errors import LastOwner
from lastlight.domains.identity.events import MemberAdded, MemberChanged, MemberRemoved
from lastlight.domains.identity.names import clean_name
from lastlight.domains.identity.permissions import MEMBERS_MANAGE, MEMBERS_READ
from lastlight.domains.identity.roles import StoredRole, lock_role, require_within
from lastlight.domains.identity.schemas import MemberChangeIn, MemberOut
from lastlight.domains.identity.second_factor_check import forget_factors
from lastlight.domains.identity.session_ends import bump_sessions, hold_sign_ins, revoke_all
from lastlight.domains.identity.tokens import retire_one_time
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM, MembershipId, RoleId, UserId, VenueId, uuid7
from lastlight.runtime.context import Ctx

TOP_ROLES = ("owner", "super_admin")
"""The roles of which one holder must remain: a tenant's and the platform's."""

MEMBER = """
    select m.id, m.user_id, u.name, u.email, m.role_id, r.name as role, r.key as role_key, m.venue_ids, m.status, m.status_reason,
           u.email_verified_at is not null as email_verified, u.last_seen_at, m.created_at, m.updated_at, m.version
    from memberships m
    join users u on u.id = m.user_id
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id"""


class Membership(msgspec.Struct, frozen=True):
    """A membership as it is changed, with its role."""

    id: MembershipId
    user_id: UserId
    role_id: RoleId
    role_key: str
    permissions: list[str]
    venue_ids: list[VenueId] | None
    status: str
    version: int


async def read_member(ctx: Ctx, *, member_id: UUID) -> MemberOut:
    """One membership, where it shares a venue with the reader; NotFound otherwise."""
    return await ctx.db.one(
        MemberOut,
        f"""{MEMBER} where m.tenant_id = $1 and m.id = $2 and m.status <> 'ended'
              and ($3::uuid[] is null or m.venue_ids is null or m.venue_ids && $3)""",
        ctx.tenant_id,
        member_id,
        ctx.venues(MEMBERS_READ),
    )


async def person_behind(ctx: Ctx, *, email: str, name: str) -> tuple[UserId, bool]:
    """The account of an address, and whether its owner has proven it.

    An account whose address nobody has proven may have been made by somebody else in its owner's name: its password and sessions end,
    so that only the mailbox's owner, by the invitation, gets in.
    """
    known = await ctx.db.fetchrow("select id, email_verified_at from users where email = $1 for update", email)
    if known is None:
        if not name.strip():
            raise Invalid(fields={"name": "Nobody has an account with this address yet; give the person's name."})
        created = await create_user(ctx, email=email, name=clean_name(name), password_hash=None)
        if created is None:
            return await person_behind(ctx, email=email, name=name)
        return created, False
    user_id = UserId(known["id"])
    if known["email_verified_at"] is not None:
        return user_id, True
    await hold_sign_ins(ctx, user_id=user_id, alone=True)
    await ctx.db.execute("update users set password_hash = null where id = $1", user_id)
    await retire_one_time(ctx, user_id=user_id)
    await forget_factors(ctx, user_id=user_id)
    await revoke_all(ctx, user_id=user_id, why="invited before the address was proven")
    return user_id, False


async def add_membership(
    ctx: Ctx, *, user_id: UserId, role: StoredRole, venue_ids: Sequence[UUID] | None
) -> MembershipId:
    """Record that somebody holds a role. MemberAlready when they do."""
    member_id = MembershipId(uuid7())
    await ctx.db.execute(
        "insert into memberships (tenant_id, id, user_id, role_id, venue_ids) values ($1, $2, $3, $4, $5)",
        ctx.tenant_id,
        member_id,
        user_id,
        role.id,
        None if venue_ids is None else sorted(set(venue_ids)),
    )
    await bump_sessions(ctx, user_id=user_id, tenant_id=ctx.tenant_id)
    ctx.emit(
        MemberAdded(member_id=member_id, user_id=user_id, role_id=role.id),
        entity=("member", member_id),
        after={"user_id": user_id, "role": role.name, "venue_ids": venue_ids},
    )
    return member_id


async def change_member(ctx: Ctx, *, member_id: UUID, data: MemberChangeIn, version: int) -> MemberOut:
    """Change somebody's role, venues or standing, from their next request on. Raises GrantsTooMuch, MemberAlready, NotFound, LastOwner, Stale."""
    now = await _lock(ctx, member_id, version)
    role = await lock_role(ctx, role_id=now.role_id if data.role_id is UNSET else data.role_id)
    venue_ids = now.venue_ids if data.venue_ids is UNSET else data.venue_ids
    status = now.status if data.status is UNSET else data.status
    if data.venue_ids is not UNSET:
        await require_venues(ctx, venue_ids=venue_ids)
    require_manage(ctx, venue_ids=venue_ids)
    require_within(ctx, permissions=role.permissions, venue_ids=venue_ids)
    stays_owner = role.key == now.role_key and venue_ids is None and status == "active"
    if not stays_owner:
        await _keep_an_owner(ctx, now)
    await ctx.db.execute(
        """update memberships set role_id = $3, venue_ids = $4, status = $5, status_reason = nullif($6, '')
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        now.id,
        role.id,
        None if venue_ids is None else sorted(set(venue_ids)),
        status,
        data.reason,
    )
    await bump_sessions(ctx, user_id=now.user_id, tenant_id=ctx.tenant_id)
    ctx.emit(
        MemberChanged(member_id=now.id, user_id=now.user_id, role_id=role.id, status=status),
        entity=("member", now.id),
        before=_seen(now.role_key, now.venue_ids, now.status),
        after=_seen(role.key, venue_ids, status),
        reason=data.reason,
    )
    return await ctx.db.one(MemberOut, f"{MEMBER} where m.tenant_id = $1 and m.id = $2", ctx.tenant_id, now.id)


async def remove_member(ctx: Ctx, *, member_id: UUID, version: int) -> None:
    """Take a role from somebody, from their next request on. Raises GrantsTooMuch, LastOwner, Stale."""
    now = await _lock(ctx, member_id, version)
    await _keep_an_owner(ctx, now)
    await ctx.db.execute(
        "update memberships set status = 'ended' where tenant_id = $1 and id = $2", ctx.tenant_id, now.id
    )
    await bump_sessions(ctx, user_id=now.user_id, tenant_id=ctx.tenant_id)
    ctx.emit(
        MemberRemoved(member_id=now.id, user_id=now.user_id),
        entity=("member", now.id),
        before=_seen(now.role_key, now.venue_ids, now.status),
    )


def _seen(role: str, venue_ids: Sequence[UUID] | None, status: str) -> dict[str, Any]:
    return {"role": role, "venue_ids": venue_ids, "status": status}


async def _lock(ctx: Ctx, member_id: UUID, version: int) -> Membership:
    """The membership, held until the end of the transaction, if the actor may change it as it stands."""
    found = await ctx.db.one(
        Membership,
        """select m.id, m.user_id, m.role_id, r.key as role_key, r.permissions, m.venue_ids, m.status, m.version
           from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
           where m.tenant_id = $1 and m.id = $2 and m.status <> 'ended'
             and ($3::uuid[] is null or m.venue_ids is null or m.venue_ids && $3)
           for update of m""",
        ctx.tenant_id,
        member_id,
        ctx.venues(MEMBERS_MANAGE),
    )
    if found.version != version:
        raise Stale
    require_manage(ctx, venue_ids=found.venue_ids)
    require_within(ctx, permissions=found.permissions, venue_ids=found.venue_ids)
    return found


def require_manage(ctx: Ctx, *, venue_ids: Sequence[UUID] | None) -> None:
    """Members are managed for the venues that one manages; who holds all of them, by somebody who does."""
    mine = ctx.venues(MEMBERS_MANAGE)
    if mine is None or (venue_ids is not None and set(venue_ids) <= set(mine)):
        return
    raise NotPermitted("This reaches venues that are not yours to manage.", extra={"permission": MEMBERS_MANAGE.name})


async def require_venues(ctx: Ctx, *, venue_ids: Sequence[UUID] | None) -> None:
    """The venues must be the tenant's, and the actor's to manage. They belong to a domain above, so the table is asked."""
    if venue_ids is None:
        return
    if ctx.tenant_id == PLATFORM:
        raise Invalid(fields={"venue_ids": "The platform has no venues; leave this out."})
    known = await ctx.db.fetchval(
        """select count(*) from venues
           where tenant_id = $1 and id = any($2) and ($3::uuid[] is null or id = any($3))""",
        ctx.tenant_id,
        list(set(venue_ids)),
        ctx.venues(MEMBERS_MANAGE),
    )
    if known != len(set(venue_ids)):
        raise NotFound("One of the venues does not exist, or you may not see it.")


async def _keep_an_owner(ctx: Ctx, now: Membership) -> None:
    """Refuse to lose the last owner of all venues. The owners' role is locked, so that two cannot remove each other at once."""
    if now.role_key not in TOP_ROLES or now.venue_ids is not None or now.status != "active":
        return
    await ctx.db.execute(
        "select id from roles where tenant_id = $1 and key = $2 for update", ctx.tenant_id, now.role_key
    )
    others = await ctx.db.fetchval(
        """select count(*) from memberships m join users u on u.id = m.user_id
           where m.tenant_id = $1 and m.role_id = $2 and m.id <> $3 and m.status = 'active' and m.venue_ids is null
             and u.status = 'active'""",
        ctx.tenant_id,
        now.role_id,
        now.id,
    )
    if not others:
        raise LastOwner
