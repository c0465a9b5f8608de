"""A device's scans: asked at once, or its log after a time without a network. Both are judged and kept in the door's log."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.checkins.entrance import Lack, said_short
from lastlight.domains.checkins.errors import CheckinRefused
from lastlight.domains.checkins.events import DoorScanned
from lastlight.domains.checkins.flags import raise_flag
from lastlight.domains.checkins.judging import Finding, judge
from lastlight.domains.checkins.passes import read_shown
from lastlight.domains.checkins.scan_schemas import EntranceTold, ScanIn, ScanOut, ScansIn, ScansOut
from lastlight.domains.devices import Speaker, clear_log_alert, raise_log_alert, stood_at
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

KEPT = """
select s.sequence, s.direction, s.decided, s.result, s.refusal, s.patron_id, s.checkin_id, s.visit_id, s.claimed_at,
       s.received_at, s.code_hash, coalesce(p.name, '') as patron,
       case when e.amount is not null then jsonb_build_object('status', e.status, 'amount', e.amount, 'currency', e.currency)
            else s.short end as entrance
from door_scans s
left join entry_charges e on e.tenant_id = $1 and e.checkin_id = s.checkin_id
left join patrons p on p.tenant_id = $1 and p.id = s.patron_id
where s.tenant_id = $1 and s.device_id = $2 and s.sequence = any($3)
"""
# One guest's scans one after another, whichever doors send them; in one order, so that two logs cannot wait for each other.
HOLD = """
select pg_advisory_xact_lock(hashtextextended(held.name, 14))
from (select distinct $1::text || '/' || patron as name from unnest($2::text[]) patron order by 1) held
"""
KEEP = """
insert into door_scans (tenant_id, id, device_id, sequence, venue_id, patron_id, code_hash, step, decided, claimed_at, result,
                        refusal, reason, checkin_id, direction, override_by, visit_id, short)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
LAST = "select max(sequence) from door_scans where tenant_id = $1 and device_id = $2"
COUNTED = """
select max(sequence) - min(sequence) + 1 - count(*) as missing, min(sequence) as first from door_scans
where tenant_id = $1 and device_id = $2
"""
INSIDE = "select count(*) from visits where tenant_id = $1 and venue_id = $2 and status = 'open'"


async def take_scans(ctx: Ctx, *, speaker: Speaker, data: ScansIn) -> ScansOut:
    """Judge a device's scans in the order of their sequence; one that was sent before gets its answer again."""
    scans = sorted(data.scans, key=lambda scan: scan.sequence)
    await ctx.db.fetch(HOLD, str(ctx.tenant_id), [str(speaker.id), *_holders(scans)])
    rows = await ctx.db.fetch(KEPT, ctx.tenant_id, speaker.id, [scan.sequence for scan in scans])
    kept: dict[int, Any] = {row["sequence"]: row for row in rows}
    results: list[ScanOut] = []
    fresh = [scan.sequence for scan in scans if scan.sequence not in kept]
    last = await _count(ctx, speaker, fresh) if fresh else 0
    for scan in scans:
        if scan.sequence in kept:
            results.append(_again(scan, kept[scan.sequence]))
            continue
        place = await _at_its_place(ctx, speaker, scan)
        finding = await judge(ctx, speaker=place, scan=scan)
        await _keep(ctx, place, scan, finding)
        results.append(_answer(ctx, scan, finding))
        kept[scan.sequence] = msgspec.structs.asdict(results[-1]) | {"code_hash": _hash(scan.code)}
    if fresh and min(fresh) < last:
        await _recount(ctx, speaker)
    inside = await ctx.db.fetchval(INSIDE, ctx.tenant_id, speaker.venue_id)
    return ScansOut(results=results, inside=inside, now=ctx.now)


