"""Secrets never reach a log, a trace or an error report."""

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "[hidden]"

_SECRET_NAMES = re.compile(
    r"passw|secret|token|authori[sz]ation|cookie|api[_-]?key|private[_-]?key|credential|dsn|signature|otp|\bpin\b|session_key",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]*):(?P<password>[^\s/@]+)@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<name>\b\w*(?:password|secret|token|api_key|apikey)\w*)(?P<mark>['\"]?\s*[=:]\s*['\"]?)(?P<value>[^\s'\"&,;}]{3,})",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<![\w.-])[2-6](?:[ -]?\d){12,18}(?![\w.-])")
_SHORTEST_CARD = 13
_DEPTH = 6


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under secret names go, and secrets inside of texts too."""
    for name, value in event.items():
        event[name] = _clean_entry(name, value, _DEPTH)
    return event


def clean_text(text: str) -> str:
    """`text` without tokens, passwords in addresses, `password=…` assignments and numbers of payment cards."""
    if "eyJ" in text:
        text = _JWT.sub(HIDDEN, text)
    if len(text.split(None, 1)) > 1:
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    if "@" in text:
        text = _URL_PASSWORD.sub(rf"\g<head>:{HIDDEN}@", text)
    if "=" in text or ":" in text:
        text = _ASSIGNED.sub(rf"\g<name>\g<mark>{HIDDEN}", text)
    return _DIGITS.sub(_hide_card, text) if len(text) >= _SHORTEST_CARD else text


def clean(value: Any, depth: int = _DEPTH) -> Any:
    """A copy of `value` without secrets, at any depth; what lies deeper than we look is left out."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return {k: _clean_entry(str(k), v, depth - 1) for k, v in entries.items()} if depth else HIDDEN
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(v, depth - 1) for v in cast("list[Any]", value)] if depth else HIDDEN
    return value


def _hide_card(found: re.Match[str]) -> str:
    """A number that holds the check digit of payment cards (Luhn) goes; nobody logs one on purpose."""
    digits = [int(sign) for sign in found.group() if sign.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return HIDDEN if sum(doubled) % 10 == 0 else found.group()


def path_only(url: str) -> str:
    """The address without its query and fragment, which may carry tokens."""
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def _clean_entry(name: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return HIDDEN if _is_secret(name) else clean(value, depth)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    """Names come again with every line."""
    return _SECRET_NAMES.search(name) is not None
