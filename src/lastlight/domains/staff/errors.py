"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict, NotFound, Problem


class AlreadyClockedIn(Conflict):
    """One is clocked in at one place at a time."""

    type = "already-clocked-in"
    title = "You are clocked in already"
    default_detail = "Clock out there first, then clock in here."


class NotClockedIn(Conflict):
    """Clocking out and breaks need clocked time."""

    type = "not-clocked-in"
    title = "You are not clocked in"
    default_detail = "Clock in first. If you forgot to, ask for a correction."


class OnBreak(Conflict):
    """One break at a time."""

    type = "on-break"
    title = "You are on a break already"
    default_detail = "End this break first."


class NotOnBreak(Conflict):
    """A break that has not begun cannot end."""

    type = "not-on-break"
    title = "You are not on a break"
    default_detail = "There is no break to end."


class ClockPositionNeeded(Problem):
    """The business wants to know that one is there."""

    type = "clock-position-needed"
    status = 422
    title = "Your position is needed"
    default_detail = "Allow the position, and try again at the venue."


class ClockOutsideGeofence(Conflict):
    """One clocks in and out at the venue."""

    type = "clock-outside-geofence"
    title = "You are not at the venue"
    default_detail = "Clock in and out when you are there. If you forgot to, ask for a correction."


class EntriesOverlap(Conflict):
    """Nobody works twice at once."""

    type = "time-overlaps"
    title = "This overlaps other clocked time of the same person"
    default_detail = "Look at the time sheet of that day, and give times that leave the other entries out."


class CorrectionThere(Conflict):
    """One correction of an entry waits at a time."""

    type = "correction-waiting"
    title = "A correction of this time waits already"
    default_detail = "Withdraw that one first, or wait for its decision."


class CorrectionDecided(Conflict):
    """A decision is taken once."""

    type = "correction-decided"
    title = "This correction has been decided"
    default_detail = "Ask for another one if the time is still not right."


class OwnCorrection(Conflict):
    """Four eyes: nobody approves their own time."""

    type = "correction-own"
    title = "Somebody else has to decide this"
    default_detail = "Nobody decides a correction that they asked for, or that is of their own time."


class ShiftsOverlap(Conflict):
    """Nobody is planned twice at once."""

    type = "shifts-overlap"
    title = "This person has another shift at that time"
    default_detail = "Choose other times, or another person."


class ShiftCancelled(Conflict):
    """A cancelled shift stays as it was."""

    type = "shift-cancelled"
    title = "This shift was cancelled"
    default_detail = "Plan a new one."


class ShiftNotSwappable(Conflict):
    """What is swapped is a coming, published shift of one's own."""

    type = "shift-not-swappable"
    title = "This shift cannot be swapped"
    default_detail = (
        "Only published shifts that have not begun, and that still belong to the two of you, can be swapped."
    )


class ShiftNotOpen(Conflict):
    """One takes a shift that is published, still to come and nobody's."""

    type = "shift-not-open"
    title = "This shift cannot be taken"
    default_detail = (
        "Only published shifts that are nobody's and have not begun can be taken. Look at the schedule again."
    )


class OpenShiftsGiven(Conflict):
    """A business may keep the giving of shifts to its planners."""

    type = "open-shifts-given"
    title = "Planners give out open shifts here"
    default_detail = "Ask whoever plans the shifts to give it to you."


class SwapThere(Conflict):
    """One swap of a shift waits at a time."""

    type = "swap-waiting"
    title = "A swap of this shift waits already"
    default_detail = "Withdraw that one first."


class SwapNotWaiting(Conflict):
    """A swap goes from asked to accepted to approved, and each step is taken once."""

    type = "swap-not-waiting"
    title = "This swap does not wait for that"
    default_detail = "Load it again and look at where it stands."


class FeedUnknown(NotFound):
    """The answer to a wrong, a renewed and a former member's address alike."""

    type = "calendar-unknown"
    title = "There is no calendar at this address"
    default_detail = "Copy the address again from your schedule."


ERRORS = (
    AlreadyClockedIn,
    NotClockedIn,
    OnBreak,
    NotOnBreak,
    ClockPositionNeeded,
    ClockOutsideGeofence,
    EntriesOverlap,
    CorrectionThere,
    CorrectionDecided,
    OwnCorrection,
    ShiftsOverlap,
    ShiftCancelled,
    ShiftNotSwappable,
    ShiftNotOpen,
    OpenShiftsGiven,
    SwapThere,
    SwapNotWaiting,
    FeedUnknown,
)
