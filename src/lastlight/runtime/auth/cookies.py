"""The console's session cookie; the edge adds HttpOnly and SameSite=Lax."""

from lastlight.runtime.auth.tokens import COOKIE_SECONDS
from lastlight.runtime.http.reply import Cookie
from lastlight.runtime.settings import Settings

SESSION_COOKIE = "ll_session"


def session_cookie(settings: Settings, token: str, *, seconds: int = COOKIE_SECONDS) -> Cookie:
    """The cookie that signs a browser in; Secure where the platform is served over https."""
    return Cookie(name=SESSION_COOKIE, value=token, max_age=seconds, secure=settings.base_url.startswith("https://"))


def no_cookie(settings: Settings) -> Cookie:
    """The cookie that signs a browser out."""
    return session_cookie(settings, "", seconds=0)
