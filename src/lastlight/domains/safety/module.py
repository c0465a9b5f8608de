"""What safety brings to the platform."""

from lastlight.domains.checkins import VisitClosed, VisitOpened, VisitTimedOut
from lastlight.domains.safety.api import ROUTES
from lastlight.domains.safety.crew import CREW_PAGES, CREW_ROUTES
from lastlight.domains.safety.drills import incident_response
from lastlight.domains.safety.emergency_api import EMERGENCY_ROUTES
from lastlight.domains.safety.emergency_listings import BROADCASTS, CHECKS, SOS_CALLS
from lastlight.domains.safety.errors import ERRORS, AlertOpen, CheckOpen, ContactsSet, SosIdTaken, ThresholdsSet
from lastlight.domains.safety.escalation_mail import mail_alert, mail_sos
from lastlight.domains.safety.events import (
    EVENTS,
    AlertCleared,
    AlertEscalated,
    AlertRaised,
    BroadcastSent,
    CheckAnswered,
    CheckAsked,
    HelpCalled,
    HelpSaidMore,
    HelpWithdrawn,
    InterventionAssigned,
    InterventionResolvedEvent,
    SosAcknowledged,
    SosComing,
    SosEscalated,
    SosRaised,
    SosResolvedEvent,
)
from lastlight.domains.safety.floor_pages import OPEN_EVENTS, open_count
from lastlight.domains.safety.help_api import HELP_ROUTES
from lastlight.domains.safety.help_calls import answer_guest, call_for_guest, say_for_guest
from lastlight.domains.safety.help_model import GUEST_HELP
from lastlight.domains.safety.jobs import JOBS, follow_check, judge_closed_visit, judge_opened_visit, time_sos
from lastlight.domains.safety.listings import ALERTS, CREW_ALERTS, CREW_INCIDENTS, INCIDENTS, INTERVENTIONS, LOG
from lastlight.domains.safety.notices import NOTICES, PUSH_JOBS, push_alert, push_broadcast, push_check, push_sos
from lastlight.domains.safety.pages import PAGES
from lastlight.domains.safety.permissions import PERMISSIONS, SAFETY_READ
from lastlight.domains.safety.retention import KEEP_YEARS
from lastlight.domains.safety.to_do import (
    TO_DO_JOBS,
    settle_safety_task,
    task_of_alert,
    task_of_intervention,
    task_of_sos,
)
from lastlight.runtime.module import Module, Nav, Reaction

PLACES = (("staff", "/staff/safety", 30), ("management", "/manage/safety", 24), ("owner", "/owner/safety", 30))

MODULE = Module(
    name="safety",
    summary="Thresholds, alerts, interventions, SOS, incidents, broadcasts and safety checks.",
    toggle="safety",
    routes=(*ROUTES, *EMERGENCY_ROUTES, *HELP_ROUTES),
    flags=(GUEST_HELP,),
    pages=PAGES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={
        "emergency_contacts_one_a_venue": ContactsSet,
        "help_calls_pkey": SosIdTaken,
        "safety_alerts_one_a_visit": AlertOpen,
        "safety_alerts_one_full": AlertOpen,
        "safety_checks_one_open": CheckOpen,
        "safety_thresholds_one_a_venue": ThresholdsSet,
        "sos_calls_pkey": SosIdTaken,
    },
    jobs=(*JOBS, *TO_DO_JOBS, *PUSH_JOBS),
    reactions=(
        Reaction(VisitOpened, judge_opened_visit),
        Reaction(VisitClosed, judge_closed_visit),
        Reaction(VisitTimedOut, judge_closed_visit),
        Reaction(CheckAnswered, follow_check),
        Reaction(SosRaised, time_sos),
        Reaction(SosEscalated, time_sos),
        Reaction(SosEscalated, mail_sos),
        Reaction(AlertEscalated, mail_alert),
        Reaction(HelpCalled, call_for_guest),
        Reaction(HelpSaidMore, say_for_guest),
        Reaction(HelpWithdrawn, say_for_guest),
        Reaction(SosAcknowledged, answer_guest),
        Reaction(SosComing, answer_guest),
        Reaction(SosEscalated, answer_guest),
        Reaction(SosResolvedEvent, answer_guest),
        Reaction(AlertRaised, task_of_alert),
        Reaction(AlertEscalated, task_of_alert),
        Reaction(AlertCleared, settle_safety_task),
        Reaction(InterventionAssigned, task_of_intervention),
        Reaction(InterventionResolvedEvent, settle_safety_task),
        Reaction(SosRaised, task_of_sos),
        Reaction(SosResolvedEvent, settle_safety_task),
        Reaction(SosRaised, push_sos),
        Reaction(SosEscalated, push_sos),
        Reaction(AlertRaised, push_alert),
        Reaction(AlertEscalated, push_alert),
        Reaction(BroadcastSent, push_broadcast),
        Reaction(CheckAsked, push_check),
    ),
    notices=NOTICES,
    drills=(incident_response,),
    listings=(ALERTS, INTERVENTIONS, INCIDENTS, SOS_CALLS, BROADCASTS, CHECKS, LOG),
    settings=(KEEP_YEARS,),
    nav=tuple(
        Nav(
            app=app,
            label="Safety",
            href=href,
            icon="shield-alert",
            permission=SAFETY_READ,
            order=order,
            count=open_count,
            count_events=OPEN_EVENTS,
            hot=True,
        )
        for app, href, order in PLACES
    ),
)
# The platform itself has none of the modules that a business switches on, so what its crew reads is no part of one.
CREW_MODULE = Module(
    name="safety_crew",
    summary="Safety as the crew reads it: incidents and alerts of all businesses.",
    routes=CREW_ROUTES,
    pages=CREW_PAGES,
    listings=(CREW_ALERTS, CREW_INCIDENTS),
    nav=(
        Nav(
            app="platform",
            label="Incidents",
            href="/platform/incidents",
            icon="shield-alert",
            permission=SAFETY_READ,
            order=50,
        ),
    ),
)
