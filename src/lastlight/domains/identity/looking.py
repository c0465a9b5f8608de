"""Looking: an owner previews a role, and the crew sees with somebody's eyes. The one that looks keeps a session of their own to
return to; the look has another, which is short, writes nothing and opens no other."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity.contexts import As, Place, places_of
from lastlight.domains.identity.errors import NoPlace
from lastlight.domains.identity.looking_events import (
    CrewLooked,
    ImpersonationEnded,
    ImpersonationStarted,
    PreviewEnded,
    PreviewStarted,
)
from lastlight.domains.identity.sanctions import plain_reason
from lastlight.domains.identity.session_ends import end_sessions, hold_sign_ins
from lastlight.domains.identity.sessions import COLUMNS, Session, hold_own_session
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Problem
from lastlight.kernel.ids import PLATFORM, SessionId, TenantId, UserId
from lastlight.runtime.auth.actors import check_tenant
from lastlight.runtime.auth.authenticate import read_credentials
from lastlight.runtime.auth.errors import TokenExpired, TokenInvalid
from lastlight.runtime.auth.looking import IMPERSONATE, PREVIEW
from lastlight.runtime.auth.tokens import ACCESS, issue, token_keys
from lastlight.runtime.context import Ctx

PREVIEW_LIFE = timedelta(minutes=30)
Minutes = Literal[15, 30, 60]

OPEN = f"""
    insert into sessions (user_id, tenant_id, kind, patron_id, channel, label, ip, reason, expires_at, second_factor_at,
                          parent_id, preview_role_id, preview_venue_ids, impersonator_id)
    select $2, $3, $4, $5, p.channel, $6, $7, $8, now() + $9, p.second_factor_at, p.id, $10, $11, $12
    from sessions p where p.id = $1 and p.revoked_at is null and p.parent_id is null
    returning {COLUMNS}"""  # noqa: S608 - a constant


class ImpersonatesCrew(Problem):
    """The crew looks into businesses, never through each other's eyes: nobody reaches further than their own role."""

    type = "impersonates-crew"
    status = 409
    title = "The crew is not to be looked through"
    default_detail = "Choose somebody who works at a business, or one of its guests."


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A look as it was opened."""

    session: Session
    ends_at: datetime


class _Role(msgspec.Struct, frozen=True):
    """A role to be previewed."""

    id: UUID
    name: str


class _Subject(msgspec.Struct, frozen=True):
    """Somebody whose eyes are wanted."""

    id: UserId
    name: str
    crew: bool


async def start_preview(ctx: Ctx, *, role_id: UUID, venue_ids: Sequence[UUID] | None) -> Look:
    """Open a session that sees what a role would, at some venues or all, for half an hour. Raises Invalid, NotFound."""
    ctx.require(PREVIEW)
    actor = ctx.actor
    user_id, session_id = await hold_own_session(ctx)
    role = await ctx.db.one(
        _Role,
        "select id, name from roles where tenant_id = $1 and id = $2 and archived_at is null",
        ctx.tenant_id,
        role_id,
    )
    venues = await _own_venues(ctx, venue_ids)
    place = Place("crew" if actor.kind == "crew" else "member", ctx.tenant_id)
    look = await _open(
        ctx,
        session_id,
        user_id,
        place,
        label=f"Preview of {role.name}",
        life=PREVIEW_LIFE,
        role_id=role.id,
        venues=venues,
    )
    ctx.emit(
        PreviewStarted(session_id=look.session.id, role_id=role.id),
        entity=("role", role.id),
        after={"role": role.name, "venues": venues, "until": look.ends_at},
    )
    return look


async def start_impersonation(ctx: Ctx, *, user_id: UUID, tenant: str, as_: As, reason: str, minutes: Minutes) -> Look:
    """Open a session that sees what somebody sees at a business. Raises Invalid, NotFound, NoPlace, ImpersonatesCrew."""
    ctx.require(IMPERSONATE)
    why = plain_reason(reason)
    if len(why) < 5:
        raise Invalid(fields={"reason": "Say why, in a few words; the business reads it."})
    _, session_id = await hold_own_session(ctx)
    subject = await ctx.db.one(
        _Subject,
        """select id, name, exists (select from memberships m where m.tenant_id = $2 and m.user_id = users.id
                                    and m.status = 'active') as crew
           from users where id = $1 and status <> 'closed'""",
        user_id,
        PLATFORM,
    )
    if subject.crew:
        raise ImpersonatesCrew
    await hold_sign_ins(ctx, user_id=subject.id)
    place = await _place_of(ctx, subject, tenant, as_)
    look = await _open(
        ctx,
        session_id,
        subject.id,
        place,
        label=f"Last Light looks: {ctx.actor.name}",
        reason=why,
        life=timedelta(minutes=minutes),
        impersonator_id=ctx.actor.user_id,
    )
    _tell_of_start(ctx, look, subject, place, why)
    return look


async def end_presented(ctx: Ctx, *, authorization: str | None, cookie: str | None) -> SessionId | None:
    """End the look whose token was sent; the session it leads back to. NotFound where the token is of no look that stands."""
    try:
        claims = read_credentials(ctx.services, authorization=authorization, cookie=cookie)
    except (TokenInvalid, TokenExpired):
        claims = None
    if claims is None:
        raise NotFound("You are not looking as anybody.")
    row = await ctx.db.fetchrow(
        """select s.id, s.user_id, s.tenant_id, s.parent_id, s.preview_role_id, s.impersonator_id, s.kind, u.name, u.id as by_id
           from sessions s join users u on u.id = coalesce(s.impersonator_id, s.user_id)
           where s.id = $1 and s.parent_id is not null for update of s""",
        claims.sid,
    )
    if row is None:
        raise NotFound("You are not looking as anybody.")
    kind = "crew" if row["impersonator_id"] else row["kind"]
    ctx.actor = msgspec.structs.replace(
        ctx.actor, kind=kind, user_id=row["by_id"], name=row["name"], channel="cookie" if cookie else "bearer"
    )
    if await end_sessions(ctx, session_ids=[row["id"]], why="stopped looking"):
        _tell_of_end(ctx, row)
    return SessionId(row["parent_id"])


async def way_back(ctx: Ctx, *, cookie: str | None) -> bool:
    """Whether a kept cookie still leads back to a session of one's own."""
    try:
        claims = read_credentials(ctx.services, authorization=None, cookie=cookie)
    except (TokenInvalid, TokenExpired):
        return False
    if claims is None:
        return False
    return bool(
        await ctx.db.fetchval(
            "select 1 from sessions where id = $1 and parent_id is null and revoked_at is null and expires_at > now()",
            claims.sid,
        )
    )


