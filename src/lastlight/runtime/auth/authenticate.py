"""From a request's credentials to an Actor: the token is checked, what its session may do is read once and remembered.

What is remembered carries the session's version, which the unit of work compares with BEGIN: a demotion holds from the next
transaction on, in every process, because whatever changes what somebody may do raises the version of their sessions.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from lastlight.kernel.errors import NotSignedIn, SessionEnded
from lastlight.kernel.ids import PLATFORM, UserId, VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.auth.cookies import session_cookie
from lastlight.runtime.auth.errors import (
    AUTH_ERRORS,
    AccountSuspended,
    GuestBanned,
    MembershipEnded,
    TenantClosed,
    TenantPending,
    TenantSuspended,
    TokenExpired,
    TokenInvalid,
)
from lastlight.runtime.auth.grants import crew_grants, member_grants, patron_grants
from lastlight.runtime.auth.looking import IMPERSONATE, PREVIEW, narrowed
from lastlight.runtime.auth.tokens import ACCESS, COOKIE, COOKIE_SECONDS, Claims, issue, read, token_keys
from lastlight.runtime.context import ANONYMOUS, Actor, Grants, Looking
from lastlight.runtime.http.reply import Cookie
from lastlight.runtime.module import Registry
from lastlight.runtime.services import Services

REMEMBERED = 20_000
TOUCH_SECONDS = 60.0
RENEW_SECONDS = 12 * 3600
AUTH_PROBLEMS = (NotSignedIn, SessionEnded, *AUTH_ERRORS)


@dataclass(slots=True)
class _Known:
    """An actor as last read, and when its session was last marked as seen."""

    actor: Actor
    touched: float


_known: "OrderedDict[UUID, _Known]" = OrderedDict()


async def authenticate(
    services: Services,
    *,
    authorization: str | None,
    cookie: str | None,
    ip: str = "",
    user_agent: str = "",
    public: bool = False,
) -> Actor:
    """The actor behind a request's credentials, anonymous without any. A bearer token goes before the cookie.

    Raises a 401 or 403 problem when credentials are given and do not hold; only what is `public` then goes on as anonymous.
    """
    nobody = msgspec.structs.replace(ANONYMOUS, ip=ip, user_agent=user_agent)
    try:
        claims = read_credentials(services, authorization=authorization, cookie=cookie)
        if claims is None:
            return nobody
        known = _known.get(claims.sid)
        if known is None or time.monotonic() - known.touched > TOUCH_SECONDS:
            known = await _load(services, claims.sid, seen=True)
        _check_claims(claims, known.actor)
    except AUTH_PROBLEMS:
        if public:
            return nobody
        raise
    return msgspec.structs.replace(known.actor, ip=ip, user_agent=user_agent)


async def reload(services: Services, claims: Claims) -> Actor:
    """The actor behind a token's claims, as the database has it now."""
    known = await _load(services, claims.sid, seen=False)
    _check_claims(claims, known.actor)
    return known.actor


async def reload_actor(services: Services, actor: Actor, *, public: bool = False) -> Actor:
    """The same actor as the database has it now, after its session changed."""
    if actor.session_id is None:
        return actor
    try:
        known = await _load(services, actor.session_id, seen=False)
        now = known.actor
        if (now.user_id, now.tenant_id, now.kind) != (actor.user_id, actor.tenant_id, actor.kind):
            raise SessionEnded
    except AUTH_PROBLEMS:
        if public:
            return anonymous(actor)
        raise
    return msgspec.structs.replace(known.actor, ip=actor.ip, user_agent=actor.user_agent)


def anonymous(actor: Actor) -> Actor:
    """Nobody in particular, calling from where the actor does."""
    return msgspec.structs.replace(ANONYMOUS, ip=actor.ip, user_agent=actor.user_agent)


def read_credentials(services: Services, *, authorization: str | None, cookie: str | None) -> Claims | None:
    """The claims of the token that was sent, None when none was; TokenInvalid or TokenExpired when it does not hold."""
    keys = token_keys(services.secrets)
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotSignedIn("Send the access token as: Authorization: Bearer <token>.")
        return read(keys, token.strip(), ACCESS)
    if cookie:
        return read(keys, cookie, COOKIE)
    return None


def renewed_cookie(services: Services, cookie: str | None) -> Cookie | None:
    """A fresh cookie for one that was issued more than half a day ago, so that seven days count from the last visit."""
    if not cookie:
        return None
    try:
        claims = read(token_keys(services.secrets), cookie, COOKIE)
    except (TokenInvalid, TokenExpired):
        return None
    if time.time() - claims.iat < RENEW_SECONDS or claims.exp - claims.iat < COOKIE_SECONDS:
        return None  # a shorter life was given on purpose: a scope inside a tenant ends when it was said to
    token = issue(
        token_keys(services.secrets),
        COOKIE,
        user_id=claims.sub,
        session_id=claims.sid,
        tenant_id=claims.tid,
        session_kind=claims.kind,
        seconds=COOKIE_SECONDS,
    )
    return session_cookie(services.settings, token)


