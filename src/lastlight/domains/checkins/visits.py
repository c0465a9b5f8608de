"""Writes of visits: checking out, correcting, timing out."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.checkins.claims import CHECKOUT, Claim, PhoneKey, judged_time, read_claim
from lastlight.domains.checkins.errors import NoOpenVisit, VisitNotOpen
from lastlight.domains.checkins.events import VisitClosed, VisitCorrected, VisitTimedOut
from lastlight.domains.checkins.model import ClosedBy, Visit
from lastlight.domains.checkins.permissions import VISITS_CHECKOUT, VISITS_CORRECT
from lastlight.domains.checkins.queries import read_visit
from lastlight.domains.checkins.schemas import CheckoutIn, CheckoutsOut, VisitCorrection
from lastlight.domains.checkins.settings import door_rules
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM, PatronId, VisitId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

OPENED_SKEW = timedelta(minutes=5)
"""A claimed check-out may lie this far before its visit's opening: the two times come from two clocks."""
ONE_CLOCK_SKEW = timedelta(seconds=10)
"""The same where one phone proved both times: a check-out from before was refused when it came, and comes a second time."""

CLAIM_GROUNDS = """
select h.public_key, h.created_at, h.revoked_at,
       (select jsonb_object_agg(s.key, s.value) from tenant_settings s
        where s.tenant_id = $1 and s.key like 'checkins.%') as settings
from (select 1) as always
left join patron_keys h on h.tenant_id = $1 and h.patron_id = $2 and h.id = $3
"""
LEAVING = """
select id from visits
where tenant_id = $1 and patron_id = $2 and ($3::uuid is null or id = $3)
  and (status = 'open' or (status = 'timed_out' and opened_at <= $4 and closed_at > $4 and $4 < now()))
order by opened_at desc
limit 1
for update
"""
CLOSE = """
update visits
set status = 'closed', closed_at = $3, closed_by = $4, close_claimed_at = $5, close_received_at = now(), status_reason = $6
where tenant_id = $1 and id = $2
"""
PROVED = "select proof_key_id, claimed_at from checkins where tenant_id = $1 and id = $2"
LOCK = "select venue_id, patron_id, status, version from visits where tenant_id = $1 and id = $2 for update"
CORRECT = """
update visits
set status = $3, opened_at = $4, closed_at = $5, closed_by = $6, times_out_at = $7, status_reason = $8
where tenant_id = $1 and id = $2
"""
# Materialized: a sub-select that locks would be run again for each row, and each time skip what it had locked.
TIME_OUT = """
with due as materialized (
    select id from visits where tenant_id = $1 and status = 'open' and times_out_at <= now()
    order by times_out_at limit $2 for update skip locked
)
update visits v
set status = 'timed_out', closed_at = greatest(v.times_out_at, v.opened_at), closed_by = 'time_out'
from due
where v.tenant_id = $1 and v.id = due.id
returning v.id, v.venue_id, v.patron_id, v.closed_at, v.duration_seconds
"""


async def check_out(ctx: Ctx, *, data: CheckoutIn, visit_id: UUID | None = None) -> Visit:
    """Close the guest's own visit, now or at the time that the phone proves; also one that timed out after that."""
    patron_id = ctx.actor.patron_id
    if patron_id is None:
        raise NotPermitted("Sign in as a guest to check out.")
    claim = read_claim(
        subject=CHECKOUT, claimed_at=data.claimed_at, proof=data.proof, idempotency_key=ctx.idempotency_key
    )
    at = ctx.now if claim is None else await claimed_time(ctx, claim=claim, patron_id=patron_id)
    found = await ctx.db.fetchval(LEAVING, ctx.tenant_id, patron_id, visit_id, at)
    if found is None:
        raise await _why_not(ctx, visit_id)
    visit = await read_visit(ctx, visit_id=found)
    if await _is_before(ctx, visit, claim, at):
        raise NoOpenVisit("At the claimed time there was no open visit; this one was opened later.")
    claimed_at = claim.at if claim else None
    return await _close(ctx, visit, at=max(at, visit.opened_at), by="guest", claimed_at=claimed_at)


