"""What happens to people, their sessions, members and roles."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.identity.permissions import MEMBERS_READ, PATRONS_READ, ROLES_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class SessionOpened(Event, frozen=True, kw_only=True):
    """Somebody signed in, or switched to another tenant."""

    event_name: ClassVar[str] = "session.opened"
    session_id: UUID
    user_id: UUID
    kind: str


class SessionClosed(Event, frozen=True, kw_only=True):
    """Somebody signed out."""

    event_name: ClassVar[str] = "session.closed"
    session_id: UUID
    user_id: UUID


class SessionRevoked(Event, frozen=True, kw_only=True):
    """A session was ended from elsewhere: by its owner, a password change, or the second use of a refresh token."""

    event_name: ClassVar[str] = "session.revoked"
    session_id: UUID
    user_id: UUID
    why: str


class UserRegistered(Event, frozen=True, kw_only=True):
    """An account was created."""

    event_name: ClassVar[str] = "user.registered"
    user_id: UUID


class UserEmailVerified(Event, frozen=True, kw_only=True):
    """Somebody proved that an e-mail address is theirs."""

    event_name: ClassVar[str] = "user.email_verified"
    user_id: UUID


class UserEmailChanged(Event, frozen=True, kw_only=True):
    """Somebody moved to another e-mail address, which is proven."""

    event_name: ClassVar[str] = "user.email_changed"
    user_id: UUID


class UserPasswordChanged(Event, frozen=True, kw_only=True):
    """A password was changed, reset, or set for the first time."""

    event_name: ClassVar[str] = "user.password_changed"
    user_id: UUID
    way: str


class UserPreferencesChanged(Event, frozen=True, kw_only=True):
    """Somebody changed their own language, time zone, theme or notifications."""

    event_name: ClassVar[str] = "user.preferences_changed"
    user_id: UUID


class UserRenamed(Event, frozen=True, kw_only=True):
    """Somebody changed their own name."""

    event_name: ClassVar[str] = "user.renamed"
    user_id: UUID


class PatronJoined(Event, frozen=True, kw_only=True):
    """Somebody became a guest of a business."""

    event_name: ClassVar[str] = "patron.joined"
    audience: ClassVar[Permission | None] = PATRONS_READ
    webhook: ClassVar[bool] = True
    patron_id: UUID


class MemberAdded(Event, frozen=True, kw_only=True):
    """Somebody was given a role."""

    event_name: ClassVar[str] = "member.added"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    webhook: ClassVar[bool] = True
    member_id: UUID
    user_id: UUID
    role_id: UUID


class MemberChanged(Event, frozen=True, kw_only=True):
    """Somebody's role, venues or standing changed."""

    event_name: ClassVar[str] = "member.changed"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    webhook: ClassVar[bool] = True
    member_id: UUID
    user_id: UUID
    role_id: UUID
    status: str


class MemberRemoved(Event, frozen=True, kw_only=True):
    """A role was taken from somebody."""

    event_name: ClassVar[str] = "member.removed"
    audience: ClassVar[Permission | None] = MEMBERS_READ
    webhook: ClassVar[bool] = True
    member_id: UUID
    user_id: UUID


class RoleCreated(Event, frozen=True, kw_only=True):
    """A role was created."""

    event_name: ClassVar[str] = "role.created"
    audience: ClassVar[Permission | None] = ROLES_READ
    role_id: UUID
    name: str


class RoleChanged(Event, frozen=True, kw_only=True):
    """What a role may do, or its name, changed."""

    event_name: ClassVar[str] = "role.changed"
    audience: ClassVar[Permission | None] = ROLES_READ
    role_id: UUID
    name: str


class RoleArchived(Event, frozen=True, kw_only=True):
    """A role went out of use."""

    event_name: ClassVar[str] = "role.archived"
    audience: ClassVar[Permission | None] = ROLES_READ
    role_id: UUID


EVENTS: tuple[type[Event], ...] = (
    SessionOpened,
    SessionClosed,
    SessionRevoked,
    UserRegistered,
    UserEmailVerified,
    UserEmailChanged,
    UserPasswordChanged,
    UserPreferencesChanged,
    UserRenamed,
    PatronJoined,
    MemberAdded,
    MemberChanged,
    MemberRemoved,
    RoleCreated,
    RoleChanged,
    RoleArchived,
)
