"""The entrance: whose socket this is. A bearer token in `auth`, or the console's cookie from our own pages only."""

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lastlight.kernel.errors import CrossOrigin, Malformed, NotSignedIn
from lastlight.runtime import limits
from lastlight.runtime.auth.authenticate import read_credentials, reload
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.auth.tokens import Claims
from lastlight.runtime.context import Actor
from lastlight.runtime.http.request import client_address
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings

Environ = dict[str, Any]
"""What engineio makes of the ASGI scope: `HTTP_…` headers and the scope itself."""


class Auth(msgspec.Struct, forbid_unknown_fields=True):
    """The `auth` of a connection: the access token, and the last `seq` that the client has handled."""

    token: str = ""
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who sits down, until when the token holds, and from where on events are to be repeated."""

    actor: Actor
    expires_at: float | None
    after: int | None


async def admit(services: Services, environ: Environ, given: Any) -> Admitted:
    """Read and check what a connection presents; raises the same problems as a request."""
    auth = read_auth(given)
    cookie = None if auth.token else _cookie(environ, services.settings)
    if cookie is not None and not _from_our_pages(environ, services.settings):
        raise CrossOrigin
    claims = read_credentials(services, authorization=f"Bearer {auth.token}" if auth.token else None, cookie=cookie)
    if claims is None:
        raise NotSignedIn("Send the access token as auth: {token}, or sign in to the console first.")
    limits.refuse(await limits.count_leased(services, connects_policy(services), str(claims.sid)))
    actor = await actor_of(services, environ, claims)
    return Admitted(actor, None if cookie is not None else float(claims.exp), auth.after)


def connects_policy(services: Services) -> limits.Policy:
    """Sockets that one session opens, whatever becomes of them: each costs as much as a request."""
    return limits.Policy("sockets", services.settings.user_requests_per_minute, 60)


async def actor_of(services: Services, environ: Environ, claims: Claims) -> Actor:
    """The actor as the database has it now, calling from this socket."""
    actor = await reload(services, claims)
    headers = {"x-forwarded-for": environ.get("HTTP_X_FORWARDED_FOR", "")}
    address = client_address(environ["asgi.scope"], headers, services.settings.trusted_proxies)
    agent = environ.get("HTTP_USER_AGENT", "")[:300]
    return msgspec.structs.replace(actor, ip=address, user_agent=agent)


def read_auth(given: Any) -> Auth:
    """The `auth` object; Malformed when it is none."""
    try:
        auth = msgspec.convert(given if given is not None else {}, Auth)
    except msgspec.ValidationError as error:
        raise Malformed(f"Connect with auth: {{token, after?}}: {error}.") from None
    if auth.after is not None and not 0 <= auth.after < 2**62:
        raise Malformed("Connect with auth: {token, after?}: after is the last seq that you have handled.")
    return auth


def origin_allowed(origin: str | None, environ: Environ, settings: Settings) -> bool:
    """Whether a page of this origin may talk to us at all: ours, or one that the settings name. Programs send none."""
    return origin is None or origin in settings.cors_origins or _is_ours(origin, environ, settings)


def _from_our_pages(environ: Environ, settings: Settings) -> bool:
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = environ.get("HTTP_ORIGIN")
    return origin is None or _is_ours(origin, environ, settings)


def _is_ours(origin: str, environ: Environ, settings: Settings) -> bool:
    base = urlsplit(settings.base_url)
    host = environ.get("HTTP_HOST")
    return origin == f"{base.scheme}://{base.netloc}" or (
        host is not None and origin in {f"http://{host}", f"https://{host}"}
    )


def _cookie(environ: Environ, settings: Settings) -> str | None:
    try:
        morsel = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(session_cookie_name(settings))
    except CookieError:
        return None
    return morsel.value if morsel is not None and morsel.value else None