def forget(session_id: UUID) -> None:
    """Drop what is remembered of a session in this process."""
    _known.pop(session_id, None)


def _check_claims(claims: Claims, actor: Actor) -> None:
    place = PLATFORM if claims.tid is None else claims.tid
    if claims.sub != actor.user_id or place != actor.tenant_id or claims.kind != actor.kind:
        raise TokenInvalid


class _Session(msgspec.Struct, frozen=True):
    """A session with its user, tenant and preferences."""

    id: UUID
    user_id: UUID
    tenant_id: UUID | None
    kind: str
    patron_id: UUID | None
    channel: str
    version: int
    ended: bool
    name: str
    email: str
    email_verified: bool
    user_status: str
    status_until: datetime | None
    barred: bool
    second_factor: bool
    tenant_status: str | None
    tenant_reason: str | None
    language: str
    theme: str
    time_zone: str
    expires_at: datetime
    reason: str
    preview_role_id: UUID | None
    preview_venue_ids: tuple[UUID, ...] | None
    impersonator_id: UUID | None
    impersonator: str | None
    impersonator_stands: bool


SESSION = """
    select s.id, s.user_id, s.tenant_id, s.kind, s.patron_id, s.channel, s.version,
           s.revoked_at is not null or s.expires_at <= now()
               or (s.parent_id is not null and (o.revoked_at is not null or o.expires_at <= now())) as ended,
           u.name, u.email, u.email_verified_at is not null as email_verified,
           case when u.status <> 'closed' and u.status_until <= now() then 'active' else u.status end as user_status,
           u.status_until, coalesce(g.status = 'banned' and coalesce(g.status_until > now(), true), false) as barred,
           s.second_factor_at is not null as second_factor, t.status as tenant_status, t.status_reason as tenant_reason,
           coalesce(p.language, t.locale, 'en') as language, coalesce(p.theme, 'dark') as theme,
           coalesce(nullif(p.time_zone, ''), t.time_zone, '') as time_zone,
           s.expires_at, s.reason, s.preview_role_id, s.preview_venue_ids, s.impersonator_id, w.name as impersonator,
           coalesce(w.status = 'active' or (w.status <> 'closed' and w.status_until <= now()), false) as impersonator_stands
    from sessions s
    join users u on u.id = s.user_id
    left join tenants t on t.id = s.tenant_id
    left join patrons g on g.tenant_id = s.tenant_id and g.id = s.patron_id
    left join user_preferences p on p.user_id = s.user_id
    left join users w on w.id = s.impersonator_id
    left join sessions o on o.id = s.parent_id
    where s.id = $1"""

ROLES = """
    select r.key, m.venue_ids, r.second_factor and not $3::boolean as due,
           case when r.second_factor and not $3::boolean then '{}'::text[] else r.permissions end as permissions
    from memberships m
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
    where m.tenant_id = $1 and m.user_id = $2 and m.status = 'active' and r.archived_at is null
    order by r.key"""

PREVIEWED = "select key, name, permissions from roles where tenant_id = $1 and id = $2 and archived_at is null"

# A session's seven days count from its last use; a scope inside a tenant (crew with a reason) ends when it was said to.
TOUCH = """
    with seen as (
        update sessions
        set last_seen_at = now(),
            expires_at = case when channel = 'cookie' and reason = '' then now() + make_interval(secs => $2) else expires_at end
        where id = $1 and revoked_at is null and last_seen_at < now() - interval '50 seconds'
        returning user_id)
    update users set last_seen_at = now() from seen where users.id = seen.user_id"""


async def _load(services: Services, session_id: UUID, *, seen: bool) -> _Known:
    """Read a session, refuse one that may not go on, and remember it."""
    pool = services.pools.system
    try:
        actor = await load_actor(pool, services.registry, session_id)
    except Exception:
        forget(session_id)
        raise
    if seen and actor.looking is None:  # who is looked at has not been here, and a look is never prolonged
        await pool.execute(TOUCH, session_id, float(COOKIE_SECONDS))
    previous = _known.get(session_id)
    touched = time.monotonic() if seen or previous is None else previous.touched
    known = _known[session_id] = _Known(actor, touched)
    _known.move_to_end(session_id)
    while len(_known) > REMEMBERED:
        _known.popitem(last=False)
    return known


class Reads(Protocol):
    """What rows are read from: a pool, or the transaction that has just opened the session."""

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """All rows."""
        ...

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        """The first row, or None."""
        ...