def look_token(ctx: Ctx, *, look: Look) -> tuple[str, int]:
    """An access token for a look, and its life in seconds: as long as the look, because nothing prolongs it."""
    session = look.session
    seconds = max(1, int((look.ends_at - ctx.now).total_seconds()))
    token = issue(
        token_keys(ctx.services.secrets),
        ACCESS,
        user_id=session.user_id,
        session_id=session.id,
        tenant_id=session.tenant_id,
        session_kind=session.kind,
        seconds=seconds,
    )
    return token, seconds


async def _own_venues(ctx: Ctx, venue_ids: Sequence[UUID] | None) -> list[UUID] | None:
    """The venues asked for, each of them the tenant's; None for all. They belong to a domain above, so the table is asked."""
    wanted = sorted(set(venue_ids or ()))
    if not wanted:
        return None
    if ctx.tenant_id == PLATFORM:
        raise Invalid(fields={"venue_ids": "The platform has no venues; leave this out."})
    known = await ctx.db.fetchval(
        "select count(*) from venues where tenant_id = $1 and id = any($2)", ctx.tenant_id, wanted
    )
    if known != len(wanted):
        raise NotFound("One of the venues does not exist, or you may not see it.")
    return wanted


async def _place_of(ctx: Ctx, subject: _Subject, tenant: str, as_: As) -> Place:
    places = await places_of(ctx, user_id=subject.id)
    kind = "patron" if as_ == "patron" else "member"
    place = next((p for p in places if p.slug == tenant.strip().lower() and p.kind == kind), None)
    if place is None:
        raise NoPlace("They do not belong to this business, or not in that way.")
    check_tenant(place.status)
    return place


async def _open(
    ctx: Ctx,
    parent_id: SessionId,
    user_id: UserId,
    place: Place,
    *,
    label: str,
    life: timedelta,
    reason: str = "",
    role_id: UUID | None = None,
    venues: list[UUID] | None = None,
    impersonator_id: UserId | None = None,
) -> Look:
    session = await ctx.db.row(
        Session,
        OPEN,
        parent_id,
        user_id,
        place.tenant_id,
        place.kind,
        place.patron_id,
        label[:80],
        ctx.actor.ip,
        reason,
        life,
        role_id,
        venues,
        impersonator_id,
    )
    if session is None:
        raise NotPermitted("You are looking already: end that first.")
    return Look(session=session, ends_at=session.expires_at)


def _tell_of_start(ctx: Ctx, look: Look, subject: _Subject, place: Place, reason: str) -> None:
    """In the business's own record, and in the platform's."""
    assert ctx.actor.user_id is not None, "the guard lets only signed-in people through"
    event = ImpersonationStarted(
        session_id=look.session.id, user_id=subject.id, by_id=ctx.actor.user_id, until=look.ends_at
    )
    said = {"looks as": subject.name, "until": look.ends_at}
    ctx.emit(event, entity=("user", subject.id), after=said, reason=reason, tenant_id=place.tenant_id)
    ctx.emit(
        CrewLooked(user_id=subject.id, tenant_id=TenantId(place.tenant_id or PLATFORM), what="started"),
        entity=("user", subject.id),
        after={**said, "business": place.name},
        reason=reason,
        tenant_id=PLATFORM,
    )


def _tell_of_end(ctx: Ctx, row: Any) -> None:
    tenant_id = TenantId(row["tenant_id"] or PLATFORM)
    if row["preview_role_id"]:
        ctx.emit(
            PreviewEnded(session_id=row["id"], role_id=row["preview_role_id"]),
            entity=("role", row["preview_role_id"]),
            tenant_id=tenant_id,
        )
        return
    entity = ("user", row["user_id"])
    ctx.emit(ImpersonationEnded(session_id=row["id"], user_id=row["user_id"]), entity=entity, tenant_id=tenant_id)
    ctx.emit(CrewLooked(user_id=row["user_id"], tenant_id=tenant_id, what="ended"), entity=entity, tenant_id=PLATFORM)
