"""Passwords: argon2id in threads behind a semaphore, and the policy for new ones."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lastlight.kernel.errors import Invalid

SHORTEST = 10
LONGEST = 200
AT_ONCE = 2
"""Hashes in flight in one process: each takes 19 MiB and a core for about 30 ms."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="argon2")

_COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, computed in a thread; at most AT_ONCE at a time."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. No stored hash takes the same time and is never right."""
    right = await asyncio.get_running_loop().run_in_executor(_threads, _matches, stored or _nobody(), password)
    return right and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return True


def check_policy(password: str, *, email: str, field: str = "password") -> None:
    """Refuse a password that is too short, too long, the e-mail address or among the most common ones."""
    sentence = _fault(password, email)
    if sentence:
        raise Invalid(fields={field: sentence})


def _fault(password: str, email: str) -> str:
    plain = password.strip().lower()
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters; a few unrelated words are easy to remember."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    if plain in {email.lower(), email.lower().partition("@")[0]}:
        return "Do not use your e-mail address as the password; choose a few unrelated words."
    if plain in _COMMON or len(set(plain)) < 4:
        return "This is one of the first passwords that others would guess; choose a few unrelated words."
    return ""


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that stands in where there is no account, so that its absence takes no less time."""
    return _hasher.hash("nobody has this password")
