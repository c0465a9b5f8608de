"""What we ask the card provider to do: committed first, called outside any transaction under a key of its own, and looked at afterwards."""

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.payments.events import PaymentChanged, PaymentEnded
from lastlight.domains.payments.looking import look_soon
from lastlight.domains.payments.model import Hint, Payment, PaymentId, RefundId
from lastlight.domains.payments.queries import lock_payment, read_refund
from lastlight.domains.payments.refunding import leave_refund
from lastlight.domains.payments.rows import save
from lastlight.domains.payments.secrets import seal_client_secret
from lastlight.domains.payments.telling import note, said, tell
from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import Retry
from lastlight.runtime.services import Services
from lastlight.runtime.staged import Stage, Staged, begin

OPENED = """
update payments set intent_id = $3, status = case when status = 'created' then 'open' else status end, checked_at = now()
where tenant_id = $1 and id = $2 and intent_id is null
"""
KEPT_FOR_PAYER = "insert into payment_secrets (tenant_id, payment_id, patron_id, secret) values ($1, $2, $3, $4)"
GIVEN = (
    "update refunds set provider_id = $3, status = 'pending' where tenant_id = $1 and id = $2 and status = 'created'"
)
ANSWERED = """
update disputes set answered_at = now()
where tenant_id = $1 and provider_id = $2 and $3 = (status in ('warning_needs_response', 'warning_under_review', 'warning_closed'))
"""
PATIENT = Retry(attempts=14, backoff=1.0, most=900.0)
"""About an hour: so long may the card provider be away."""
KEYS_KEPT = timedelta(hours=23)
"""The provider forgets a key after a day: the same part refunded under it later would leave twice."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment is opened with at the provider."""

    payment_id: PaymentId
    amount: int
    currency: str
    description: str
    receipt_email: str
    manual: bool


class OfPayment(msgspec.Struct, frozen=True, kw_only=True):
    """An order about a payment that the provider knows; `amount` for a part."""

    payment_id: PaymentId
    intent_id: str
    amount: int | None = None
    currency: str = ""
    refund_id: RefundId | None = None
    dispute_id: str = ""
    evidence: str = ""
    inquiry: bool = False
    """The evidence answers an inquiry; it is no answer to the dispute that may come of it."""


async def _call_open(services: Services, staged: Staged) -> dict[str, str]:
    asked = msgspec.convert(staged.intent, Opening)
    made = await processor.create_intent(
        services,
        key=staged.key,
        amount=Money(asked.amount, asked.currency),
        description=asked.description,
        metadata=_named(staged, asked.payment_id),
        receipt_email=asked.receipt_email,
        capture="manual" if asked.manual else "automatic",
    )
    sealed = seal_client_secret(services, staged.tenant_id, asked.payment_id, made.client_secret)
    return {"intent_id": made.id, "client_secret": b64encode(sealed).decode()}


async def _apply_open(ctx: Ctx, staged: Staged, result: dict[str, str]) -> None:
    before = await lock_payment(ctx, payment_id=UUID(staged.intent["payment_id"]))
    if not await ctx.db.execute(OPENED, ctx.tenant_id, before.id, result["intent_id"]):
        return
    after = await lock_payment(ctx, payment_id=before.id)
    await note(ctx, payment=after, step="opened", hint=Hint("answer"), details={"intent": after.intent_id})
    if after.status == "open":
        sealed = b64decode(result["client_secret"])
        await ctx.db.execute(KEPT_FOR_PAYER, ctx.tenant_id, after.id, after.patron_id, sealed)
        tell(ctx, event=PaymentChanged(**said(after)), payment=after, before=before)
    else:
        await void_at_provider(ctx, payment=after)


async def _gave_up_opening(ctx: Ctx, staged: Staged, error: str) -> None:
    before = await lock_payment(ctx, payment_id=UUID(staged.intent["payment_id"]))
    if before.status != "created":
        return
    failed = msgspec.structs.replace(
        before, status="failed", ended_at=ctx.now, failure_code="provider-refused", failure=error[:500]
    )
    after = await save(ctx, payment=failed)
    await note(ctx, payment=after, step="failed", hint=Hint("answer"), details={"error": error[:500]})
    tell(ctx, event=PaymentEnded(**said(after)), payment=after, before=before, reason=error[:500])


async def _call_void(services: Services, staged: Staged) -> None:
    asked = msgspec.convert(staged.intent, OfPayment)
    await processor.cancel_intent(services, asked.intent_id, key=staged.key, reason="abandoned")


