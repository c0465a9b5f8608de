"""Payments at the edge: thin; the actions hold the rules."""

from uuid import UUID

from lastlight.domains.payments import actions, inbox, reading
from lastlight.domains.payments.errors import (
    AmountUnusable,
    AnswerOnItsWay,
    DisputeEnded,
    EventHandled,
    PaymentNotAuthorised,
    PaymentNotOpen,
    PaymentNotRetriable,
    RefundTooLarge,
    SignatureWrong,
    SpentAlready,
)
from lastlight.domains.payments.jobs import take_and_queue
from lastlight.domains.payments.listings import DISPUTES, OWN_PAYMENTS, PAYMENTS, PROVIDER_EVENTS, REFUNDS
from lastlight.domains.payments.model import Dispute, DisputeId, Hint, Payment, PaymentId, Refund
from lastlight.domains.payments.permissions import PAYMENTS_MANAGE, PAYMENTS_OWN, PAYMENTS_READ, PAYMENTS_REFUND
from lastlight.domains.payments.queries import read_dispute
from lastlight.domains.payments.schemas import (
    CaptureIn,
    Checkout,
    EvidenceIn,
    PaymentOut,
    ProviderEvent,
    Received,
    RefundIn,
)
from lastlight.kernel.errors import NotFound
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, get, post
from lastlight.runtime.http.listing import listing_get

TAGS = ("Payments",)
SIGNED = "The card provider signs what it sends; what is not signed is refused."
WEBHOOK_LIMIT = 512 * 1024

list_payments = listing_get("/api/payments", PAYMENTS, tags=TAGS)
list_own_payments = listing_get("/api/patron/payments", OWN_PAYMENTS, tags=TAGS)
list_refunds = listing_get("/api/refunds", REFUNDS, tags=TAGS)
list_disputes = listing_get("/api/disputes", DISPUTES, tags=TAGS)
list_provider_events = listing_get("/api/provider-events", PROVIDER_EVENTS, tags=TAGS)


@get("/api/payments/{payment_id:uuid}", permission=PAYMENTS_READ, raises=[NotFound], tags=TAGS)
async def read_payment(ctx: Ctx, payment_id: PaymentId) -> PaymentOut:
    """Read a payment with its steps, refunds, disputes, and what it moved at the card provider."""
    return await reading.read_whole(ctx, payment_id=payment_id)


@get("/api/patron/payments/{payment_id:uuid}", permission=PAYMENTS_OWN, raises=[NotFound], tags=TAGS)
async def read_checkout(ctx: Ctx, payment_id: PaymentId) -> Checkout:
    """Read what one's own page needs to pay, or how the payment stands."""
    return await reading.read_checkout(ctx, payment_id=payment_id)


@post("/api/patron/payments/{payment_id:uuid}/check", permission=PAYMENTS_OWN, raises=[NotFound], tags=TAGS)
async def check_own_payment(ctx: Ctx, payment_id: PaymentId) -> Checkout:
    """Have the card provider asked how one's own payment stands; what comes of it is told by `payment.*` events."""
    shown = await reading.read_checkout(ctx, payment_id=payment_id)
    await actions.check_payment(ctx, payment_id=payment_id, hint=Hint("request"))
    return shown


@post(
    "/api/patron/payments/{payment_id:uuid}/cancellation",
    permission=PAYMENTS_OWN,
    raises=[NotFound, PaymentNotOpen],
    tags=TAGS,
)
async def cancel_own_payment(ctx: Ctx, payment_id: PaymentId) -> Checkout:
    """Give up on a payment of one's own that is not paid."""
    await reading.read_checkout(ctx, payment_id=payment_id)
    await actions.void_payment(ctx, payment_id=payment_id, hint=Hint("request"))
    return await reading.read_checkout(ctx, payment_id=payment_id)


@post(
    "/api/payments/{payment_id:uuid}/refunds",
    permission=PAYMENTS_REFUND,
    idempotent=True,
    raises=[NotFound, AmountUnusable, RefundTooLarge, SpentAlready],
    status=201,
    tags=TAGS,
)
async def refund_payment(ctx: Ctx, payment_id: PaymentId, data: RefundIn) -> Refund:
    """Send all or a part of a payment back to the card that paid; what was bought for it is taken back."""
    return await actions.begin_refund(ctx, payment_id=payment_id, amount=data.amount, reason=data.reason)


