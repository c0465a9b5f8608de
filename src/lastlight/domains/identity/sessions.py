"""Sessions: opened at sign-in, continued by rotating refresh tokens, ended by their owner or by what goes wrong."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity.contexts import As, Place, choose_place
from lastlight.domains.identity.errors import RefreshInvalid, RefreshReused
from lastlight.domains.identity.events import SessionClosed, SessionOpened, SessionRevoked
from lastlight.domains.identity.tokens import digest, new_token
from lastlight.kernel.errors import NotFound, NotSignedIn, SessionEnded
from lastlight.kernel.ids import PLATFORM, SessionId, TenantId, UserId
from lastlight.runtime.auth.authenticate import forget, load_actor, read_credentials
from lastlight.runtime.auth.errors import TokenExpired, TokenInvalid
from lastlight.runtime.auth.tokens import ACCESS, COOKIE, COOKIE_SECONDS, SessionKind, issue, token_keys
from lastlight.runtime.context import Ctx

Channel = Literal["bearer", "cookie"]
SESSIONS_CHANNEL = "lastlight_sessions"
"""Where changed sessions are told, so that sockets are looked at again: the payload is `user:<id>`, `role:<id>` and so on."""


class Session(msgspec.Struct, frozen=True):
    """A session as it stands."""

    id: SessionId
    user_id: UserId
    tenant_id: TenantId | None
    kind: SessionKind
    expires_at: datetime
    reason: str


class Tokens(msgspec.Struct, frozen=True):
    """What a client keeps: the access token for its requests, the refresh token for the next pair."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret


class SessionOut(msgspec.Struct, frozen=True):
    """One of one's own sessions."""

    id: SessionId
    kind: SessionKind
    tenant: str | None
    channel: Channel
    label: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


COLUMNS = "id, user_id, tenant_id, kind, expires_at, reason"
OPEN = f"""
    with seen as (update users set last_seen_at = now() where id = $1 and $8 = '')
    insert into sessions (user_id, tenant_id, kind, patron_id, channel, label, ip, reason, expires_at, second_factor_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9,
            (select s.second_factor_at from sessions s where s.id = $10 and s.user_id = $1))
    returning {COLUMNS}"""  # noqa: S608 - a constant


async def open_session(
    ctx: Ctx,
    *,
    user_id: UserId,
    name: str,
    email: str,
    place: Place,
    channel: Channel,
    label: str = "",
    reason: str = "",
    life: timedelta | None = None,
    out_of: UUID | None = None,
) -> Session:
    """Open a session of a user in a place; `reason` and `life` bound one that the crew opens inside a tenant.

    Opened `out_of` another session of the same user, it has shown the second factor where that one has.
    """
    usual = COOKIE_SECONDS if channel == "cookie" else ctx.services.settings.refresh_token_seconds
    session = await ctx.db.one(
        Session,
        OPEN,
        user_id,
        place.tenant_id,
        place.kind,
        place.patron_id,
        channel,
        (label or _device(ctx.actor.user_agent))[:80],
        ctx.actor.ip,
        reason,
        life or timedelta(seconds=usual),
        out_of,
    )
    ctx.actor = msgspec.structs.replace(
        ctx.actor, kind=place.kind, user_id=user_id, patron_id=place.patron_id, name=name, email=email, channel=channel
    )
    ctx.emit(
        SessionOpened(session_id=session.id, user_id=user_id, kind=session.kind),
        entity=("session", session.id),
        after={"kind": session.kind, "channel": channel, "label": label},
        reason=reason,
        tenant_id=place.tenant_id or PLATFORM,
    )
    return session


async def hold_sign_ins(ctx: Ctx, *, user_id: UUID, alone: bool = False) -> None:
    """Until the end of the transaction, let nobody end this user's sessions while one is being opened, or the other way round.

    Who opens one shares the lock and then looks again whether they still may; who ends them takes it `alone`. Otherwise a sign-in
    that began before a password changed would outlive the change.
    """
    key = f"sign-ins {user_id}"
    if alone:
        await ctx.db.execute("select pg_advisory_xact_lock(hashtextextended($1, 11))", key)
    else:
        await ctx.db.execute("select pg_advisory_xact_lock_shared(hashtextextended($1, 11))", key)


async def hold_own_session(ctx: Ctx) -> tuple[UserId, SessionId]:
    """The signed-in person and the session out of which they open another one. SessionEnded when it ended meanwhile."""
    user_id, session_id = ctx.actor.user_id, ctx.actor.session_id
    if user_id is None or session_id is None:
        raise NotSignedIn
    await hold_sign_ins(ctx, user_id=user_id)
    if not await ctx.db.fetchval("select revoked_at is null from sessions where id = $1", session_id):
        raise SessionEnded
    return user_id, session_id


