"""Secrets that the platform makes for itself: kept once in a file only its user reads, or derived from the secret key."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


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
