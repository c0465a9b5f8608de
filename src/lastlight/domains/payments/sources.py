"""What payments answer when a transaction of the ledger is traced: its payment, with the refund or dispute that it was about."""

from uuid import UUID

from lastlight.domains.ledger import Source, TransactionOut
from lastlight.domains.payments.permissions import PAYMENTS_READ
from lastlight.kernel.ids import uuid_of
from lastlight.runtime.context import Ctx
from lastlight.ui import formats

HOME = "/owner/payments"
PAYMENT = "select amount, currency, btrim(brand || ' ' || last4) as card from payments where tenant_id = $1 and id = $2"
REFUND = """
select r.amount, p.currency from refunds r join payments p on p.tenant_id = r.tenant_id and p.id = r.payment_id
where r.tenant_id = $1 and r.id = $2 and r.payment_id = $3
"""
DISPUTE = "select amount, currency from disputes where tenant_id = $1 and id = $2 and payment_id = $3"


async def payment_sources(ctx: Ctx, *, transaction: TransactionOut) -> list[Source]:
    """The payment that a transaction's remarks name, its refund and its dispute."""
    named = {name: uuid_of(transaction.meta.get(f"{name}_id", "")) for name in ("payment", "refund", "dispute")}
    payment_id = named["payment"]
    row = await ctx.db.fetchrow(PAYMENT, ctx.tenant_id, payment_id) if payment_id else None
    if row is None or payment_id is None:
        return []
    said = f"{formats.money(row['amount'], row['currency'])}, {row['card'].capitalize()}".removesuffix(", ")
    found = [Source("Card payment", said, f"{HOME}/{payment_id}", PAYMENTS_READ)]
    found += await _part(ctx, "Refund", REFUND, named["refund"], payment_id)
    return found + await _part(ctx, "Dispute", DISPUTE, named["dispute"], payment_id)


async def _part(ctx: Ctx, what: str, sql: str, part_id: UUID | None, payment_id: UUID) -> list[Source]:
    row = await ctx.db.fetchrow(sql, ctx.tenant_id, part_id, payment_id) if part_id else None
    if row is None:
        return []
    said = formats.money(row["amount"], row["currency"])
    return [Source(what, said, f"{HOME}/{payment_id}#row-{part_id}", PAYMENTS_READ)]
