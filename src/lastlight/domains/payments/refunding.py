"""Refunds: begun here or at the provider's, followed until they arrive, and taken back where they do not.

What was bought is released when a refund begins: its worth waits in the account of refunds on their way until the provider's balance
shows that it left. A refund that fails, even after it succeeded, puts everything back. One that the provider refused, or never answered,
has failed when a look finds that the provider does not have it: what is done without an answer is done all the same.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from lastlight.domains.ledger import REFUNDS_PAYABLE, open_account
from lastlight.domains.payments.amounts import require_usable
from lastlight.domains.payments.errors import RefundTooLarge, SpentAlready
from lastlight.domains.payments.events import RefundBegun, RefundFailed, RefundSucceeded
from lastlight.domains.payments.journal import book, make_available, write_off
from lastlight.domains.payments.model import REFUND_ENDED, Hint, Payment, Refund, RefundId, RefundStatus
from lastlight.domains.payments.purposes import PURPOSES
from lastlight.domains.payments.queries import read_refund, refunds_of
from lastlight.domains.payments.rows import save
from lastlight.domains.payments.telling import note, tell_refund
from lastlight.kernel.errors import Busy, Invalid
from lastlight.kernel.ids import uuid7, uuid_of
from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx

INSERT = """
insert into refunds (tenant_id, id, payment_id, patron_id, amount, released, status, reason, provider_id, requested_by, outside)
values ($1, $2, $3, $4, $5, $6, 'created', $7, $8, $9, $10)
"""
FOUND = """
select id from refunds
where tenant_id = $1 and payment_id = $2 and (provider_id = $3 or (provider_id is null and status = 'created' and id = $4))
"""
SAVE = """
update refunds
set status = $3, provider_id = coalesce(provider_id, $4), failure = $5, released = $6,
    ended_at = case when $3 in ('succeeded', 'failed', 'canceled') then coalesce(ended_at, now()) end
where tenant_id = $1 and id = $2
"""
UNSENT = "update refunds set failure = $3 where tenant_id = $1 and id = $2 and status = 'created'"
STATUSES: dict[str, RefundStatus] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
}
LOST: frozenset[RefundStatus] = frozenset({"failed", "canceled"})
"""Nothing went back, or it came back."""


async def open_refund(ctx: Ctx, *, payment: Payment, amount: int, reason: str) -> tuple[Payment, Refund]:
    """Begin to refund a payment that is held: what was bought for it is taken back, all of it or nothing.

    Raises RefundTooLarge where less was captured, AmountUnusable where cards take no such part, SpentAlready where less is left of
    what was bought.
    """
    if amount <= 0:
        raise Invalid(fields={"amount": "Say how much goes back, more than nothing."})
    if amount > payment.refundable:
        raise RefundTooLarge(extra={"most": payment.refundable, "currency": payment.currency})
    require_usable(Money(amount, payment.currency))
    refund = await _insert(ctx, payment, amount=amount, reason=reason, provider_id=None)
    released = await PURPOSES.of(payment).release(ctx, payment, refund, amount)
    if released != amount:
        most = processor.usable_part(Money(released, payment.currency))
        raise SpentAlready(extra={"most": most, "currency": payment.currency})
    return await _begun(ctx, payment, refund, Hint("request"))


async def follow_refunds(ctx: Ctx, *, payment: Payment, seen: Sequence[processor.Refund], hint: Hint) -> Payment:
    """The payment, with its refunds as the provider has them. Those that were lost make room for the others, whichever came first."""
    for one in sorted(seen, key=lambda one: (STATUSES[one.status] not in LOST, one.created, one.id)):
        payment = await _follow(ctx, payment, one, hint)
    return payment


async def _follow(ctx: Ctx, payment: Payment, seen: processor.Refund, hint: Hint) -> Payment:
    """The payment, with one refund as the provider has it; one that was made there is taken over."""
    payment, refund = await _ours(ctx, payment, seen, hint)
    status = STATUSES[seen.status]
    await _book(ctx, payment, refund, seen)
    if (status, seen.id) == (refund.status, refund.provider_id):
        return payment
    if refund.status in LOST or (refund.status == "succeeded" and status == "pending"):
        return payment  # nothing comes after the first two, and nothing becomes pending again
    return await end_refund(
        ctx, payment=payment, refund=refund, status=status, provider_id=seen.id, failure=seen.failure_reason,
        hint=hint,
    )  # fmt: skip


async def leave_refund(ctx: Ctx, *, payment: Payment, refund: Refund, failure: str) -> None:
    """Nobody asks the provider for this refund any more; the next look at the payment, which is held, says what became of it."""
    if await ctx.db.execute(UNSENT, ctx.tenant_id, refund.id, failure):
        await save(ctx, payment=payment)  # in another version: what was fetched before now does not tell


async def end_unsent(ctx: Ctx, *, payment: Payment, seen: Sequence[processor.Refund], hint: Hint) -> Payment:
    """The payment without refunds that nobody asks for any more and that the provider does not have."""
    there = {uuid_of(one.metadata.get("refund_id", "")) for one in seen}
    for refund in await refunds_of(ctx, payment_id=payment.id):
        if refund.status == "created" and refund.failure and refund.id not in there:
            payment = await end_refund(
                ctx, payment=payment, refund=refund, status="failed", provider_id=None, failure=refund.failure,
                hint=hint,
            )  # fmt: skip
    return payment


async def end_refund(
    ctx: Ctx,
    *,
    payment: Payment,
    refund: Refund,
    status: RefundStatus,
    provider_id: str | None,
    failure: str,
    hint: Hint,
) -> Payment:
    """A refund of a payment that is held gets another status; a failed one gives back what was released."""
    lost = status in LOST
    if lost:
        await _take_back(ctx, payment, msgspec.structs.replace(refund, failure=failure))
    await ctx.db.execute(SAVE, ctx.tenant_id, refund.id, status, provider_id, failure, 0 if lost else refund.released)
    payment = await save(ctx, payment=msgspec.structs.replace(payment, **_sums(payment, refund, status)))
    after = await read_refund(ctx, refund_id=refund.id)
    if after.status == refund.status:
        return payment
    details = {"refund_id": refund.id, "amount": refund.amount, "failure": failure}
    await note(ctx, payment=payment, step=f"refund-{status}", hint=hint, details=details)
    if status in REFUND_ENDED:
        kind = RefundFailed if lost else RefundSucceeded
        tell_refund(ctx, kind=kind, payment=payment, refund=after, reason=failure)
    return payment


async def _ours(ctx: Ctx, payment: Payment, seen: processor.Refund, hint: Hint) -> tuple[Payment, Refund]:
    """Our row for a refund of the provider; the one that was begun here says its id in the metadata."""
    named = uuid_of(seen.metadata.get("refund_id", ""))
    known = await ctx.db.fetchval(FOUND, ctx.tenant_id, payment.id, seen.id, named)
    if known is not None:
        return payment, await read_refund(ctx, refund_id=known)
    if STATUSES[seen.status] in LOST:
        return payment, await _lost_already(ctx, payment, seen, hint)
    if payment.refunding + payment.refunded + seen.amount > payment.captured:
        raise Busy  # one of ours cannot be any more, which the provider has not told us yet: we look again then
    refund = await _insert(ctx, payment, amount=seen.amount, reason="", provider_id=seen.id)
    released = await PURPOSES.of(payment).release(ctx, payment, refund, seen.amount)
    refund = msgspec.structs.replace(refund, released=released)
    await ctx.db.execute(SAVE, ctx.tenant_id, refund.id, "created", seen.id, "", released)
    await write_off(
        ctx, payment=payment, key=f"refund:{refund.id}:loss", kind="refund-loss", amount=seen.amount - released,
        to=REFUNDS_PAYABLE, meta={"refund_id": str(refund.id)},
    )  # fmt: skip
    return await _begun(ctx, payment, refund, hint)


async def _lost_already(ctx: Ctx, payment: Payment, seen: processor.Refund, hint: Hint) -> Refund:
    """One that was made at the provider's and lost there before we heard of it: it is noted, takes no room, and nothing was released."""
    refund = await _insert(ctx, payment, amount=seen.amount, reason="", provider_id=seen.id)
    status = STATUSES[seen.status]
    await ctx.db.execute(SAVE, ctx.tenant_id, refund.id, status, seen.id, seen.failure_reason, 0)
    lost = await read_refund(ctx, refund_id=refund.id)
    details = {"refund_id": lost.id, "amount": lost.amount, "outside": True, "failure": seen.failure_reason}
    await note(ctx, payment=payment, step=f"refund-{status}", hint=hint, details=details)
    tell_refund(ctx, kind=RefundBegun, payment=payment, refund=refund)
    tell_refund(ctx, kind=RefundFailed, payment=payment, refund=lost, reason=seen.failure_reason)
    return lost


