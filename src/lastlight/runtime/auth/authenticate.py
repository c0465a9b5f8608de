"""From a request's credentials to an Actor: the token is checked, what its session may do is read once and remembered.

What is remembered carries the session's version, which the unit of work compares with BEGIN: a demotion holds from the next
transaction on, in every process, because whatever changes what somebody may do raises the version of their sessions.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import msgspec

from lastlight.kernel.errors import NotSignedIn, SessionEnded
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime import clock
from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.auth.cookies import session_cookie
from lastlight.runtime.auth.errors import (
    AUTH_ERRORS,
    TokenExpired,
    TokenInvalid,
)
from lastlight.runtime.auth.tokens import ACCESS, COOKIE, COOKIE_SECONDS, Claims, issue, read, token_keys
from lastlight.runtime.context import ANONYMOUS, Actor
from lastlight.runtime.http.reply import Cookie
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
    if clock.now() - claims.iat < RENEW_SECONDS or claims.exp - claims.iat < COOKIE_SECONDS:
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


# A session's seven days count from its last use; a scope inside a tenant (crew with a reason) ends when it was said to.
TOUCH = """
    with mine as (
        select s.id, s.user_id from sessions s
        where s.id = $1 and s.revoked_at is null and s.last_seen_at < now() - interval '50 seconds'
        for no key update skip locked), person as (
        select u.id from users u join mine on mine.user_id = u.id for no key update of u skip locked), seen as (
        update users u set last_seen_at = now() from person where u.id = person.id)
    update sessions s
    set last_seen_at = now(),
        expires_at = case when s.channel = 'cookie' and s.reason = '' then now() + make_interval(secs => $2) else s.expires_at end
    from mine where s.id = mine.id"""
"""It waits for nobody: who changes a session or its person at this moment would wait for it in turn."""


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