async def switch(ctx: Ctx, *, tenant: str, as_: As | None, channel: Channel | None = None) -> Session:
    """Open a session of the signed-in person in another place. A browser is in one place at a time, so there the old one ends.

    Raises NoPlace, or tenant-pending, -suspended or -closed.
    """
    actor = ctx.actor
    user_id, session_id = await hold_own_session(ctx)
    place = await choose_place(ctx, user_id=user_id, name=actor.name, tenant=tenant, as_=as_)
    channel = channel or ("cookie" if actor.channel == "cookie" else "bearer")
    if channel == "cookie":
        await close(ctx, session_id=session_id)
    return await open_session(
        ctx, user_id=user_id, name=actor.name, email=actor.email, place=place, channel=channel, out_of=session_id
    )


async def issue_tokens(ctx: Ctx, *, session: Session) -> Tokens:
    """An access token and a new refresh token for a session."""
    refresh = new_token("llr_")
    await ctx.db.execute(
        "insert into refresh_tokens (hash, session_id, expires_at) values ($1, $2, $3)",
        digest(refresh),
        session.id,
        session.expires_at,
    )
    seconds = min(
        ctx.services.settings.access_token_seconds, max(1, int((session.expires_at - ctx.now).total_seconds()))
    )
    return Tokens(_signed(ctx, ACCESS, session, seconds), refresh, seconds)


def cookie_token(ctx: Ctx, *, session: Session) -> tuple[str, int]:
    """The cookie's token for a session, and its life in seconds."""
    seconds = max(1, int((session.expires_at - ctx.now).total_seconds()))
    return _signed(ctx, COOKIE, session, seconds), seconds


def _signed(ctx: Ctx, kind: Any, session: Session, seconds: int) -> str:
    return issue(
        token_keys(ctx.services.secrets),
        kind,
        user_id=session.user_id,
        session_id=session.id,
        tenant_id=session.tenant_id,
        session_kind=session.kind,
        seconds=seconds,
    )


async def refresh(ctx: Ctx, *, token: str) -> Tokens:
    """Trade a refresh token for the next pair. It works once: the second time its whole session ends (RefreshReused).

    The row's own lock decides a race: one wins, the others find it used. Whoever may not come in now (account-suspended,
    tenant-suspended, membership-ended and so on) is refused, and keeps the token for when they may.
    """
    session_id = await ctx.db.fetchval(
        """update refresh_tokens set used_at = now()
           where hash = $1 and used_at is null and expires_at > now() returning session_id""",
        digest(token),
    )
    if session_id is None:
        await _refuse_refresh(ctx, token)
    session = await ctx.db.row(
        Session,
        f"""update sessions
            set last_seen_at = now(), ip = $2, expires_at = case when reason = '' then now() + $3 else expires_at end
            where id = $1 and revoked_at is null and expires_at > now() returning {COLUMNS}""",  # noqa: S608 - a constant
        session_id,
        ctx.actor.ip,
        timedelta(seconds=ctx.services.settings.refresh_token_seconds),
    )
    if session is None:
        raise RefreshInvalid
    await load_actor(ctx.db, ctx.services.registry, session.id)
    return await issue_tokens(ctx, session=session)


async def _refuse_refresh(ctx: Ctx, token: str) -> None:
    used = await ctx.db.fetchrow("select session_id, used_at from refresh_tokens where hash = $1", digest(token))
    if used is None or used["used_at"] is None:
        raise RefreshInvalid
    await revoke(ctx, session_ids=[used["session_id"]], why="refresh token used twice")
    raise RefreshReused


async def session_of_refresh(ctx: Ctx, *, token: str) -> SessionId:
    """The session that a refresh token belongs to; RefreshInvalid when it belongs to none."""
    found = await ctx.db.fetchval("select session_id from refresh_tokens where hash = $1", digest(token))
    if found is None:
        raise RefreshInvalid
    return SessionId(found)


async def close(ctx: Ctx, *, session_id: SessionId) -> None:
    """End a session because its owner signs out; nothing happens to one that has ended."""
    for row in await end_sessions(ctx, session_ids=[session_id], why="signed out"):
        ctx.emit(
            SessionClosed(session_id=row["id"], user_id=row["user_id"]),
            entity=("session", row["id"]),
            tenant_id=row["tenant_id"] or PLATFORM,
        )


async def close_presented(ctx: Ctx, *, authorization: str | None, cookie: str | None) -> bool:
    """Sign out of the session whose token was sent, even where its owner may do nothing else just now; False without one of ours."""
    try:
        claims = read_credentials(ctx.services, authorization=authorization, cookie=cookie)
    except (NotSignedIn, TokenInvalid, TokenExpired):
        return False
    if claims is None:
        return False
    await close(ctx, session_id=claims.sid)
    return True


