"""What clients send and get about time, shifts and figures."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from lastlight.domains.staff.model import ClockPosition, Shift, Swap, TimeEntry
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http import Input

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
Duty = Annotated[str, msgspec.Meta(max_length=80)]


class ClockInIn(Input, frozen=True, kw_only=True):
    """Beginning to work."""

    venue_id: VenueId
    position: ClockPosition | None = None


class ClockOutIn(Input, frozen=True, kw_only=True):
    """Ending it."""

    position: ClockPosition | None = None


class ClockOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody stands: their open time, and the shifts that come."""

    now: datetime
    entry: TimeEntry | None
    shifts: list[Shift]


class CorrectionIn(Input, frozen=True, kw_only=True):
    """How time should read: of an entry, or with a venue where none was clocked."""

    entry_id: UUID | None = None
    venue_id: VenueId | None = None
    started_at: datetime
    ended_at: datetime
    break_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    reason: Reason


class DecisionIn(Input, frozen=True, kw_only=True):
    """What one says about a decision."""

    note: Note = ""


class RefusalIn(Input, frozen=True, kw_only=True):
    """Why not."""

    note: Reason


class ShiftIn(Input, frozen=True, kw_only=True):
    """A shift to plan; without a person it is open."""

    venue_id: VenueId
    user_id: UserId | None = None
    duty: Duty = ""
    note: Note = ""
    starts_at: datetime
    ends_at: datetime


class ShiftChange(Input, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    user_id: UserId | UnsetType | None = UNSET
    duty: Duty | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType = UNSET


class PublicationIn(Input, frozen=True, kw_only=True):
    """Which planned shifts to publish: those of a venue that begin within a time."""

    venue_id: VenueId
    starts_from: datetime
    starts_to: datetime


class PublicationOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many were published."""

    published: int


class CancelShiftIn(Input, frozen=True, kw_only=True):
    """Why nobody has to come."""

    reason: Reason


class SwapIn(Input, frozen=True, kw_only=True):
    """To whom a shift is offered, and for which of theirs."""

    to_user_id: UserId
    for_shift_id: UUID | None = None
    reason: Note = ""


class TakenOut(msgspec.Struct, frozen=True, kw_only=True):
    """An open shift that was taken, or asked for: then `swap` waits for a planner."""

    shift: Shift
    swap: Swap | None


class CalendarOut(msgspec.Struct, frozen=True, kw_only=True):
    """The secret address of one's calendar; it is shown once."""

    url: str


class DaysQuery(Input, frozen=True, kw_only=True):
    """Business days, both included, at one venue or all of the asker's."""

    first: date
    last: date
    venue_id: VenueId | None = None


class SheetDay(msgspec.Struct, frozen=True, kw_only=True):
    """One person's business day."""

    business_day: date
    entries: int
    worked_seconds: int
    break_seconds: int
    is_open: bool


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One person's time over some days."""

    user_id: UserId
    person: str
    worked_seconds: int
    break_seconds: int
    days: list[SheetDay]


class SheetsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody's time over some days, by name."""

    first: date
    last: date
    items: list[Sheet]


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """One person's figures over some days. Times are in seconds, None where there is nothing to measure."""

    user_id: UserId
    person: str
    tasks_given: int
    tasks_done: int
    tasks_late: int
    response_median: int | None
    """From a task's assignment to its start."""
    completion_median: int | None
    """From its start to its end."""
    shifts_planned: int
    shifts_attended: int
    shifts_late: int
    shifts_missed: int
    late_seconds: int
    worked_seconds: int


class PerformanceOut(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody's figures, by name."""

    first: date
    last: date
    items: list[Performance]
