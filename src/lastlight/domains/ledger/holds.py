"""Holds: amounts that are set aside, then captured wholly, in parts, or not at all."""

from collections.abc import Sequence
from datetime import datetime
from typing import NewType
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.errors import HoldMissing
from lastlight.domains.ledger.posting import Leg, Meta, TransactionId, encoded, request_of
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx

HoldId = NewType("HoldId", UUID)

HOLD = "select ll.ledger_hold($1, $2, $3, $4, $5, $6, $7, $8)"
CAPTURE = "select ll.ledger_capture($1, $2, $3, $4, $5, $6, $7)"
VOID = "select ll.ledger_void($1)"
EXPIRE = "select ll.ledger_expire($1)"
FIND = """
select id, src, dst, amount, captured, state, kind, opened_at, expires_at, ended_at
from ledger_holds where tenant_id = $1 and id = $2
"""
DUE = """
select t.id from tenants t
where exists (select from ledger_holds h where h.tenant_id = t.id and h.state = 'open' and h.expires_at <= now())
"""


class Hold(msgspec.Struct, frozen=True):
    """A hold as it stands; amounts in minor units."""

    id: HoldId
    src: AccountId
    dst: AccountId
    amount: int
    captured: int
    state: str
    kind: str
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None


async def hold(
    ctx: Ctx, *, hold_id: HoldId, leg: Leg, expires_at: datetime, kind: str, meta: Meta | None = None
) -> bool:
    """Set the leg's amount aside until then. True: now; False: the same was held under this id before. Raises NotEnough."""
    told = dict(meta or {})
    request = request_of(kind, [str(leg.src), str(leg.dst), leg.amount], told, expires_at)
    return await ctx.db.fetchval(HOLD, hold_id, request, kind, leg.src, leg.dst, leg.amount, expires_at, encoded(told))


async def capture(
    ctx: Ctx,
    *,
    posted_as: TransactionId,
    of: HoldId,
    amount: int,
    kind: str,
    last: bool = True,
    meta: Meta | None = None,
) -> bool:
    """Move an amount that is held; what is left is let go, or stays held where this is not the `last`. Raises HoldEnded, HoldTooSmall."""
    told = dict(meta or {})
    request = request_of(kind, [str(of), amount, last], told, None)
    return await ctx.db.fetchval(CAPTURE, posted_as, request, kind, of, amount, last, encoded(told))


async def void(ctx: Ctx, *, hold: HoldId) -> bool:
    """Let go of what is still held. True: now; False: it had been voided. Raises HoldEnded where it was captured or has expired."""
    return await ctx.db.fetchval(VOID, hold)


async def expire_holds(ctx: Ctx, *, limit: int) -> int:
    """End the holds of a business whose time is over; how many."""
    return await ctx.db.fetchval(EXPIRE, limit)


async def find_hold(ctx: Ctx, *, hold: HoldId) -> Hold:
    """The hold as it stands. Raises HoldMissing."""
    found = await ctx.db.row(Hold, FIND, ctx.tenant_id, hold)
    if found is None:
        raise HoldMissing
    return found


async def tenants_with_holds_due(ctx: Ctx) -> Sequence[TenantId]:
    """The businesses that have a hold whose time is over."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(DUE)]
