"""What clients send and get about feature flags."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from lastlight.domains.flags.model import KEY_PATTERN, Spread, TenantFlag
from lastlight.runtime.http import Input

Key = Annotated[str, msgspec.Meta(pattern=KEY_PATTERN, max_length=80)]
Description = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=r"\S")]
Percentage = Annotated[int, msgspec.Meta(ge=0, le=100)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class FlagIn(Input, frozen=True, kw_only=True):
    """A flag to be; it begins switched off unless told otherwise."""

    key: Key
    description: Description
    enabled: bool = False
    percentage: Percentage = 100
    spread: Spread = "tenant"
    """What is rolled out one by one: whole businesses, or users."""


class FlagChange(Input, frozen=True, kw_only=True):
    """What is to change; what is left out stays."""

    description: Description | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    percentage: Percentage | UnsetType = UNSET
    spread: Spread | UnsetType = UNSET


class TenantFlagIn(Input, frozen=True, kw_only=True):
    """A business's own answer, and why."""

    enabled: bool
    percentage: Percentage = 100
    reason: Reason


class KillIn(Input, frozen=True, kw_only=True):
    """Why a feature is switched off for everybody at once."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]


class TenantFlagsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Every flag as it stands for a business."""

    items: list[TenantFlag]


class EnabledOut(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of what is switched on for the asker."""

    enabled: list[str]
