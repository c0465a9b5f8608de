"""A guest's pass: signed by the platform for a night and bound to the phone's key, which signs the time step. Pure.

The pass is `version(1) | kind(1): 3 | tenant(16) | patron(16) | phone key id(16) | phone key(33, compressed P-256 point) |
starts(u32) | expires(u32) | age(1; 0: unknown) | platform key id(4) | length(1) | name(that many bytes of UTF-8) | Ed25519
signature(64)`, big-endian, as base64url without padding; docs/pass-format.md tells it at length. A phone shows `LL1.{pass}.{step}.{signature}`: the step is the Unix time divided by ten, and the signature ECDSA P-256
with SHA-256, `r || s` as base64url, over the UTF-8 of `lastlight-pass-v1\\n{pass}\\n{step}`. A door takes a step from ten
seconds before it begins until ten seconds after it ends, so that a picture of it dies within thirty seconds whatever the clocks.
"""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lastlight.domains.checkins.errors import CodeExpired, CodeForged, CodeMalformed
from lastlight.kernel.base64url import decode_base64url, encode_base64url
from lastlight.runtime.p256 import is_signed_by

PURPOSE = "guest-pass"
VERSION, KIND = 1, 3
STEP_SECONDS = 10
_FIELDS = struct.Struct(">BB16s16s16s33sIIB4sB")
_NAME_BYTES = 24
_SIGNATURE_BYTES = 64
_MARK = "LL1"
SCAN_THE_APP = "Ask the guest to open the pass in the app, and scan that."


class GuestPass(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass says."""

    tenant_id: UUID
    patron_id: UUID
    key_id: UUID
    phone_key: bytes
    starts: int
    expires: int
    age: int
    name: str
    """The first name and an initial: what a door without a network may greet with."""


class ShownPass(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone shows at a moment: its pass, the time step, and the phone's signature over both."""

    text: str
    guest: GuestPass
    platform_key: str
    step: int
    signature: str


def pass_text(guest: GuestPass, *, key: Ed25519PrivateKey, key_id: str) -> str:
    """The pass, signed."""
    name = guest.name.encode()
    body = _FIELDS.pack(
        VERSION,
        KIND,
        guest.tenant_id.bytes,
        guest.patron_id.bytes,
        guest.key_id.bytes,
        guest.phone_key,
        guest.starts,
        guest.expires,
        guest.age,
        bytes.fromhex(key_id),
        len(name),
    )
    body += name
    return encode_base64url(body + key.sign(body))


def read_shown(text: str) -> ShownPass:
    """Read what a scanner saw; CodeMalformed for what no phone of ours shows. Nothing is believed yet."""
    parts = text.strip().split(".")
    raw = decode_base64url(parts[1]) if len(parts) == 4 and parts[0] == _MARK else None
    if raw is None or len(raw) < _FIELDS.size + _SIGNATURE_BYTES or not _is_step(parts[2]):
        raise CodeMalformed(SCAN_THE_APP)
    version, kind, tenant, patron, key, phone, starts, expires, age, platform, length = _FIELDS.unpack_from(raw)
    name = raw[_FIELDS.size : -_SIGNATURE_BYTES]
    if (version, kind) != (VERSION, KIND) or len(name) != length or length > _NAME_BYTES:
        raise CodeMalformed(SCAN_THE_APP)
    guest = GuestPass(
        tenant_id=UUID(bytes=tenant),
        patron_id=UUID(bytes=patron),
        key_id=UUID(bytes=key),
        phone_key=phone,
        starts=starts,
        expires=expires,
        age=age,
        name=name.decode(errors="replace"),
    )
    return ShownPass(text=parts[1], guest=guest, platform_key=platform.hex(), step=int(parts[2]), signature=parts[3])


def require_genuine(shown: ShownPass, *, keys: Mapping[str, Ed25519PublicKey]) -> None:
    """Both signatures hold, with public keys alone; raises CodeForged."""
    raw, key = decode_base64url(shown.text), keys.get(shown.platform_key)
    if raw is None or key is None:
        raise CodeForged("This pass was not made here. Ask the guest to open the pass in the app.")
    try:
        key.verify(raw[-_SIGNATURE_BYTES:], raw[:-_SIGNATURE_BYTES])
        phone = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), shown.guest.phone_key)
    except (InvalidSignature, ValueError):
        raise CodeForged("This pass was not made here. Ask the guest to open the pass in the app.") from None
    if not is_signed_by(phone, signature=shown.signature, message=step_message(shown.text, shown.step)):
        raise CodeForged("The guest's phone did not sign this pass. Ask them to open it in the app.")


def require_alive(shown: ShownPass, *, at: datetime) -> None:
    """The night has not ended and the time step is that of the moment; raises CodeExpired."""
    seconds, guest = at.timestamp(), shown.guest
    if not guest.starts - 300 <= seconds < guest.expires:
        raise CodeExpired("This pass was for another night. The guest's app fetches a new one when it has a network.")
    begins = shown.step * STEP_SECONDS
    if not begins - STEP_SECONDS <= seconds < begins + 2 * STEP_SECONDS:
        raise CodeExpired(
            "This is a picture of a pass, or the phone's clock is wrong. Scan the pass in the app itself."
        )


def short_name(name: str) -> str:
    """The first name and the initial of the last one, as far as a pass has room for it."""
    words = name.split()
    hint = f"{words[0]} {words[-1][0]}." if len(words) > 1 else "".join(words)
    return hint.encode()[:_NAME_BYTES].decode(errors="ignore")


def step_message(text: str, step: int) -> bytes:
    """The bytes that the phone signs."""
    return f"lastlight-pass-v1\n{text}\n{step}".encode()


def step_at(at: datetime) -> int:
    """The time step of a moment."""
    return int(at.timestamp()) // STEP_SECONDS


def moment(seconds: int) -> datetime:
    """A pass's time as an aware one."""
    return datetime.fromtimestamp(seconds, UTC)


def _is_step(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 11 and str(int(text)) == text