async def _insert(ctx: Ctx, payment: Payment, *, amount: int, reason: str, provider_id: str | None) -> Refund:
    refund_id = RefundId(uuid7())
    who, outside = ctx.actor.user_id, provider_id is not None
    values = (payment.id, payment.patron_id, amount, 0 if outside else amount, reason, provider_id, who, outside)
    await ctx.db.execute(INSERT, ctx.tenant_id, refund_id, *values)
    return await read_refund(ctx, refund_id=refund_id)


async def _begun(ctx: Ctx, payment: Payment, refund: Refund, hint: Hint) -> tuple[Payment, Refund]:
    after = await save(ctx, payment=msgspec.structs.replace(payment, refunding=payment.refunding + refund.amount))
    details = {"refund_id": refund.id, "amount": refund.amount, "outside": refund.outside}
    await note(ctx, payment=after, step="refund-begun", hint=hint, details=details)
    tell_refund(ctx, kind=RefundBegun, payment=after, refund=refund, reason=refund.reason)
    return after, refund


async def _book(ctx: Ctx, payment: Payment, refund: Refund, seen: processor.Refund) -> None:
    """Book what the refund moved at the provider, and what its failure moved back."""
    waiting = await open_account(ctx, kind=REFUNDS_PAYABLE, currency=payment.currency)
    for moved, presented in (
        (seen.balance_transaction, -seen.amount),
        (seen.failure_balance_transaction, seen.amount),
    ):
        if moved is not None:
            await book(
                ctx, payment=payment, kind="refund", moved=[moved], presented=presented, other=waiting,
                refund_id=refund.id,
            )  # fmt: skip
            await make_available(ctx, payment=payment, moved=[moved])


async def _take_back(ctx: Ctx, payment: Payment, refund: Refund) -> None:
    if refund.released:
        await PURPOSES.of(payment).restore(ctx, payment, refund)
    await write_off(
        ctx, payment=payment, key=f"refund:{refund.id}:loss-back", kind="refund-loss",
        amount=refund.released - refund.amount, to=REFUNDS_PAYABLE, meta={"refund_id": str(refund.id)},
    )  # fmt: skip


def _sums(payment: Payment, refund: Refund, status: RefundStatus) -> dict[str, Any]:
    """The payment's sums once the refund, which counts as under way or as given back, has another status."""
    refunding, refunded = payment.refunding, payment.refunded
    if refund.status == "succeeded":
        refunded -= refund.amount
    else:
        refunding -= refund.amount
    if status == "succeeded":
        refunded += refund.amount
    elif status not in REFUND_ENDED:
        refunding += refund.amount
    return {"refunding": refunding, "refunded": refunded}
