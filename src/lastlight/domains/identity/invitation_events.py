"""What happens to invitations."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.identity.permissions import MEMBERS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class InvitationSent(Event, frozen=True, kw_only=True):
    """Somebody was invited to a role."""

    event_name: ClassVar[str] = "invitation.sent"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    invitation_id: UUID
    role_id: UUID


class InvitationResent(Event, frozen=True, kw_only=True):
    """An invitation was sent again, with a new link."""

    event_name: ClassVar[str] = "invitation.resent"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    invitation_id: UUID
    role_id: UUID


class InvitationAccepted(Event, frozen=True, kw_only=True):
    """Somebody took the role that they were invited to."""

    event_name: ClassVar[str] = "invitation.accepted"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    invitation_id: UUID
    role_id: UUID
    member_id: UUID


class InvitationRevoked(Event, frozen=True, kw_only=True):
    """An invitation was taken back."""

    event_name: ClassVar[str] = "invitation.revoked"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    invitation_id: UUID
    role_id: UUID


class InvitationExpired(Event, frozen=True, kw_only=True):
    """Nobody answered an invitation in time."""

    event_name: ClassVar[str] = "invitation.expired"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    invitation_id: UUID
    role_id: UUID


INVITATION_EVENTS: tuple[type[Event], ...] = (
    InvitationSent,
    InvitationResent,
    InvitationAccepted,
    InvitationRevoked,
    InvitationExpired,
)