@post(
    "/api/payments/{payment_id:uuid}/retry",
    permission=PAYMENTS_MANAGE,
    idempotent=True,
    raises=[NotFound, PaymentNotRetriable],
    tags=TAGS,
)
async def retry_payment(ctx: Ctx, payment_id: PaymentId) -> Payment:
    """Try again what never reached the card provider; else have it asked how the payment stands."""
    return await actions.retry_payment(ctx, payment_id=payment_id)


@post(
    "/api/payments/{payment_id:uuid}/void",
    permission=PAYMENTS_MANAGE,
    idempotent=True,
    raises=[NotFound, PaymentNotOpen],
    tags=TAGS,
)
async def void_payment(ctx: Ctx, payment_id: PaymentId) -> Payment:
    """Give up on a payment that is not captured; what the bank has authorised is released."""
    return await actions.void_payment(ctx, payment_id=payment_id, hint=Hint("console"))


@post(
    "/api/payments/{payment_id:uuid}/capture",
    permission=PAYMENTS_MANAGE,
    idempotent=True,
    raises=[NotFound, AmountUnusable, PaymentNotAuthorised],
    tags=TAGS,
)
async def capture_payment(ctx: Ctx, payment_id: PaymentId, data: CaptureIn) -> Payment:
    """Take what the bank has authorised, or a part of it."""
    return await actions.capture_payment(ctx, payment_id=payment_id, amount=data.amount)


@get("/api/disputes/{dispute_id:uuid}", permission=PAYMENTS_READ, raises=[NotFound], tags=TAGS)
async def read_one_dispute(ctx: Ctx, dispute_id: DisputeId) -> Dispute:
    """Read a dispute."""
    return await read_dispute(ctx, dispute_id=dispute_id)


@post(
    "/api/disputes/{dispute_id:uuid}/evidence",
    permission=PAYMENTS_REFUND,
    idempotent=True,
    raises=[NotFound, DisputeEnded, AnswerOnItsWay],
    tags=TAGS,
)
async def answer_dispute(ctx: Ctx, dispute_id: DisputeId, data: EvidenceIn) -> Dispute:
    """Send the bank what speaks for the payment: once, and for good."""
    return await actions.answer_dispute(ctx, dispute_id=dispute_id, evidence=data.evidence)


@get("/api/provider-events/{provider_event_id:uuid}", permission=PAYMENTS_READ, raises=[NotFound], tags=TAGS)
async def read_provider_event(ctx: Ctx, provider_event_id: UUID) -> ProviderEvent:
    """Read an event of the card provider, with what it said."""
    return await reading.read_event(ctx, provider_event_id=provider_event_id)


@post(
    "/api/provider-events/{provider_event_id:uuid}/replay",
    permission=PAYMENTS_MANAGE,
    idempotent=True,
    raises=[NotFound, EventHandled],
    tags=TAGS,
)
async def replay_provider_event(ctx: Ctx, provider_event_id: UUID) -> ProviderEvent:
    """Have an event worked off again: it has one effect, however often."""
    await inbox.replay_event(ctx, provider_event_id=provider_event_id)
    return await reading.read_event(ctx, provider_event_id=provider_event_id)


@post(
    processor.WEBHOOK_PATH,
    public=SIGNED,
    db="system",
    limit="none",
    body_limit=WEBHOOK_LIMIT,
    raises=[SignatureWrong],
    tags=TAGS,
)
async def take_webhook(ctx: Ctx, body: bytes, request: RequestInfo) -> Received:
    """Take in an event of the card provider, signed over its very bytes; brought again, it changes nothing."""
    event = inbox.verified(ctx, body=body, signature=request.headers.get("stripe-signature", ""))
    await take_and_queue(ctx, event=event, body=body, swept=False)
    return Received()


ROUTES = (
    list_payments,
    list_own_payments,
    read_payment,
    read_checkout,
    check_own_payment,
    cancel_own_payment,
    refund_payment,
    retry_payment,
    void_payment,
    capture_payment,
    list_refunds,
    list_disputes,
    read_one_dispute,
    answer_dispute,
    list_provider_events,
    read_provider_event,
    replay_provider_event,
    take_webhook,
)
