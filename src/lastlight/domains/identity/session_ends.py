"""Sessions end, or change: signed out, revoked, their rights raised to a new version; sockets are told."""

from typing import Any
from uuid import UUID

from lastlight.domains.identity.events import SessionClosed, SessionRevoked
from lastlight.kernel.errors import NotFound, NotSignedIn
from lastlight.kernel.ids import PLATFORM, SessionId, UserId
from lastlight.runtime.auth.authenticate import forget, read_credentials
from lastlight.runtime.auth.errors import TokenExpired, TokenInvalid
from lastlight.runtime.context import Ctx

SESSIONS_CHANNEL = "lastlight_sessions"
"""Where changed sessions are told, so that sockets are looked at again: the payload is `user:<id>`, `role:<id>` and so on."""


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


async def close(ctx: Ctx, *, session_id: SessionId) -> bool:
    """End a session because its owner signs out; nothing happens to one that has ended. Whether it still stood."""
    ended = await end_sessions(ctx, session_ids=[session_id], why="signed out")
    for row in ended:
        ctx.emit(
            SessionClosed(session_id=row["id"], user_id=row["user_id"]),
            entity=("session", row["id"]),
            tenant_id=row["tenant_id"] or PLATFORM,
        )
    return bool(ended)


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
        "select id from sessions where user_id = $1 and revoked_at is null and id is distinct from $2 order by id for update",
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
    if not await revoke(ctx, session_ids=[session_id], why="ended by its owner"):
        raise NotFound


async def end_sessions(ctx: Ctx, *, session_ids: list[SessionId], why: str) -> list[Any]:
    """End sessions and the looks that were opened out of them; the rows of those that still stood. The caller says it."""
    rows = await ctx.db.fetch(
        """with standing as (select id from sessions where (id = any($1) or parent_id = any($1)) and revoked_at is null
                            order by id for no key update)
           update sessions s set revoked_at = now(), revoked_reason = $2, version = s.version + 1
           from standing where s.id = standing.id returning s.id, s.user_id, s.tenant_id""",
        session_ids,
        why,
    )
    for row in rows:
        forget(row["id"])
        await ctx.db.execute("select pg_notify($1, $2)", SESSIONS_CHANNEL, f"session:{row['id']}")
    return rows


async def bump_sessions(
    ctx: Ctx, *, user_id: UUID | None = None, role_id: UUID | None = None, tenant_id: UUID | None = None
) -> int:
    """Raise the version of the sessions whose rights have changed, so that each holder is read anew from the next request on.

    `user_id` alone: everywhere; with `tenant_id`: there; `role_id` with `tenant_id`: of those who hold the role; `tenant_id` alone:
    of everybody there. Crew inside a tenant are found through the platform's own id. Looks are among them: those of a role, and
    those of the crew in somebody's place. How many sessions it concerned. Several sessions are locked in one order everywhere.
    """
    count = await ctx.db.execute(
        """with concerned as (
               select s.id from sessions s
               where s.revoked_at is null and s.expires_at > now()
                 and ($1::uuid is null or s.user_id = $1 or s.impersonator_id = $1)
                 and ($3::uuid is null or s.tenant_id = $3 or ((s.kind = 'crew' or s.impersonator_id is not null) and $3 = $4))
                 and ($2::uuid is null or s.preview_role_id = $2
                      or exists (select from memberships m
                                 where m.tenant_id = $3 and m.role_id = $2 and m.user_id in (s.user_id, s.impersonator_id)))
               order by s.id for no key update of s)
           update sessions s set version = s.version + 1 from concerned where s.id = concerned.id""",
        user_id,
        role_id,
        tenant_id,
        PLATFORM,
    )
    what = f"user:{user_id}" if user_id else f"role:{role_id}" if role_id else f"tenant:{tenant_id}"
    await ctx.db.execute("select pg_notify($1, $2)", SESSIONS_CHANNEL, what)
    return count
