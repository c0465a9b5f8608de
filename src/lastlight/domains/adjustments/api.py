"""Adjustments at the edge."""

from lastlight.domains.adjustments import actions, queries
from lastlight.domains.adjustments.errors import AdjustmentDecided, NotYourRequest, OwnAdjustment, OwnCredits
from lastlight.domains.adjustments.listings import ADJUSTMENTS
from lastlight.domains.adjustments.permissions import ADJUSTMENTS_APPROVE, ADJUSTMENTS_READ, LEDGER_ADJUST
from lastlight.domains.adjustments.schemas import (
    Adjustment,
    AdjustmentDeclineIn,
    AdjustmentId,
    AdjustmentNoteIn,
    CreditAdjustmentIn,
    LedgerAdjustmentIn,
)
from lastlight.domains.credits import CREDITS_ADJUST, CreditsShort
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post
from lastlight.runtime.http.listing import listing_get

TAGS = ("Adjustments",)
DECIDING = (NotFound, AdjustmentDecided, OwnAdjustment, OwnCredits)

list_adjustments = listing_get("/api/adjustments", ADJUSTMENTS, tags=TAGS)


@post(
    "/api/credits/adjustments",
    permission=CREDITS_ADJUST,
    idempotent=True,
    raises=[Invalid, NotFound, OwnCredits, CreditsShort],
    status=201,
    tags=TAGS,
)
async def adjust_credits(ctx: Ctx, data: CreditAdjustmentIn) -> Adjustment:
    """Give a guest credits or take some, with a reason; above the business's limit it waits for another person."""
    return await actions.adjust_credits(ctx, data=data)


@post(
    "/api/ledger/adjustments",
    permission=LEDGER_ADJUST,
    idempotent=True,
    raises=[Invalid, NotFound],
    status=201,
    tags=TAGS,
)
async def adjust_ledger(ctx: Ctx, data: LedgerAdjustmentIn) -> Adjustment:
    """Move an amount between two accounts of the business, with a reason; above the limit it waits for another person."""
    return await actions.adjust_ledger(ctx, data=data)


@get("/api/adjustments/{adjustment_id:uuid}", permission=ADJUSTMENTS_READ, raises=[NotFound], tags=TAGS)
async def read_adjustment(ctx: Ctx, adjustment_id: AdjustmentId) -> Adjustment:
    """Read an adjustment, who asked for it and who decided."""
    return await queries.read_adjustment(ctx, adjustment_id=adjustment_id)


@post(
    "/api/adjustments/{adjustment_id:uuid}/approval",
    permission=ADJUSTMENTS_APPROVE,
    idempotent=True,
    raises=[*DECIDING, CreditsShort],
    tags=TAGS,
)
async def approve_adjustment(ctx: Ctx, adjustment_id: AdjustmentId, data: AdjustmentNoteIn) -> Adjustment:
    """Agree to what somebody else asked for; it is booked at once."""
    return await actions.approve(ctx, adjustment_id=adjustment_id, note=data.note)


@post("/api/adjustments/{adjustment_id:uuid}/decline", permission=ADJUSTMENTS_APPROVE, raises=[*DECIDING], tags=TAGS)
async def decline_adjustment(ctx: Ctx, adjustment_id: AdjustmentId, data: AdjustmentDeclineIn) -> Adjustment:
    """Decline what somebody else asked for, with a reason."""
    return await actions.decline(ctx, adjustment_id=adjustment_id, reason=data.reason)


@post(
    "/api/adjustments/{adjustment_id:uuid}/withdrawal",
    permission=ADJUSTMENTS_READ,
    raises=[NotFound, AdjustmentDecided, NotYourRequest],
    tags=TAGS,
)
async def withdraw_adjustment(ctx: Ctx, adjustment_id: AdjustmentId, data: AdjustmentNoteIn) -> Adjustment:
    """Withdraw one's own request before it is decided."""
    return await actions.withdraw(ctx, adjustment_id=adjustment_id, note=data.note)


ROUTES = (
    list_adjustments,
    adjust_credits,
    adjust_ledger,
    read_adjustment,
    approve_adjustment,
    decline_adjustment,
    withdraw_adjustment,
)
