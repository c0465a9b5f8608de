"""A feature flag that the code asks for: its key, what it is, and what counts until the crew says something else. Pure."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFlag:
    """Declared by the module whose code asks for it, and written down at the start of each release where it is not yet."""

    key: str
    description: str
    enabled: bool = True
    percentage: int = 100
    spread: Literal["tenant", "user"] = "tenant"
