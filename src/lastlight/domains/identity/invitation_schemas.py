"""What invitations take and give."""

from datetime import datetime
from typing import Annotated, NewType
from uuid import UUID

import msgspec

from lastlight.domains.identity.schemas import Email, Token
from lastlight.kernel.ids import RoleId, UserId, VenueId
from lastlight.runtime.http import Input

InvitationId = NewType("InvitationId", UUID)


class InvitationIn(Input, frozen=True, kw_only=True):
    """Who is offered which role, for which venues (null: all of them), and for how many days the offer stands."""

    email: Email
    role_id: RoleId
    name: Annotated[str, msgspec.Meta(max_length=120, description="How the e-mail greets them.")] = ""
    venue_ids: Annotated[list[VenueId], msgspec.Meta(min_length=1, max_length=500)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=500, description="A few words of yours for the e-mail.")] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7


class InvitationOut(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation: open until it is accepted, revoked, or its time is over."""

    id: InvitationId
    email: str
    name: str
    role_id: RoleId
    role: str
    venue_ids: list[VenueId] | None
    status: str
    note: str
    invited_by: UserId | None
    inviter: str | None
    sent_at: datetime | None
    sent_count: int
    expires_at: datetime
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class InvitationTokenIn(Input, frozen=True, kw_only=True):
    """The token of an invitation's link."""

    token: Token


class InvitationSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation as the person sees it who holds its link."""

    business: str
    role: str
    email: str
    name: str
    inviter: str | None
    note: str
    expires_at: datetime
    has_account: bool
    """Whether they keep their password; otherwise they choose one with their name."""


class AcceptIn(Input, frozen=True, kw_only=True):
    """The link's token; name and password where the address has no proven account yet."""

    token: Token
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    password: Annotated[str, msgspec.Meta(max_length=200)] = ""


class AcceptedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where one now has a role, to sign in there."""

    tenant: str
    business: str
    role: str
    email: str
