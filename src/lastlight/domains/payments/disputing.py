"""Disputes: the cardholder's bank asks the money back. What is left of what was bought is frozen until the verdict.

An inquiry holds no money and freezes nothing, for the provider still lets refunds go out; one that is escalated begins again as a
dispute, under the same id, and is to be answered again. Without money taken nothing is lost, whatever an inquiry's end is called.

A verdict is final at the bank, yet a cardholder may withdraw a dispute that is closed. Whatever a decided dispute becomes, what its
verdict booked is taken back first, and then it is followed like any other; people are told. So it is where the verdict is the same, but
about another amount.

What is disputed is what the bank has taken and not given back (`disputed`): where the provider says another amount afterwards, without
moving money, nothing changes. More that is taken is frozen, too, and what is not disputed any more is let go. Of a dispute that is lost in
part, a part comes back: the rest is lost.
"""

from collections.abc import Sequence

import msgspec

from lastlight.domains.ledger import DISPUTES_HELD, open_account
from lastlight.domains.payments.disputed import Moved, disputed_of, moved_of
from lastlight.domains.payments.events import DisputeChanged, DisputeClosed, DisputeOpened, DisputeOverturned
from lastlight.domains.payments.journal import book, make_available, moment, write_off
from lastlight.domains.payments.model import (
    DISPUTE_ENDED,
    INQUIRIES,
    Dispute,
    DisputeId,
    DisputeStatus,
    Hint,
    Payment,
)
from lastlight.domains.payments.purposes import PURPOSES
from lastlight.domains.payments.queries import read_dispute
from lastlight.domains.payments.rows import save
from lastlight.domains.payments.telling import note, tell_dispute
from lastlight.kernel.ids import uuid7
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx

INSERT = """
insert into disputes (tenant_id, id, payment_id, provider_id, amount, currency, reason, status, due_by, opened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
SAVE = """
update disputes
set status = $3, amount = $4, due_by = $5, lost = $6, answered_at = case when $7::boolean then null else answered_at end,
    ended_at = case when $3 in ('warning_closed', 'won', 'lost', 'prevented') then now() end
