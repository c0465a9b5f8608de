"""Tokens of a session: the pair that a client keeps, its rotation, and the cookie of a browser."""

from datetime import timedelta
from typing import Any

import msgspec

from lastlight.domains.identity.errors import RefreshInvalid, RefreshReused
from lastlight.domains.identity.session_ends import revoke
from lastlight.domains.identity.sessions import COLUMNS, Session
from lastlight.domains.identity.tokens import digest, new_token
from lastlight.kernel.ids import SessionId
from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.auth.tokens import ACCESS, COOKIE, COOKIE_SECONDS, issue, token_keys
from lastlight.runtime.context import Ctx


class Tokens(msgspec.Struct, frozen=True):
    """What a client keeps: the access token for its requests, the refresh token for the next pair."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret


async def issue_tokens(ctx: Ctx, *, session: Session) -> Tokens:
    """An access token and a new refresh token for a session."""
    refresh = new_token("llr_")
    await ctx.db.execute(
        "insert into refresh_tokens (hash, session_id, expires_at) values ($1, $2, $3)",
        digest(refresh),
        session.id,
        session.expires_at,
    )
    left = max(1, int((session.expires_at - ctx.now).total_seconds()))
    seconds = min(ctx.services.settings.access_token_seconds, left, COOKIE_SECONDS)
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
