"""What the administration of guests and accounts takes and gives."""

from datetime import date, datetime
from typing import Annotated, Literal, NewType
from uuid import UUID

import msgspec

from lastlight.kernel.ids import PatronId, UserId, VenueId
from lastlight.runtime.http import Input

SanctionId = NewType("SanctionId", UUID)
SanctionKind = Literal["suspended", "soft_banned", "banned"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, description="Why; it stays on record.")]


class StandingIn(Input, frozen=True, kw_only=True):
    """What somebody's standing becomes. A suspension always has an end; bans may have one; active lifts what holds."""

    status: Literal["active", "suspended", "soft_banned", "banned"]
    reason: Reason
    until: datetime | None = None


class SuspendIn(Input, frozen=True, kw_only=True):
    """Why, and until when: a moment, or a number of days from now."""

    reason: Reason
    until: datetime | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None


class ReasonIn(Input, frozen=True, kw_only=True):
    """Why."""

    reason: Reason


class VerificationIn(Input, frozen=True, kw_only=True):
    """Whether somebody at the business has seen who this is, and how they know."""

    verified: bool
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class SanctionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was imposed on somebody: why, by whom, until when, and how it ended."""

    id: SanctionId
    kind: SanctionKind
    reason: str
    imposed_by: UserId | None
    imposer: str | None
    imposed_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    end_reason: str


class ReportOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something on record against a guest: a flag of the door, an alert, or what staff had to do."""

    source: Literal["flag", "alert", "intervention"]
    id: UUID
    kind: str
    """One of the kinds of its source."""
    words: str
    status: str
    at: datetime
    venue_id: VenueId
    venue: str


class PatronProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A guest as the people of the business see them."""

    id: PatronId
    user_id: UserId
    name: str
    email: str
    email_verified: bool
    birth_date: date | None
    status: str
    status_reason: str | None
    status_until: datetime | None
    verified_at: datetime | None
    verified_by: str | None
    joined_at: datetime
    last_seen_at: datetime | None
    visits: int
    open_visit: bool
    last_visit_at: datetime | None
    sanctions: list[SanctionOut]
    reports: list[ReportOut]
    """As far as the reader may see them; dismissed flags are none."""
    version: int


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account of the platform, wherever it belongs."""

    id: UserId
    name: str
    email: str
    status: str
    status_until: datetime | None
    email_verified: bool
    last_seen_at: datetime | None
    created_at: datetime


class AccountPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account belongs, and as what."""

    tenant: str
    name: str
    kind: str
    role: str
    status: str


class AccountProfile(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the platform's crew sees it."""

    id: UserId
    name: str
    email: str
    email_verified: bool
    status: str
    status_reason: str | None
    status_until: datetime | None
    last_seen_at: datetime | None
    created_at: datetime
    open_sessions: int
    visits: int
    last_visit_at: datetime | None
    reports: int
    """How often something was reported about them, anywhere: flags of doors that were not dismissed, alerts, interventions."""
    reported_at: int
    """At how many businesses."""
    places: list[AccountPlace]
    sanctions: list[SanctionOut]
    version: int
