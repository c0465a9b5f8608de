"""What happens at the door. Names of guests are not in it: pages refetch, so that erasure finds no copy in the stream."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.checkins.permissions import CHECKINS_READ, VISITS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class CheckinVerified(Event, frozen=True, kw_only=True):
    """A guest's scan was found good, and the arrival recorded."""

    event_name: ClassVar[str] = "checkin.verified"
    audience: ClassVar[Permission | None] = CHECKINS_READ
    webhook: ClassVar[bool] = True
    checkin_id: UUID
    visit_id: UUID
    venue_id: UUID
    patron_id: UUID
    method: str
    arrived_at: datetime
    received_at: datetime


class VisitOpened(Event, frozen=True, kw_only=True):
    """A visit began."""

    event_name: ClassVar[str] = "visit.opened"
    audience: ClassVar[Permission | None] = VISITS_READ
    webhook: ClassVar[bool] = True
    visit_id: UUID
    venue_id: UUID
    patron_id: UUID
    checkin_id: UUID
    opened_at: datetime


class VisitClosed(Event, frozen=True, kw_only=True):
    """A guest left: by their own phone, or checked out by staff."""

    event_name: ClassVar[str] = "visit.closed"
    audience: ClassVar[Permission | None] = VISITS_READ
    webhook: ClassVar[bool] = True
    visit_id: UUID
    venue_id: UUID
    patron_id: UUID
    closed_at: datetime
    closed_by: str
    duration_seconds: int


class VisitTimedOut(Event, frozen=True, kw_only=True):
    """A visit was closed because nobody did within the venue's time."""

    event_name: ClassVar[str] = "visit.timed_out"
    audience: ClassVar[Permission | None] = VISITS_READ
    webhook: ClassVar[bool] = True
    visit_id: UUID
    venue_id: UUID
    patron_id: UUID
    closed_at: datetime
    duration_seconds: int


class VisitCorrected(Event, frozen=True, kw_only=True):
    """Staff corrected or voided a visit."""

    event_name: ClassVar[str] = "visit.corrected"
    audience: ClassVar[Permission | None] = VISITS_READ
    webhook: ClassVar[bool] = True
    visit_id: UUID
    venue_id: UUID
    patron_id: UUID
    status: str
    version: int


class PatronKeyRegistered(Event, frozen=True, kw_only=True):
    """A guest's phone gave the public key that its claims are checked with."""

    event_name: ClassVar[str] = "patron.key_registered"
    key_id: UUID
    label: str


class PatronKeyRevoked(Event, frozen=True, kw_only=True):
    """A guest's phone may prove nothing from now on."""

    event_name: ClassVar[str] = "patron.key_revoked"
    key_id: UUID


class PatronBirthDateGiven(Event, frozen=True, kw_only=True):
    """A guest told when they were born; the date itself is told to nobody here."""

    event_name: ClassVar[str] = "patron.birth_date_given"
    patron_id: UUID


EVENTS = (
    CheckinVerified,
    VisitOpened,
    VisitClosed,
    VisitTimedOut,
    VisitCorrected,
    PatronKeyRegistered,
    PatronKeyRevoked,
    PatronBirthDateGiven,
)
