"""Invitations: a role is offered to an address, and nobody holds anything before they accept.

Nobody offers what they lack, and an offer stands only while whoever made it may still make it: who has lost the right to give a role
has not left an open door behind.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import InvitationClosed, MemberAlready
from lastlight.domains.identity.invitation_events import (
    InvitationExpired,
    InvitationResent,
    InvitationRevoked,
    InvitationSent,
)
from lastlight.domains.identity.invitation_mail import mail_offer
from lastlight.domains.identity.invitation_schemas import InvitationId, InvitationIn, InvitationOut
from lastlight.domains.identity.members import require_manage, require_venues
from lastlight.domains.identity.names import clean_email, clean_name
from lastlight.domains.identity.permissions import MEMBERS_MANAGE
from lastlight.domains.identity.roles import lock_role, require_within
from lastlight.kernel.errors import Stale, TooManyRequests
from lastlight.kernel.ids import RoleId, TenantId, VenueId, uuid7
from lastlight.runtime import limits
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

LIFE = timedelta(days=7)
MAILS = limits.Policy("invitations", 500, 86_400)
"""Invitations that one business sends in a day: they go to any address, with words of its own."""
INVITATION = """
    select i.id, i.email, i.name, i.role_id, r.name as role, i.venue_ids, i.note, i.invited_by, u.name as inviter, i.sent_at,
           case when i.status = 'open' and i.expires_at <= now() then 'expired' else i.status end as status,
           i.sent_count, i.expires_at, i.closed_at, i.created_at, i.updated_at, i.version
    from invitations i
    join roles r on r.tenant_id = i.tenant_id and r.id = i.role_id
    left join users u on u.id = i.invited_by"""
CLOSE_LATE = """
    update invitations set status = 'expired', closed_at = now()
    where tenant_id = $1 and status = 'open' and expires_at <= now()"""


class _Held(msgspec.Struct, frozen=True):
    """An invitation as it is resent or revoked."""

    id: InvitationId
    email: str
    role_id: RoleId
    venue_ids: list[VenueId] | None
    status: str
    version: int


async def read_invitation(ctx: Ctx, *, invitation_id: UUID) -> InvitationOut:
    """One invitation, where it shares a venue with the reader; NotFound otherwise."""
    return await ctx.db.one(
        InvitationOut,
        f"""{INVITATION} where i.tenant_id = $1 and i.id = $2
              and ($3::uuid[] is null or i.venue_ids is null or i.venue_ids && $3)""",
        ctx.tenant_id,
        invitation_id,
        ctx.venues(MEMBERS_MANAGE),
    )


async def invite(ctx: Ctx, *, data: InvitationIn) -> InvitationOut:
    """Offer a role to whoever owns an address.

    Raises Invalid, NotFound, GrantsTooMuch, MemberAlready, InvitationOpen, TooManyRequests.
    """
    email = clean_email(data.email)
    name = clean_name(data.name) if data.name.strip() else ""
    role = await lock_role(ctx, role_id=data.role_id)
    await require_venues(ctx, venue_ids=data.venue_ids)
    require_manage(ctx, venue_ids=data.venue_ids)
    require_within(ctx, permissions=role.permissions, venue_ids=data.venue_ids)
    await _require_no_member(ctx, email=email, role_id=role.id)
    await ctx.db.execute(CLOSE_LATE + " and email = $2 and role_id = $3", ctx.tenant_id, email, role.id)
    await _count_mail(ctx)
    invitation_id = InvitationId(uuid7())
    await ctx.db.execute(
        """insert into invitations (tenant_id, id, email, name, role_id, venue_ids, note, invited_by, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9)""",
        ctx.tenant_id,
        invitation_id,
        email,
        name,
        role.id,
        None if data.venue_ids is None else sorted(set(data.venue_ids)),
        " ".join(data.note.split()),
        ctx.actor.user_id,
        timedelta(days=data.days),
    )
    ctx.emit(
        InvitationSent(invitation_id=invitation_id, role_id=role.id),
        entity=("invitation", invitation_id),
        after={"email": email, "role": role.name, "venue_ids": data.venue_ids},
    )
    await ctx.enqueue(mail_offer, invitation_id=invitation_id)
    return await read_invitation(ctx, invitation_id=invitation_id)


async def _require_no_member(ctx: Ctx, *, email: str, role_id: RoleId) -> None:
    held = await ctx.db.fetchval(
        """select 1 from memberships m join users u on u.id = m.user_id
           where m.tenant_id = $1 and m.role_id = $3 and u.email = $2 and m.status <> 'ended'""",
        ctx.tenant_id,
        email,
        role_id,
    )
    if held:
        raise MemberAlready


async def _count_mail(ctx: Ctx) -> None:
    decision = await limits.check(ctx.services, policy=MAILS, key=str(ctx.tenant_id))
    if not decision.allowed:
        said = f"A business sends {MAILS.quota} invitations a day. Send the next one in a few minutes."
        raise TooManyRequests(said, headers=decision.headers())


async def resend(ctx: Ctx, *, invitation_id: UUID, version: int) -> InvitationOut:
    """Send a new link, for another seven days, in the name of who resends it; the earlier link no longer works."""
    held = await _lock(ctx, invitation_id, version)
    role = await lock_role(ctx, role_id=held.role_id)
    require_within(ctx, permissions=role.permissions, venue_ids=held.venue_ids)
    await _require_no_member(ctx, email=held.email, role_id=role.id)
    await _count_mail(ctx)
    await ctx.db.execute(
        """update invitations set status = 'open', closed_at = null, token_hash = null, invited_by = $3, expires_at = now() + $4
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        held.id,
        ctx.actor.user_id,
        LIFE,
    )
    ctx.emit(
        InvitationResent(invitation_id=held.id, role_id=role.id),
        entity=("invitation", held.id),
        before={"status": held.status},
        after={"status": "open"},
    )
    await ctx.enqueue(mail_offer, invitation_id=held.id)
    return await read_invitation(ctx, invitation_id=held.id)


