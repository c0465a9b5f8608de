"""Browsers that somebody has signed in from. Failed sign-ins from elsewhere, even behind the same router, do not lock them out."""

import hmac
import os
from datetime import datetime, timedelta

from lastlight.kernel.emails import plain_email
from lastlight.runtime.auth.cookies import KNOWN_SECONDS
from lastlight.runtime.services import Services

PURPOSE = "known-device"
_MARK_BYTES = 16


def device_token(services: Services, *, email: str, now: datetime) -> str:
    """What a browser keeps after a sign-in: a device of its own, known for one account. It opens nothing."""
    return services.secrets.make_link(
        PURPOSE, _mark(services, email) + os.urandom(16), expires_at=now + timedelta(seconds=KNOWN_SECONDS)
    )


def known_device(services: Services, token: str | None, *, email: str, now: datetime) -> str:
    """Which device of the account's presents its token; empty for a forged or old one, another account's, and none."""
    payload: bytes | None = services.secrets.read_link(PURPOSE, token, now=now) if token else None
    if payload is None or not hmac.compare_digest(payload[:_MARK_BYTES], _mark(services, email)):
        return ""
    return payload[_MARK_BYTES:].hex()


def _mark(services: Services, email: str) -> bytes:
    """The account's, which nobody reads from the token."""
    return hmac.digest(services.secrets.derive(PURPOSE), plain_email(email).encode(), "sha256")[:_MARK_BYTES]
