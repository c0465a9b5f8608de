"""Time-based one-time codes (RFC 6238 over RFC 4226): SHA-1, six digits, thirty seconds, as every authenticator app speaks. Pure."""

import base64
import hmac
import secrets
from urllib.parse import quote

SECONDS = 30
DIGITS = 6
DRIFT = 1
"""Steps before and after the present one that count: half a minute of a clock that is off, or of typing."""
SECRET_BYTES = 20


def new_secret() -> bytes:
    """A secret of 160 bits, the length of the hash."""
    return secrets.token_bytes(SECRET_BYTES)


def step_of(at: float) -> int:
    """The number of the step that a moment (Unix seconds) lies in."""
    return int(at // SECONDS)


def code_of(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of a step."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def matching_step(secret: bytes, code: str, *, at: float, after: int) -> int | None:
    """The step whose code this is, near the moment and later than the last one used; None when there is none."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not typed.isascii() or not typed.isdecimal():
        return None
    now = step_of(at)
    found = [
        step
        for step in range(now - DRIFT, now + DRIFT + 1)
        if hmac.compare_digest(code_of(secret, step), typed) and step > after
    ]
    return found[0] if found else None


def base32(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def provisioning_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code."""
    label = f"{quote(issuer)}:{quote(account)}"
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer={quote(issuer)}&digits={DIGITS}&period={SECONDS}"