async def check_out_guest(ctx: Ctx, *, visit_id: UUID) -> Visit:
    """Staff close a guest's visit."""
    row = await _lock(ctx, visit_id, VISITS_CHECKOUT)
    if row["status"] != "open":
        raise VisitNotOpen
    visit = await read_visit(ctx, visit_id=visit_id)
    return await _close(ctx, visit, at=max(ctx.now, visit.opened_at), by="staff", claimed_at=None)


async def check_out_guests(ctx: Ctx, *, visit_ids: list[VisitId]) -> CheckoutsOut:
    """Staff close many visits, all or none: NotFound when one is not theirs to see. Those not open are left and named."""
    closed: list[VisitId] = []
    not_open: list[VisitId] = []
    for visit_id in sorted(set(visit_ids)):  # in one order, so that two such requests cannot lock each other
        try:
            await check_out_guest(ctx, visit_id=visit_id)
            closed.append(visit_id)
        except VisitNotOpen:
            not_open.append(visit_id)
    return CheckoutsOut(closed=closed, not_open=not_open)


async def close_visit(ctx: Ctx, *, visit_id: UUID, at: datetime, by: ClosedBy, claimed_at: datetime | None) -> Visit:
    """Close a visit that the caller holds and has looked at; never before it began."""
    visit = await read_visit(ctx, visit_id=visit_id)
    return await _close(ctx, visit, at=max(at, visit.opened_at), by=by, claimed_at=claimed_at)


async def correct_visit(ctx: Ctx, *, visit_id: UUID, data: VisitCorrection, version: int) -> Visit:
    """Correct a visit's status or times, with a reason; nothing is deleted."""
    if not data.reason.strip():
        raise Invalid(fields={"reason": "Say why; it stands in the visit's history."})
    row = await _lock(ctx, visit_id, VISITS_CORRECT)
    if row["version"] != version:
        raise Stale
    before = await read_visit(ctx, visit_id=visit_id)
    wanted = _corrected(before, data, ctx.now)
    await ctx.db.execute(CORRECT, ctx.tenant_id, visit_id, *wanted)
    after = await read_visit(ctx, visit_id=visit_id)
    ctx.emit(
        VisitCorrected(
            visit_id=after.id,
            venue_id=after.venue_id,
            patron_id=after.patron_id,
            status=after.status,
            version=after.version,
        ),
        entity=("visit", after.id),
        venue_id=after.venue_id,
        patron_id=after.patron_id,
        before=_facts(before),
        after=_facts(after),
        reason=data.reason.strip(),
    )
    return after


async def time_out_visits(ctx: Ctx, *, limit: int) -> int:
    """Close the tenant's visits whose time is over; how many there were."""
    rows = await ctx.db.fetch(TIME_OUT, ctx.tenant_id, limit)
    for row in rows:
        ctx.emit(
            VisitTimedOut(
                visit_id=row["id"],
                venue_id=row["venue_id"],
                patron_id=row["patron_id"],
                closed_at=row["closed_at"],
                duration_seconds=row["duration_seconds"],
            ),
            entity=("visit", row["id"]),
            venue_id=row["venue_id"],
            patron_id=row["patron_id"],
            before={"status": "open"},
            after={"status": "timed_out", "closed_at": row["closed_at"]},
        )
    return len(rows)


async def _lock(ctx: Ctx, visit_id: UUID, permission: Permission) -> Any:
    """A visit at a venue that the actor holds a permission for, held until the end of the transaction; NotFound otherwise."""
    ctx.require(permission)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, visit_id)
    if row is None:
        raise NotFound
    ctx.require(permission, row["venue_id"])
    return row


