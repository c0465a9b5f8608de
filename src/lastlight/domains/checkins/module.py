"""What the door brings to the platform."""

from lastlight.domains.checkins.api import ROUTES
from lastlight.domains.checkins.by_hand_pages import BY_HAND_PAGES
from lastlight.domains.checkins.door_api import DOOR_ROUTES
from lastlight.domains.checkins.door_listings import DOOR_LISTINGS
from lastlight.domains.checkins.drills import fraudulent_check_ins
from lastlight.domains.checkins.entrance_api import ENTRANCE_ROUTES
from lastlight.domains.checkins.entrance_pages import ENTRANCE_PAGES
from lastlight.domains.checkins.errors import ERRORS, CheckinTakenBack, CodeReplayed, FlagStepDone, VisitOpen
from lastlight.domains.checkins.events import EVENTS, CheckinVerified, DoorScanned
from lastlight.domains.checkins.face_pages import FACE_PAGES, FACE_ROUTES
from lastlight.domains.checkins.face_pages import HOME as FIND_GUEST
from lastlight.domains.checkins.flag_pages import FLAG_COUNT_EVENTS, FLAG_PAGES
from lastlight.domains.checkins.flags import count_open_flags
from lastlight.domains.checkins.jobs import judge_arrival, judge_scan, time_out_due_visits
from lastlight.domains.checkins.listings import LISTINGS
from lastlight.domains.checkins.pages import COUNT_EVENTS, PAGES, count_shown
from lastlight.domains.checkins.permissions import (
    CHECKINS_READ,
    FLAGS_READ,
    PATRONS_FIND,
    PERMISSIONS,
    VISITS_READ,
)
from lastlight.domains.checkins.queries import count_month
from lastlight.domains.checkins.settings import SETTINGS
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo
from lastlight.runtime.module import Module, Nav, Reaction


async def count_flags(ctx: Ctx, *, request: RequestInfo) -> int | None:
    """How many flags wait for a judgement; nothing where none does."""
    return await count_open_flags(ctx)


MODULE = Module(
    name="checkins",
    summary="The door: verified arrivals, and the visits that they open.",
    routes=(*ROUTES, *DOOR_ROUTES, *ENTRANCE_ROUTES, *FACE_ROUTES),
    pages=(*PAGES, *BY_HAND_PAGES, *FLAG_PAGES, *FACE_PAGES, *ENTRANCE_PAGES),
    permissions=PERMISSIONS,
    events=EVENTS,
    usage={"Visits in 30 days": count_month},
    errors=ERRORS,
    constraints={
        "checkins_code_once": CodeReplayed,
        "checkins_claim_once": CodeReplayed,
        "checkins_pass_once": CodeReplayed,
        "checkin_revocations_pkey": CheckinTakenBack,
        "checkin_flag_steps_pkey": FlagStepDone,
        "visits_one_open": VisitOpen,
    },
    jobs=(time_out_due_visits, judge_arrival, judge_scan),
    reactions=(Reaction(CheckinVerified, judge_arrival), Reaction(DoorScanned, judge_scan)),
    listings=(*LISTINGS, *DOOR_LISTINGS),
    settings=SETTINGS,
    drills=(fraudulent_check_ins,),
    nav=(
        Nav(
            app="management",
            label="Visits",
            href="/manage/visits",
            icon="users",
            permission=VISITS_READ,
            order=20,
            count=count_shown,
            count_events=COUNT_EVENTS,
        ),
        Nav(
            app="management",
            label="Check-ins",
            href="/manage/checkins",
            icon="scan-line",
            permission=CHECKINS_READ,
            group="Door",
            order=30,
        ),
        Nav(
            app="management",
            label="Door log",
            href="/manage/door-log",
            icon="list-checks",
            permission=FLAGS_READ,
            group="Door",
            order=32,
        ),
        Nav(
            app="management",
            label="Flags",
            href="/manage/flags",
            icon="flag",
            permission=FLAGS_READ,
            group="Door",
            order=34,
            count=count_flags,
            count_events=FLAG_COUNT_EVENTS,
            hot=True,
        ),
        Nav(
            app="staff",
            label="Visits",
            href="/staff/visits",
            icon="users",
            permission=VISITS_READ,
            order=20,
            count=count_shown,
            count_events=COUNT_EVENTS,
        ),
        Nav(
            app="staff",
            label="Find a guest",
            href=FIND_GUEST,
            icon="user-search",
            permission=PATRONS_FIND,
            order=22,
        ),
        Nav(
            app="platform",
            label="Check-ins",
            href="/platform/checkins",
            icon="scan-line",
            permission=CHECKINS_READ,
            order=40,
        ),
    ),
)
