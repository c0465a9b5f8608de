"""What safety brings to the platform."""

from lastlight.domains.checkins import VisitClosed, VisitOpened, VisitTimedOut
from lastlight.domains.safety.api import ROUTES
from lastlight.domains.safety.api_emergency import EMERGENCY_ROUTES
from lastlight.domains.safety.errors import ERRORS, AlertOpen, CheckOpen, SosIdTaken, ThresholdsSet
from lastlight.domains.safety.events import EVENTS, CheckAnswered, SosEscalated, SosRaised
from lastlight.domains.safety.jobs import JOBS, follow_check, judge_closed_visit, judge_opened_visit, time_sos
from lastlight.domains.safety.listings import LISTINGS
from lastlight.domains.safety.permissions import PERMISSIONS
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
    jobs=JOBS,
    reactions=(
        Reaction(VisitOpened, judge_opened_visit),
        Reaction(VisitClosed, judge_closed_visit),
        Reaction(VisitTimedOut, judge_closed_visit),
        Reaction(CheckAnswered, follow_check),
        Reaction(SosRaised, time_sos),
        Reaction(SosEscalated, time_sos),
    ),
    listings=LISTINGS,
)
