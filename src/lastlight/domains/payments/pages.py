"""Card payments on the owner's console: every payment in its state, one with all that became of it, refunds, disputes."""

from typing import Any

import msgspec

from lastlight.domains.ledger import LEDGER_READ
from lastlight.domains.payments.journal import booked_as
from lastlight.domains.payments.listings import DISPUTES, PAYMENTS, REFUNDS
from lastlight.domains.payments.model import ENDED, PAID, DisputeStatus, Payment, PaymentId
from lastlight.domains.payments.permissions import PAYMENTS_MANAGE, PAYMENTS_READ, PAYMENTS_REFUND
from lastlight.domains.payments.purposes import PURPOSES
from lastlight.domains.payments.queries import disputes_to_answer
from lastlight.domains.payments.reading import read_whole
from lastlight.domains.venues import listed
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, View, page

HOME = "/owner/payments"
REFUNDS_HOME = "/owner/refunds"
DISPUTES_HOME = "/owner/disputes"
EVENTS = [
    "payment.created",
    "payment.changed",
    "payment.declined",
    "payment.captured",
    "payment.settled",
    "payment.asked",
    "payment.ended",
    "payment.refund_begun",
    "payment.refunded",
    "payment.refund_failed",
    "dispute.opened",
    "dispute.changed",
    "dispute.closed",
]
REFUND_EVENTS = ["payment.refund_begun", "payment.refunded", "payment.refund_failed"]
DISPUTE_EVENTS = ["dispute.opened", "dispute.changed", "dispute.closed"]
STATES: dict[str, tuple[str, ...]] = {
    "pending": ("created", "open", "action", "processing", "authorised"),
    "captured": ("captured",),
    "settled": ("settled",),
    "failed": ("failed", "canceled"),
}
"""The tabs of the list, each with the statuses that it stands for."""
TO_ANSWER: frozenset[DisputeStatus] = frozenset({"needs_response", "warning_needs_response"})
NAMES = """
select coalesce((select g.name from patrons g where g.tenant_id = $1 and g.id = $2), '') as guest,
       coalesce((select w.name from venues w where w.tenant_id = $1 and w.id = $3), '') as venue
"""


@page(HOME, permission=PAYMENTS_READ, listing=PAYMENTS)
async def payments_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List card payments by their states."""
    shown = await listed(ctx, request=request, listing=PAYMENTS, query=query, home=HOME)
    context = {"events": EVENTS, "state": _state(query), "states": STATES, "purposes": PURPOSES.labels()}
    return View("payments/payments.html", {**shown, **context})


def _state(query: Any) -> str:
    """The tab that a query is, or none where it is another choice of statuses."""
    chosen = set(msgspec.to_builtins(query.status))
    if query.disputed and not chosen:
        return "disputed"
    if query.disputed is None and not chosen:
        return "all"
    return next((name for name, statuses in STATES.items() if set(statuses) == chosen), "")


@page(f"{HOME}/{{payment_id:uuid}}", permission=PAYMENTS_READ)
async def payment_page(ctx: Ctx, payment_id: PaymentId) -> View:
    """Show a payment: how it stands, each step, what went back, what is disputed, what it moved at the provider."""
    whole = await read_whole(ctx, payment_id=payment_id)
    names = await ctx.db.fetchrow(NAMES, ctx.tenant_id, whole.payment.patron_id, whole.payment.venue_id)
    context: dict[str, Any] = {
        "whole": whole,
        "payment": whole.payment,
        "names": names,
        "booked": await booked_as(ctx, movements=whole.movements) if ctx.allows(LEDGER_READ) else {},
        "purpose": PURPOSES.labels().get(whole.payment.purpose, whole.payment.purpose),
        "home": HOME,
        "events": EVENTS,
        "can": _can(ctx, whole.payment),
        "to_answer": TO_ANSWER,
        "history": await entity_history(ctx, entity="payment", entity_id=payment_id),
    }
    return View("payments/payment.html", context)


def _can(ctx: Ctx, payment: Payment) -> dict[str, bool]:
    """What the reader may do about a payment as it stands."""
    manages, open_still = ctx.allows(PAYMENTS_MANAGE), payment.status not in PAID | ENDED
    return {
        "refund": ctx.allows(PAYMENTS_REFUND) and payment.refundable > 0,
        "answer": ctx.allows(PAYMENTS_REFUND),
        "capture": manages and payment.status == "authorised",
        "void": manages and open_still,
        "retry": manages and payment.status == "failed",
        "check": manages and payment.intent_id is not None and payment.status not in ENDED,
    }


@page(REFUNDS_HOME, permission=PAYMENTS_READ, listing=REFUNDS)
async def refunds_page(ctx: Ctx, query: Any) -> View:
    """List what went back to cards."""
    view = await REFUNDS.view(ctx, query)
    context: dict[str, Any] = {
        "view": view,
        "home": REFUNDS_HOME,
        "paged": bool(query.after),
        "events": REFUND_EVENTS,
        "states": STATES,
    }
    return View("payments/refunds.html", context)


@page(DISPUTES_HOME, permission=PAYMENTS_READ, listing=DISPUTES)
async def disputes_page(ctx: Ctx, query: Any) -> View:
    """Show which disputes wait for an answer, the first due first, and list all of them."""
    context: dict[str, Any] = {
        "view": await DISPUTES.view(ctx, query),
        "home": DISPUTES_HOME,
        "paged": bool(query.after),
        "events": DISPUTE_EVENTS,
        "waiting": await disputes_to_answer(ctx),
        "may_answer": ctx.allows(PAYMENTS_REFUND),
    }
    return View("payments/disputes.html", context)


PAGES = (payments_page, payment_page, refunds_page, disputes_page)
