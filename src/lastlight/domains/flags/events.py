"""What happens to feature flags."""

from typing import ClassVar

from lastlight.domains.flags.permissions import FLAGS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class FlagCreated(Event, frozen=True, kw_only=True):
    """A flag was added."""

    event_name: ClassVar[str] = "flag.created"
    audience: ClassVar[Permission | None] = FLAGS_READ
    key: str


class FlagChanged(Event, frozen=True, kw_only=True):
    """The platform's answer changed."""

    event_name: ClassVar[str] = "flag.changed"
    audience: ClassVar[Permission | None] = FLAGS_READ
    key: str
    enabled: bool
    percentage: int
    version: int


class FlagKill(Event, frozen=True, kw_only=True):
    """A feature was switched off for everybody at once."""

    event_name: ClassVar[str] = "flag.killed"
    audience: ClassVar[Permission | None] = FLAGS_READ
    key: str


class FlagRevival(Event, frozen=True, kw_only=True):
    """A killed feature counts again as it stands."""

    event_name: ClassVar[str] = "flag.revived"
    audience: ClassVar[Permission | None] = FLAGS_READ
    key: str


class FlagRemoved(Event, frozen=True, kw_only=True):
    """A flag was removed: whoever asks for it finds it off."""

    event_name: ClassVar[str] = "flag.removed"
    audience: ClassVar[Permission | None] = FLAGS_READ
    key: str


class TenantFlagChanged(Event, frozen=True, kw_only=True):
    """A business got an answer of its own, or lost it (`enabled` is null)."""

    event_name: ClassVar[str] = "flag.tenant_changed"
    audience: ClassVar[Permission | None] = FLAGS_READ
    key: str
    enabled: bool | None
    percentage: int | None


EVENTS = (FlagCreated, FlagChanged, FlagKill, FlagRevival, FlagRemoved, TenantFlagChanged)
