"""Permissions: what code asks for. Roles are presets over them, kept as data."""

from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """How far a permission reaches."""

    VENUE = "venue"
    """Held for all or some venues of a tenant."""
    TENANT = "tenant"
    """Held for the whole tenant; a membership limited to venues does not carry it unless the role's preset says so."""
    OWN = "own"
    """A guest's permission over what is their own."""
    PLATFORM = "platform"
    """Held by the platform's crew."""


class Permission(NamedTuple):
    """One thing that somebody may do; `name` is stable and appears in roles, tokens and the reference."""

    name: str
    description: str
    scope: Scope

    def __str__(self) -> str:
        return self.name
