"""Accepting an invitation: the link proves the mailbox, so it makes the account where there is none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.identity.accounts import create_user
from lastlight.domains.identity.addresses import mark_verified
from lastlight.domains.identity.errors import LinkInvalid, MemberAlready
from lastlight.domains.identity.invitation_events import InvitationAccepted
from lastlight.domains.identity.invitation_schemas import (
    AcceptedOut,
    AcceptIn,
    InvitationId,
    InvitationSeen,
)
from lastlight.domains.identity.members import add_membership
from lastlight.domains.identity.names import clean_name
from lastlight.domains.identity.permissions import MEMBERS_MANAGE
from lastlight.domains.identity.roles import lock_role
from lastlight.domains.identity.second_factor_check import forget_factors
from lastlight.domains.identity.session_ends import hold_sign_ins, revoke_all
from lastlight.domains.identity.tokens import digest, retire_one_time
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PLATFORM, RoleId, TenantId, UserId, VenueId
from lastlight.runtime.auth.grants import Held, crew_grants, effective, lacking, member_grants
from lastlight.runtime.auth.passwords import check_policy, hash_password
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.services import Services

VOID = "Whoever invited you may no longer give this role. Ask the business for a new invitation."
CLOSED = {
    "accepted": "It was accepted already: sign in with this address.",
    "revoked": "The business took it back. Ask them if you think that this is a mistake.",
    "expired": "Its time is over. Ask the business to send it again.",
    "away": "The business is not on Last Light at the moment, or no longer has this role. Ask them for a new invitation.",
}
OPEN = """
    select i.tenant_id, i.id, i.email, i.name, i.note, i.role_id, i.venue_ids, i.invited_by, i.expires_at, r.name as role,
           r.permissions, t.slug, t.name as business, u.name as inviter, a.id as user_id,
           coalesce(a.email_verified_at is not null and a.password_hash is not null, false) as has_account
    from invitations i
    join tenants t on t.id = i.tenant_id
    join roles r on r.tenant_id = i.tenant_id and r.id = i.role_id
    left join users u on u.id = i.invited_by
    left join users a on a.email = i.email
    where i.tenant_id = $1 and i.token_hash = $2 and i.status = 'open' and i.expires_at > now() and t.status = 'active'
      and r.archived_at is null and (a.id is null or a.status = 'active')"""
STATE = """
    select case when i.status = 'open' and i.expires_at <= now() then 'expired' when i.status = 'open' then 'away' else i.status end
    from invitations i where i.tenant_id = $1 and i.token_hash = $2"""
HELD = """
    select r.permissions, m.venue_ids from memberships m
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
    join users u on u.id = m.user_id
    where m.tenant_id = $1 and m.user_id = $2 and m.status = 'active' and r.archived_at is null and u.status = 'active'"""


class Open(msgspec.Struct, frozen=True):
    """An open invitation behind its token, with the account of its address if there is one."""

    tenant_id: TenantId
    id: InvitationId
    email: str
    name: str
    note: str
    role_id: RoleId
    venue_ids: list[VenueId] | None
    invited_by: UserId | None
    expires_at: datetime
    role: str
    permissions: list[str]
    slug: str
    business: str
    inviter: str | None
    user_id: UserId | None
    has_account: bool


def _place(token: str) -> tuple[UUID, bytes]:
    """The tenant that a token names, and the digest under which it is kept; LinkInvalid for what is no token of ours."""
    mark, _, rest = token.strip().partition("_")
    tenant, _, secret = rest.partition("_")
    if mark != "lli" or not secret:
        raise LinkInvalid
    try:
        return UUID(hex=tenant), digest(token.strip())
    except ValueError as error:
        raise LinkInvalid from error


def _gone(state: str | None) -> LinkInvalid:
    """Why a link no longer works, told to who holds it; a link that was never ours, or was replaced by a later one, says no more."""
    if state is None:
        return LinkInvalid("It is none of ours, or a later e-mail holds a newer one: look into your mailbox.")
    return LinkInvalid(CLOSED[state], extra={"state": state})


async def look_at_invitation(ctx: Ctx, *, token: str) -> InvitationSeen:
    """What an invitation offers, to who holds its link; LinkInvalid when it is closed or never was one."""
    tenant_id, kept = _place(token)
    found = await ctx.db.row(Open, OPEN, tenant_id, kept)
    if found is None:
        raise _gone(await ctx.db.fetchval(STATE, tenant_id, kept))
    ctx.record("invitation.opened", entity=("invitation", found.id), tenant_id=found.tenant_id)
    return InvitationSeen(
        business=found.business,
        role=found.role,
        email=found.email,
        name=found.name,
        inviter=found.inviter,
        note=found.note,
        expires_at=found.expires_at,
        has_account=found.has_account,
    )


async def prepare_acceptance(services: Services, data: AcceptIn, _actor: Actor) -> str | None:
    """Check the link, and hash the password where one is to be chosen; nothing is spent yet."""
    tenant_id, kept = _place(data.token)
    row = await services.pools.system.fetchrow(OPEN, tenant_id, kept)
    if row is None:
        raise _gone(await services.pools.system.fetchval(STATE, tenant_id, kept))
    if row["has_account"]:
        return None
    clean_name(data.name or row["name"])
    check_policy(data.password, email=row["email"])
    return await hash_password(data.password)


async def accept(ctx: Ctx, *, data: AcceptIn, password_hash: str | None) -> AcceptedOut:
    """Take the role that one was invited to, once. Raises LinkInvalid, Invalid, MemberAlready."""
    tenant_id, kept = _place(data.token)
    found = await ctx.db.row(Open, OPEN + " for update of i", tenant_id, kept)
    if found is None:
        raise _gone(await ctx.db.fetchval(STATE, tenant_id, kept))
    ctx.tenant_id = found.tenant_id
    if not await _still_offered(ctx, found):
        raise LinkInvalid(VOID)
    role = await lock_role(ctx, role_id=found.role_id)
    user_id = await _account(ctx, found, name=data.name, password_hash=password_hash)
    ctx.actor = msgspec.structs.replace(ctx.actor, kind="guest", user_id=user_id, email=found.email)
    await _require_free(ctx, user_id=user_id, role_id=role.id)
    member_id = await add_membership(ctx, user_id=user_id, role=role, venue_ids=found.venue_ids)
    await ctx.db.execute(
        """update invitations set status = 'accepted', closed_at = now(), member_id = $3
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        found.id,
        member_id,
    )
    ctx.emit(
        InvitationAccepted(invitation_id=found.id, role_id=role.id, member_id=member_id),
        entity=("invitation", found.id),
        after={"status": "accepted", "user_id": user_id},
    )
    return AcceptedOut(tenant=found.slug, business=found.business, role=role.name, email=found.email)


