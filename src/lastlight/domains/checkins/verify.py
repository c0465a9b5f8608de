"""Verify a scanned code and record the arrival: the door's one question, in two statements."""

from datetime import datetime, timedelta

from lastlight.domains.checkins.claims import Claim, judged_time, read_claim
from lastlight.domains.checkins.door import Door, read_door
from lastlight.domains.checkins.errors import (
    CodeExpired,
    CodeForged,
    CodeMalformed,
    CodeReplayed,
    CodeRetired,
    CodeUnknown,
    PatronBarred,
    UnderAge,
    VenueClosed,
    VenuePaused,
    VisitOpen,
)
from lastlight.domains.checkins.events import CheckinVerified, VisitOpened
from lastlight.domains.checkins.model import CheckedPosition, Checkin, Visit, age_on, check_position
from lastlight.domains.checkins.schemas import CheckinOut, VerifyIn
from lastlight.domains.checkins.settings import DoorRules, door_rules
from lastlight.domains.venues import (
    CodeKind,
    CodeUnreadableError,
    VenueCode,
    business_day,
    is_open,
    next_opening,
    open_key,
    read_code,
)
from lastlight.kernel.errors import NotPermitted
from lastlight.kernel.ids import CheckinId, PatronId, VenueId, VisitId, uuid7
from lastlight.runtime.context import Ctx

ADMIT = """
with arrival as (
    insert into checkins (tenant_id, venue_id, patron_id, method, key_number, nonce, arrived_at, claimed_at, proof_key_id,
                          business_day, position, device, id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    returning id
)
insert into visits (tenant_id, venue_id, patron_id, checkin_id, opened_at, times_out_at, business_day, id)
select $1, $2, $3, arrival.id, $7, $14, $10, $15 from arrival
"""


async def verify(ctx: Ctx, *, data: VerifyIn) -> CheckinOut:
    """Check a guest in by a venue's code, or refuse with the reason.

    The order of the checks tells nobody anything about another business: its codes and those of no venue are answered alike,
    before anything else is looked at.
    """
    patron_id = ctx.actor.patron_id
    if patron_id is None:
        raise NotPermitted("Sign in as a guest to check in.")
    claim = read_claim(
        subject=data.code, claimed_at=data.claimed_at, proof=data.proof, idempotency_key=ctx.idempotency_key
    )
    code = _read(data.code)
    door = await _open_door(ctx, code, patron_id, claim)
    _require_genuine(ctx, code, door)
    rules = door_rules(door.settings)
    at = judged_time(claim, key=door.phone_key, now=ctx.now, oldest=rules.oldest_claim)
    at = max(at, code.issued_at) if code.issued_at else at
    _require_alive(code, door, at)
    _require_welcome(ctx, door, rules, at)
    _require_free(door)
    policy = "required" if code.kind is CodeKind.POSTER else door.position_policy
    position = check_position(data.position, fence=door.geofence, policy=policy, vaguest_m=rules.vaguest_m)
    checkin = _arrival(ctx, data=data, code=code, door=door, claim=claim, at=at, position=position)
    longest = timedelta(minutes=door.visit_timeout_minutes)
    return await _admit(ctx, checkin=checkin, code=code, claim=claim, longest=longest)


def _read(text: str) -> VenueCode:
    try:
        return read_code(text)
    except CodeUnreadableError:
        raise CodeMalformed(fields={"code": "This is not the text of a venue's code."}) from None


async def _open_door(ctx: Ctx, code: VenueCode, patron_id: PatronId, claim: Claim | None) -> Door:
    key_id = claim.proof.key_id if claim and claim.proof else None
    at = min(claim.at, ctx.now) if claim and claim.proof else ctx.now
    door = await read_door(ctx, code=code, patron_id=patron_id, phone_key_id=key_id, at=at)
    if door is None:
        raise CodeUnknown
    return door


def _require_genuine(ctx: Ctx, code: VenueCode, door: Door) -> None:
    if door.secret is None:
        raise CodeForged
    if not code.is_signed_by(open_key(ctx, venue_id=code.venue_id, number=code.key_number, sealed=door.secret)):
        raise CodeForged


def _require_alive(code: VenueCode, door: Door, at: datetime) -> None:
    if door.key_dies_at is not None and at >= door.key_dies_at:
        raise CodeRetired
    if code.expires_at is not None and at >= code.expires_at:
        raise CodeExpired


