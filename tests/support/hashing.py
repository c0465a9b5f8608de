"""Counting what passwords cost: argon2id is all that takes time in an answer, so as many hashes are as long."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from lastlight.runtime.auth import passwords


@dataclass(slots=True)
class Counted:
    """How many passwords were hashed, and how many compared with a stored hash of full cost."""

    hashed: int = 0
    compared: int = 0


@contextmanager
def counted() -> Generator[Counted]:
    """Count what is hashed and compared while it lasts; a comparison counts only with a hash of today's parameters."""
    seen = Counted()
    real = passwords._hasher  # pyright: ignore[reportPrivateUsage] the one hasher of the process

    class Counting:
        def hash(self, password: str) -> str:
            seen.hashed += 1
            return real.hash(password)

        def verify(self, stored: str, password: str) -> bool:
            seen.compared += 0 if real.check_needs_rehash(stored) else 1
            return real.verify(stored, password)

        def check_needs_rehash(self, stored: str) -> bool:
            return real.check_needs_rehash(stored)

    passwords._nobody()  # pyright: ignore[reportPrivateUsage] made once in a process, whoever comes first
    with patch.object(passwords, "_hasher", Counting()):
        yield seen
