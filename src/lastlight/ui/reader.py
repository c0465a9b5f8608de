"""Who reads the page being rendered: in which language, in which time zone."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from babel import Locale, UnknownLocaleError

_locale: ContextVar[str] = ContextVar("lastlight_locale", default="en_ZA")
_zone: ContextVar[str] = ContextVar("lastlight_zone", default="UTC")


@contextmanager
def reading_as(*, locale: str, zone: str) -> Generator[None]:
    """Format and translate for this locale (a tag such as en-ZA) and time zone (an IANA name) inside the block."""
    locale_token = _locale.set(locale.replace("-", "_"))
    zone_token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(zone_token)
        _locale.reset(locale_token)


@lru_cache(maxsize=256)
def known_locale(tag: str) -> bool:
    """Whether dates and numbers can be written for a language tag such as en-ZA."""
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def locale_of(language: str) -> str:
    """The locale (a tag) in which a reader of this language is written to; of English, and of what nobody knows, the house's own."""
    return "en-ZA" if language == "en" or not known_locale(language) else language


def current_locale() -> str:
    """The locale of the page being rendered, in Babel's spelling (en_ZA)."""
    return _locale.get()


def current_zone() -> str:
    """The IANA time zone of the page being rendered."""
    return _zone.get()