def _require_welcome(ctx: Ctx, door: Door, rules: DoorRules, at: datetime) -> None:
    """The guest may enter, and the venue takes guests. A ban counts from when it is known, whatever time is claimed."""
    until = door.patron_status_until
    if door.patron_status == "banned" or (door.patron_status == "suspended" and (until is None or until > ctx.now)):
        raise PatronBarred
    if door.age_limit is not None:
        _require_age(door, rules, at, door.age_limit)
    if door.status == "paused":
        raise VenuePaused
    if door.status == "archived":
        raise VenueClosed("This venue takes no guests any more.")
    if not is_open(door.opening_hours, door.zone, at):
        opens = next_opening(door.opening_hours, door.zone, at)
        when = f"It opens {opens.astimezone(door.zone):%A at %H:%M}." if opens else "Ask the staff when it opens."
        raise VenueClosed(when)


def _require_age(door: Door, rules: DoorRules, at: datetime, limit: int) -> None:
    if door.birth_date is None:
        if rules.birth_date_required:
            raise UnderAge(f"Guests here are {limit} or older. Give your date of birth in your profile first.")
        return
    if age_on(door.birth_date, at.astimezone(door.zone).date()) < limit:
        raise UnderAge(f"Guests here are {limit} or older.")


def _require_free(door: Door) -> None:
    """The database's constraints are the gate; this gives the usual case its answer without an aborted transaction."""
    if door.replayed:
        raise CodeReplayed
    if door.visit_open:
        raise VisitOpen


def _arrival(
    ctx: Ctx,
    *,
    data: VerifyIn,
    code: VenueCode,
    door: Door,
    claim: Claim | None,
    at: datetime,
    position: CheckedPosition | None,
) -> Checkin:
    assert ctx.actor.patron_id is not None
    return Checkin(
        id=CheckinId(uuid7()),
        venue_id=VenueId(code.venue_id),
        venue=door.venue,
        patron_id=ctx.actor.patron_id,
        patron=door.patron,
        method="poster" if code.kind is CodeKind.POSTER else "screen",
        arrived_at=at,
        received_at=ctx.now,
        claimed_at=claim.at if claim else None,
        proven=claim is not None and claim.proof is not None,
        business_day=business_day(at, door.zone, door.business_day_hour),
        position=position,
        device=data.device,
    )


async def _admit(ctx: Ctx, *, checkin: Checkin, code: VenueCode, claim: Claim | None, longest: timedelta) -> CheckinOut:
    visit = _opened(checkin, checkin.arrived_at + longest)
    await ctx.db.execute(
        ADMIT,
        ctx.tenant_id,
        checkin.venue_id,
        checkin.patron_id,
        checkin.method,
        code.key_number,
        code.nonce,
        checkin.arrived_at,
        checkin.claimed_at,
        claim.proof.key_id if claim and claim.proof else None,
        checkin.business_day,
        checkin.position,
        checkin.device,
        checkin.id,
        visit.times_out_at,
        visit.id,
    )
    _announce(ctx, checkin, visit)
    return CheckinOut(checkin=checkin, visit=visit)


def _opened(checkin: Checkin, times_out_at: datetime) -> Visit:
    return Visit(
        id=VisitId(uuid7()),
        venue_id=checkin.venue_id,
        venue=checkin.venue,
        patron_id=checkin.patron_id,
        patron=checkin.patron,
        checkin_id=checkin.id,
        status="open",
        status_reason="",
        opened_at=checkin.arrived_at,
        times_out_at=times_out_at,
        closed_at=None,
        closed_by=None,
        close_claimed_at=None,
        close_received_at=None,
        duration_seconds=None,
        business_day=checkin.business_day,
        version=1,
    )


def _announce(ctx: Ctx, checkin: Checkin, visit: Visit) -> None:
    ctx.emit(
        CheckinVerified(
            checkin_id=checkin.id,
            visit_id=visit.id,
            venue_id=checkin.venue_id,
            patron_id=checkin.patron_id,
            method=checkin.method,
            arrived_at=checkin.arrived_at,
            received_at=checkin.received_at,
        ),
        entity=("checkin", checkin.id),
        venue_id=checkin.venue_id,
        patron_id=checkin.patron_id,
        after={"method": checkin.method, "arrived_at": checkin.arrived_at, "claimed_at": checkin.claimed_at},
    )
    ctx.emit(
        VisitOpened(
            visit_id=visit.id,
            venue_id=visit.venue_id,
            patron_id=visit.patron_id,
            checkin_id=checkin.id,
            opened_at=visit.opened_at,
        ),
        entity=("visit", visit.id),
        venue_id=visit.venue_id,
        patron_id=visit.patron_id,
        after={"status": "open", "opened_at": visit.opened_at},
    )