where tenant_id = $1 and id = $2
"""
AMEND = "update disputes set amount = $3 where tenant_id = $1 and id = $2"
FOUND = "select id from disputes where tenant_id = $1 and provider_id = $2"
HELD = """
select coalesce(sum(amount), 0)::bigint from disputes
where tenant_id = $1 and payment_id = $2 and status in ('needs_response', 'under_review', 'lost')
"""


OVERTURNED = "dispute-overturned"
TURNS = """
select count(*) from payment_steps
where tenant_id = $1 and payment_id = $2 and step = $3 and details ->> 'dispute_id' = $4
"""
DECIDED: frozenset[DisputeStatus] = DISPUTE_ENDED - {"warning_closed"}
"""The bank has spoken; an inquiry that was closed was only asked about."""


async def follow_dispute(ctx: Ctx, *, payment: Payment, seen: processor.Dispute, hint: Hint) -> Payment:
    """The payment, with one dispute as the provider has it. Raises DisagreementError, and then nothing was written."""
    moved = await moved_of(ctx, payment=payment, seen=seen)
    known = await ctx.db.fetchval(FOUND, ctx.tenant_id, seen.id)
    before = await read_dispute(ctx, dispute_id=known) if known is not None else None
    status = _status(seen)
    amount = disputed_of(
        seen, moved=moved, known=None if before is None or before.status in INQUIRIES else before.amount
    )
    dispute = msgspec.structs.replace(before or await _opened(ctx, payment, seen, status), amount=amount)
    await _book(ctx, payment, dispute, moved)
    if before is not None and before.status == status and (amount == before.amount or status not in DECIDED):
        return await _amend(ctx, payment, dispute, before, hint)
    overturned = before is not None and before.status in DECIDED
    if before is not None and overturned:
        await _overturn(ctx, payment, before, status, hint)
    anew = before is None or before.status in INQUIRIES or overturned
    differs = before is not None and amount != before.amount
    if (anew or differs) and status not in INQUIRIES and not (overturned and status in DISPUTE_ENDED):
        await PURPOSES.of(payment).freeze(ctx, payment, dispute)
    lost = await _verdict(ctx, payment, dispute, status) if status in DISPUTE_ENDED else 0
    due = moment(seen.due_by) if seen.due_by else None
    again = before is not None and anew and status == "needs_response"
    await ctx.db.execute(SAVE, ctx.tenant_id, dispute.id, status, amount, due, lost, again)
    return await _tell(ctx, payment, dispute, before, hint)


def _status(seen: processor.Dispute) -> DisputeStatus:
    """How a dispute stands. One that is lost though no money was taken was only asked about, until money moves."""
    asked = seen.status == "lost" and not seen.balance_transactions
    return "warning_closed" if asked else msgspec.convert(seen.status, DisputeStatus)


async def _amend(ctx: Ctx, payment: Payment, dispute: Dispute, before: Dispute, hint: Hint) -> Payment:
    """A dispute that stands as before, about another amount."""
    if dispute.amount == before.amount or dispute.status == "warning_closed":
        return payment
    if dispute.status not in INQUIRIES:
        await PURPOSES.of(payment).freeze(ctx, payment, dispute)
    await ctx.db.execute(AMEND, ctx.tenant_id, dispute.id, dispute.amount)
    return await _tell(ctx, payment, dispute, before, hint)


async def _opened(ctx: Ctx, payment: Payment, seen: processor.Dispute, status: DisputeStatus) -> Dispute:
    """A row for a dispute that is new to us; one that is decided already opens, and ends in the same breath."""
    dispute_id = DisputeId(uuid7())
    first: DisputeStatus = "warning_needs_response" if status in INQUIRIES else "needs_response"
    due = moment(seen.due_by) if seen.due_by else None
    opened = first if status in DISPUTE_ENDED else status
    values = (payment.id, seen.id, seen.amount, seen.currency, seen.reason, opened, due, moment(seen.created))
    await ctx.db.execute(INSERT, ctx.tenant_id, dispute_id, *values)
    return await read_dispute(ctx, dispute_id=dispute_id)


async def _book(ctx: Ctx, payment: Payment, dispute: Dispute, moved: Sequence[Moved]) -> None:
    held = await open_account(ctx, kind=DISPUTES_HELD, currency=payment.currency)
    for one, presented in moved:
        await book(
            ctx, payment=payment, kind="dispute", moved=[one], presented=presented, other=held, dispute_id=dispute.id
        )
        await make_available(ctx, payment=payment, moved=[one])


async def _verdict(ctx: Ctx, payment: Payment, dispute: Dispute, status: DisputeStatus) -> int:
    """What a decided dispute costs: what is left of what was bought pays first, the business the rest."""
    purpose = PURPOSES.of(payment)
    if status == "warning_closed" and dispute.status in INQUIRIES:
        return 0
    if status != "lost":
        await purpose.verdict(ctx, payment, dispute, "won")
        return 0
    taken = await purpose.verdict(ctx, payment, dispute, "lost")
    lost = dispute.amount - taken
    turn = await _turns(ctx, dispute)
    await _write_off(ctx, payment, dispute, key=f"loss:{turn}" if turn else "loss", amount=lost)
    return lost


async def _overturn(ctx: Ctx, payment: Payment, dispute: Dispute, status: DisputeStatus, hint: Hint) -> None:
    """Decided, and now otherwise: take back what the verdict booked, and tell people of it."""
    if dispute.status == "lost":
        await PURPOSES.of(payment).verdict(ctx, payment, dispute, "won")
        await _write_off(ctx, payment, dispute, key=f"loss-back:{await _turns(ctx, dispute)}", amount=-dispute.lost)
    details = {"dispute_id": dispute.id, "amount": dispute.amount, "before": dispute.status, "status": status}
    await note(ctx, payment=payment, step=OVERTURNED, hint=hint, details=details)
    now = msgspec.structs.replace(dispute, status=status)
    tell_dispute(ctx, kind=DisputeOverturned, payment=payment, dispute=now)


async def _write_off(ctx: Ctx, payment: Payment, dispute: Dispute, *, key: str, amount: int) -> None:
    named = {"dispute_id": str(dispute.id)}
    key = f"dispute:{dispute.id}:{key}"
    await write_off(ctx, payment=payment, key=key, kind="dispute-loss", amount=amount, to=DISPUTES_HELD, meta=named)


async def _turns(ctx: Ctx, dispute: Dispute) -> int:
    """How often it was decided otherwise."""
    return await ctx.db.fetchval(TURNS, ctx.tenant_id, dispute.payment_id, OVERTURNED, str(dispute.id))


async def _tell(ctx: Ctx, payment: Payment, dispute: Dispute, before: Dispute | None, hint: Hint) -> Payment:
    held = await ctx.db.fetchval(HELD, ctx.tenant_id, payment.id)
    payment = await save(ctx, payment=msgspec.structs.replace(payment, disputed=held))
    after = await read_dispute(ctx, dispute_id=dispute.id)
    details = {"dispute_id": after.id, "amount": after.amount, "reason": after.reason, "lost": after.lost}
    await note(ctx, payment=payment, step=f"dispute-{after.status}", hint=hint, details=details)
    if before is None:
        tell_dispute(ctx, kind=DisputeOpened, payment=payment, dispute=dispute)
    if after.status in DISPUTE_ENDED:
        tell_dispute(ctx, kind=DisputeClosed, payment=payment, dispute=after)
    elif before is not None:
        tell_dispute(ctx, kind=DisputeChanged, payment=payment, dispute=after)
    return payment
