"""What a scan means: whether it lets its guest in or out, and what about it looks like fraud. Nothing of the log is written here.

What an offline door decided has happened: the guest is inside. So the rules of the house cannot undo it: a good pass becomes a
check-in at the claimed time, a ban that the door did not know becomes a flag, and a guest who was in already a double admission.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.admission import Grounds, admit
from lastlight.domains.checkins.claims import AHEAD_BY
from lastlight.domains.checkins.door import Door, read_door
from lastlight.domains.checkins.entrance import EntryCharge, Lack
from lastlight.domains.checkins.errors import (
    CheckinRefused,
    ClaimInFuture,
    ClaimTooLate,
    CodeReplayed,
    CodeRetired,
    CodeUnknown,
    EntryUnpaid,
    NoOpenVisit,
    PatronBarred,
    UnderAge,
    VenueClosed,
    VenuePaused,
    VisitOpen,
)
from lastlight.domains.checkins.flags import FlagKind
from lastlight.domains.checkins.leaving import close_if_left, let_out
from lastlight.domains.checkins.model import Checkin, age_on
from lastlight.domains.checkins.passes import PURPOSE, ShownPass, read_shown, require_alive, require_genuine
from lastlight.domains.checkins.permissions import CHECKINS_OVERRIDE
from lastlight.domains.checkins.scan_schemas import ScanIn, ScanResult
from lastlight.domains.checkins.settings import DoorRules, door_rules
from lastlight.domains.checkins.welcome import require_not_barred, require_welcome
from lastlight.domains.devices import Speaker
from lastlight.domains.identity import holds_permission
from lastlight.domains.venues import business_day
from lastlight.kernel.errors import Invalid, Problem
from lastlight.kernel.ids import CheckinId, PatronId, VisitId, uuid7
from lastlight.runtime.context import Ctx

BY_HAND_HELPS = (UnderAge, VenueClosed, VenuePaused)
SHOWN_BEFORE = """
select device_id from door_scans
where tenant_id = $1 and patron_id = $2 and step = $3 and direction = 'in' and result <> 'refused'
order by claimed_at, id limit 1
"""


class Finding(msgspec.Struct, kw_only=True):
    """What is known of a scan while it is judged."""

    shown: ShownPass | None = None
    door: Door | None = None
    result: ScanResult = "refused"
    refusal: str = ""
    detail: str = ""
    overridable: bool = False
    checkin_id: CheckinId | None = None
    visit_id: VisitId | None = None
    override_by: UUID | None = None
    charge: EntryCharge | None = None
    lack: Lack | None = None
    """What is missing for the entrance, of a guest who was not let in for that."""
    flags: list[tuple[FlagKind, str]] = msgspec.field(default_factory=list[tuple[FlagKind, str]])

    @property
    def patron_id(self) -> PatronId | None:
        """Whose pass it was, once the pass was found genuine and its holder a guest here."""
        return PatronId(self.shown.guest.patron_id) if self.shown and self.door else None

    def age_at(self, at: datetime) -> int | None:
        """The guest's age, where the venue asks for one and it is known."""
        door = self.door
        if door is None or door.age_limit is None or door.birth_date is None:
            return None
        return age_on(door.birth_date, at.astimezone(door.zone).date())


async def judge(ctx: Ctx, *, speaker: Speaker, scan: ScanIn) -> Finding:
    """Decide a scan; an arrival is recorded, a visit that ends is closed."""
    finding = Finding()
    if speaker.revoked_at is not None and scan.claimed_at > speaker.revoked_at:
        finding.refusal, finding.detail = (
            "door-revoked",
            "The device had been revoked by then. Look for the guest's visit by hand.",
        )
        return finding
    try:
        await _look(ctx, speaker, scan, finding)
    except (CheckinRefused, NoOpenVisit) as refusal:
        finding.result, finding.refusal, finding.detail = "refused", type(refusal).type, refusal.detail
        finding.lack = _lack(refusal)
        finding.overridable = isinstance(refusal, BY_HAND_HELPS) or _may_staff(ctx, finding, refusal)
    return finding


async def _look(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding) -> None:
    """Fill in the finding; raises why the scan lets nobody in or out."""
    shown = read_shown(scan.code)
    require_genuine(shown, keys=ctx.services.secrets.verifying_keys(PURPOSE))
    if shown.guest.tenant_id != ctx.tenant_id:
        raise CodeUnknown("This pass is for another business.")
    at = ctx.now if scan.decided == "server" else min(scan.claimed_at, ctx.now)
    door = await read_door(
        ctx, venue_id=speaker.venue_id, patron_id=shown.guest.patron_id, phone_key_id=shown.guest.key_id, at=at
    )
    if door is None:
        raise CodeUnknown
    finding.shown, finding.door = shown, door
    _require_time(ctx, scan, door_rules(door.settings))
    require_alive(shown, at=at)
    if door.phone_key is None or (door.phone_key.revoked_at is not None and door.phone_key.revoked_at <= at):
        raise CodeRetired("The guest has removed this phone. Ask them for the pass on the phone that they use now.")
    if scan.decided == "refused":
        finding.refusal = scan.refusal or "refused-at-the-door"
    elif scan.direction == "out":
        claimed_at = None if scan.decided == "server" else scan.claimed_at
        finding.visit_id = await let_out(
            ctx, venue_id=speaker.venue_id, patron_id=PatronId(shown.guest.patron_id), at=at, claimed_at=claimed_at
        )
        finding.result = "left"
    elif scan.decided == "server":
        await _answer_door(ctx, speaker, scan, finding, at)
    else:
        await _follow_door(ctx, speaker, scan, finding, at)


