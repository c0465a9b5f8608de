"""A feature flag, and whom a share of it falls on. Pure."""

import hashlib
from datetime import datetime
from typing import Literal

import msgspec

Spread = Literal["tenant", "user"]
KEY_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$(?!\n)"


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """The platform's answer for everybody; `percentage` counts where it is enabled."""

    key: str
    description: str
    enabled: bool
    percentage: int
    spread: Spread
    killed_at: datetime | None
    """Since when it is off for everybody, whatever a business answers for itself."""
    killed_reason: str
    created_at: datetime
    updated_at: datetime
    version: int


class FeatureFlagRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flag in the platform's list: its state in a word, and how many businesses answer for themselves."""

    key: str
    description: str
    state: Literal["on", "part", "off", "killed"]
    enabled: bool
    percentage: int
    spread: Spread
    answers: int
    killed_at: datetime | None
    killed_reason: str
    created_at: datetime
    updated_at: datetime
    version: int


class TenantFlag(msgspec.Struct, frozen=True, kw_only=True):
    """A business's own answer, and the platform's beside it; `version` is 0 where the business has none."""

    key: str
    enabled: bool | None
    percentage: int | None
    reason: str
    platform_enabled: bool
    platform_percentage: int
    killed: bool
    spread: Spread
    description: str
    version: int


def share_of(key: str, subject: str) -> int:
    """Where a business or user stands among a hundred for a flag: the same for ever, and independent between flags."""
    digest = hashlib.sha256(f"{key}\n{subject}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 100 >> 64


def falls_on(key: str, *, subject: str, enabled: bool, percentage: int) -> bool:
    """Whether a flag is on for a business or user."""
    return enabled and share_of(key, subject) < percentage
