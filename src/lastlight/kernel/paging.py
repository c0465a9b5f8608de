"""Keyset paging: opaque cursors that carry the sort and the last row's key, so that a page is one index range."""

from typing import Any, Generic, TypeVar

import msgspec

from lastlight.kernel.base64url import decode_base64url, encode_base64url
from lastlight.kernel.errors import Invalid

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list. `next` is the cursor of the page after it, None at the end."""

    items: list[T]
    next: str | None = None
    total: int | None = None
    """Counted only when asked for (`count=true`), and capped: 10001 means more than 10,000."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The sort it belongs to, and the last row's sort value (as text) and id."""

    sort: str
    value: str | None
    id: str


def encode_cursor(cursor: Cursor) -> str:
    """Render a cursor as URL-safe text."""
    return encode_base64url(msgspec.json.encode(cursor))


def decode_cursor(text: str, *, sort: str) -> Cursor:
    """Read a cursor back; a damaged one, or one of another sort, is `Invalid` at `after`."""
    try:
        cursor = msgspec.json.decode(decode_base64url(text) or b"", type=Cursor)
    except (ValueError, msgspec.DecodeError) as error:
        raise Invalid(fields={"after": "This cursor is damaged; start again from the first page."}) from error
    if cursor.sort != sort:
        raise Invalid(fields={"after": "This cursor belongs to another sort order; start again from the first page."})
    return cursor


Json = dict[str, Any]
