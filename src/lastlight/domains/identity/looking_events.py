"""What happens to looks: previews of roles, and the crew in somebody's place."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.identity.permissions import MEMBERS_READ, ROLES_READ, USERS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class PreviewStarted(Event, frozen=True, kw_only=True):
    """Somebody began to see the consoles as a role would."""

    event_name: ClassVar[str] = "preview.started"
    audience: ClassVar[Permission | None] = ROLES_READ
    session_id: UUID
    role_id: UUID


class PreviewEnded(Event, frozen=True, kw_only=True):
    """Somebody sees the consoles as themselves again."""

    event_name: ClassVar[str] = "preview.ended"
    audience: ClassVar[Permission | None] = ROLES_READ
    session_id: UUID
    role_id: UUID


class ImpersonationStarted(Event, frozen=True, kw_only=True):
    """The platform's crew began to look with the eyes of somebody at the business."""

    event_name: ClassVar[str] = "impersonation.started"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    session_id: UUID
    user_id: UUID
    by_id: UUID
    until: datetime


class ImpersonationEnded(Event, frozen=True, kw_only=True):
    """The platform's crew stopped looking; a look that nobody stops ends at the time it was given."""

    event_name: ClassVar[str] = "impersonation.ended"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    session_id: UUID
    user_id: UUID


class CrewLooked(Event, frozen=True, kw_only=True):
    """The same in the platform's own record: whom of which business one of the crew looked as."""

    event_name: ClassVar[str] = "platform.crew_looked"
    audience: ClassVar[Permission | None] = USERS_READ
    user_id: UUID
    tenant_id: UUID
    what: str


LOOKING_EVENTS: tuple[type[Event], ...] = (
    PreviewStarted,
    PreviewEnded,
    ImpersonationStarted,
    ImpersonationEnded,
    CrewLooked,
)