async def _require_free(ctx: Ctx, *, user_id: UserId, role_id: RoleId) -> None:
    held = await ctx.db.fetchval(
        "select 1 from memberships where tenant_id = $1 and user_id = $2 and role_id = $3 and status <> 'ended'",
        ctx.tenant_id,
        user_id,
        role_id,
    )
    if held:
        raise MemberAlready


async def _account(ctx: Ctx, found: Open, *, name: str, password_hash: str | None) -> UserId:
    """The account of the invited address. One that nobody has proven may be a stranger's: its password and sessions end."""
    if found.has_account and found.user_id is not None:
        return found.user_id
    if password_hash is None:
        raise Invalid(fields={"password": "Choose a password."})
    called = clean_name(name or found.name)
    if found.user_id is None:
        user_id = await create_user(ctx, email=found.email, name=called, password_hash=password_hash)
        if user_id is None:
            raise LinkInvalid("Somebody has just opened an account with this address. Follow the link again.")
    else:
        user_id = found.user_id
        await hold_sign_ins(ctx, user_id=user_id, alone=True)
        await ctx.db.execute(
            "update users set password_hash = $2, name = $3 where id = $1", user_id, password_hash, called
        )
        await retire_one_time(ctx, user_id=user_id)
        await forget_factors(ctx, user_id=user_id)
        await revoke_all(ctx, user_id=user_id, why="invited before the address was proven")
    await mark_verified(ctx, user_id=user_id)
    return user_id


async def _still_offered(ctx: Ctx, found: Open) -> bool:
    """Whether whoever invited may still give this role for these venues. The platform's own invitations stand."""
    if found.invited_by is None:
        return True
    known = ctx.services.registry.permissions
    rows = await ctx.db.fetch(HELD, found.tenant_id, found.invited_by)
    if found.tenant_id == PLATFORM:
        wanted: dict[str, frozenset[VenueId] | None] = {n: None for n in found.permissions if n in known}
        grants = crew_grants(known, _held(rows), inside=False)
    else:
        wanted = effective(known, found.permissions, found.venue_ids)
        grants = member_grants(known, _held(rows))
        if not rows:
            rows = await ctx.db.fetch(HELD, PLATFORM, found.invited_by)
            grants = crew_grants(known, _held(rows), inside=True)
    wanted[MEMBERS_MANAGE.name] = None if found.venue_ids is None else frozenset(found.venue_ids)
    return bool(rows) and not lacking(grants, wanted)


def _held(rows: Sequence[Any]) -> list[Held]:
    return [(row["permissions"], row["venue_ids"]) for row in rows]
