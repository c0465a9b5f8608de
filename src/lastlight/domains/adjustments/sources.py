"""What adjustments answer when a transaction of the ledger is traced: the adjustment that was booked as it."""

from uuid import UUID

from lastlight.domains.adjustments.permissions import ADJUSTMENTS_READ
from lastlight.domains.credits import source_of_entry
from lastlight.domains.ledger import Source, TransactionOut
from lastlight.kernel.ids import uuid_of
from lastlight.runtime.context import Ctx

HOME = "/owner/adjustments"
ADJUSTMENT = "select reason from adjustments where tenant_id = $1 and id = $2"
OF_CREDITS = "credits-adjusted"


async def adjustment_sources(ctx: Ctx, *, transaction: TransactionOut) -> list[Source]:
    """The adjustment that a transaction's remarks name, or its entry of credits."""
    adjustment_id = uuid_of(transaction.meta.get("adjustment_id", "")) or await _of_credits(ctx, transaction)
    reason = await ctx.db.fetchval(ADJUSTMENT, ctx.tenant_id, adjustment_id) if adjustment_id else None
    return [Source("Adjustment", reason, f"{HOME}/{adjustment_id}", ADJUSTMENTS_READ)] if reason else []


async def _of_credits(ctx: Ctx, transaction: TransactionOut) -> UUID | None:
    if transaction.kind != OF_CREDITS:
        return None
    source = await source_of_entry(ctx, entry_id=transaction.id)
    return source[1] if source and source[0] == "adjustment" else None
