"""Why a check-in or a check-out is refused: each reason is a problem type of its own."""

from lastlight.kernel.errors import Conflict, Problem


class CheckinRefused(Problem):
    """A check-in that did not happen; the subclasses say why."""

    type = "checkin-refused"
    status = 422
    title = "You could not be checked in"


class CodeMalformed(CheckinRefused):
    """The text is no code of ours at all."""

    type = "code-malformed"
    title = "This is not a check-in code"
    default_detail = "Scan the code on the venue's screen or poster."


class CodeForged(CheckinRefused):
    """The code has our shape and not our signature."""

    type = "code-forged"
    title = "This code was not made by the venue"
    default_detail = "Scan the code on the venue's own screen or poster, and tell the staff about this one."


class CodeUnknown(CheckinRefused):
    """The answer for another business's code, and for one of no venue at all: it tells nobody which."""

    type = "code-unknown"
    title = "This code belongs to no venue here"
    default_detail = "Check that you are signed in with the business whose code you scanned."


class CodeExpired(CheckinRefused):
    """A screen's code was scanned after its minute, by the time that counts."""

    type = "code-expired"
    status = 410
    title = "This code has expired"
    default_detail = "A screen shows a new code every 20 seconds. Scan the one it shows now."


class CodeRetired(CheckinRefused):
    """The code was signed by a key that the venue has replaced, after its grace time."""

    type = "code-retired"
    status = 410
    title = "The venue has replaced this code"
    default_detail = "Scan the venue's new code, and tell the staff that an old one is still about."


class CodeReplayed(CheckinRefused):
    """The guest has checked in with this very code before."""

    type = "code-replayed"
    status = 409
    title = "You have used this code already"
    default_detail = "Each code on a screen checks you in once. Scan the one it shows now."


class VenueClosed(CheckinRefused):
    """The code is good and the venue is closed: by its hours, or for good."""

    type = "venue-closed"
    status = 409
    title = "The venue is closed"


class VenuePaused(CheckinRefused):
    """The code is good and the venue has been paused."""

    type = "venue-paused"
    status = 409
    title = "The venue takes no guests at the moment"
    default_detail = "Ask the staff when it goes on."


class PatronBarred(CheckinRefused):
    """The business has suspended or banned the guest."""

    type = "patron-barred"
    status = 403
    title = "You cannot check in here"
    default_detail = "The business has barred you. Speak to its staff if you think this is wrong."


class UnderAge(CheckinRefused):
    """The guest is younger than the venue's age limit, or has not said when they were born."""

    type = "under-age"
    status = 403
    title = "You are too young for this venue"


class VisitOpen(CheckinRefused):
    """The guest is checked in already; a guest has one open visit in a business."""

    type = "visit-open"
    status = 409
    title = "Checked in already"
    default_detail = "Check out of your open visit first."


class PositionRequired(CheckinRefused):
    """The venue or the poster asks for a position and none came."""

    type = "position-required"
    title = "Your position is needed"
    default_detail = "Let the app use your position, then scan again."


class PositionImprecise(CheckinRefused):
    """The position is too vague to tell whether the guest is there."""

    type = "position-imprecise"
    title = "Your position is too vague"
    default_detail = "Turn on precise location, step away from thick walls, then scan again."


class OutsideGeofence(CheckinRefused):
    """The position lies outside the venue's fence."""

    type = "outside-geofence"
    status = 403
    title = "You are not at the venue"
    default_detail = "Scan the code when you are there."


class ClaimUnsigned(CheckinRefused):
    """A time was claimed that is not now, without the phone's signature over it."""

    type = "claim-unsigned"
    title = "The time of this scan is not proven"
    default_detail = "A scan sent later needs the phone's signature over its time. Scan again while you are online."


class ClaimTooLate(CheckinRefused):
    """The claimed time lies further back than the business accepts."""

    type = "claim-too-late"
    title = "This scan was sent too late"
    default_detail = "Check that the phone's clock is right. If it is, ask the staff to let you in."


class ClaimInFuture(CheckinRefused):
    """The claimed time lies ahead of ours."""

    type = "claim-in-future"
    title = "The phone's clock is ahead"
    default_detail = "Set the phone's clock to automatic, then scan again."


class NoOpenVisit(Conflict):
    """The guest wants to check out and has no open visit."""

    type = "no-open-visit"
    title = "There is no open visit"
    default_detail = "You are checked out already."


