"""What people decide at the door by hand, each with a reason: letting a guest in, and taking a check-in back."""

from typing import Any
from uuid import UUID

from lastlight.domains.checkins.admission import Grounds, admit
from lastlight.domains.checkins.charges import undo_charge
from lastlight.domains.checkins.door import read_door
from lastlight.domains.checkins.errors import VisitOpen
from lastlight.domains.checkins.events import CheckinRevokedNow, VisitCorrected
from lastlight.domains.checkins.model import Checkin
from lastlight.domains.checkins.permissions import CHECKINS_OVERRIDE, CHECKINS_REFUND, CHECKINS_REVOKE
from lastlight.domains.checkins.queries import read_checkin
from lastlight.domains.checkins.scan_schemas import OverrideIn, RevocationIn
from lastlight.domains.checkins.schemas import CheckinOut
from lastlight.domains.checkins.welcome import require_not_barred
from lastlight.domains.venues import business_day, find_venue
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import CheckinId, uuid7
from lastlight.runtime.context import Ctx

REVOKE = """
insert into checkin_revocations (tenant_id, checkin_id, venue_id, patron_id, kind, reason, revoked_by)
values ($1, $2, $3, $4, $5, $6, $7)
"""
VISIT = "select id, status, opened_at from visits where tenant_id = $1 and checkin_id = $2 for update"
VOID = """
update visits
set status = 'voided', closed_at = coalesce(closed_at, greatest(now(), opened_at)), closed_by = coalesce(closed_by, 'staff'),
    status_reason = $3
where tenant_id = $1 and id = $2
returning version
"""


async def override(ctx: Ctx, *, data: OverrideIn) -> CheckinOut:
    """Let a guest in against age, hours, pause or place; never against a ban, never twice, and for the price of the entrance."""
    await find_venue(ctx, venue_id=data.venue_id, permission=CHECKINS_OVERRIDE)
    reason = _said(data.reason)
    door = await read_door(ctx, venue_id=data.venue_id, patron_id=data.patron_id, at=ctx.now)
    if door is None:
        raise NotFound
    require_not_barred(ctx, door=door)
    if door.visit_open:
        raise VisitOpen(f"{door.patron} is checked in already, and has to check out of that visit first.")
    checkin = Checkin(
        id=CheckinId(uuid7()),
        venue_id=data.venue_id,
        venue=door.venue,
        patron_id=data.patron_id,
        patron=door.patron,
        method="override",
        arrived_at=ctx.now,
        received_at=ctx.now,
        claimed_at=None,
        proven=False,
        business_day=business_day(ctx.now, door.zone, door.business_day_hour),
        position=None,
        device=None,
        override_reason=reason,
    )
    return await admit(ctx, checkin=checkin, grounds=Grounds(override_by=ctx.actor.user_id), door=door)


async def revoke_checkin(ctx: Ctx, *, checkin_id: UUID, data: RevocationIn) -> Checkin:
    """Take a check-in back, or call it a false positive: the fact stays, its visit is voided, and its price is given back if asked."""
    ctx.require(CHECKINS_REVOKE)
    checkin = await read_checkin(ctx, checkin_id=checkin_id)
    ctx.require(CHECKINS_REVOKE, checkin.venue_id)
    if data.refund:
        ctx.require(CHECKINS_REFUND, checkin.venue_id)
    reason = _said(data.reason)
    visit = await ctx.db.fetchrow(VISIT, ctx.tenant_id, checkin_id)
    of = (checkin_id, checkin.venue_id, checkin.patron_id)
    await ctx.db.execute(REVOKE, ctx.tenant_id, *of, data.kind, reason, ctx.actor.user_id)
    if visit is not None and visit["status"] != "voided":
        await _void(ctx, checkin, visit, reason)
    if data.refund:
        await undo_charge(ctx, checkin_id=checkin_id, reason=reason)
    ctx.emit(
        CheckinRevokedNow(
            checkin_id=checkin.id, venue_id=checkin.venue_id, patron_id=checkin.patron_id, kind=data.kind
        ),
        entity=("checkin", checkin.id),
        venue_id=checkin.venue_id,
        patron_id=checkin.patron_id,
        after={"kind": data.kind},
        reason=reason,
    )
    return await read_checkin(ctx, checkin_id=checkin_id)


async def _void(ctx: Ctx, checkin: Checkin, visit: Any, reason: str) -> None:
    version = await ctx.db.fetchval(VOID, ctx.tenant_id, visit["id"], reason)
    ctx.emit(
        VisitCorrected(
            visit_id=visit["id"],
            venue_id=checkin.venue_id,
            patron_id=checkin.patron_id,
            status="voided",
            version=version,
        ),
        entity=("visit", visit["id"]),
        venue_id=checkin.venue_id,
        patron_id=checkin.patron_id,
        before={"status": visit["status"]},
        after={"status": "voided"},
        reason=reason,
    )


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why; it stands in the history."})
    return reason.strip()
