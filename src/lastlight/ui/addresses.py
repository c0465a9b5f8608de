"""Addresses in templates: the same page with another filter, sort or page."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

CURSORS = frozenset({"after", "before"})
NONE: frozenset[str] = frozenset()


def with_query(url: str, **changes: str | int | None) -> str:
    """The address with these query parameters set; None takes one away. Paging starts again unless it is set."""
    parts = urlsplit(url)
    dropped = set(changes) | (NONE if CURSORS & set(changes) else CURSORS)
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in dropped]
    kept += [(key, str(value)) for key, value in changes.items() if value is not None]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), parts.fragment))


def without_query(url: str) -> str:
    """The address alone."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def query_string(url: str) -> str:
    """What stands after the question mark."""
    return urlsplit(url).query


def query_pairs(url: str) -> list[tuple[str, str]]:
    """The query parameters of an address, for the hidden fields of a form that must keep them."""
    return [(key, value) for key, value in parse_qsl(urlsplit(url).query) if key not in CURSORS]


def view_url(path: str, query: Mapping[str, Any]) -> str:
    """The address of a list with its query: lists repeat their name, booleans are words."""
    pairs: list[tuple[str, str]] = []
    for key, value in query.items():
        pairs += [(key, _word(item)) for item in _each(value) if item is not None]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _each(value: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", value) if isinstance(value, list | tuple) else [value]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
