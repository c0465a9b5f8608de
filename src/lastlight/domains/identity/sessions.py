"""Sessions: opened at sign-in, continued by rotating refresh tokens, ended by their owner or by what goes wrong."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity.contexts import As, Place, choose_place
from lastlight.domains.identity.events import SessionOpened
from lastlight.domains.identity.session_ends import close, hold_sign_ins
from lastlight.kernel.errors import NotSignedIn, SessionEnded
from lastlight.kernel.ids import PLATFORM, SessionId, TenantId, UserId
from lastlight.runtime.auth.tokens import COOKIE_SECONDS, SessionKind
from lastlight.runtime.context import Ctx

Channel = Literal["bearer", "cookie"]


class Session(msgspec.Struct, frozen=True):
    """A session as it stands."""

    id: SessionId
    user_id: UserId
    tenant_id: TenantId | None
    kind: SessionKind
    expires_at: datetime
    reason: str


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

    Raises NoPlace, SessionEnded where another switch came first, or tenant-pending, -suspended or -closed.
    """
    actor = ctx.actor
    user_id, session_id = await hold_own_session(ctx)
    place = await choose_place(ctx, user_id=user_id, name=actor.name, tenant=tenant, as_=as_)
    channel = channel or ("cookie" if actor.channel == "cookie" else "bearer")
    if channel == "cookie" and not await close(ctx, session_id=session_id):
        raise SessionEnded
    return await open_session(
        ctx, user_id=user_id, name=actor.name, email=actor.email, place=place, channel=channel, out_of=session_id
    )


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
