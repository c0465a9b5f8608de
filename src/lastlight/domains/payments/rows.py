"""Writing a payment's row: one statement, for all that can change."""

import msgspec

from lastlight.domains.payments.model import ENDED, PAID, Payment
from lastlight.runtime.context import Ctx

SAVE = """
update payments
set status = $3, captured = $4, refunding = $5, refunded = $6, disputed = $7, charge_id = $8, brand = $9, last4 = $10, failure_code = $11,
    failure = $12, authorised_at = $13, captured_at = $14, settled_at = $15, ended_at = $16, checked_at = $17
where tenant_id = $1 and id = $2
returning version
"""

FORGET = "delete from payment_secrets where tenant_id = $1 and payment_id = $2"


async def save(ctx: Ctx, *, payment: Payment) -> Payment:
    """Write a payment that is held as it shall stand, and give it back in its new version."""
    done = payment.status in PAID or payment.status in ENDED
    sums = (payment.captured, payment.refunding, payment.refunded, payment.disputed)
    said = (payment.charge_id, payment.brand, payment.last4, payment.failure_code, payment.failure)
    times = (payment.authorised_at, payment.captured_at, payment.settled_at, payment.ended_at, payment.checked_at)
    version = await ctx.db.fetchval(SAVE, ctx.tenant_id, payment.id, payment.status, *sums, *said, *times)
    if done:
        await ctx.db.execute(FORGET, ctx.tenant_id, payment.id)
    return msgspec.structs.replace(payment, version=version)
