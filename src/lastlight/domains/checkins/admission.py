"""Recording an arrival: a check-in and the visit that it opens, in one statement, whoever decided it."""

from datetime import date, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.checkins.door import Door
from lastlight.domains.checkins.entrance import charge_entry
from lastlight.domains.checkins.events import CheckinVerified, VisitOpened
from lastlight.domains.checkins.model import Checkin, Visit
from lastlight.domains.checkins.schemas import CheckinOut
from lastlight.domains.venues import business_day
from lastlight.kernel.ids import VisitId, uuid7
from lastlight.runtime.context import Ctx

ADMIT = """
with arrival as (
    insert into checkins (tenant_id, venue_id, patron_id, method, key_number, nonce, arrived_at, claimed_at, proof_key_id,
                          business_day, position, device, id, device_id, override_reason, override_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $16, $17, $18)
    returning id
)
insert into visits (tenant_id, venue_id, patron_id, checkin_id, opened_at, times_out_at, business_day, id)
select $1, $2, $3, arrival.id, $7, $14, $10, $15 from arrival
"""


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What let a guest in: the code's key and nonce, the phone's proof, or the member who did it by hand."""

    key_number: int = 0
    nonce: bytes = b""
    proof_key_id: UUID | None = None
    override_by: UUID | None = None


async def admit(ctx: Ctx, *, checkin: Checkin, grounds: Grounds, door: Door, on_credit: bool = False) -> CheckinOut:
    """Write the check-in, open its visit and charge the entrance; the named constraints refuse a replay and a second visit.

    Raises EntryUnpaid where the guest has too few credits; `on_credit` lets them owe the price.
    """
    visit = _opened(checkin, timedelta(minutes=door.visit_timeout_minutes))
    await ctx.db.execute(
        ADMIT,
        ctx.tenant_id,
        checkin.venue_id,
        checkin.patron_id,
        checkin.method,
        grounds.key_number,
        grounds.nonce,
        checkin.arrived_at,
        checkin.claimed_at,
        grounds.proof_key_id,
        checkin.business_day,
        checkin.position,
        checkin.device,
        checkin.id,
        visit.times_out_at,
        visit.id,
        checkin.device_id,
        checkin.override_reason,
        grounds.override_by,
    )
    _announce(ctx, checkin, visit)
    charge = None
    if door.price:
        charge = await charge_entry(
            ctx, checkin=checkin, price=door.price, today=_paid_on(ctx, checkin, door), on_credit=on_credit
        )
    return CheckinOut(checkin=checkin, visit=visit, charge=charge)


def _paid_on(ctx: Ctx, checkin: Checkin, door: Door) -> date:
    """The day of which a payment counts: a scanner's own, however late it is heard; never one that only a guest's phone names."""
    if checkin.device_id is not None:
        return checkin.business_day
    return business_day(ctx.now, door.zone, door.business_day_hour)


def _opened(checkin: Checkin, longest: timedelta) -> Visit:
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
        times_out_at=checkin.arrived_at + longest,
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
        reason=checkin.override_reason,
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
