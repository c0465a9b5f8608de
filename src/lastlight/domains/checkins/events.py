"""What happens at the door. Names of guests are not in it: pages refetch, so that erasure finds no copy in the stream."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.checkins.permissions import CHECKINS_READ, FLAGS_READ, FRAUD_HEAR, VISITS_READ
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


class PassIssued(Event, frozen=True, kw_only=True):
    """A guest's phone got its pass for the night."""

    event_name: ClassVar[str] = "patron.pass_issued"
    key_id: UUID
    expires_at: datetime


class CheckinRevokedNow(Event, frozen=True, kw_only=True):
    """A check-in was taken back, or called a false positive; its visit counts nowhere."""

    event_name: ClassVar[str] = "checkin.revoked"
    audience: ClassVar[Permission | None] = CHECKINS_READ
    webhook: ClassVar[bool] = True
    checkin_id: UUID
    venue_id: UUID
    patron_id: UUID
    kind: str


class CheckinCharged(Event, frozen=True, kw_only=True):
    """A check-in cost credits: paid, owed by who is in already, or let off. Minor units."""

    event_name: ClassVar[str] = "checkin.charged"
    audience: ClassVar[Permission | None] = CHECKINS_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    checkin_id: UUID
    venue_id: UUID
    patron_id: UUID
    status: str
    amount: int
    currency: str
    entry_id: UUID | None
    """The spend in the guest's credits."""


class CheckinRefunded(Event, frozen=True, kw_only=True):
    """What a check-in cost was given back, wholly or in part. Minor units."""

    event_name: ClassVar[str] = "checkin.refunded"
    audience: ClassVar[Permission | None] = CHECKINS_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    checkin_id: UUID
    venue_id: UUID
    patron_id: UUID
    amount: int
    currency: str
    left: int
    """What could still be given back."""
    entry_id: UUID
    """The entry in the guest's credits that gives it back."""


class EntryPriceChanged(Event, frozen=True, kw_only=True):
    """The entrance to a venue costs another price, or nothing. Minor units."""

    event_name: ClassVar[str] = "venue.entry_price_changed"
    audience: ClassVar[Permission | None] = CHECKINS_READ
    webhook: ClassVar[bool] = True
    venue_id: UUID
    amount: int | None
    currency: str


class CheckinFlagged(Event, frozen=True, kw_only=True):
    """Something at the door looks like fraud."""

    event_name: ClassVar[str] = "checkin.flagged"
    audience: ClassVar[Permission | None] = FLAGS_READ
    webhook: ClassVar[bool] = True
    flag_id: UUID
    venue_id: UUID
    patron_id: UUID
    kind: str


class CheckinFlagResolved(Event, frozen=True, kw_only=True):
    """Somebody judged what looked like fraud."""

    event_name: ClassVar[str] = "checkin.flag_resolved"
    audience: ClassVar[Permission | None] = FLAGS_READ
    flag_id: UUID
    venue_id: UUID
    status: str


class FlagStepTaken(Event, frozen=True, kw_only=True):
    """A step of the playbook was taken about something that looks like fraud."""

    event_name: ClassVar[str] = "checkin.flag_step_taken"
    audience: ClassVar[Permission | None] = FLAGS_READ
    flag_id: UUID
    venue_id: UUID
    step: str


class FraudReported(Event, frozen=True, kw_only=True):
    """Whoever keeps the money is told of fraud at the door."""

    event_name: ClassVar[str] = "checkin.fraud_reported"
    audience: ClassVar[Permission | None] = FRAUD_HEAR
    webhook: ClassVar[bool] = True
    flag_id: UUID
    venue_id: UUID
    kind: str


class DoorScanned(Event, frozen=True, kw_only=True):
    """A venue's device scanned a pass, and what became of it."""

    event_name: ClassVar[str] = "door.scanned"
    audience: ClassVar[Permission | None] = FLAGS_READ
    scan_id: UUID
    device_id: UUID
    venue_id: UUID
    sequence: int
    result: str
    refusal: str


EVENTS = (
    PassIssued,
    CheckinCharged,
    CheckinRefunded,
    EntryPriceChanged,
    CheckinRevokedNow,
    CheckinFlagged,
    CheckinFlagResolved,
    FlagStepTaken,
    FraudReported,
    DoorScanned,
    CheckinVerified,
    VisitOpened,
    VisitClosed,
    VisitTimedOut,
    VisitCorrected,
    PatronKeyRegistered,
    PatronKeyRevoked,
    PatronBirthDateGiven,
)
