"""What safety brings to the platform."""

from lastlight.domains.checkins import VisitClosed, VisitOpened, VisitTimedOut
from lastlight.domains.safety.api import ROUTES
from lastlight.domains.safety.api_emergency import EMERGENCY_ROUTES
from lastlight.domains.safety.errors import ERRORS, AlertOpen, CheckOpen, SosIdTaken, ThresholdsSet
from lastlight.domains.safety.events import (
    EVENTS,
    AlertCleared,
    AlertEscalated,
    AlertRaised,
    CheckAnswered,
    InterventionAssigned,
    InterventionResolvedEvent,
    SosEscalated,
    SosRaised,
    SosResolvedEvent,
)
from lastlight.domains.safety.jobs import JOBS, follow_check, judge_closed_visit, judge_opened_visit, time_sos
from lastlight.domains.safety.listings import LISTINGS
from lastlight.domains.safety.permissions import PERMISSIONS
from lastlight.domains.safety.to_do import (
    TO_DO_JOBS,
    settle_safety_task,
    task_of_alert,
    task_of_intervention,
    task_of_sos,
)
from lastlight.runtime.module import Module, Reaction

MODULE = Module(
    name="safety",
    summary="Thresholds, alerts, interventions, SOS, incidents, broadcasts and safety checks.",
    toggle="safety",
    routes=(*ROUTES, *EMERGENCY_ROUTES),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={
        "safety_alerts_one_a_visit": AlertOpen,
        "safety_alerts_one_full": AlertOpen,
        "safety_checks_one_open": CheckOpen,
        "safety_thresholds_one_a_venue": ThresholdsSet,
        "sos_calls_pkey": SosIdTaken,
    },
    jobs=(*JOBS, *TO_DO_JOBS),
    reactions=(
        Reaction(VisitOpened, judge_opened_visit),
        Reaction(VisitClosed, judge_closed_visit),
        Reaction(VisitTimedOut, judge_closed_visit),
        Reaction(CheckAnswered, follow_check),
        Reaction(SosRaised, time_sos),
        Reaction(SosEscalated, time_sos),
        Reaction(AlertRaised, task_of_alert),
        Reaction(AlertEscalated, task_of_alert),
        Reaction(AlertCleared, settle_safety_task),
        Reaction(InterventionAssigned, task_of_intervention),
        Reaction(InterventionResolvedEvent, settle_safety_task),
        Reaction(SosRaised, task_of_sos),
        Reaction(SosResolvedEvent, settle_safety_task),
    ),
    listings=LISTINGS,
)
