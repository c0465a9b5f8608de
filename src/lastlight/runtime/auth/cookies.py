"""The console's session cookie; the edge adds HttpOnly and SameSite=Lax."""

from lastlight.runtime.auth.tokens import COOKIE_SECONDS
from lastlight.runtime.http.reply import Cookie
from lastlight.runtime.settings import Settings

SESSION_COOKIE = "ll_session"


def session_cookie_name(settings: Settings) -> str:
    """What the cookie is called: over https with the prefix by which browsers take it from this very host only."""
    return f"__Host-{SESSION_COOKIE}" if _is_https(settings) else SESSION_COOKIE


def session_cookie(settings: Settings, token: str, *, seconds: int = COOKIE_SECONDS) -> Cookie:
    """The cookie that signs a browser in; Secure where the platform is served over https."""
    return Cookie(name=session_cookie_name(settings), value=token, max_age=seconds, secure=_is_https(settings))


def no_cookie(settings: Settings) -> Cookie:
    """The cookie that signs a browser out."""
    return session_cookie(settings, "", seconds=0)


def _is_https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")
