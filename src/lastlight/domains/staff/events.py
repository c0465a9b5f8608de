"""What happens to people's time and shifts. Names and positions are not in it: screens refetch."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.staff.permissions import SHIFTS_PLAN, SHIFTS_READ, TIME_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class TimeEvent(Event, frozen=True, kw_only=True):
    """What every event of clocked time says."""

    audience: ClassVar[Permission | None] = TIME_READ
    webhook: ClassVar[bool] = True
    entry_id: UUID
    venue_id: UUID
    user_id: UUID
    version: int


class ClockedIn(TimeEvent, frozen=True, kw_only=True):
    """Somebody began to work."""

    event_name: ClassVar[str] = "time.clocked_in"
    shift_id: UUID | None
    started_at: datetime


class ClockedOut(TimeEvent, frozen=True, kw_only=True):
    """Somebody ended their work."""

    event_name: ClassVar[str] = "time.clocked_out"
    ended_at: datetime
    worked_seconds: int


class BreakStarted(TimeEvent, frozen=True, kw_only=True):
    """Somebody takes a break."""

    event_name: ClassVar[str] = "time.break_started"


class BreakEnded(TimeEvent, frozen=True, kw_only=True):
    """Somebody is back."""

    event_name: ClassVar[str] = "time.break_ended"


class ClockOutForgotten(TimeEvent, frozen=True, kw_only=True):
    """Somebody is clocked in for longer than they can work: they, or a manager, should mend it."""

    event_name: ClassVar[str] = "time.clock_out_forgotten"
    started_at: datetime


class CorrectionChanged(Event, frozen=True, kw_only=True):
    """A correction of time was asked for, withdrawn, approved or refused."""

    event_name: ClassVar[str] = "time.correction_changed"
    audience: ClassVar[Permission | None] = TIME_READ
    correction_id: UUID
    venue_id: UUID
    user_id: UUID
    status: str
    version: int


class ShiftChanged(Event, frozen=True, kw_only=True):
    """A shift was planned or changed, which its planners hear."""

    event_name: ClassVar[str] = "shift.changed"
    audience: ClassVar[Permission | None] = SHIFTS_PLAN
    shift_id: UUID
    venue_id: UUID
    user_id: UUID | None
    status: str
    version: int


class ShiftPublished(Event, frozen=True, kw_only=True):
    """A published shift is new, different or cancelled, which everybody on the schedule hears."""

    event_name: ClassVar[str] = "shift.published"
    audience: ClassVar[Permission | None] = SHIFTS_READ
    webhook: ClassVar[bool] = True
    shift_id: UUID
    venue_id: UUID
    user_id: UUID | None
    status: str
    starts_at: datetime
    ends_at: datetime
    version: int


class ShiftReminded(Event, frozen=True, kw_only=True):
    """Somebody's shift is about to begin; they are told by push."""

    event_name: ClassVar[str] = "shift.reminded"
    audience: ClassVar[Permission | None] = SHIFTS_READ
    shift_id: UUID
    venue_id: UUID
    user_id: UUID
    starts_at: datetime


class SwapChanged(Event, frozen=True, kw_only=True):
    """A swap, or the taking of an open shift (from nobody), was asked for, accepted, declined, withdrawn, approved or refused."""

    event_name: ClassVar[str] = "shift.swap_changed"
    audience: ClassVar[Permission | None] = SHIFTS_READ
    swap_id: UUID
    venue_id: UUID
    shift_id: UUID
    from_user_id: UUID | None
    to_user_id: UUID
    status: str
    version: int


class CalendarRenewed(Event, frozen=True, kw_only=True):
    """Somebody's calendar has a new secret address, or none any more; heard by nobody, kept in the audit log."""

    event_name: ClassVar[str] = "staff.calendar_renewed"
    user_id: UUID
    ended: bool


EVENTS = (
    ClockedIn,
    ClockedOut,
    BreakStarted,
    BreakEnded,
    ClockOutForgotten,
    CorrectionChanged,
    ShiftChanged,
    ShiftPublished,
    ShiftReminded,
    SwapChanged,
    CalendarRenewed,
)
