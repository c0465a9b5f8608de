"""The console's session cookie; the edge adds HttpOnly and SameSite=Lax."""

from lastlight.runtime.auth.tokens import COOKIE_SECONDS
from lastlight.runtime.http.reply import Cookie
from lastlight.runtime.settings import Settings

SESSION_COOKIE = "ll_session"
OWN_COOKIE = "ll_own"
KNOWN_COOKIE = "ll_known"
KNOWN_SECONDS = 180 * 24 * 3600
"""How long a browser is known for an account."""


def session_cookie_name(settings: Settings) -> str:
    """What the cookie is called: over https with the prefix by which browsers take it from this very host only."""
    return _named(settings, SESSION_COOKIE)


def own_cookie_name(settings: Settings) -> str:
    """What the cookie is called that keeps one's own session while one looks: a look's own cookie never turns into more."""
    return _named(settings, OWN_COOKIE)


def known_cookie_name(settings: Settings) -> str:
    """What the cookie is called by which a browser is known for an account that signed in from it."""
    return _named(settings, KNOWN_COOKIE)


def session_cookie(settings: Settings, token: str, *, seconds: int = COOKIE_SECONDS) -> Cookie:
    """The cookie that signs a browser in; Secure where the platform is served over https."""
    return Cookie(name=session_cookie_name(settings), value=token, max_age=seconds, secure=_is_https(settings))


def no_cookie(settings: Settings) -> Cookie:
    """The cookie that signs a browser out."""
    return session_cookie(settings, "", seconds=0)


def own_cookie(settings: Settings, token: str, *, seconds: int = COOKIE_SECONDS) -> Cookie:
    """The cookie that leads back from a look; with nothing in it, and no life, it is forgotten."""
    return Cookie(name=own_cookie_name(settings), value=token, max_age=seconds, secure=_is_https(settings))


def known_cookie(settings: Settings, token: str) -> Cookie:
    """The cookie that makes a browser known; it outlives the session and opens nothing."""
    return Cookie(name=known_cookie_name(settings), value=token, max_age=KNOWN_SECONDS, secure=_is_https(settings))


def _named(settings: Settings, name: str) -> str:
    return f"__Host-{name}" if _is_https(settings) else name


def _is_https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")
