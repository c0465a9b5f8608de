"""Verify a scanned code and record the arrival: the door's one question, in two statements where the entrance is free."""

from datetime import datetime

from lastlight.domains.checkins.admission import Grounds, admit
from lastlight.domains.checkins.claims import Claim, judged_time, read_claim
from lastlight.domains.checkins.door import Door, read_door
from lastlight.domains.checkins.errors import (
    CodeExpired,
    CodeForged,
    CodeMalformed,
    CodeReplayed,
    CodeRetired,
    CodeUnknown,
    DeviceRequired,
    VisitOpen,
)
from lastlight.domains.checkins.model import CheckedPosition, Checkin, check_position
from lastlight.domains.checkins.schemas import CheckinOut, VerifyIn
from lastlight.domains.checkins.settings import door_rules
from lastlight.domains.checkins.welcome import require_welcome
from lastlight.domains.venues import (
    CodeKind,
    CodeUnreadableError,
    VenueCode,
    business_day,
    open_key,
    read_code,
)
from lastlight.kernel.errors import NotPermitted
from lastlight.kernel.ids import CheckinId, PatronId, VenueId, uuid7
from lastlight.runtime.context import Ctx


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
    require_welcome(ctx, door=door, rules=rules, at=at)
    if door.devices_only:
        raise DeviceRequired
    _require_free(door)
    policy = "required" if code.kind is CodeKind.POSTER else door.position_policy
    position = check_position(data.position, fence=door.geofence, policy=policy, vaguest_m=rules.vaguest_m)
    checkin = _arrival(ctx, data=data, code=code, door=door, claim=claim, at=at, position=position)
    grounds = Grounds(
        key_number=code.key_number, nonce=code.nonce, proof_key_id=claim.proof.key_id if claim and claim.proof else None
    )
    return await admit(ctx, checkin=checkin, grounds=grounds, door=door)


def _read(text: str) -> VenueCode:
    try:
        return read_code(text)
    except CodeUnreadableError:
        raise CodeMalformed(fields={"code": "This is not the text of a venue's code."}) from None


async def _open_door(ctx: Ctx, code: VenueCode, patron_id: PatronId, claim: Claim | None) -> Door:
    key_id = claim.proof.key_id if claim and claim.proof else None
    at = min(claim.at, ctx.now) if claim and claim.proof else ctx.now
    door = await read_door(
        ctx,
        venue_id=code.venue_id,
        patron_id=patron_id,
        key_number=code.key_number,
        nonce=code.nonce,
        phone_key_id=key_id,
        at=at,
    )
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
