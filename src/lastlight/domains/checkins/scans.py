"""A device's scans: asked at once, or its log after a time without a network. Both are judged here and kept in the door's log.

What an offline door decided has happened: the guest is inside. So the rules of the house cannot undo it: a good pass becomes a
check-in at the claimed time, a ban that the door did not know becomes a flag, and a guest who was in already a double admission.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.checkins.admission import Grounds, admit
from lastlight.domains.checkins.claims import AHEAD_BY
from lastlight.domains.checkins.door import Door, read_door
from lastlight.domains.checkins.errors import (
    CheckinRefused,
    ClaimInFuture,
    ClaimTooLate,
    CodeReplayed,
    CodeRetired,
    CodeUnknown,
    PatronBarred,
    VisitOpen,
)
from lastlight.domains.checkins.events import DoorScanned
from lastlight.domains.checkins.flags import FlagKind, raise_flag
from lastlight.domains.checkins.model import Checkin
from lastlight.domains.checkins.passes import PURPOSE, ShownPass, read_shown, require_alive, require_genuine
from lastlight.domains.checkins.scan_schemas import ScanIn, ScanOut, ScanResult, ScansIn, ScansOut
from lastlight.domains.checkins.settings import DoorRules, door_rules
from lastlight.domains.checkins.welcome import require_not_barred, require_welcome
from lastlight.domains.devices import Speaker
from lastlight.domains.venues import business_day
from lastlight.kernel.ids import CheckinId, PatronId, uuid7
from lastlight.runtime.context import Ctx

KEPT = """
select s.sequence, s.result, s.refusal, s.patron_id, s.checkin_id, s.claimed_at, s.received_at, s.code_hash,
       coalesce(p.name, '') as patron
from door_scans s
left join patrons p on p.tenant_id = $1 and p.id = s.patron_id
where s.tenant_id = $1 and s.device_id = $2 and s.sequence = any($3)
"""
# One guest's scans one after another, whichever doors send them; in one order, so that two logs cannot wait for each other.
HOLD = """
select pg_advisory_xact_lock(hashtextextended(held.name, 14))
from (select distinct $1::text || '/' || patron as name from unnest($2::text[]) patron order by 1) held
"""
SHOWN_BEFORE = """
select device_id from door_scans
where tenant_id = $1 and patron_id = $2 and step = $3 and result <> 'refused'
order by claimed_at, id limit 1
"""
KEEP = """
insert into door_scans (tenant_id, id, device_id, sequence, venue_id, patron_id, code_hash, step, decided, claimed_at, result,
                        refusal, reason, checkin_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""


class Finding(msgspec.Struct, kw_only=True):
    """What is known of a scan while it is judged."""

    shown: ShownPass | None = None
    door: Door | None = None
    result: ScanResult = "refused"
    refusal: str = ""
    detail: str = ""
    checkin_id: CheckinId | None = None
    flags: list[tuple[FlagKind, str]] = msgspec.field(default_factory=list[tuple[FlagKind, str]])

    @property
    def patron_id(self) -> PatronId | None:
        """Whose pass it was, once the pass was found genuine and its holder a guest here."""
        return PatronId(self.shown.guest.patron_id) if self.shown and self.door else None


async def take_scans(ctx: Ctx, *, speaker: Speaker, data: ScansIn) -> ScansOut:
    """Judge a device's scans in the order of their sequence; one that was sent before gets its answer again."""
    scans = sorted(data.scans, key=lambda scan: scan.sequence)
    await ctx.db.fetch(HOLD, str(ctx.tenant_id), [str(speaker.id), *_holders(scans)])
    rows = await ctx.db.fetch(KEPT, ctx.tenant_id, speaker.id, [scan.sequence for scan in scans])
    kept: dict[int, Any] = {row["sequence"]: row for row in rows}
    results: list[ScanOut] = []
    for scan in scans:
        if scan.sequence in kept:
            results.append(_again(scan, kept[scan.sequence]))
            continue
        finding = await _judge(ctx, speaker, scan)
        await _keep(ctx, speaker, scan, finding)
        results.append(_answer(ctx, scan, finding))
        kept[scan.sequence] = msgspec.structs.asdict(results[-1]) | {"code_hash": _hash(scan.code)}
    return ScansOut(results=results)


def _holders(scans: list[ScanIn]) -> list[str]:
    found: list[str] = []
    for scan in scans:
        try:
            found.append(str(read_shown(scan.code).guest.patron_id))
        except CheckinRefused:
            continue
    return found


async def _judge(ctx: Ctx, speaker: Speaker, scan: ScanIn) -> Finding:
    finding = Finding()
    try:
        await _look(ctx, speaker, scan, finding)
    except CheckinRefused as refusal:
        finding.result, finding.refusal, finding.detail = "refused", type(refusal).type, refusal.detail
    return finding


async def _look(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding) -> None:
    """Fill in the finding; raises why the scan lets nobody in."""
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
        return
    await _decide(ctx, speaker, scan, finding, at)


def _require_time(ctx: Ctx, scan: ScanIn, rules: DoorRules) -> None:
    if scan.decided == "server":
        return
    if scan.claimed_at > ctx.now + AHEAD_BY:
        raise ClaimInFuture
    if ctx.now - scan.claimed_at > rules.oldest_claim:
        raise ClaimTooLate


async def _decide(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding, at: datetime) -> None:
    shown, door = finding.shown, finding.door
    assert shown is not None
    assert door is not None
    asked = scan.decided == "server"
    before = await ctx.db.fetchval(SHOWN_BEFORE, ctx.tenant_id, shown.guest.patron_id, shown.step)
    if before is not None:
        _shown_twice(finding, elsewhere=before != speaker.id)
        if asked:
            raise CodeReplayed("This pass was scanned a moment ago. Ask the guest to wait for the next code.")
    if asked:
        require_not_barred(ctx, door=door)
        if not scan.override_reason.strip():
            require_welcome(ctx, door=door, rules=door_rules(door.settings), at=at)
    else:
        _note_ban(ctx, door, finding)
    if door.visit_open:
        if asked:
            raise VisitOpen
        finding.result = "double"
        finding.flags = finding.flags or [("duplicate", "let in by a door without a network while already inside")]
        return
    if before is not None:
        finding.result = "double"
        return
    finding.result = "admitted"
    finding.checkin_id = await _admit(ctx, speaker, scan, finding, at)


def _shown_twice(finding: Finding, *, elsewhere: bool) -> None:
    if elsewhere:
        finding.flags.append(("cloned_code", "the same code of the same moment at two doors"))
    else:
        finding.flags.append(("duplicate", "the same code twice at one door"))


def _note_ban(ctx: Ctx, door: Door, finding: Finding) -> None:
    try:
        require_not_barred(ctx, door=door)
    except PatronBarred:
        finding.flags.append(("barred", "let in by a door without a network that did not know of the ban"))


async def _admit(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding, at: datetime) -> CheckinId:
    shown, door, reason = finding.shown, finding.door, scan.override_reason.strip()
    assert shown is not None
    assert door is not None
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
        device={"name": speaker.name, "sequence": scan.sequence, "offline": scan.decided != "server"},
        device_id=speaker.id,
        override_reason=reason,
    )
    grounds = Grounds(nonce=shown.step.to_bytes(8, "big"))
    await admit(ctx, checkin=checkin, grounds=grounds, longest=timedelta(minutes=door.visit_timeout_minutes))
    return checkin.id


