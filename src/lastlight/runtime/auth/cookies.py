"""The console's session cookie."""

from lastlight.runtime.auth.tokens import COOKIE_SECONDS
from lastlight.runtime.settings import Settings

SESSION_COOKIE = "ll_session"


def session_cookie(settings: Settings, token: str, *, seconds: int = COOKIE_SECONDS) -> str:
    """The Set-Cookie line that signs a browser in."""
    return _line(settings, token, seconds)


def no_cookie(settings: Settings) -> str:
    """The Set-Cookie line that signs a browser out."""
    return _line(settings, "", 0)


def _line(settings: Settings, value: str, seconds: int) -> str:
    secure = "; Secure" if settings.base_url.startswith("https://") else ""
    return f"{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