async def _call_capture(services: Services, staged: Staged) -> None:
    asked = msgspec.convert(staged.intent, OfPayment)
    part = Money(asked.amount, asked.currency) if asked.amount is not None else None
    await processor.capture_intent(services, asked.intent_id, key=staged.key, amount=part)


async def _call_refund(services: Services, staged: Staged) -> str:
    asked = msgspec.convert(staged.intent, OfPayment)
    assert asked.amount is not None
    made = await processor.create_refund(
        services,
        key=staged.key,
        intent_id=asked.intent_id,
        amount=Money(asked.amount, asked.currency),
        metadata=_named(staged, asked.payment_id) | {"refund_id": str(asked.refund_id)},
    )
    return made.id


async def _apply_refund(ctx: Ctx, staged: Staged, result: str) -> None:
    asked = msgspec.convert(staged.intent, OfPayment)
    await lock_payment(ctx, payment_id=asked.payment_id)
    await ctx.db.execute(GIVEN, ctx.tenant_id, asked.refund_id, result)
    await look_soon(ctx, payment_id=asked.payment_id, hint=Hint("answer", result))


async def _gave_up_refund(ctx: Ctx, staged: Staged, error: str) -> None:
    """Refused for good, or never answered: the provider is looked at, for it may have done it, or something else instead."""
    asked = msgspec.convert(staged.intent, OfPayment)
    payment = await lock_payment(ctx, payment_id=asked.payment_id)
    assert asked.refund_id is not None
    refund = await read_refund(ctx, refund_id=asked.refund_id)
    if refund.status == "created":
        await leave_refund(ctx, payment=payment, refund=refund, failure=error[:500] or "No answer.")
    await look_soon(ctx, payment_id=payment.id, hint=Hint("answer", staged.key))


async def _call_evidence(services: Services, staged: Staged) -> None:
    asked = msgspec.convert(staged.intent, OfPayment)
    told = {"uncategorized_text": asked.evidence}
    await processor.update_dispute(services, asked.dispute_id, key=staged.key, evidence=told, submit=True)


async def _apply_evidence(ctx: Ctx, staged: Staged, result: Any) -> None:
    asked = msgspec.convert(staged.intent, OfPayment)
    await ctx.db.execute(ANSWERED, ctx.tenant_id, asked.dispute_id, asked.inquiry)
    await _look(ctx, staged, result)


async def _look(ctx: Ctx, staged: Staged, result: Any) -> None:
    await look_soon(ctx, payment_id=PaymentId(UUID(staged.intent["payment_id"])), hint=Hint("answer", staged.key))


async def _look_why(ctx: Ctx, staged: Staged, error: str) -> None:
    """It was refused: most likely because it stands otherwise than we thought."""
    payment = await lock_payment(ctx, payment_id=UUID(staged.intent["payment_id"]))
    await note(ctx, payment=payment, step="refused", hint=Hint("answer", staged.key), details={"error": error[:500]})
    await look_soon(ctx, payment_id=payment.id, hint=Hint("answer", staged.key))


OPEN = Stage(
    kind="payments.open", call=_call_open, apply=_apply_open, given_up=_gave_up_opening,
    retry=Retry(attempts=8, backoff=1.0, most=60.0),
)  # fmt: skip
VOID = Stage(kind="payments.void", call=_call_void, apply=_look, given_up=_look_why, retry=PATIENT)
CAPTURE = Stage(kind="payments.capture", call=_call_capture, apply=_look, given_up=_look_why, retry=PATIENT)
REFUND = Stage(
    kind="payments.refund", call=_call_refund, apply=_apply_refund, given_up=_gave_up_refund, retry=PATIENT,
    remembered=KEYS_KEPT,
)  # fmt: skip
EVIDENCE = Stage(
    kind="payments.evidence", call=_call_evidence, apply=_apply_evidence, given_up=_look_why, retry=PATIENT
)
STAGES = (OPEN, VOID, CAPTURE, REFUND, EVIDENCE)


async def void_at_provider(ctx: Ctx, *, payment: Payment) -> None:
    """Have the provider give up on being paid."""
    assert payment.intent_id is not None
    intent = msgspec.to_builtins(OfPayment(payment_id=payment.id, intent_id=payment.intent_id))
    await begin(ctx, VOID, key=f"void:{payment.id}:{payment.version}", intent=intent)


def _named(staged: Staged, payment_id: PaymentId) -> dict[str, str]:
    """What the provider keeps beside its object, so that it is found again."""
    return {"tenant_id": str(staged.tenant_id), "payment_id": str(payment_id)}