async def _keep(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding) -> None:
    scan_id = uuid7()
    await ctx.db.execute(
        KEEP,
        ctx.tenant_id,
        scan_id,
        speaker.id,
        scan.sequence,
        speaker.venue_id,
        finding.patron_id,
        _hash(scan.code),
        finding.shown.step if finding.shown else None,
        scan.decided,
        scan.claimed_at,
        finding.result,
        finding.refusal,
        scan.override_reason.strip(),
        finding.checkin_id,
    )
    ctx.emit(
        DoorScanned(
            scan_id=scan_id,
            device_id=speaker.id,
            venue_id=speaker.venue_id,
            sequence=scan.sequence,
            result=finding.result,
            refusal=finding.refusal,
        ),
        entity=("door_scan", scan_id),
        venue_id=speaker.venue_id,
    )
    await _flag(ctx, speaker, scan, finding, scan_id)


async def _flag(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding, scan_id: UUID) -> None:
    for kind, detail in finding.flags:
        assert finding.patron_id is not None
        await raise_flag(
            ctx,
            kind=kind,
            venue_id=speaker.venue_id,
            patron_id=finding.patron_id,
            happened_at=scan.claimed_at,
            detail=detail,
            scan_id=scan_id,
        )


def _answer(ctx: Ctx, scan: ScanIn, finding: Finding) -> ScanOut:
    return ScanOut(
        sequence=scan.sequence,
        result=finding.result,
        refusal=finding.refusal,
        detail=finding.detail,
        patron=finding.door.patron if finding.door else "",
        patron_id=finding.patron_id,
        checkin_id=finding.checkin_id,
        claimed_at=scan.claimed_at,
        received_at=ctx.now,
    )


def _again(scan: ScanIn, row: Any) -> ScanOut:
    if row["code_hash"] != _hash(scan.code):
        return ScanOut(
            sequence=scan.sequence,
            result="refused",
            refusal="sequence-reused",
            detail="This device has sent another scan under this number. Enrol the scanner again.",
            claimed_at=scan.claimed_at,
            received_at=row["received_at"],
        )
    names = ("sequence", "result", "refusal", "patron", "patron_id", "checkin_id", "claimed_at", "received_at")
    return msgspec.convert({name: row[name] for name in names}, ScanOut)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode()).digest()