def _require_time(ctx: Ctx, scan: ScanIn, rules: DoorRules) -> None:
    if scan.decided == "server":
        if scan.override_reason:
            raise Invalid(fields={"override_reason": "The member lets the guest in by POST /api/checkins/overrides."})
        return
    if scan.claimed_at > ctx.now + AHEAD_BY:
        raise ClaimInFuture
    if ctx.now - scan.claimed_at > rules.oldest_claim:
        raise ClaimTooLate


async def _answer_door(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding, at: datetime) -> None:
    """The door asks: every rule holds."""
    shown, door = _found(finding)
    if await _shown_before(ctx, speaker, finding):
        raise CodeReplayed("This pass was scanned a moment ago. Ask the guest to wait for the next code.")
    require_not_barred(ctx, door=door)
    require_welcome(ctx, door=door, rules=door_rules(door.settings), at=at)
    if door.visit_open:
        raise VisitOpen(f"{shown.guest.name or 'The guest'} is checked in already.")
    finding.checkin_id = await _admit(ctx, speaker, scan, finding, at)
    finding.result = "admitted"


async def _follow_door(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding, at: datetime) -> None:
    """The door has let the guest in without a network: that stands, and what was wrong about it is flagged."""
    shown, door = _found(finding)
    before = await _shown_before(ctx, speaker, finding)
    try:
        require_not_barred(ctx, door=door)
    except PatronBarred:
        finding.flags.append(("barred", "let in by a door without a network that did not know of the ban"))
    if scan.override_reason.strip():
        await _name_member(ctx, speaker, scan, finding)
    if door.visit_open or before:
        _let_in_twice(finding)
        return
    try:
        finding.checkin_id = await _admit(ctx, speaker, scan, finding, at)
    except (VisitOpen, CodeReplayed):
        _let_in_twice(finding)  # somebody let the guest in another way since this scan was looked at
        return
    finding.result = "admitted"
    finding.visit_id = await close_if_left(
        ctx, venue_id=speaker.venue_id, patron_id=PatronId(shown.guest.patron_id), at=at
    )


def _let_in_twice(finding: Finding) -> None:
    finding.result = "double"
    finding.flags = finding.flags or [("duplicate", "let in by a door without a network while already inside")]


async def _shown_before(ctx: Ctx, speaker: Speaker, finding: Finding) -> bool:
    shown, _ = _found(finding)
    before = await ctx.db.fetchval(SHOWN_BEFORE, ctx.tenant_id, shown.guest.patron_id, shown.step)
    if before is None:
        return False
    if before == speaker.id:
        finding.flags.append(("duplicate", "the same code twice at one door"))
    else:
        finding.flags.append(("cloned_code", "the same code of the same moment at two doors"))
    return True


async def _name_member(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding) -> None:
    """Whether the member that the door names may let guests in by hand; if not, that is flagged and nobody is named."""
    member = scan.override_by
    if member is not None and await holds_permission(
        ctx, user_id=member, venue_id=speaker.venue_id, permission=CHECKINS_OVERRIDE
    ):
        finding.override_by = member
        return
    finding.flags.append(("override", "let in by hand at a door without a network, by nobody who may do that"))


async def _admit(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding, at: datetime) -> CheckinId:
    shown, door = _found(finding)
    reason = scan.override_reason.strip()
    checkin = Checkin(
        id=CheckinId(uuid7()),
        venue_id=speaker.venue_id,
        venue=door.venue,
        patron_id=PatronId(shown.guest.patron_id),
        patron=door.patron,
        method="override" if reason else "pass",
        arrived_at=at,
        received_at=ctx.now,
        claimed_at=scan.claimed_at,
        proven=False,
        business_day=business_day(at, door.zone, door.business_day_hour),
        position=None,
        device=speaker.state() | {"sequence": scan.sequence, "offline": scan.decided != "server"},
        device_id=speaker.id,
        override_reason=reason,
    )
    grounds = Grounds(nonce=shown.step.to_bytes(8, "big"), override_by=finding.override_by)
    # A guest whom somebody else lets in at this moment, or who cannot pay, refuses this scan, not its whole batch.
    told = len(ctx.pending)
    try:
        async with ctx.db.attempt():
            on_credit = scan.decided != "server"
            done = await admit(ctx, checkin=checkin, grounds=grounds, door=door, on_credit=on_credit)
    except Problem:
        del ctx.pending[told:]
        raise
    finding.charge = done.charge
    return checkin.id


def _lack(refusal: Problem) -> Lack | None:
    return msgspec.convert(dict(refusal.extra), Lack) if isinstance(refusal, EntryUnpaid) else None


def _may_staff(ctx: Ctx, finding: Finding, refusal: CheckinRefused | NoOpenVisit) -> bool:
    """A guest whom only staff may let in, and who is not barred."""
    if not isinstance(refusal, PatronBarred) or finding.door is None or not finding.door.soft_banned:
        return False
    try:
        require_not_barred(ctx, door=finding.door)
    except PatronBarred:
        return False
    return True


def _found(finding: Finding) -> tuple[ShownPass, Door]:
    assert finding.shown is not None
    assert finding.door is not None
    return finding.shown, finding.door