async def claimed_time(ctx: Ctx, *, claim: Claim, patron_id: PatronId) -> datetime:
    """The time from which something that a guest claims counts; raises ClaimInFuture, ClaimTooLate or ClaimUnsigned."""
    key_id = claim.proof.key_id if claim.proof else None
    row = await ctx.db.fetchrow(CLAIM_GROUNDS, ctx.tenant_id, patron_id, key_id)
    assert row is not None
    key = None
    if row["public_key"] is not None:
        key = PhoneKey(public_key=row["public_key"], created_at=row["created_at"], revoked_at=row["revoked_at"])
    return judged_time(claim, key=key, now=ctx.now, oldest=door_rules(row["settings"]).oldest_claim)


async def _is_before(ctx: Ctx, visit: Visit, claim: Claim | None, at: datetime) -> bool:
    """Whether a check-out lies too far before its visit's opening to be meant for it."""
    if at < visit.opened_at - OPENED_SKEW:
        return True
    if claim is None or claim.proof is None or at >= visit.opened_at:
        return False
    row = await ctx.db.fetchrow(PROVED, ctx.tenant_id, visit.checkin_id)
    return row is not None and row["proof_key_id"] == claim.proof.key_id and at < row["claimed_at"] - ONE_CLOCK_SKEW


async def _why_not(ctx: Ctx, visit_id: UUID | None) -> NoOpenVisit | NotFound | VisitNotOpen:
    if visit_id is None:
        return NoOpenVisit()
    owner = await ctx.db.fetchrow(LOCK, ctx.tenant_id, visit_id)
    return NotFound() if owner is None or owner["patron_id"] != ctx.actor.patron_id else VisitNotOpen()


async def _close(ctx: Ctx, visit: Visit, *, at: datetime, by: ClosedBy, claimed_at: datetime | None) -> Visit:
    await ctx.db.execute(CLOSE, ctx.tenant_id, visit.id, at, by, claimed_at, "")
    after = await read_visit(ctx, visit_id=visit.id)
    ctx.emit(
        VisitClosed(
            visit_id=after.id,
            venue_id=after.venue_id,
            patron_id=after.patron_id,
            closed_at=at,
            closed_by=by,
            duration_seconds=after.duration_seconds or 0,
        ),
        entity=("visit", after.id),
        venue_id=after.venue_id,
        patron_id=after.patron_id,
        before=_facts(visit),
        after=_facts(after),
    )
    return after


def _corrected(before: Visit, data: VisitCorrection, now: datetime) -> tuple[Any, ...]:
    """The columns of CORRECT; raises Invalid for times that cannot be."""
    status = data.status or before.status
    opened_at = data.opened_at or before.opened_at
    found: dict[str, str] = {}
    for name in ("opened_at", "closed_at"):
        time: datetime | None = getattr(data, name)
        if time is not None and (time.tzinfo is None or time > now):
            found[name] = "Give a time that has passed, with its offset."
    if status == "open" and data.closed_at is not None:
        found["closed_at"] = "An open visit has no end; leave this out, or close the visit."
    if found:
        raise Invalid(fields=found)
    closed_at = None if status == "open" else data.closed_at or before.closed_at or now
    if closed_at is not None and closed_at < opened_at:
        raise Invalid(fields={"closed_at": "A visit cannot end before it began."})
    closed_by = None if status == "open" else before.closed_by or "staff"
    stay = before.times_out_at - before.opened_at
    times_out_at = now + stay if status == "open" and before.status != "open" else opened_at + stay
    return status, opened_at, closed_at, closed_by, times_out_at, data.reason.strip()


def _facts(visit: Visit) -> dict[str, Any]:
    """What the audit keeps of a visit before and after."""
    names = ("status", "opened_at", "closed_at", "closed_by")
    return {name: msgspec.to_builtins(getattr(visit, name)) for name in names}


def void_reason(reason: str) -> VisitCorrection:
    """The correction that says that a visit never was."""
    return VisitCorrection(status="voided", reason=reason)
