"""Holds: amounts that are set aside, then captured wholly, in parts, or not at all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NewType
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.errors import HoldMissing
from lastlight.domains.ledger.events import TransactionHeld, TransactionReleased
from lastlight.domains.ledger.posting import Leg, Meta, TransactionId, encoded, request_of
from lastlight.domains.ledger.telling import Move, happening, known_of, tell, written
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx

HoldId = NewType("HoldId", UUID)

HOLD = """
select ll.ledger_hold($1, $2, $3, $4, $5, $6, $7, $8) as held, (
    select jsonb_agg(jsonb_build_array(a.id, a.currency, a.patron_id, a.venue_id)) from ledger_accounts a
    where a.tenant_id = $9 and a.id in ($4, $5)
) as accounts
"""
CAPTURE = """
select ll.ledger_capture($1, $2, $3, $4, $5, $6, $7) as captured, h.src, h.dst, (
    select jsonb_agg(jsonb_build_array(a.id, a.currency, a.patron_id, a.venue_id)) from ledger_accounts a
    where a.tenant_id = $8 and a.id in (h.src, h.dst)
) as accounts
from (select) here left join ledger_holds h on h.tenant_id = $8 and h.id = $4
"""
VOID = "select ll.ledger_void($1)"
EXPIRE = "select ll.ledger_expire($1)"
FIND = """
select id, src, dst, amount, captured, state, kind, opened_at, expires_at, ended_at
from ledger_holds where tenant_id = $1 and id = $2
"""
LET_GO = """
select h.id, h.kind, h.state, h.src, h.dst, h.amount - h.captured as amount, h.meta, (
    select jsonb_agg(jsonb_build_array(a.id, a.currency, a.patron_id, a.venue_id)) from ledger_accounts a
    where a.tenant_id = h.tenant_id and a.id in (h.src, h.dst)
) as accounts
from ledger_holds h where h.tenant_id = $1
"""
# What this transaction ended carries its number. The hour is for a clock that is set back, and for the index.
EXPIRED_NOW = f"{LET_GO} and h.state = 'expired' and h.ended_at > now() - interval '1 hour' and h.xmin = pg_current_xact_id()::xid"
VOIDED = f"{LET_GO} and h.id = $2"
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
    given = (hold_id, request, kind, leg.src, leg.dst, leg.amount, expires_at, encoded(told))
    row = await ctx.db.fetchrow(HOLD, *given, ctx.tenant_id)
    if row is None or not row["held"]:
        return False
    found = happening(known_of(row["accounts"]), [Move(leg.src, leg.dst, leg.amount)], told)
    ctx.emit(
        TransactionHeld(
            hold_id=hold_id,
            kind=kind,
            amount=found.amounts[0],
            account_ids=found.account_ids,
            expires_at=expires_at,
            patron_id=found.patron_id,
            of_venue_id=found.venue_id,
        ),
        entity=("hold", hold_id),
        after={"kind": kind, "amount": written(found.amounts[0]), "expires_at": expires_at},
    )
    return True


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
    row = await ctx.db.fetchrow(CAPTURE, posted_as, request, kind, of, amount, last, encoded(told), ctx.tenant_id)
    if row is None or not row["captured"]:
        return False
    moves, known = [Move(row["src"], row["dst"], amount)], known_of(row["accounts"])
    tell(ctx, transaction=posted_as, kind=kind, moves=moves, meta=told, known=known, hold=of)
    return True


async def void(ctx: Ctx, *, hold: HoldId) -> bool:
    """Let go of what is still held. True: now; False: it had been voided. Raises HoldEnded where it was captured or has expired."""
    if not await ctx.db.fetchval(VOID, hold):
        return False
    _tell_released(ctx, await ctx.db.fetch(VOIDED, ctx.tenant_id, hold), how="void")
    return True


async def expire_holds(ctx: Ctx, *, limit: int) -> int:
    """End the holds of a business whose time is over; how many."""
    ended: int = await ctx.db.fetchval(EXPIRE, limit)
    if ended:
        _tell_released(ctx, await ctx.db.fetch(EXPIRED_NOW, ctx.tenant_id), how="expired")
    return ended


async def find_hold(ctx: Ctx, *, hold: HoldId) -> Hold:
    """The hold as it stands. Raises HoldMissing."""
    found = await ctx.db.row(Hold, FIND, ctx.tenant_id, hold)
    if found is None:
        raise HoldMissing
    return found


async def tenants_with_holds_due(ctx: Ctx) -> Sequence[TenantId]:
    """The businesses that have a hold whose time is over."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(DUE)]


def _tell_released(ctx: Ctx, rows: Sequence[Any], *, how: Literal["void", "expired"]) -> None:
    """Say of each hold what it let go."""
    for row in rows:
        found = happening(known_of(row["accounts"]), [Move(row["src"], row["dst"], row["amount"])], row["meta"])
        ctx.emit(
            TransactionReleased(
                hold_id=row["id"],
                kind=row["kind"],
                amount=found.amounts[0],
                account_ids=found.account_ids,
                how=how,
                patron_id=found.patron_id,
                of_venue_id=found.venue_id,
            ),
            entity=("hold", row["id"]),
            before={"state": "open"},
            after={"state": row["state"], "let_go": written(found.amounts[0])},
        )
