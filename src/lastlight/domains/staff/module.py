"""What the people's time and shifts bring to the platform."""

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
from lastlight.domains.staff.events import EVENTS, ShiftPublished, ShiftReminded, SwapChanged
from lastlight.domains.staff.jobs import notice_forgotten, remind_people
from lastlight.domains.staff.listings import LISTINGS
from lastlight.domains.staff.notices import PUSH_JOBS, SHIFTS, push_reminder, push_shift, push_swap
from lastlight.domains.staff.own_pages import OWN_PAGES
from lastlight.domains.staff.own_schedule_pages import OWN_SCHEDULE_PAGES, SCHEDULE_EVENTS, count_offers
from lastlight.domains.staff.permissions import PERMISSIONS, SHIFTS_PLAN, SHIFTS_READ, TIME_CLOCK, TIME_READ
from lastlight.domains.staff.plan_pages import PLAN_EVENTS, PLAN_PAGES, count_swaps
from lastlight.domains.staff.schedule_api import PUBLIC_ROUTES, SCHEDULE_ROUTES
from lastlight.domains.staff.settings import SETTINGS
from lastlight.domains.staff.shift_pages import SHIFT_PAGES
from lastlight.domains.staff.team_pages import TEAM_PAGES, TIME_EVENTS, count_on
from lastlight.domains.staff.time_api import TIME_ROUTES
from lastlight.runtime.module import Module, Nav, Reaction

MODULE = Module(
    name="staff",
    summary="People at work: clocked time and its corrections, the schedule and its swaps, and figures of both.",
    toggle="staff",
    routes=(*TIME_ROUTES, *SCHEDULE_ROUTES),
    pages=(*OWN_PAGES, *OWN_SCHEDULE_PAGES, *TEAM_PAGES, *PLAN_PAGES, *SHIFT_PAGES),
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
    jobs=(notice_forgotten, remind_people, *PUSH_JOBS),
    reactions=(
        Reaction(ShiftPublished, push_shift),
        Reaction(ShiftReminded, push_reminder),
        Reaction(SwapChanged, push_swap),
    ),
    notices=(SHIFTS,),
    listings=LISTINGS,
    settings=SETTINGS,
    nav=(
        Nav(
            app="staff",
            label="My shift",
            href="/staff/shift",
            icon="clock",
            permission=TIME_CLOCK,
            group="Yours",
            order=60,
        ),
        Nav(
            app="staff",
            label="Schedule",
            href="/staff/schedule",
            icon="calendar-days",
            permission=SHIFTS_READ,
            group="Yours",
            order=62,
            count=count_offers,
            count_events=SCHEDULE_EVENTS,
            hot=True,
        ),
        Nav(
            app="staff",
            label="My time",
            href="/staff/time",
            icon="timer",
            permission=TIME_CLOCK,
            group="Yours",
            order=64,
        ),
        Nav(
            app="management",
            label="On now",
            href="/manage/team",
            icon="id-card",
            permission=TIME_READ,
            group="Team",
            order=41,
            count=count_on,
            count_events=TIME_EVENTS,
        ),
        Nav(
            app="management",
            label="Schedule",
            href="/manage/schedule",
            icon="calendar-days",
            permission=SHIFTS_PLAN,
            group="Team",
            order=42,
            count=count_swaps,
            count_events=PLAN_EVENTS,
            hot=True,
        ),
    ),
)
CALENDARS = Module(
    name="calendars",
    summary="The feed of one's shifts, at a secret address.",
    routes=PUBLIC_ROUTES,
    errors=(FeedUnknown,),
)
