"""Base64url without padding, as tokens, links and browsers write bytes."""

import base64
import binascii


def encode_base64url(raw: bytes) -> str:
    """Bytes as text that stands in an address as it is."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes | None:
    """The bytes of such text in its only spelling, or None: padding, foreign characters and spare bits that are set are refused."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Python also reads the other alphabet, padding and spare bits
    return raw if encode_base64url(raw) == text else None
