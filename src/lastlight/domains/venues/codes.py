"""The text in a venue's QR code: which venue, which key, until when, and a signature of all that. Pure.

`version(1) | kind(1) | venue id(16) | key number(u16) | expires(u32, Unix seconds, 0: never) | nonce(8) | mac(16)`, big-endian,
as base64url without padding. The mac is the first half of HMAC-SHA256 by the venue's key over all that stands before it.
"""

import base64
import hmac
import re
import struct
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from uuid import UUID

import msgspec

VERSION = 1
ROTATES_SECONDS = 20
LIVES_SECONDS = 60
_FIELDS = struct.Struct(">BB16sHI8s")
_MAC_BYTES = 16
_TEXT = re.compile(r"[A-Za-z0-9_-]{64}", re.ASCII)  # 48 bytes without padding: no two texts carry the same bytes
_URL_MARK = "/c/"


class CodeKind(IntEnum):
    """Where a code is shown."""

    SCREEN = 1
    """On a door's display: rotates every 20 seconds, lives for 60."""
    POSTER = 2
    """On paper: lives as long as its key."""


class VenueCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code's content; whether it was signed by the venue is `is_signed_by`'s answer."""

    kind: CodeKind
    venue_id: UUID
    key_number: int
    expires: int
    nonce: bytes
    mac: bytes = b""

    @property
    def expires_at(self) -> datetime | None:
        """The moment it dies; None for a poster's."""
        return datetime.fromtimestamp(self.expires, UTC) if self.expires else None

    @property
    def issued_at(self) -> datetime | None:
        """The moment a screen first showed it; None for a poster's."""
        return self.expires_at - timedelta(seconds=LIVES_SECONDS) if self.expires_at else None

    def is_signed_by(self, key: bytes) -> bool:
        """Whether this venue key made the code; takes the same time for every wrong mac."""
        return hmac.compare_digest(_mac(key, _body(self)), self.mac)


class CodeUnreadableError(ValueError):
    """The text is not one of our codes at all."""


def read_code(text: str) -> VenueCode:
    """Read a code, bare or as the address that a QR holds (`…/c/{text}`); raises CodeUnreadableError."""
    bare = text.strip()
    if _URL_MARK in bare:
        bare = bare.rsplit(_URL_MARK, 1)[1]
    if not _TEXT.fullmatch(bare):
        raise CodeUnreadableError
    raw = base64.urlsafe_b64decode(bare)
    version, kind, venue, number, expires, nonce = _FIELDS.unpack_from(raw)
    if version != VERSION or kind not in tuple(CodeKind) or (kind == CodeKind.SCREEN) != (expires > 0):
        raise CodeUnreadableError
    return VenueCode(
        kind=CodeKind(kind),
        venue_id=UUID(bytes=venue),
        key_number=number,
        expires=expires,
        nonce=nonce,
        mac=raw[-_MAC_BYTES:],
    )


def screen_code(key: bytes, *, venue_id: UUID, key_number: int, at: datetime) -> VenueCode:
    """The code that every display of the venue shows at a moment; nobody can foretell it without the key."""
    slot = int(at.timestamp()) // ROTATES_SECONDS * ROTATES_SECONDS
    return _signed(key, CodeKind.SCREEN, venue_id, key_number, slot + LIVES_SECONDS)


def poster_code(key: bytes, *, venue_id: UUID, key_number: int) -> VenueCode:
    """The code on the posters of a key: the same however often they are printed."""
    return _signed(key, CodeKind.POSTER, venue_id, key_number, 0)


def refresh_at(at: datetime) -> datetime:
    """When a display that shows the code of `at` must show the next."""
    slot = int(at.timestamp()) // ROTATES_SECONDS * ROTATES_SECONDS
    return datetime.fromtimestamp(slot + ROTATES_SECONDS, UTC)


def code_text(code: VenueCode) -> str:
    """The text that a QR carries behind `/c/`."""
    return base64.urlsafe_b64encode(_body(code) + code.mac).decode()


def code_url(code: VenueCode, base_url: str) -> str:
    """What the QR holds: an address that opens the patron app, so that any camera will do."""
    return f"{base_url.rstrip('/')}{_URL_MARK}{code_text(code)}"


def _signed(key: bytes, kind: CodeKind, venue_id: UUID, key_number: int, expires: int) -> VenueCode:
    nonce = hmac.digest(key, b"nonce|%d|%d" % (kind, expires), "sha256")[:8]
    code = VenueCode(kind=kind, venue_id=venue_id, key_number=key_number, expires=expires, nonce=nonce)
    return msgspec.structs.replace(code, mac=_mac(key, _body(code)))


def _body(code: VenueCode) -> bytes:
    return _FIELDS.pack(VERSION, code.kind, code.venue_id.bytes, code.key_number, code.expires, code.nonce)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC_BYTES]
