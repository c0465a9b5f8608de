"""Why something about safety is refused."""

from lastlight.kernel.errors import Conflict, Problem


class AlertOpen(Conflict):
    """The visit has an open alert of the kind already."""

    type = "alert-open"
    title = "There is an open alert of this kind"
    default_detail = "Answer the alert that stands, or clear it first."


class AlertNotOpen(Conflict):
    """The alert was answered or cleared already."""

    type = "alert-not-open"
    title = "This alert has been dealt with"
    default_detail = "Load it again to see when, and by whom."


class InterventionResolved(Conflict):
    """The intervention has ended."""

    type = "intervention-resolved"
    title = "This intervention is resolved"
    default_detail = "Record another one if something else happened."


class AssigneeUnfit(Problem):
    """The one who is to do it does not work at the venue."""

    type = "assignee-unfit"
    status = 422
    title = "They do not work at this venue"
    default_detail = "Choose an active member who works at the venue."


class SosResolved(Conflict):
    """The SOS call is over."""

    type = "sos-resolved"
    title = "This SOS call is over"
    default_detail = "Press SOS again if help is needed."


class SosOwn(Conflict):
    """Who calls for help does not answer the call: it would be told again no more, and nobody would come."""

    type = "sos-own"
    title = "This SOS call is your own"
    default_detail = "It is told again until somebody else answers. If you need no help any more, say that it is over."


class SosIdTaken(Conflict):
    """Another call came under the same id."""

    type = "sos-id-taken"
    title = "Another SOS call has this id"
    default_detail = "Make a new id for a new call; repeat an id only with the same call."


class IncidentResolved(Conflict):
    """The incident is closed."""

    type = "incident-resolved"
    title = "This incident is resolved"
    default_detail = "Open another incident if something else happened."


class HelpNotOffered(Problem):
    """The business, or the platform, has switched guests' calls for help off."""

    type = "help-not-offered"
    status = 403
    title = "Calling for help from the phone is switched off here"
    default_detail = "Nobody has been told. Speak to anybody who works here, or call the emergency number."


class HelpOutside(Conflict):
    """Who is in no venue has no staff to call."""

    type = "help-outside"
    title = "You are not checked in"
    default_detail = "Nobody has been told. Speak to anybody who works here, or call the emergency number."


class HelpTooOften(Conflict):
    """So many calls within so short a time are no calls for help any more."""

    type = "help-too-often"
    title = "You have called too often"
    default_detail = "Nobody has been told this time. Speak to anybody who works here, or call the emergency number."


class NotInside(Conflict):
    """The guest is not in the venue any more."""

    type = "visit-over"
    title = "The guest has left"
    default_detail = "A safety check is asked of guests who are in."


class CheckOpen(Conflict):
    """The guest has a safety check to answer already."""

    type = "safety-check-open"
    title = "They have been asked already"
    default_detail = "Wait for the answer; when the time is over, an alert is raised by itself."


class CheckOver(Conflict):
    """The safety check was answered, or its time is over."""

    type = "safety-check-over"
    title = "This question is closed"
    default_detail = "If you need help, speak to any of the staff."


class ThresholdsSet(Conflict):
    """Two people set a venue's first thresholds at once."""

    type = "thresholds-set"
    title = "Somebody set the thresholds in the meantime"
    default_detail = "Load them again, look at the change, then repeat yours."


class ContactsSet(Conflict):
    """Two people set a venue's first emergency contacts at once."""

    type = "contacts-set"
    title = "Somebody set the emergency contacts in the meantime"
    default_detail = "Load them again, look at the change, then repeat yours."


ERRORS = (
    HelpNotOffered,
    HelpOutside,
    HelpTooOften,
    AlertOpen,
    AlertNotOpen,
    InterventionResolved,
    AssigneeUnfit,
    SosResolved,
    SosOwn,
    SosIdTaken,
    IncidentResolved,
    NotInside,
    CheckOpen,
    CheckOver,
    ThresholdsSet,
    ContactsSet,
)
