"""The edge of everything that takes a password, a code, a passkey or a token."""

from collections.abc import Callable
from typing import Any

from lastlight.runtime.http import Operation, post


def credential_post(path: str, **options: Any) -> Callable[[Any], Operation]:
    """Declare it: as the system's role, counted against the account too, and its answer is never kept."""
    return post(path, **{"status": 200, "db": "system", "limit": "auth", "secret": True, **options})