async def revoke(ctx: Ctx, *, session_ids: list[SessionId], why: str) -> int:
    """End sessions from elsewhere; how many of them still stood."""
    rows = await end_sessions(ctx, session_ids=session_ids, why=why)
    for row in rows:
        ctx.emit(
            SessionRevoked(session_id=row["id"], user_id=row["user_id"], why=why),
            entity=("session", row["id"]),
            reason=why,
            tenant_id=row["tenant_id"] or PLATFORM,
        )
    return len(rows)


async def revoke_all(ctx: Ctx, *, user_id: UserId, why: str, keep: SessionId | None = None) -> int:
    """End every session of a user, but for the one that is kept."""
    await hold_sign_ins(ctx, user_id=user_id, alone=True)
    rows = await ctx.db.fetch(
        "select id from sessions where user_id = $1 and revoked_at is null and id is distinct from $2 for update",
        user_id,
        keep,
    )
    return await revoke(ctx, session_ids=[row["id"] for row in rows], why=why)


async def revoke_own(ctx: Ctx, *, session_id: SessionId) -> None:
    """End one of one's own sessions; NotFound when it is not, or has ended."""
    own = await ctx.db.fetchval(
        "select id from sessions where id = $1 and user_id = $2 and revoked_at is null", session_id, ctx.actor.user_id
    )
    if own is None:
        raise NotFound
    await revoke(ctx, session_ids=[session_id], why="ended by its owner")


async def end_sessions(ctx: Ctx, *, session_ids: list[SessionId], why: str) -> list[Any]:
    """End sessions and the looks that were opened out of them; the rows of those that still stood. The caller says it."""
    rows = await ctx.db.fetch(
        """update sessions set revoked_at = now(), revoked_reason = $2, version = version + 1
           where (id = any($1) or parent_id = any($1)) and revoked_at is null returning id, user_id, tenant_id""",
        session_ids,
        why,
    )
    for row in rows:
        forget(row["id"])
        await ctx.db.execute("select pg_notify($1, $2)", SESSIONS_CHANNEL, f"session:{row['id']}")
    return rows


async def list_own(ctx: Ctx) -> list[SessionOut]:
    """One's own sessions that stand, the last used first."""
    return await ctx.db.rows(
        SessionOut,
        """select s.id, s.kind, t.name as tenant, s.channel, s.label, s.ip, s.created_at, s.last_seen_at, s.expires_at,
                  s.id is not distinct from $2 as current
           from sessions s left join tenants t on t.id = s.tenant_id
           where s.user_id = $1 and s.revoked_at is null and s.expires_at > now()
           order by s.last_seen_at desc, s.id desc limit 100""",
        ctx.actor.user_id,
        ctx.actor.session_id,
    )


async def bump_sessions(
    ctx: Ctx, *, user_id: UUID | None = None, role_id: UUID | None = None, tenant_id: UUID | None = None
) -> int:
    """Raise the version of the sessions whose rights have changed, so that each holder is read anew from the next request on.

    `user_id` alone: everywhere; with `tenant_id`: there; `role_id` with `tenant_id`: of those who hold the role; `tenant_id` alone:
    of everybody there. Crew inside a tenant are found through the platform's own id. Looks are among them: those of a role, and
    those of the crew in somebody's place. How many sessions it concerned.
    """
    count = await ctx.db.execute(
        """update sessions s set version = s.version + 1
           where s.revoked_at is null and s.expires_at > now()
             and ($1::uuid is null or s.user_id = $1 or s.impersonator_id = $1)
             and ($3::uuid is null or s.tenant_id = $3 or ((s.kind = 'crew' or s.impersonator_id is not null) and $3 = $4))
             and ($2::uuid is null or s.preview_role_id = $2
                  or exists (select from memberships m
                             where m.tenant_id = $3 and m.role_id = $2 and m.user_id in (s.user_id, s.impersonator_id)))""",
        user_id,
        role_id,
        tenant_id,
        PLATFORM,
    )
    what = f"user:{user_id}" if user_id else f"role:{role_id}" if role_id else f"tenant:{tenant_id}"
    await ctx.db.execute("select pg_notify($1, $2)", SESSIONS_CHANNEL, what)
    return count


def _device(user_agent: str) -> str:
    """A few words for a list of sessions, such as "Firefox on Android"."""
    browsers = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS": "Mac",
        "Linux": "Linux",
    }
    browser = next((name for mark, name in browsers.items() if mark in user_agent), "")
    system = next((name for mark, name in systems.items() if mark in user_agent), "")
    return (
        " on ".join(part for part in (browser, system) if part) or user_agent.split("/", 1)[0][:40] or "Unknown device"
    )
