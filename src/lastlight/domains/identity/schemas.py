"""What identity's operations take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity.contexts import As
from lastlight.kernel.ids import MembershipId, PatronId, RoleId, SessionId, TenantId, UserId, VenueId
from lastlight.runtime.context import ActorKind
from lastlight.runtime.http import Input

Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254, description="An e-mail address.")]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description="The password.")]
NewPassword = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, description="At least 10 characters, none of the most common.")
]
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=120, description="The name that others see.")]
Slug = Annotated[str, msgspec.Meta(min_length=1, max_length=48, description="The short name of a business.")]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Label = Annotated[str, msgspec.Meta(max_length=80, description="What the device is called in the list of sessions.")]


class LoginIn(Input, frozen=True, kw_only=True):
    """Who signs in, and where: without a tenant the platform's crew, then the last used business, then as a guest."""

    email: Email
    password: Password
    tenant: Slug | None = None
    as_: As | None = msgspec.field(name="as", default=None)
    label: Label = ""
    code: Annotated[
        str,
        msgspec.Meta(max_length=40, description="Of the authenticator app, or a recovery code, where one is set up."),
    ] = ""


class RefreshIn(Input, frozen=True, kw_only=True):
    """The refresh token of the last answer."""

    refresh_token: Token


class RegisterIn(Input, frozen=True, kw_only=True):
    """A new account; with a tenant it joins that business as a guest."""

    email: Email
    password: NewPassword
    name: PersonName
    tenant: Slug | None = None


class RegisteredOut(msgspec.Struct, frozen=True):
    """The same for a new address and for one that has an account: only its mailbox learns the difference."""

    email: str
    message: str


class LinkIn(Input, frozen=True, kw_only=True):
    """The token of a link in an e-mail."""

    token: Token


class ForgotIn(Input, frozen=True, kw_only=True):
    """Whose password is forgotten."""

    email: Email


class MessageOut(msgspec.Struct, frozen=True):
    """What happens next."""

    message: str


class ResetIn(Input, frozen=True, kw_only=True):
    """The token of the link, and the new password."""

    token: Token
    password: NewPassword


class ChangePasswordIn(Input, frozen=True, kw_only=True):
    """The password as it is, and as it shall be."""

    current_password: Password
    new_password: NewPassword


class ChangeEmailIn(Input, frozen=True, kw_only=True):
    """The new address, and the password as it is."""

    new_email: Email
    password: Password


class SwitchIn(Input, frozen=True, kw_only=True):
    """Where to go; `as` says as what, where somebody is both. A guest joins a business by switching to it as `patron`."""

    tenant: Slug
    as_: As | None = msgspec.field(name="as", default=None)


class PlaceOut(msgspec.Struct, frozen=True):
    """A place one may switch to."""

    tenant: str
    name: str
    as_: str = msgspec.field(name="as")
    status: str
    roles: list[str]
    current: bool


class VenueChoice(msgspec.Struct, frozen=True):
    """A venue that one's role covers."""

    id: VenueId
    slug: str
    name: str


class TenantBrief(msgspec.Struct, frozen=True):
    """The tenant that one is in."""

    id: TenantId
    slug: str
    name: str
    currency: str
    time_zone: str
    accent_css: str = ""
    """The address of the stylesheet with the business's accent; empty where it has none."""
    logo: str = ""
    """The address of its logo; empty where it has none."""


class PreferencesOut(msgspec.Struct, frozen=True):
    """One's own preferences."""

    language: str = "en"
    time_zone: str = ""
    theme: str = "dark"
    notifications: dict[str, bool] = {}


class LookingOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whether, and as whom, this session only looks."""

    kind: Literal["preview", "impersonation"] | None = None
    subject: str = ""
    by: str = ""
    reason: str = ""
    venue_ids: list[UUID] = []
    ends_at: datetime | None = None


class MeOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who one is, here: permissions map to the venues they hold for, null for all of them."""

    user_id: UserId
    session_id: SessionId
    kind: ActorKind
    name: str
    email: str
    email_verified: bool
    tenant: TenantBrief | None
    patron_id: PatronId | None
    roles: list[str]
    permissions: dict[str, list[VenueId] | None]
    preferences: PreferencesOut
    places: list[PlaceOut]
    venues: list[VenueChoice]
    looking: LookingOut | None
    """Set where this session only looks: as whom, who looks in truth, and until when."""


class NameIn(Input, frozen=True, kw_only=True):
    """What one wants to be called."""

    name: PersonName


class NameOut(msgspec.Struct, frozen=True):
    """One's own name as it is now."""

    name: str


class PreferencesIn(Input, frozen=True, kw_only=True):
    """One's own preferences; what is left out keeps its default."""

    language: Annotated[
        str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$(?!\\n)", description="A language such as en or pt-BR.")
    ] = "en"
    time_zone: Annotated[
        str, msgspec.Meta(max_length=60, description="An IANA time zone; empty follows the business.")
    ] = ""
    theme: Literal["dark", "light", "system"] = "dark"
    notifications: Annotated[
        dict[Annotated[str, msgspec.Meta(max_length=60)], bool],
        msgspec.Meta(max_length=50, description="Kind of message → wanted."),
    ] = msgspec.field(default_factory=dict[str, bool])


class MemberChangeIn(Input, frozen=True, kw_only=True):
    """What changes; what is left out stays."""

    role_id: RoleId | msgspec.UnsetType = msgspec.UNSET
    venue_ids: Annotated[list[VenueId], msgspec.Meta(min_length=1, max_length=500)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    status: Literal["active", "suspended"] | msgspec.UnsetType = msgspec.UNSET
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class MemberOut(msgspec.Struct, frozen=True, kw_only=True):
    """One role of one person."""

    id: MembershipId
    user_id: UserId
    name: str
    email: str
    role_id: RoleId
    role: str
    role_key: str
    venue_ids: list[VenueId] | None
    status: str
    status_reason: str | None
    email_verified: bool
    last_seen_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


RoleName = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
PermissionNames = Annotated[list[Annotated[str, msgspec.Meta(max_length=80)]], msgspec.Meta(max_length=500)]


class RoleIn(Input, frozen=True, kw_only=True):
    """A role of the tenant's own."""

    name: RoleName
    description: Annotated[str, msgspec.Meta(max_length=300)] = ""
    permissions: PermissionNames = msgspec.field(default_factory=list[str])


class RoleOut(msgspec.Struct, frozen=True, kw_only=True):
    """A role, what it may do, and how many people hold it."""

    id: RoleId
    key: str
    name: str
    description: str
    builtin: bool
    permissions: list[str]
    second_factor: bool
    """Whether it gives nothing before its holder shows a second factor."""
    members: int
    updated_at: datetime
    version: int


class RoleFactorIn(Input, frozen=True, kw_only=True):
    """Whether a role requires a second factor."""

    required: bool


class PermissionOut(msgspec.Struct, frozen=True):
    """A permission that a role may be made of; `held` where the reader may hand it out."""

    name: str
    description: str
    scope: str
    held: bool