async def revoke_invitation(ctx: Ctx, *, invitation_id: UUID, version: int) -> None:
    """Take an offer back; its link no longer works. Raises InvitationClosed once it was accepted or revoked."""
    held = await _lock(ctx, invitation_id, version)
    await ctx.db.execute(
        """update invitations set status = 'revoked', closed_at = now()
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        held.id,
    )
    ctx.emit(
        InvitationRevoked(invitation_id=held.id, role_id=held.role_id),
        entity=("invitation", held.id),
        before={"status": held.status, "email": held.email},
        after={"status": "revoked"},
    )


async def _lock(ctx: Ctx, invitation_id: UUID, version: int) -> _Held:
    """The invitation, held until the end of the transaction, if it can still be changed, by this actor."""
    held = await ctx.db.one(
        _Held,
        """select id, email, role_id, venue_ids, status, version from invitations
           where tenant_id = $1 and id = $2 and ($3::uuid[] is null or venue_ids is null or venue_ids && $3)
           for update""",
        ctx.tenant_id,
        invitation_id,
        ctx.venues(MEMBERS_MANAGE),
    )
    if held.version != version:
        raise Stale
    if held.status in {"accepted", "revoked"}:
        raise InvitationClosed
    require_manage(ctx, venue_ids=held.venue_ids)
    return held


async def tenants_with_late_invitations(ctx: Ctx) -> list[TenantId]:
    """The tenants that have an open invitation whose time is over."""
    rows = await ctx.db.fetch(
        """select t.id from tenants t
           where exists (select from invitations i where i.tenant_id = t.id and i.status = 'open' and i.expires_at <= now())"""
    )
    return [TenantId(row["id"]) for row in rows]


@job("identity.expire_invitations", schedule="*/10 * * * *", each=tenants_with_late_invitations)
async def expire_invitations(ctx: Ctx) -> int:
    """Close the invitations that nobody answered in time, and say so; how many there were."""
    rows = await ctx.db.fetch(CLOSE_LATE + " returning id, role_id", ctx.tenant_id)
    for row in rows:
        ctx.emit(
            InvitationExpired(invitation_id=row["id"], role_id=row["role_id"]),
            entity=("invitation", row["id"]),
            after={"status": "expired"},
        )
    return len(rows)