async def load_actor(source: Reads, registry: Registry, session_id: UUID) -> Actor:
    """The actor of a session as the database has it. The version is read before the grants: newer grants do no harm.

    Raises SessionEnded, account-suspended, tenant-pending, -suspended or -closed, guest-banned, or membership-ended.
    """
    row = await source.fetchrow(SESSION, session_id)
    if row is None:
        raise SessionEnded
    session = msgspec.convert(dict(row), _Session)
    _check_standing(session)
    roles, grants, factor_due = await _grants(source, registry.permissions, session)
    actor = msgspec.structs.replace(_actor(session, roles, grants), factor_due=factor_due)
    if session.preview_role_id is not None:
        return await _previewing(source, registry.permissions, session, actor)
    if session.impersonator_id is not None:
        return await _impersonating(source, registry.permissions, session, actor)
    return actor


async def _previewing(source: Reads, known: Mapping[str, Permission], session: _Session, actor: Actor) -> Actor:
    """The owner as somebody of a role: what the role gives at these venues, and never more than they hold themselves."""
    home = session.tenant_id or PLATFORM
    role = await source.fetchrow(PREVIEWED, home, session.preview_role_id)
    if role is None or not actor.grants.allows(PREVIEW):
        raise SessionEnded
    venues = session.preview_venue_ids
    held = [(role["permissions"], venues)]
    wanted = crew_grants(known, held, inside=False) if home == PLATFORM else member_grants(known, held)
    look = Looking(
        kind="preview",
        by_id=UserId(session.user_id),
        by_name=session.name,
        subject=role["name"],
        venue_ids=tuple(VenueId(venue) for venue in venues or ()),
        ends_at=session.expires_at,
    )
    return msgspec.structs.replace(
        actor, roles=(role["key"],), grants=narrowed(wanted, actor.grants), factor_due=False, looking=look
    )


async def _impersonating(source: Reads, known: Mapping[str, Permission], session: _Session, actor: Actor) -> Actor:
    """Somebody's own rights, for one of the crew who may still look."""
    assert session.impersonator_id is not None, "only sessions with one come here"
    rows = await source.fetch(ROLES, PLATFORM, session.impersonator_id, session.second_factor)
    crew = crew_grants(known, [(row["permissions"], None) for row in rows], inside=False)
    if not session.impersonator_stands or not crew.allows(IMPERSONATE):
        raise SessionEnded
    look = Looking(
        kind="impersonation",
        by_id=UserId(session.impersonator_id),
        by_name=session.impersonator or "",
        subject=session.name,
        reason=session.reason,
        ends_at=session.expires_at,
    )
    return msgspec.structs.replace(actor, looking=look)


def _check_standing(session: _Session) -> None:
    if session.ended or session.user_status == "closed":
        raise SessionEnded
    if session.user_status in {"suspended", "banned"}:
        until = session.status_until
        raise AccountSuspended(
            f"It is suspended until {until:%d %B %Y %H:%M} UTC." if until else "",
            extra={"until": until.isoformat() if until else None},
        )
    if session.kind != "crew":
        check_tenant(session.tenant_status)
    if session.barred:
        raise GuestBanned


def check_tenant(status: str | None) -> None:
    """Refuse a tenant that is not active; None stands for no tenant."""
    match status:
        case None | "active":
            return
        case "pending":
            raise TenantPending
        case "suspended":
            raise TenantSuspended
        case _:
            raise TenantClosed


def _actor(session: _Session, roles: tuple[str, ...], grants: Grants) -> Actor:
    fields: dict[str, Any] = {
        "kind": session.kind,
        "user_id": session.user_id,
        "session_id": session.id,
        "tenant_id": session.tenant_id or PLATFORM,
        "patron_id": session.patron_id,
        "name": session.name,
        "email": session.email,
        "email_verified": session.email_verified,
        "roles": roles,
        "grants": grants,
        "version": session.version,
        "channel": session.channel,
        "locale": session.language,
        "theme": session.theme,
        "time_zone": session.time_zone,
    }
    return Actor(**fields)


async def _grants(
    source: Reads, known: Mapping[str, Permission], session: _Session
) -> tuple[tuple[str, ...], Grants, bool]:
    """The roles, what they give, and whether one of them waits for a second factor."""
    if session.kind == "guest":
        return (), Grants(), False
    if session.kind == "patron":
        return ("patron",), patron_grants(known), False
    home = PLATFORM if session.kind == "crew" else session.tenant_id
    rows = await source.fetch(ROLES, home, session.user_id, session.second_factor)
    if not rows:
        raise MembershipEnded
    roles = tuple(dict.fromkeys(row["key"] for row in rows))
    held = [(row["permissions"], row["venue_ids"]) for row in rows]
    due = any(row["due"] for row in rows)
    if session.kind == "crew":
        return roles, crew_grants(known, held, inside=session.tenant_id not in {None, PLATFORM}), due
    return roles, member_grants(known, held), due
