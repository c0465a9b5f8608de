"""Safety on the floor.

A venue watches thresholds; a crossing or a pattern raises an alert, which staff acknowledge and clear, and which is told again
when nobody does. Staff record interventions, press SOS, open incidents and ask guests whether all is well; every deed is a
line in a log that nobody edits. Other domains tell what a visit was served by `report_facts`. This is all that they may use.
"""

from lastlight.domains.safety.alerts import find_alert, raise_alert
from lastlight.domains.safety.checks import own_checks
from lastlight.domains.safety.events import (
    AlertAcknowledged,
    AlertCleared,
    AlertEscalated,
    AlertRaised,
    InterventionAssigned,
    InterventionEscalated,
    InterventionRecorded,
    InterventionResolvedEvent,
    SosEscalated,
    SosRaised,
    SosResolvedEvent,
)
from lastlight.domains.safety.frame import emergency_of
from lastlight.domains.safety.help import read_help
from lastlight.domains.safety.help_model import GUEST_HELP, HelpState
from lastlight.domains.safety.incidents import begin_incident, find_incident
from lastlight.domains.safety.jobs import Facts, take_facts
from lastlight.domains.safety.model import Alert, FloorState, Incident, SafetyCheck, Thresholds, floor_state
from lastlight.domains.safety.permissions import (
    SAFETY_CHECKS,
    SAFETY_HELP,
    SAFETY_MANAGE,
    SAFETY_READ,
    SAFETY_RESPOND,
)
from lastlight.domains.safety.response import ResponseFigures, response_figures
from lastlight.domains.safety.seeding import seed_safety
from lastlight.domains.safety.thresholds import read_thresholds
from lastlight.domains.safety.watch import read_floor, report_facts

__all__ = [
    "GUEST_HELP",
    "SAFETY_CHECKS",
    "SAFETY_HELP",
    "SAFETY_MANAGE",
    "SAFETY_READ",
    "SAFETY_RESPOND",
    "Alert",
    "AlertAcknowledged",
    "AlertCleared",
    "AlertEscalated",
    "AlertRaised",
    "Facts",
    "FloorState",
    "HelpState",
    "Incident",
    "InterventionAssigned",
    "InterventionEscalated",
    "InterventionRecorded",
    "InterventionResolvedEvent",
    "ResponseFigures",
    "SafetyCheck",
    "SosEscalated",
    "SosRaised",
    "SosResolvedEvent",
    "Thresholds",
    "begin_incident",
    "emergency_of",
    "find_alert",
    "find_incident",
    "floor_state",
    "own_checks",
    "raise_alert",
    "read_floor",
    "read_help",
    "read_thresholds",
    "report_facts",
    "response_figures",
    "seed_safety",
    "take_facts",
]
