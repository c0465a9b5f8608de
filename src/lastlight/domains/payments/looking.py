"""Looking at the provider: fetch what it holds of a payment, and let our side follow, one step at a time and never back.

Whatever says that something happened (an answer, a webhook, the sweep, a person) is a hint: what counts is what is fetched afterwards.
It is fetched outside any transaction, and applied under the payment's lock only if the payment is still in the version that it was
fetched for. Else somebody else was faster: what they fetched after we were asked to look says all that we were to find out, and what
they fetched before is looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.payments.charging import follow_intent
from lastlight.domains.payments.disputing import follow_dispute
from lastlight.domains.payments.journal import DisagreementError
from lastlight.domains.payments.model import Hint, Payment, PaymentId
from lastlight.domains.payments.queries import lock_payment, read_payment
from lastlight.domains.payments.refunding import end_unsent, follow_refunds
from lastlight.kernel.errors import Busy
from lastlight.kernel.ids import TenantId
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import stand_back, system_ctx
from lastlight.runtime.jobs import JobRun, Retry, job
from lastlight.runtime.jobs.run import RetryLaterError
from lastlight.runtime.services import Services

RELEASED = "partial_capture_reversal"
"""What was authorised and not captured: the provider books the whole charge and takes the rest back, as a refund that is none."""
LOOKS = 6
"""How often it is fetched again at the most, where something else changes the payment meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the provider holds of a payment, all of it fetched for one version of our row."""

    at: datetime
    """When we began to fetch it: it says all that happened before."""
    intent: processor.PaymentIntent
    moved: Sequence[processor.BalanceTransaction] = ()
    """What the charge itself moved; two where only a part was captured."""
    refunds: Sequence[processor.Refund] = ()
    disputes: Sequence[processor.Dispute] = field(default_factory=tuple)


@job("payments.look", retry=Retry(attempts=10, backoff=2.0, most=1800.0), timeout=90.0)
async def look(job: JobRun, payment_id: UUID, hint: Hint) -> None:
    """Ask the card provider how a payment stands, and follow it."""
    if not await look_at(job.services, job.tenant_id, payment_id=payment_id, hint=hint):
        raise RetryLaterError("The card provider does not know this payment yet.", seconds=2.0)


async def look_at(services: Services, tenant_id: TenantId, *, payment_id: UUID, hint: Hint) -> bool:
    """Follow what the provider holds of a payment; False where it was not given it yet.

    Raises NotFound, what the processor raises, Busy where the payment changed each time meanwhile, and DisagreementError: of a dispute once
    all the others are followed.
    """
    asked = None
    for attempt in range(1, LOOKS + 1):
        async with system_ctx(services, tenant_id) as ctx:
            payment = await read_payment(ctx, payment_id=payment_id)
            at = ctx.now
        if payment.intent_id is None:
            return False
        asked = asked or at
        seen = await fetch(services, payment, at=at)
        disagreed = None
        async with system_ctx(services, tenant_id) as ctx:
            locked = await lock_payment(ctx, payment_id=payment_id)
            if locked.version == payment.version:
                disagreed = await follow(ctx, payment=locked, seen=seen, hint=hint)
        if disagreed is not None:
            return _told(disagreed)
        if locked.checked_at is not None and locked.checked_at >= asked:
            return True
        await stand_back(attempt)
    raise Busy


async def fetch(services: Services, payment: Payment, *, at: datetime) -> Seen:
    """All that the provider holds, from `at` on, of a payment that it knows."""
    assert payment.intent_id is not None
    intent = await processor.retrieve_intent(services, payment.intent_id)
    charge = intent.latest_charge
    if charge is None or not charge.captured:
        return Seen(at=at, intent=intent)
    moved = [charge.balance_transaction] if charge.balance_transaction else []
    refunds: list[processor.Refund] = []
    async for refund in processor.list_refunds(services, intent_id=intent.id):
        left = refund.balance_transaction
        if left is not None and left.reporting_category == RELEASED:
            moved.append(left)
        else:
            refunds.append(refund)
    disputes = [one async for one in processor.list_disputes(services, intent_id=intent.id)]
    return Seen(at=at, intent=intent, moved=moved, refunds=refunds, disputes=disputes)


async def follow(ctx: Ctx, *, payment: Payment, seen: Seen, hint: Hint) -> list[DisagreementError]:
    """Let a payment that is held follow what was fetched for its version; what of its disputes cannot be followed holds up nothing else."""
    payment = msgspec.structs.replace(payment, checked_at=seen.at)
    payment = await follow_intent(ctx, payment=payment, intent=seen.intent, moved=seen.moved, hint=hint)
    if payment.refunding:
        payment = await end_unsent(ctx, payment=payment, seen=seen.refunds, hint=hint)
    payment = await follow_refunds(ctx, payment=payment, seen=seen.refunds, hint=hint)
    disagreed: list[DisagreementError] = []
    for dispute in sorted(seen.disputes, key=lambda one: (one.created, one.id)):
        try:
            payment = await follow_dispute(ctx, payment=payment, seen=dispute, hint=hint)
        except DisagreementError as error:
            disagreed.append(error)
    return disagreed


def _told(disagreed: list[DisagreementError]) -> bool:
    if disagreed:
        raise DisagreementError("; ".join(str(error) for error in disagreed))
    return True


async def look_soon(ctx: Ctx, *, payment_id: PaymentId, hint: Hint, asked: bool = False) -> None:
    """Have a look at the provider once this transaction is durable; one that waits already is enough.

    `asked`: somebody wants to know it now, so that it does not wait out the pause after a look that failed.
    """
    await ctx.enqueue(look, key=str(payment_id), sooner=asked, payment_id=payment_id, hint=hint)
