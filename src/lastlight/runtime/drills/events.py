"""What drills say, and who may see them."""

from typing import ClassVar
from uuid import UUID

from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission, Scope

DRILLS_READ = Permission("platform.drills.read", "See the drills that were run, and what they found", Scope.PLATFORM)


class DrillRan(Event, frozen=True, kw_only=True):
    """An emergency was played on purpose; the audit log holds what each step found."""

    event_name: ClassVar[str] = "drill.ran"
    audience: ClassVar[Permission | None] = DRILLS_READ
    run_id: UUID
    drill: str
    passed: bool