async def _count(ctx: Ctx, speaker: Speaker, fresh: list[int]) -> int:
    """Tell of numbers that were left out, and of a log that comes after its device was revoked; the last number before these."""
    if speaker.revoked_at is not None:
        await raise_log_alert(ctx, speaker=speaker, kind="late_log", detail="its log came after it was revoked")
    last: int = await ctx.db.fetchval(LAST, ctx.tenant_id, speaker.id) or 0
    due = last + 1
    for number in sorted(set(fresh)):
        if number > due:
            detail = f"no scan {due}" if number == due + 1 else f"no scans {due} to {number - 1}"
            await raise_log_alert(ctx, speaker=speaker, kind="gap", detail=detail)
            break
        due = max(due, number + 1)
    return last


async def _recount(ctx: Ctx, speaker: Speaker) -> None:
    """Scans came that were older than others: perhaps what was missing."""
    row = await ctx.db.fetchrow(COUNTED, ctx.tenant_id, speaker.id)
    if row is not None and row["missing"] == 0 and row["first"] == 1:
        await clear_log_alert(ctx, speaker=speaker, kind="gap")


async def _at_its_place(ctx: Ctx, speaker: Speaker, scan: ScanIn) -> Speaker:
    """The device where it stood when it decided; a venue that it never stood at does not count."""
    there = scan.venue_id
    if there is None or scan.decided == "server" or there == speaker.venue_id:
        return speaker
    if not await stood_at(ctx, speaker=speaker, venue_id=there, at=min(scan.claimed_at, ctx.now)):
        return speaker
    return msgspec.structs.replace(speaker, venue_id=there)


def _holders(scans: list[ScanIn]) -> list[str]:
    found: list[str] = []
    for scan in scans:
        try:
            found.append(str(read_shown(scan.code).guest.patron_id))
        except CheckinRefused:
            continue
    return found


async def _keep(ctx: Ctx, speaker: Speaker, scan: ScanIn, finding: Finding) -> None:
    scan_id, short = uuid7(), _short(finding)
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
        scan.direction,
        finding.override_by,
        finding.visit_id,
        None if short is None else msgspec.to_builtins(short),
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
        direction=scan.direction,
        decided=scan.decided,
        result=finding.result,
        refusal=finding.refusal,
        detail=finding.detail,
        patron=finding.door.patron if finding.door else "",
        patron_id=finding.patron_id,
        checkin_id=finding.checkin_id,
        visit_id=finding.visit_id,
        age=finding.age_at(ctx.now),
        overridable=finding.overridable,
        entrance=_entrance(finding),
        claimed_at=scan.claimed_at,
        received_at=ctx.now,
    )


def _entrance(finding: Finding) -> EntranceTold | None:
    charge = finding.charge
    if charge is not None:
        return EntranceTold(status=charge.status, amount=charge.amount, currency=charge.currency)
    return _short(finding)


def _short(finding: Finding) -> EntranceTold | None:
    """What a guest lacks who is not let in for that."""
    return EntranceTold(status="short", **msgspec.structs.asdict(finding.lack)) if finding.lack else None


def _again(scan: ScanIn, row: Any) -> ScanOut:
    if row["code_hash"] != _hash(scan.code):
        return ScanOut(
            sequence=scan.sequence,
            direction=scan.direction,
            decided=scan.decided,
            result="refused",
            refusal="sequence-reused",
            detail="This device has sent another scan under this number. Enrol the scanner again.",
            claimed_at=scan.claimed_at,
            received_at=row["received_at"],
        )
    names = (
        "sequence",
        "direction",
        "decided",
        "result",
        "refusal",
        "patron",
        "patron_id",
        "checkin_id",
        "visit_id",
        "entrance",
    )
    names += ("claimed_at", "received_at")
    answer = msgspec.convert({name: row[name] for name in names}, ScanOut)
    told = answer.entrance
    if told is None or told.status != "short":
        return answer
    lack = msgspec.convert(told, Lack, from_attributes=True)
    return msgspec.structs.replace(answer, detail=said_short(lack))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode()).digest()
