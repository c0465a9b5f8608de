"""Secrets that the platform makes for itself: kept once in a file only its user reads, or derived from the secret key."""

import hashlib
import hmac
import os
import secrets
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lastlight.kernel.base64url import decode_base64url, encode_base64url


def kept_secret(path: Path) -> str:
    """The secret kept at `path`; the first caller makes it, and two callers at once agree on one."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its secret is the one
    finally:
        draft.unlink()
    return path.read_text().strip()


def derived(secret_key: str, purpose: str) -> str:
    """A secret of its own for `purpose`, as 64 hexadecimal digits."""
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


class SealBrokenError(Exception):
    """Sealed bytes that none of our keys opens: damaged, moved to another place, or sealed under a lost key."""


class Secrets:
    """The keys of the platform, each derived (HKDF-SHA256) for one purpose from the secret key.

    Earlier secret keys still open and verify what they sealed and signed; everything new is made with the current one.
    """

    def __init__(self, secret_key: str, previous: Sequence[str] = ()) -> None:
        self._keys = (secret_key.encode(), *(key.encode() for key in previous))
        self._ids = tuple(_derive(key, "key-id", 4) for key in self._keys)

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """`length` bytes that belong to `purpose` alone; the same in every process."""
        return _derive(self._keys[0], f"derive:{purpose}", length)

    def encrypt(self, purpose: str, plain: bytes, aad: bytes = b"") -> bytes:
        """Seal `plain` (AES-256-GCM); `aad` names its place, such as the row's id, and must be the same when it is opened."""
        nonce = os.urandom(12)
        return _SEALED + self._ids[0] + nonce + _cipher(self._keys[0], purpose).encrypt(nonce, plain, aad)

    def decrypt(self, purpose: str, sealed: bytes, aad: bytes = b"") -> bytes:
        """Open what `encrypt` sealed; raises SealBrokenError."""
        if len(sealed) < 33 or sealed[:1] != _SEALED:
            raise SealBrokenError(f"This is not a sealed {purpose}.")
        key = self._key_of(sealed[1:5])
        if key is None:
            raise SealBrokenError(
                f"The key that sealed this {purpose} is not among LASTLIGHT_SECRET_KEY and LASTLIGHT_SECRET_KEYS."
            )
        try:
            return _cipher(key, purpose).decrypt(sealed[5:17], sealed[17:], aad)
        except InvalidTag:
            raise SealBrokenError(f"This sealed {purpose} was damaged or moved.") from None

    def stale(self, sealed: bytes) -> bool:
        """Whether an earlier key sealed it, so that a rotation seals it again."""
        return sealed[1:5] != self._ids[0]

    def sign(self, purpose: str, message: bytes) -> bytes:
        """A signature (HMAC-SHA256 behind the key's id, 36 bytes) that only we can make and check."""
        return self._ids[0] + _mac(self._keys[0], purpose, message)

    def verify(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Whether we signed `message` for `purpose`; takes the same time for every wrong signature."""
        key = self._key_of(signature[:4])
        return hmac.compare_digest(_mac(key or self._keys[0], purpose, message), signature[4:]) and key is not None

    def make_link(self, purpose: str, payload: bytes, *, expires_at: datetime) -> str:
        """URL-safe text that carries `payload` openly, and holds until `expires_at`."""
        message = struct.pack(">Q", int(expires_at.timestamp())) + payload
        return encode_base64url(self.sign(f"link:{purpose}", message) + message)

    def read_link(self, purpose: str, text: str, *, now: datetime) -> bytes | None:
        """The payload of a link, or None for one that is forged, damaged, of another purpose or expired."""
        raw = decode_base64url(text)
        if raw is None:
            return None
        signature, message = raw[:36], raw[36:]
        if len(message) < 8 or not self.verify(f"link:{purpose}", message, signature):
            return None
        expires_at = datetime.fromtimestamp(struct.unpack(">Q", message[:8])[0], UTC)
        return message[8:] if now < expires_at else None

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """The Ed25519 key of `purpose` (tokens, audit checkpoints): the same in every process and after every start."""
        return _ed25519(self._keys[0], purpose)

    def key_id(self) -> str:
        """The id of the current key, as eight hexadecimal digits (`kid` of tokens)."""
        return self._ids[0].hex()

    def verifying_keys(self, purpose: str) -> dict[str, Ed25519PublicKey]:
        """Every public key that may have signed for `purpose`, by key id; the current one first."""
        return {i.hex(): _ed25519(key, purpose).public_key() for i, key in zip(self._ids, self._keys, strict=True)}

    def _key_of(self, key_id: bytes) -> bytes | None:
        return next((key for i, key in zip(self._ids, self._keys, strict=True) if i == key_id), None)


_SEALED = b"\x01"


@lru_cache(maxsize=256)
def _derive(key: bytes, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=b"lastlight", info=purpose.encode()).derive(key)


def _cipher(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(_derive(key, f"encrypt:{purpose}", 32))


def _mac(key: bytes, purpose: str, message: bytes) -> bytes:
    return hmac.digest(_derive(key, f"sign:{purpose}", 32), message, "sha256")


def _ed25519(key: bytes, purpose: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_derive(key, f"ed25519:{purpose}", 32))