class VisitNotOpen(Conflict):
    """The visit that is to be closed has ended already."""

    type = "visit-not-open"
    title = "This visit is over"
    default_detail = "It was closed before. Load it again to see when, and by whom."


class PatronKeysFull(Conflict):
    """The guest has as many phones as one may have."""

    type = "patron-keys-full"
    title = "Too many phones"
    default_detail = "Remove a phone that you no longer use, then register this one."


class BirthDateGiven(Conflict):
    """The guest has told another date of birth; a door's age limit must not depend on who tells it last."""

    type = "birth-date-given"
    title = "You have given your date of birth"
    default_detail = "It can be given once. Ask the staff to correct it."


class CheckinTakenBack(Conflict):
    """A check-in is revoked once."""

    type = "checkin-revoked"
    title = "This check-in was taken back before"
    default_detail = "Its reason stands with it; nothing more is to do."


class FlagResolved(Conflict):
    """A flag is judged once."""

    type = "flag-resolved"
    title = "Somebody has judged this already"
    default_detail = "Read it again to see what was decided."


class FlagStepDone(Conflict):
    """Each step about a flag is taken once."""

    type = "flag-step-taken"
    title = "This step was taken before"
    default_detail = "Load the flag again to see when, and by whom."


class NothingToRevoke(Conflict):
    """The check-ins of a flag were all taken back, or there is none."""

    type = "nothing-to-revoke"
    title = "No check-in of this flag still counts"
    default_detail = "They were taken back before, or the door let nobody in."


class NobodyToTell(Conflict):
    """Nobody holds the permission to be told of fraud."""

    type = "nobody-to-tell"
    title = "Nobody is there to be told"
    default_detail = "Give somebody a role with the permission to be told of fraud at the door, then tell them."


class DeviceRequired(CheckinRefused):
    """The venue's own scanners let guests in, and nothing else does."""

    type = "device-required"
    status = 403
    title = "This venue lets guests in at the door"
    default_detail = "Open your pass in the app and show it to the scanner at the door."


class EntryUnpaid(CheckinRefused):
    """The entrance costs more credits than the guest has."""

    type = "entry-unpaid"
    status = 409
    title = "There are too few credits for the entrance"
    default_detail = "Buy credits in the app, then scan again."


class NothingCharged(Conflict):
    """The check-in cost nothing, or what it cost was not paid."""

    type = "nothing-charged"
    title = "Nothing was paid for this check-in"
    default_detail = "Only what was paid with credits can be given back."


class EntryUnfit(Conflict):
    """What is owed cannot be charged as it was told."""

    type = "entry-unfit"
    title = "This price does not fit the venue any more"
    default_detail = (
        "The venue's taxes come on top of it now, or its currency is another one. Set them right, or let it off."
    )


class NothingOwed(Conflict):
    """What a check-in cost was paid or let off before."""

    type = "nothing-owed"
    title = "Nothing is owed for this check-in"
    default_detail = "It was paid or let off before. Load it again to see when, and by whom."


class PhoneKeyUnknown(Problem):
    """A pass is bound to a registered phone."""

    type = "phone-key-unknown"
    status = 422
    title = "This phone is not registered"
    default_detail = "Register the phone's key first (POST /api/patron/keys), then ask for the pass."


ERRORS = (
    CheckinTakenBack,
    FlagResolved,
    FlagStepDone,
    NothingToRevoke,
    NobodyToTell,
    DeviceRequired,
    EntryUnpaid,
    NothingCharged,
    EntryUnfit,
    NothingOwed,
    PhoneKeyUnknown,
    CodeMalformed,
    CodeForged,
    CodeUnknown,
    CodeExpired,
    CodeRetired,
    CodeReplayed,
    VenueClosed,
    VenuePaused,
    PatronBarred,
    UnderAge,
    VisitOpen,
    PositionRequired,
    PositionImprecise,
    OutsideGeofence,
    ClaimUnsigned,
    ClaimTooLate,
    ClaimInFuture,
    NoOpenVisit,
    VisitNotOpen,
    PatronKeysFull,
    BirthDateGiven,
)
VERIFY_REFUSALS = tuple(error for error in ERRORS if issubclass(error, CheckinRefused))
CLAIM_REFUSALS = (ClaimUnsigned, ClaimTooLate, ClaimInFuture)
