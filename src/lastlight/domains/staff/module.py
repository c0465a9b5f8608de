"""What the people's time and shifts bring to the platform."""

from lastlight.domains.staff.api import PUBLIC_ROUTES, ROUTES
from lastlight.domains.staff.errors import (
    ERRORS,
    AlreadyClockedIn,
    CorrectionThere,
    EntriesOverlap,
    FeedUnknown,
    OnBreak,
    OwnCorrection,
    ShiftsOverlap,
    SwapThere,
)
from lastlight.domains.staff.events import EVENTS
from lastlight.domains.staff.jobs import notice_forgotten, remind_people
from lastlight.domains.staff.listings import LISTINGS
from lastlight.domains.staff.permissions import PERMISSIONS
from lastlight.domains.staff.settings import SETTINGS
from lastlight.runtime.module import Module

MODULE = Module(
    name="staff",
    summary="People at work: clocked time and its corrections, the schedule and its swaps, and figures of both.",
    toggle="staff",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=tuple(error for error in ERRORS if error is not FeedUnknown),
    constraints={
        "time_entries_one_open": AlreadyClockedIn,
        "time_entries_overlap": EntriesOverlap,
        "time_breaks_one_open": OnBreak,
        "time_corrections_open_once": CorrectionThere,
        "time_corrections_other_eyes": OwnCorrection,
        "shifts_overlap": ShiftsOverlap,
        "shift_swaps_open_once": SwapThere,
    },
    jobs=(notice_forgotten, remind_people),
    listings=LISTINGS,
    settings=SETTINGS,
)
CALENDARS = Module(
    name="calendars",
    summary="The feed of one's shifts, at a secret address.",
    routes=PUBLIC_ROUTES,
    errors=(FeedUnknown,),
)
